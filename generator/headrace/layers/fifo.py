"""First-in first-out buffer of `depth` words."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.datatypes import DataType, IntArray
from headrace.errors import require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Queue
from headrace.layers.schedule import Schedule, Step
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class Fifo(Layer):
    """Holds up to `depth` words of `lanes` elements; `words` pass per frame."""

    kind = "fifo"
    connects = True
    name: str
    depth: int
    lanes: int
    element: DataType
    words: int

    def __post_init__(self) -> None:
        require_positive(self.name, depth=self.depth, lanes=self.lanes, words=self.words)

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.lanes, self.words),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return self.inputs

    @property
    def stream_depth(self) -> int:
        return self.depth

    def golden(self, *x: IntArray) -> IntArray:
        return x[0]

    def schedule(self) -> Schedule:
        if self.depth <= 2:  # one register slice
            return Schedule((Step(self.words, 1, 1),), latency_cycles=1, flow=Queue(self.depth))
        return Schedule((Step(self.words, 1, 1),), latency_cycles=2, slack_words=self.depth + 1,
                        flow=Queue(self.depth))

    def parameters(self) -> Parameters:
        return (("DEPTH", self.depth), ("LANES", self.lanes), ("E_BITS", self.element.bits), ("WORDS", self.words))
