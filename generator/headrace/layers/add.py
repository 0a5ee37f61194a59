"""Addition of two streams, element by element."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import slices
from headrace.datatypes import DataType, IntArray, Interval
from headrace.errors import require_positive
from headrace.fold_rule import require_divides
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Schedule, Step
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class Add(Layer):
    """y = left + right over `pixels` of `channels` elements; the output's type is the exact interval of the sums."""

    kind = "add"
    #: Operands of different width and sign, two words per pixel.
    example = {"channels": 4, "pe": 2, "left": "int3", "right": "uint5", "pixels": 5}
    max_inputs = 2
    name: str
    channels: int
    left: DataType
    right: DataType
    pixels: int
    pe: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, channels=self.channels, pixels=self.pixels)
        require_divides(self.name, "PE", self.pe, "channels", self.channels)

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("channels"), f.dtype("left"), f.dtype("right"), f.integer("pixels"),
                   f.integer("pe", 1))

    @property
    def output(self) -> Interval:
        """Type of a sum."""
        return Interval(self.left.lo + self.right.lo, self.left.hi + self.right.hi)

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (self._stream(self.left), self._stream(self.right))

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (self._stream(self.output),)

    def _stream(self, element: DataType) -> Stream:
        return Stream(element, self.pe, self.pixels * self.channels // self.pe)

    def golden(self, *x: IntArray) -> IntArray:
        return x[0] + x[1]

    def schedule(self) -> Schedule:
        return Schedule((Step(self.outputs[0].words, 1, 1),), latency_cycles=2, flow=Pipeline(0, single=True))

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.channels}

    def parameters(self) -> Parameters:
        return (
            ("PE", self.pe), ("L_BITS", self.left.bits), ("L_KIND", self.left.kind),
            ("R_BITS", self.right.bits), ("R_KIND", self.right.kind), ("O_BITS", self.output.bits),
            ("WORDS", self.outputs[0].words),
        )

    def amounts(self, a: Amounts) -> None:
        """Two slices and an adder (headrace_add)."""
        slices(a, *(stream.bits for stream in self.inputs))
        narrow, wide = sorted((self.left, self.right), key=lambda element: element.bits)
        carried = wide.bits if narrow.kind else narrow.bits  # signs reach up to the highest bit
        a.add("single slice", lut=2, ff=self.outputs[0].bits + 1)
        a.add("add", lut=self.pe * (carried + 0.5))
