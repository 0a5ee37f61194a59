"""Crop: every step-th row and column between a start and a stop; the other words are dropped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, slices
from headrace.datatypes import DataType, IntArray
from headrace.errors import InputError, require_positive
from headrace.layers.base import Grid, Layer, Parameters
from headrace.layers.flow import Pipeline
from headrace.layers.framed import Framed
from headrace.layers.phases import Schedule, put_phases
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream
from headrace.layers.window_geometry import Pair


@dataclass(frozen=True)
class Crop(Framed):
    """Rows and columns start, start + step, ... below stop, of (height, width, channels).

    Pairs are (vertical, horizontal). One word per cycle in; nothing is stored.
    """

    kind = "crop"
    #: Borders on all sides, a step in one direction, two words per pixel.
    example = {"height": 6, "width": 7, "channels": 4, "start": [1, 1], "stop": [5, 6], "step": [1, 2], "simd": 2,
               "element": "int3"}
    name: str
    height: int
    width: int
    channels: int
    start: Pair
    stop: Pair
    step: Pair
    element: DataType
    simd: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, height=self.height, width=self.width, channels=self.channels, step=self.step)
        self.require_lanes()
        size = (self.height, self.width)
        if any(not 0 <= first < last <= end for first, last, end in zip(self.start, self.stop, size, strict=True)):
            raise InputError(f"{self.name}: rows and columns from {self.start} to {self.stop} are none of "
                             f"{self.height}x{self.width}; keep start below stop, and stop within the frame")

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        size = f.integer("height"), f.integer("width")
        return cls(f.name, *size, f.integer("channels"), f.pair("start", (0, 0)), f.pair("stop", size),
                   f.pair("step", (1, 1)), f.dtype("element"), f.integer("simd", 1))

    def out_grid(self, grid: Grid | None) -> Grid:
        rows, columns = self.kept
        return len(rows), len(columns)

    @property
    def kept(self) -> tuple[IntArray, IntArray]:
        """Rows and columns that stay."""
        rows, columns = (np.arange(first, last, step) for first, last, step in
                         zip(self.start, self.stop, self.step, strict=True))
        return rows, columns

    @property
    def outputs(self) -> tuple[Stream, ...]:
        rows, columns = self.kept
        return (Stream(self.element, self.simd, len(rows) * len(columns) * self.pixel_words),)

    def golden(self, *x: IntArray) -> IntArray:
        rows, columns = self.kept
        frames = self.frames_of(x[0])
        return frames[:, rows][:, :, columns].reshape(len(frames), -1)

    def schedule(self) -> Schedule:
        rows, columns = (np.isin(np.arange(size), kept) for size, kept in
                         zip((self.height, self.width), self.kept, strict=True))
        puts = np.repeat(np.outer(rows, columns).reshape(-1), self.pixel_words)
        return Schedule(put_phases(puts.astype(np.int64)), latency_cycles=2, flow=Pipeline(0, single=True))

    def parameters(self) -> Parameters:
        return (
            ("HEIGHT", self.height), ("WIDTH", self.width), ("CHANNELS", self.channels),
            ("START_H", self.start[0]), ("START_W", self.start[1]), ("STOP_H", self.stop[0]), ("STOP_W", self.stop[1]),
            ("STEP_H", self.step[0]), ("STEP_W", self.step[1]), ("SIMD", self.simd), ("E_BITS", self.element.bits),
        )

    def amounts(self, a: Amounts) -> None:
        """Slices and the place of the word in the frame (headrace_crop)."""
        bits = self.inputs[0].bits
        slices(a, bits)
        a.add("single slice", lut=2, ff=bits + 1)
        counters(a, self.pixel_words, self.width, self.height, *self.step)
        a.add("crop", lut=2 + sum(first > 0 for first in self.start))
