"""What the pooling layers share: windows over a frame, one input word per cycle.

Columns first, then rows: a word updates the running results of all windows over its column, a finished one updates
those over its row. Overlapping windows need ceil(K/stride) results side by side in each direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.structures import counters, ram, slices
from headrace.datatypes import DataType, IntArray
from headrace.errors import InputError, require_positive
from headrace.fold_rule import require_divides
from headrace.layers.base import Grid, Layer, Parameters
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Schedule, put_phases
from headrace.layers.stream import Stream
from headrace.layers.window_geometry import Pair, lead_of, out_size


class Pooling(Layer):
    """Windows of `kernel` at `stride`, pairs (vertical, horizontal), over (height, width, channels) without padding."""

    #: True if results are sums, which are wider than the elements.
    sums: ClassVar[bool] = False
    height: int
    width: int
    channels: int
    kernel: Pair
    stride: Pair
    element: DataType
    pe: int

    def __post_init__(self) -> None:
        require_positive(self.name, height=self.height, width=self.width, channels=self.channels,
                         kernel=self.kernel, stride=self.stride)
        require_divides(self.name, "PE", self.pe, "channels", self.channels)
        if min(self.out_shape) < 1:
            raise InputError(f"{self.name}: kernel {self.kernel} does not fit into {self.height}x{self.width}; "
                             "use a smaller kernel")

    @property
    def out_shape(self) -> Pair:
        """Windows (vertically, horizontally)."""
        return (out_size(self.height, self.kernel[0], self.stride[0], 1, 0, 0),
                out_size(self.width, self.kernel[1], self.stride[1], 1, 0, 0))

    @property
    def in_grid(self) -> Grid:
        return self.height, self.width

    def out_grid(self, grid: Grid | None) -> Grid:
        return self.out_shape

    @property
    def lead(self) -> float:
        return lead_of(self.height, self.width, [kernel - 1 for kernel in self.kernel])

    @property
    def pixel_words(self) -> int:
        """Words per pixel, channels/PE."""
        return self.channels // self.pe

    @property
    def output(self) -> DataType:
        """Type of a result."""
        return self.element

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.pe, self.height * self.width * self.pixel_words),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.output, self.pe, self.out_shape[0] * self.out_shape[1] * self.pixel_words),)

    def windows(self, x: IntArray) -> Iterator[IntArray]:
        """Every window of frames x (frames, elements), row by row: (frames, K_h, K_w, channels)."""
        frames = x.reshape(-1, self.height, self.width, self.channels)
        for row in range(self.out_shape[0]):
            for column in range(self.out_shape[1]):
                top, left = row * self.stride[0], column * self.stride[1]
                yield frames[:, top : top + self.kernel[0], left : left + self.kernel[1]]

    @property
    def puts_word(self) -> IntArray:
        """For every input word 1 if it completes a window, else 0."""
        ends = []
        for size, kernel, stride, windows in zip((self.height, self.width), self.kernel, self.stride,
                                                 self.out_shape, strict=True):
            last = np.arange(size) - (kernel - 1)
            ends.append((last >= 0) & (last % stride == 0) & (last // stride < windows))
        return np.repeat(np.outer(*ends).reshape(-1), self.pixel_words).astype(np.int64)

    def schedule(self) -> Schedule:
        return Schedule(put_phases(self.puts_word), latency_cycles=3, flow=Pipeline(1, single=True))

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.channels}

    def parameters(self) -> Parameters:
        return (
            ("HEIGHT", self.height), ("WIDTH", self.width), ("CHANNELS", self.channels),
            ("KERNEL_H", self.kernel[0]), ("KERNEL_W", self.kernel[1]),
            ("STRIDE_H", self.stride[0]), ("STRIDE_W", self.stride[1]),
            ("PE", self.pe), ("E_BITS", self.element.bits), ("E_KIND", self.element.kind),
        )

    def amounts(self, a: Amounts) -> None:
        """Columns, then rows, each with a memory of running results per window that overlaps."""
        bits = self.outputs[0].bits
        opened = [-(-kernel // stride) for kernel, stride in zip(self.kernel, self.stride, strict=True)]
        slots = [min(count, windows) for count, windows in zip(opened, self.out_shape, strict=True)]
        periods = [count * stride if count == all_open else size for count, all_open, stride, size in zip(
            slots, opened, self.stride, (self.height, self.width), strict=True)]
        row_words = self.out_shape[1] * self.pixel_words
        slices(a, self.inputs[0].bits)
        a.add("single slice", lut=2, ff=bits + 1)
        phases = [period for period, size in zip(periods, (self.height, self.width), strict=True) if period < size]
        counters(a, self.pixel_words, self.width, self.height, *phases, row_words)
        if self.sums or self.element.bits == 1:
            given = self.element.bits * self.pe if self.element.kind == 0 else bits  # else with copies of a sign
            each = 1.5 * bits + 0.3 * given if self.sums else 1.2 * bits
            a.add("sums" if self.sums else "ors", lut=sum(slots) * each)
        else:
            width = self.element.bits
            each = 1.5 * width + 1 if width > 3 else 2.1 * (width - 1)  # wider elements have a carry chain
            a.add("maxima", lut=sum(slots) * self.pe * each)
        a.add("overlap", lut=0.5 * sum(count for count in slots if count > 1) * bits)
        a.add("pool", lut=3 + 3 * sum((period - 1).bit_length() for period in periods), ff=bits + 1 + 2 * slots[0])
        for depth, count in ((self.pixel_words, slots[1]), (row_words, slots[0])):
            if depth == 1:
                a.add("running", ff=count * bits)
                continue
            found = memory.ram(depth, bits, a.prices)
            for _ in range(count):
                ram(a, found, depth, bits)
            if found.bram18 and depth > 2:  # read ahead
                a.add("running", ff=count * bits)
                counters(a, depth)
