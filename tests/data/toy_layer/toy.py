"""A layer of another package, as CONTRIBUTING's recipe makes one: every element of a stream complemented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import slices
from headrace.datatypes import DataType, IntArray
from headrace.errors import require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.phases import Schedule, Step
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class Toy(Layer):
    """y = lo + hi - x for elements of an unsigned type of all its codes, `words` words of `lanes` per frame."""

    kind = "toy"
    example: ClassVar[Mapping[str, object]] = {"lanes": 3, "element": "uint4", "words": 5}
    kernels = Path(__file__).parent
    name: str
    lanes: int
    element: DataType
    words: int

    def __post_init__(self) -> None:
        require_positive(self.name, lanes=self.lanes, words=self.words)

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("lanes", 1), f.dtype("element"), f.integer("words"))

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.lanes, self.words),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return self.inputs

    def golden(self, *x: IntArray) -> IntArray:
        return self.element.lo + self.element.hi - x[0]

    def schedule(self) -> Schedule:
        return Schedule((Step(self.words, 1, 1),), latency_cycles=1)

    def parameters(self) -> Parameters:
        return (("LANES", self.lanes), ("E_BITS", self.element.bits), ("WORDS", self.words))

    def amounts(self, a: Amounts) -> None:
        slices(a, self.inputs[0].bits)
