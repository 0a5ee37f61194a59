"""First-in first-out buffer of `depth` words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, ram, slices
from headrace.datatypes import DataType, IntArray
from headrace.errors import require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.buffered import Buffered
from headrace.layers.flow import Queue
from headrace.layers.phases import Schedule, Step
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class Fifo(Buffered):
    """Holds up to `depth` words of `lanes` elements; `words` pass per frame."""

    kind = "fifo"
    #: A depth that is not a power of two, smaller than a frame.
    example = {"depth": 5, "lanes": 3, "element": "uint3", "words": 14}
    connects = True
    name: str
    depth: int
    lanes: int
    element: DataType
    words: int

    def __post_init__(self) -> None:
        require_positive(self.name, depth=self.depth, lanes=self.lanes, words=self.words)

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("depth"), f.integer("lanes", 1), f.dtype("element"), f.integer("words"),
                   uram=f.flag("uram"))

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.lanes, self.words),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return self.inputs

    @property
    def stream_depth(self) -> int:
        return self.depth

    @property
    def buffers(self) -> tuple[int, int, int]:
        return int(self.depth > 2), self.depth, self.inputs[0].bits

    def golden(self, *x: IntArray) -> IntArray:
        return x[0]

    def schedule(self) -> Schedule:
        if self.depth <= 2:  # one register slice
            return Schedule((Step(self.words, 1, 1),), latency_cycles=1, flow=Queue(self.depth))
        return Schedule((Step(self.words, 1, 1),), latency_cycles=2, slack_words=self.depth + 1,
                        flow=Queue(self.depth))

    def parameters(self) -> Parameters:
        return (("DEPTH", self.depth), ("LANES", self.lanes), ("E_BITS", self.element.bits), ("WORDS", self.words))

    def amounts(self, a: Amounts) -> None:
        """A slice, or a memory with two addresses and a level (headrace_fifo)."""
        bits = self.outputs[0].bits
        if self.depth <= 2:
            slices(a, bits)
            return
        if self.depth & self.depth - 1:
            counters(a, self.depth, self.depth)
        else:  # addresses that wrap by themselves
            a.add("counter", ff=2 * (self.depth - 1).bit_length())
        a.add("level", lut=1.4 * self.depth.bit_length(), ff=self.depth.bit_length() + 2)
        a.add("fifo", lut=7)
        ram(a, self.store, self.depth, bits)
