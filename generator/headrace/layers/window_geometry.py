"""The geometry of sliding windows, common to the units that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, IntArray
from headrace.errors import InputError, require_positive
from headrace.layers.base import Grid, Parameters
from headrace.layers.buffered import Buffered
from headrace.layers.framed import Framed
from headrace.layers.spec_fields import Fields

Pair = tuple[int, int]


def out_size(size: int, kernel: int, stride: int, dilation: int, pad_before: int, pad_after: int) -> int:
    """Windows along one axis; 0 or less where none fits."""
    return (size + pad_before + pad_after - dilation * (kernel - 1) - 1) // stride + 1


def lead_of(height: int, width: int, ahead: Sequence[int]) -> float:
    """The share of a frame of (height, width) pixels that so many rows and columns are."""
    rows, columns = ahead
    return (rows + columns / width) / height


@dataclass(frozen=True)
class SlidingWindow(Buffered, Framed):
    """Windows over (height, width, channels); kernel, stride and dilation are (vertical, horizontal) pairs.

    pad is (top, left, bottom, right); it shows pad_value. simd: channels per word in.
    """

    name: str
    height: int
    width: int
    channels: int
    kernel: Pair
    element: DataType
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad_value: int = 0
    simd: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, height=self.height, width=self.width, channels=self.channels,
                         kernel=self.kernel, stride=self.stride, dilation=self.dilation)
        self.require_lanes()
        if min(self.pad) < 0:
            raise InputError(f"{self.name}: pad={self.pad} must not be negative; use 0 or more")
        if any(self.pad) and not self.element.contains(np.asarray([self.pad_value])):
            raise InputError(f"{self.name}: pad value {self.pad_value} is not a value of {self.element}; "
                             f"use a convolution without padding or pad with a value of the type")
        if min(self.out_shape) < 1:
            raise InputError(f"{self.name}: kernel {self.kernel} with dilation {self.dilation} does not fit into "
                             f"{self.height}x{self.width} with pad {self.pad}; use a smaller kernel or more padding")

    @property
    def out_shape(self) -> Pair:
        """Windows (vertically, horizontally)."""
        top, left, bottom, right = self.pad
        return (out_size(self.height, self.kernel[0], self.stride[0], self.dilation[0], top, bottom),
                out_size(self.width, self.kernel[1], self.stride[1], self.dilation[1], left, right))

    def out_grid(self, grid: Grid | None) -> Grid:
        return self.out_shape

    @property
    def windows(self) -> int:
        """Windows per frame."""
        return self.out_shape[0] * self.out_shape[1]

    @property
    def taps(self) -> int:
        """Taps of a window."""
        return self.kernel[0] * self.kernel[1]

    @property
    def reach(self) -> Pair:
        """Distance from the first to the last tap (vertically, horizontally)."""
        return (self.kernel[0] - 1) * self.dilation[0], (self.kernel[1] - 1) * self.dilation[1]

    @property
    def lead(self) -> float:
        return lead_of(self.height, self.width, [reach - before for reach, before in
                                                 zip(self.reach, self.pad[:2], strict=True)])

    def im2col(self, x: IntArray) -> IntArray:
        """Frames (frames, elements) -> (frames, windows, taps * channels), channels innermost."""
        top, left, bottom, right = self.pad
        frames = self.frames_of(x)
        padded = np.pad(frames, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=self.pad_value)
        windows = []
        for row in range(self.out_shape[0]):
            for column in range(self.out_shape[1]):
                for i in range(self.kernel[0]):
                    for j in range(self.kernel[1]):
                        y = row * self.stride[0] + i * self.dilation[0]
                        windows.append(padded[:, y, column * self.stride[1] + j * self.dilation[1]])
        return np.stack(windows, axis=1).reshape(len(frames), self.windows, -1)

    @property
    def shape_parameters(self) -> Parameters:
        """The parameters of the geometry and of the words."""
        top, left, bottom, right = self.pad
        return (
            ("HEIGHT", self.height), ("WIDTH", self.width), ("CHANNELS", self.channels),
            ("KERNEL_H", self.kernel[0]), ("KERNEL_W", self.kernel[1]),
            ("STRIDE_H", self.stride[0]), ("STRIDE_W", self.stride[1]),
            ("DILATION_H", self.dilation[0]), ("DILATION_W", self.dilation[1]),
            ("PAD_T", top), ("PAD_L", left), ("PAD_B", bottom), ("PAD_R", right),
            ("SIMD", self.simd), ("E_BITS", self.element.bits),
            ("PAD_CODE", int(self.element.encode(np.asarray([self.pad_value]))[0]) if any(self.pad) else 0),
        )


def window_fields(f: Fields) -> tuple[int, int, int, Pair, DataType, Pair, Pair, tuple[int, int, int, int], int, int]:
    """The fields of a sliding window behind its name."""
    top, left, bottom, right = f.integers("pad", 4, (0, 0, 0, 0))
    element = f.dtype("element")
    pad_value = element.lo if element == BIPOLAR or element.lo > 0 else 0
    return (f.integer("height"), f.integer("width"), f.integer("channels"), f.pair("kernel"), element,
            f.pair("stride", (1, 1)), f.pair("dilation", (1, 1)), (top, left, bottom, right), pad_value,
            f.integer("simd", 1))
