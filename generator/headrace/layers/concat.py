"""Concatenation of the channels of several streams, pixel by pixel."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import ceil, gcd
from typing import Final

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, multiplexer, slices
from headrace.datatypes import UNSIGNED, DataType, IntArray, hull
from headrace.errors import FoldingError, InputError, require_positive
from headrace.fold_rule import divisors
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Loop, Schedule, Step
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream

MAX_INPUTS: Final = 8


@dataclass(frozen=True)
class Concat(Layer):
    """Every pixel's channels of input 0, then those of input 1, and so on; `channels` holds their numbers.

    `element` is the type of the output. `elements` are those of the inputs, which it holds; left out, they are equal.
    A frame of one pixel puts whole frames of the inputs one behind the other.
    """

    kind = "concat"
    #: Three inputs with different numbers of words per pixel.
    example = {"channels": [2, 6, 4], "pe": 2, "element": "uint3", "pixels": 4}
    max_inputs = MAX_INPUTS
    name: str
    channels: tuple[int, ...]
    element: DataType
    pixels: int
    pe: int = 1
    elements: tuple[DataType, ...] = ()

    def __post_init__(self) -> None:
        require_positive(self.name, channels=self.channels, pixels=self.pixels)
        if not 2 <= len(self.channels) <= MAX_INPUTS:
            raise InputError(f"{self.name}: {len(self.channels)} inputs must be between 2 and {MAX_INPUTS}; "
                             "put a second concat behind this one for more")
        if self.elements and (len(self.elements) != len(self.channels) or reduce(hull, self.elements) != self.element):
            raise InputError(f"{self.name}: elements={[str(e) for e in self.elements]} of {len(self.channels)} inputs "
                             f"do not make {self.element}; give one type for each input")
        if self.pe < 1 or any(count % self.pe for count in self.channels):
            raise FoldingError(f"{self.name}: PE={self.pe} must divide every one of channels={list(self.channels)}; "
                               f"choose one of {divisors(gcd(*self.channels))}")

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        elements = f.dtypes("element")
        return cls(f.name, f.counts("channels"), reduce(hull, elements), f.integer("pixels"), f.integer("pe", 1),
                   elements if len(elements) > 1 else ())

    @property
    def pixel_words(self) -> tuple[int, ...]:
        """Words per pixel of every input, channels/PE."""
        return tuple(count // self.pe for count in self.channels)

    @property
    def inputs(self) -> tuple[Stream, ...]:
        elements = self.elements or (self.element,) * len(self.pixel_words)
        return tuple(Stream(element, self.pe, self.pixels * words)
                     for element, words in zip(elements, self.pixel_words, strict=True))

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.pe, self.pixels * sum(self.pixel_words)),)

    def golden(self, *x: IntArray) -> IntArray:
        parts = [values.reshape(len(values), self.pixels, count)
                 for values, count in zip(x, self.channels, strict=True)]
        return np.concatenate(parts, axis=2).reshape(len(x[0]), -1)

    def schedule(self) -> Schedule:
        pixel = tuple(Step(words, 1, 1, source) for source, words in enumerate(self.pixel_words))
        return Schedule((Loop(self.pixels, pixel),), latency_cycles=2, flow=Pipeline(0, single=True))

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": gcd(*self.channels)}

    def parameters(self) -> Parameters:
        counts = (*self.channels, *[0] * (MAX_INPUTS - len(self.channels)))
        narrow = [element if element.bits < self.element.bits else None for element in self.elements]
        narrow += [None] * (MAX_INPUTS - len(narrow))
        return (("INPUTS", len(self.channels)), ("PE", self.pe), ("E_BITS", self.element.bits),
                ("PIXELS", self.pixels), *((f"C{k}", count) for k, count in enumerate(counts)),
                *(pair for k, element in enumerate(narrow) for pair in (
                    (f"C{k}_BITS", element.bits if element else self.element.bits),
                    (f"C{k}_KIND", element.kind if element else UNSIGNED))))

    def amounts(self, a: Amounts) -> None:
        """Slices and a multiplexer (headrace_concat)."""
        inputs, bits = len(self.inputs), self.outputs[0].bits
        slices(a, *(stream.bits for stream in self.inputs))
        a.add("single slice", lut=2, ff=bits + 1)
        a.add("multiplexer", lut=bits * ceil(multiplexer(inputs)))
        counters(a, sum(self.pixel_words), inputs)
