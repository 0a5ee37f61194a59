"""Fork: one stream becomes several equal ones, each of which is accepted at its own time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import slices
from headrace.datatypes import DataType, IntArray
from headrace.errors import InputError, require_positive
from headrace.fold_rule import require_divides
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Copies
from headrace.layers.phases import Schedule, Step
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream

MAX_BRANCHES: Final = 8


@dataclass(frozen=True)
class Fork(Layer):
    """Copies `pixels` of `channels` elements to `branches` streams; a word is taken when every branch has taken it."""

    kind = "fork"
    #: Three branches, two words per pixel, neither of which fills whole bytes.
    example = {"channels": 6, "pe": 3, "element": "int3", "pixels": 5, "outputs": 3}
    max_outputs = MAX_BRANCHES
    name: str
    channels: int
    element: DataType
    pixels: int
    branches: int = 2
    pe: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, channels=self.channels, pixels=self.pixels)
        require_divides(self.name, "PE", self.pe, "channels", self.channels)
        if not 2 <= self.branches <= MAX_BRANCHES:
            raise InputError(f"{self.name}: outputs={self.branches} must lie between 2 and {MAX_BRANCHES}; "
                             "put a second fork behind a branch for more")

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("channels"), f.dtype("element"), f.integer("pixels"), f.integer("outputs", 2),
                    f.integer("pe", 1))

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.pe, self.pixels * self.channels // self.pe),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return self.inputs * self.branches

    def golden(self, *x: IntArray) -> IntArray:
        return x[0]

    def schedule(self) -> Schedule:
        return Schedule((Step(self.inputs[0].words, 1, 1),), latency_cycles=1, flow=Copies())

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.channels}

    def parameters(self) -> Parameters:
        return (("OUTPUTS", self.branches), ("PE", self.pe), ("E_BITS", self.element.bits),
                ("WORDS", self.inputs[0].words))

    def amounts(self, a: Amounts) -> None:
        """One slice whose word out every branch takes by itself (headrace_fork)."""
        slices(a, self.inputs[0].bits)
        a.add("fork", lut=self.branches, ff=self.branches - 1)
