"""What the pooling layers share: windows over a frame, one input word per cycle.

Columns first, then rows: a word updates the running results of all windows over its column, a finished one updates
those over its row. Overlapping windows need ceil(K/stride) results side by side in each direction.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from headrace.datatypes import DataType, IntArray
from headrace.errors import InputError, require_divides, require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Pipeline
from headrace.layers.schedule import Schedule, Step
from headrace.layers.stream import Stream
from headrace.layers.window import Pair, out_size


class Pooling(Layer):
    """Windows of `kernel` at `stride`, pairs (vertical, horizontal), over (height, width, channels) without padding."""

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
    def folds(self) -> int:
        """Words per pixel, channels/PE."""
        return self.channels // self.pe

    @property
    def output(self) -> DataType:
        """Type of a result."""
        return self.element

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.pe, self.height * self.width * self.folds),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.output, self.pe, self.out_shape[0] * self.out_shape[1] * self.folds),)

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
        return np.repeat(np.outer(*ends).reshape(-1), self.folds).astype(np.int64)

    def schedule(self) -> Schedule:
        puts = self.puts_word
        ends = np.flatnonzero(np.diff(puts, append=-1)) + 1
        steps = tuple(Step(int(end - start), 1, int(puts[start]))
                      for start, end in zip([0, *ends[:-1]], ends, strict=True))
        return Schedule(steps, latency_cycles=3, flow=Pipeline(1, single=True))

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
