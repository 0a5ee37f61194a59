"""Sliding window unit: im2col as a stream, pads made on the fly (FINN's ConvolutionInputGenerator, SWG).

One circular buffer of `depth` words. A reader fills it; a writer emits, for each window, its taps row by row and in
each tap the channels; a tap in the padding is the constant `pad_value` and reads nothing. The two sides only share
their word counts, so the fill of the next frame overlaps the drain of this one where the buffer allows it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from generator.datatypes import DataType, IntArray
from generator.errors import InputError, require_divides, require_positive
from generator.layers.base import Layer, Parameters, Phases, Schedule, Stream, demand_phases
from generator.layers.circular_buffer import Buffer, frame_phases

Pair = tuple[int, int]


def out_size(size: int, kernel: int, stride: int, dilation: int, pad_before: int, pad_after: int) -> int:
    """Windows along one axis; 0 or less where none fits."""
    return (size + pad_before + pad_after - dilation * (kernel - 1) - 1) // stride + 1


@dataclass(frozen=True)
class Swu(Layer):
    """Sliding window over (height, width, channels); kernel, stride and dilation are (vertical, horizontal) pairs.

    pad is (top, left, bottom, right). `buffer` is "overlapping" (about two live windows) or "minimal" (one).
    """

    kind = "swu"
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
    buffer: Literal["overlapping", "minimal"] = "overlapping"

    def __post_init__(self) -> None:
        require_positive(self.name, height=self.height, width=self.width, channels=self.channels,
                         kernel=self.kernel, stride=self.stride, dilation=self.dilation)
        require_divides(self.name, "SIMD", self.simd, "channels", self.channels)
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

    @property
    def folds(self) -> int:
        """Words per pixel, channels/SIMD."""
        return self.channels // self.simd

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.simd, self.height * self.width * self.folds),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        windows = self.out_shape[0] * self.out_shape[1]
        return (Stream(self.element, self.simd, windows * self.kernel[0] * self.kernel[1] * self.folds),)

    def golden(self, *x: IntArray) -> IntArray:
        top, left, bottom, right = self.pad
        frames = x[0].reshape(-1, self.height, self.width, self.channels)
        padded = np.pad(frames, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=self.pad_value)
        windows = []
        for row in range(self.out_shape[0]):
            for column in range(self.out_shape[1]):
                for i in range(self.kernel[0]):
                    for j in range(self.kernel[1]):
                        y = row * self.stride[0] + i * self.dilation[0]
                        windows.append(padded[:, y, column * self.stride[1] + j * self.dilation[1]])
        return np.stack(windows, axis=1).reshape(len(frames), -1)

    @property
    def live_words(self) -> int:
        """Words from the oldest to the newest tap of one window."""
        rows, columns = ((k - 1) * d for k, d in zip(self.kernel, self.dilation, strict=True))
        return (rows * self.width + columns + 1) * self.folds

    @property
    def depth(self) -> int:
        """Words of the circular buffer, a power of two so that addresses wrap for free.

        Overlapping: two live windows, and twice what arrives while no window needs it. That suffices for one word per
        cycle; a property test executes the buffer to confirm it.
        """
        if self.buffer == "minimal":
            words = self.live_words + self.folds
        else:
            words = 2 * (self.live_words + self._idle_words) + 4
        return 1 << (words - 1).bit_length()

    @property
    def _idle_words(self) -> int:
        """Words that arrive while no window needs them: a stride skips them, or windows lie wholly in the padding."""
        top, left, bottom, right = self.pad
        rows, columns = (
            max(0, stride - reach - 1) + max(0, before - reach) + max(0, after - reach)
            for stride, reach, before, after in (
                (self.stride[0], (self.kernel[0] - 1) * self.dilation[0], top, bottom),
                (self.stride[1], (self.kernel[1] - 1) * self.dilation[1], left, right),
            )
        )
        return (rows * self.width + columns) * self.folds

    @cached_property
    def needed_words(self) -> IntArray:
        """For every output word of a frame the index of the input word it shows, -1 for padding."""
        top, left, _, _ = self.pad
        rows = (np.arange(self.out_shape[0])[:, None] * self.stride[0] - top
                + np.arange(self.kernel[0]) * self.dilation[0])  # (out rows, K_h)
        columns = (np.arange(self.out_shape[1])[:, None] * self.stride[1] - left
                   + np.arange(self.kernel[1]) * self.dilation[1])  # (out columns, K_w)
        y, x = rows[:, None, :, None, None], columns[None, :, None, :, None]
        word = (y * self.width + x) * self.folds + np.arange(self.folds)
        inside = (y >= 0) & (y < self.height) & (x >= 0) & (x < self.width)
        return np.where(inside, word, -1).reshape(-1)

    @property
    def kept_words(self) -> IntArray:
        """For every window the oldest word of the frame that it and all later ones need, negative: as before.

        Windows that start above the frame keep it whole; the next row may start at its first column again.
        """
        y, x = (np.arange(windows) * stride - pad
                for windows, stride, pad in zip(self.out_shape, self.stride, self.pad[:2], strict=True))
        word = (y[:, None] * self.width + x) * self.folds
        kept = np.where((y[:, None] >= 0) & (x < self.width), word, -1).reshape(-1)
        kept[0] = 0
        return kept

    @property
    def circular_buffer(self) -> Buffer:
        """The buffer as the kernels run it."""
        needed = self.needed_words.reshape(self.out_shape[0] * self.out_shape[1], -1).tolist()
        return Buffer(self.inputs[0].words, self.depth, self.buffer == "overlapping", needed, self.kept_words.tolist())

    @cached_property
    def _phases(self) -> Phases:
        if self.buffer == "minimal":
            return frame_phases(self.circular_buffer)
        # A frame's first word leaves after its first word came, even where it shows padding.
        return demand_phases(np.maximum(self.needed_words, 0) + 1, self.inputs[0].words)

    def schedule(self) -> Schedule:
        run_ahead = self.depth - self.live_words if self.buffer == "overlapping" else 0
        return Schedule(self._phases, latency_cycles=4, slack_words=3, run_ahead_words=run_ahead)

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"simd": self.channels}

    def parameters(self) -> Parameters:
        top, left, bottom, right = self.pad
        return (
            ("HEIGHT", self.height), ("WIDTH", self.width), ("CHANNELS", self.channels),
            ("KERNEL_H", self.kernel[0]), ("KERNEL_W", self.kernel[1]),
            ("STRIDE_H", self.stride[0]), ("STRIDE_W", self.stride[1]),
            ("DILATION_H", self.dilation[0]), ("DILATION_W", self.dilation[1]),
            ("PAD_T", top), ("PAD_L", left), ("PAD_B", bottom), ("PAD_R", right),
            ("SIMD", self.simd), ("E_BITS", self.element.bits),
            ("PAD_CODE", int(self.element.encode(np.asarray([self.pad_value]))[0]) if any(self.pad) else 0),
            ("DEPTH", self.depth), ("OVERLAP", int(self.buffer == "overlapping")),
        )  # fmt: skip
