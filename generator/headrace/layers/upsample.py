"""Nearest-neighbour enlargement: every pixel becomes a rectangle of equal pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.structures import counters, memories, slices
from headrace.datatypes import DataType, IntArray
from headrace.errors import require_positive
from headrace.layers.base import Grid, Layer, Parameters
from headrace.layers.flow import Pipeline
from headrace.layers.framed import Framed
from headrace.layers.phases import Loop, Phases, Schedule, Step
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream
from headrace.layers.window_geometry import Pair


@dataclass(frozen=True)
class Upsample(Framed):
    """y[r, c] = x[r // scale_h, c // scale_w] over (height, width, channels); scale is (vertical, horizontal)."""

    kind = "upsample"
    #: Scales that differ, two words per pixel.
    example = {"height": 3, "width": 4, "channels": 4, "scale": [3, 2], "simd": 2, "element": "int3"}
    name: str
    height: int
    width: int
    channels: int
    scale: Pair
    element: DataType
    simd: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, height=self.height, width=self.width, channels=self.channels, scale=self.scale)
        self.require_lanes()

    @property
    def out_shape(self) -> Pair:
        """Pixels (vertically, horizontally)."""
        return self.height * self.scale[0], self.width * self.scale[1]

    def out_grid(self, grid: Grid | None) -> Grid:
        return self.out_shape

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("height"), f.integer("width"), f.integer("channels"), f.pair("scale"),
                        f.dtype("element"), f.integer("simd", 1))

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.simd, self.out_shape[0] * self.out_shape[1] * self.pixel_words),)

    def golden(self, *x: IntArray) -> IntArray:
        frames = self.frames_of(x[0])
        return frames.repeat(self.scale[0], axis=1).repeat(self.scale[1], axis=2).reshape(len(frames), -1)

    def schedule(self) -> Schedule:
        vertical, horizontal = self.scale
        pixel: Phases = (Step(self.pixel_words, 1, 1), *_repeated(self.pixel_words * (horizontal - 1)))
        row: Phases = (Loop(self.width, pixel), *_repeated(self.width * horizontal * self.pixel_words * (vertical - 1)))
        return Schedule((Loop(self.height, row),), latency_cycles=3, flow=Pipeline(1, single=True))

    def parameters(self) -> Parameters:
        return (
            ("HEIGHT", self.height), ("WIDTH", self.width), ("CHANNELS", self.channels),
            ("SCALE_H", self.scale[0]), ("SCALE_W", self.scale[1]), ("SIMD", self.simd), ("E_BITS", self.element.bits),
        )

    def amounts(self, a: Amounts) -> None:
        """A row, or a pixel, that is written while its first copy passes (headrace_upsample)."""
        bits, (vertical, horizontal) = self.inputs[0].bits, self.scale
        depth = self.width * self.pixel_words if vertical > 1 else self.pixel_words
        address = (depth - 1).bit_length()
        slices(a, bits)
        a.add("single slice", lut=2, ff=bits + 1)
        a.add("upsample", lut=bits, ff=bits + 2)
        a.add("pixel", lut=address if vertical > 1 else 0, ff=address if vertical > 1 else 0)
        counters(a, self.pixel_words, horizontal, self.width, vertical)
        stored = memory.one_port_ram(depth, bits, a.prices)
        memories(a, stored)
        a.add("read", ff=0 if stored.bram18 else bits * (1 + (depth == 1)))


def _repeated(words: int) -> tuple[Step, ...]:
    """Words put from the buffer."""
    return (Step(words, 0, 1),) if words else ()
