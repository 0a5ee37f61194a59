"""Part of every frame: elements from one place on go through, the others are dropped."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, slices
from headrace.datatypes import BIPOLAR, DataType, IntArray, hull
from headrace.errors import FoldingError, InputError, require_positive
from headrace.fold_rule import divisors
from headrace.layers.base import Grid, Layer, Parameters
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Phases, Schedule, Step
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class Take(Layer):
    """Of a frame of `elements` the `count` elements from `first` on, in order.

    `input` holds `output`, the type of what is taken; its values outside of that are taken modulo its codes, and for
    bipolar by their sign. Words that are dropped need no room at the output.
    """

    kind = "take"
    #: Two words of the middle, of a narrower type.
    example = {"elements": 12, "first": 3, "count": 6, "pe": 3, "input": "int7", "output": "uint3"}
    name: str
    elements: int
    first: int
    count: int
    input: DataType
    output: DataType
    pe: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, elements=self.elements, count=self.count)
        if self.first < 0 or self.first + self.count > self.elements:
            raise InputError(f"{self.name}: {self.count} elements from {self.first} on do not lie in a frame of "
                             f"{self.elements}; take fewer, or from a place before")
        if hull(self.input, self.output) != self.input:
            raise InputError(f"{self.name}: an input of {self.input} does not hold {self.output}; choose an output "
                             "type within that of the input")
        size = self.fold_sizes["pe"]
        if self.pe < 1 or size % self.pe:
            raise FoldingError(f"{self.name}: PE={self.pe} must divide first={self.first}, count={self.count} and "
                               f"elements={self.elements}; choose one of {divisors(size)}")

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("elements"), f.integer("first"), f.integer("count"), f.dtype("input"),
                   f.dtype("output"), f.integer("pe", 1))

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.input, self.pe, self.elements // self.pe),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.output, self.pe, self.count // self.pe),)

    def out_grid(self, grid: Grid | None) -> Grid | None:
        return None

    def golden(self, *x: IntArray) -> IntArray:
        part = x[0][:, self.first : self.first + self.count]
        if self.output == BIPOLAR:
            return np.where(part < 0, -1, 1)
        return self.output.decode(self.input.encode(part) & np.uint64((1 << self.output.bits) - 1))

    def schedule(self) -> Schedule:
        before, taken = self.first // self.pe, self.count // self.pe
        steps = (Step(before, 1, 0), Step(taken, 1, 1), Step(self.inputs[0].words - before - taken, 1, 0))
        phases: Phases = tuple(step for step in steps if step.repeats)
        return Schedule(phases, latency_cycles=2, flow=Pipeline(0, reads_ahead=True, single=True))

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": gcd(self.first, self.count, self.elements)}

    def parameters(self) -> Parameters:
        return (("WORDS", self.inputs[0].words), ("FIRST", self.first // self.pe), ("COUNT", self.count // self.pe),
                ("PE", self.pe), ("I_BITS", self.input.bits), ("O_BITS", self.output.bits),
                ("O_KIND", self.output.kind if self.output.bits < self.input.bits else 0))

    def amounts(self, a: Amounts) -> None:
        """Slices and a counter of the words of a frame (headrace_take); bits that are not taken are not stored."""
        slices(a, self.outputs[0].bits)
        a.add("single slice", lut=2, ff=self.outputs[0].bits + 1)
        counters(a, self.inputs[0].words)
        a.add("take", lut=2 * (-(-self.inputs[0].words.bit_length() // 4)))
