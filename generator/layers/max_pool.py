"""Maximum (or minimum) over windows, one input word per cycle.

Columns first, then rows: a word updates the running results of all windows over its column, a finished one updates
those over its row. Overlapping windows need ceil(K/stride) results side by side in each direction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from generator.datatypes import DataType, IntArray, uint_type
from generator.errors import InputError, require_divides, require_positive
from generator.layers.base import Layer, Parameters, Schedule, Step, Stream
from generator.layers.swu import Pair, out_size
from generator.packing import Memory


@dataclass(frozen=True)
class MaxPool(Layer):
    """Pooling over (height, width, channels); kernel and stride are (vertical, horizontal) pairs.

    `minimum` lists the channels whose minimum is taken: those whose meaning has a negative scale.
    """

    kind = "max_pool"
    name: str
    height: int
    width: int
    channels: int
    kernel: Pair
    stride: Pair
    element: DataType
    minimum: frozenset[int] = frozenset()
    pe: int = 1

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
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.pe, self.height * self.width * self.folds),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.pe, self.out_shape[0] * self.out_shape[1] * self.folds),)

    def golden(self, *x: IntArray) -> IntArray:
        frames = x[0].reshape(-1, self.height, self.width, self.channels)
        is_minimum = np.isin(np.arange(self.channels), list(self.minimum))
        pooled = []
        for row in range(self.out_shape[0]):
            for column in range(self.out_shape[1]):
                y, z = row * self.stride[0], column * self.stride[1]
                window = frames[:, y : y + self.kernel[0], z : z + self.kernel[1]]
                pooled.append(np.where(is_minimum, window.min((1, 2)), window.max((1, 2))))
        return np.stack(pooled, axis=1).reshape(len(frames), -1)

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
        return Schedule(steps, latency_cycles=3)

    @property
    def mode(self) -> int:
        """0: maximum everywhere, 1: minimum everywhere, 2: per channel, from the memory MINIMUM."""
        return 0 if not self.minimum else 1 if len(self.minimum) == self.channels else 2

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.channels}

    def parameters(self) -> Parameters:
        return (
            ("HEIGHT", self.height), ("WIDTH", self.width), ("CHANNELS", self.channels),
            ("KERNEL_H", self.kernel[0]), ("KERNEL_W", self.kernel[1]),
            ("STRIDE_H", self.stride[0]), ("STRIDE_W", self.stride[1]),
            ("PE", self.pe), ("E_BITS", self.element.bits), ("E_KIND", self.element.kind), ("MODE", self.mode),
        )  # fmt: skip

    def memories(self) -> tuple[Memory, ...]:
        if self.mode != 2:
            return ()
        mask = np.isin(np.arange(self.channels), list(self.minimum)).astype(np.int64)
        return (Memory("MINIMUM", mask.reshape(self.folds, 1, self.pe), uint_type(1)),)
