"""Sliding window unit: im2col as a stream, pads made on the fly (FINN's ConvolutionInputGenerator, SWG).

One circular buffer of `depth` words. A reader fills it; a writer emits, for each window, its taps row by row and in
each tap the channels; a tap in the padding is the constant `pad_value` and reads nothing. The two sides only share
their word counts, so the fill of the next frame overlaps the drain of this one where the buffer allows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, cast

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, ram
from headrace.datatypes import IntArray
from headrace.errors import FoldingError, InputError
from headrace.layers.base import Layer, Parameters
from headrace.layers.circular_buffer import frame_phases
from headrace.layers.flow import Buffer, Ring
from headrace.layers.hls import HlsForm
from headrace.layers.hls_window import WindowLines, serial_loop
from headrace.layers.minimal_buffer_cycles import WindowRows, frame_cycles
from headrace.layers.parallel_swu import ParallelSwu
from headrace.layers.phases import Phases, Schedule, demand_phases
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream
from headrace.layers.window_geometry import SlidingWindow, window_fields
from headrace.packing import depthwise_columns


@dataclass(frozen=True)
class Swu(SlidingWindow):
    """Sliding window, one tap of SIMD channels per word.

    `buffer` is "overlapping" (about two live windows) or "minimal" (one). depthwise: a window is, for each group of
    SIMD channels, all taps, as vvtu reads it.
    """

    kind = "swu"
    #: Pads on all sides, strides and dilation that differ, two words per pixel.
    example = {"height": 6, "width": 7, "channels": 4, "simd": 2, "kernel": [3, 2], "stride": [2, 1],
               "dilation": [1, 2], "pad": [1, 0, 1, 2], "element": "uint3"}
    buffer: Literal["overlapping", "minimal"] = "overlapping"
    depthwise: bool = False

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        if f.flag("parallel_window"):
            f.flag("depthwise")  # the order of a parallel window is that of a depthwise one
            if f.text("buffer", "overlapping") != "overlapping":
                raise InputError(f"{f.name}: a parallel window has an overlapping buffer only; remove buffer")
            return ParallelSwu.from_spec(f, rng)
        buffer = cast(Literal["overlapping", "minimal"], f.text("buffer", "overlapping"))
        if buffer not in ("overlapping", "minimal"):
            raise InputError(f"{f.name}: buffer {buffer!r} is unknown; choose overlapping or minimal")
        depthwise = f.flag("depthwise")
        return cls(f.name, *window_fields(f), buffer, depthwise, uram=f.flag("uram"))

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.simd, self.windows * self.taps * self.pixel_words),)

    def golden(self, *x: IntArray) -> IntArray:
        windows = self.im2col(x[0])
        if self.depthwise:
            windows = depthwise_columns(windows.reshape(-1, self.taps * self.channels), self.channels, self.simd)
        return windows.reshape(len(x[0]), -1)

    @property
    def fold_flags(self) -> tuple[str, ...]:
        return ("parallel_window", "minimal_buffer")

    def with_folds(self, folds: Mapping[str, int]) -> SlidingWindow:
        flags = {name: folds.get(name, 0) for name in self.fold_flags}
        if not set(flags.values()) <= {0, 1} or all(flags.values()):
            raise FoldingError(f"{self.name}: {flags} must be 0 or 1, and only one of them 1: a parallel window has no "
                               "minimal buffer")
        simd = folds.get("simd", self.simd)
        if flags["parallel_window"]:
            return ParallelSwu(self.name, self.height, self.width, self.channels, self.kernel, self.element,
                               self.stride, self.dilation, self.pad, self.pad_value, simd)
        return replace(self, simd=simd, buffer="minimal" if flags["minimal_buffer"] else self.buffer)

    def flags_to_try(self, given: Mapping[str, int], reader: Layer, reader_folds: Mapping[str, int]
                     ) -> tuple[dict[str, int], ...]:
        if any(given.values()):
            return ({},)
        chosen = "parallel_window" in given or self.taps == 1
        forms = ("serial",) if chosen else reader.window_forms(self.taps * self.channels, self.channels, reader_folds)
        serial: tuple[dict[str, int], ...] = ({},) if "minimal_buffer" in given else ({}, {"minimal_buffer": 1})
        return (*serial * ("serial" in forms), *({"parallel_window": 1},) * ("parallel" in forms))

    @property
    def live_words(self) -> int:
        """Words from the oldest to the newest tap of one window."""
        return (self.reach[0] * self.width + self.reach[1] + 1) * self.pixel_words

    @property
    def depth(self) -> int:
        """Words of the circular buffer, a power of two so that addresses wrap for free.

        Overlapping: two live windows, and twice what arrives while no window needs it. That suffices for one word per
        cycle; a property test executes the buffer to confirm it.
        """
        if self.buffer == "minimal":
            words = self.live_words + self.pixel_words
        else:
            words = 2 * (self.live_words + self._idle_words) + 4
        return 1 << (words - 1).bit_length()

    @property
    def buffers(self) -> tuple[int, int, int]:
        return 1, self.depth, self.inputs[0].bits

    @property
    def _idle_words(self) -> int:
        """Words that arrive while no window needs them: a stride skips them, or windows lie wholly in the padding."""
        rows, columns = (
            max(0, stride - reach - 1) + max(0, before - reach) + max(0, after - reach)
            for stride, reach, before, after in zip(self.stride, self.reach, self.pad[:2], self.pad[2:], strict=True)
        )
        return (rows * self.width + columns) * self.pixel_words

    @cached_property
    def needed_words(self) -> IntArray:
        """For every output word of a frame the index of the input word it shows, -1 for padding."""
        return self._needed(np.arange(self.out_shape[0])).reshape(-1)

    def _needed(self, windows: IntArray) -> IntArray:
        """Those of some rows of windows, (rows * windows of a row, words out per window)."""
        top, left, _, _ = self.pad
        rows = windows[:, None] * self.stride[0] - top + np.arange(self.kernel[0]) * self.dilation[0]  # (rows, K_h)
        columns = (np.arange(self.out_shape[1])[:, None] * self.stride[1] - left
                   + np.arange(self.kernel[1]) * self.dilation[1])  # (out columns, K_w)
        y, x = rows[:, None, :, None, None], columns[None, :, None, :, None]
        word = (y * self.width + x) * self.pixel_words + np.arange(self.pixel_words)
        inside = (y >= 0) & (y < self.height) & (x >= 0) & (x < self.width)
        words = np.where(inside, word, -1)
        ordered = np.moveaxis(words, -1, 2) if self.depthwise else words
        return ordered.reshape(len(windows) * self.out_shape[1], -1)

    @cached_property
    def complete_after(self) -> IntArray:
        y, x = (_last_inside(*axis) for axis in zip(self.out_shape, self.kernel, self.stride, self.dilation,
                                                    self.pad[:2], (self.height, self.width), strict=True))
        pixels = np.where((y[:, None] >= 0) & (x >= 0), y[:, None] * self.width + x, -1).reshape(-1)
        return np.maximum.accumulate(np.maximum((pixels + 1) * self.pixel_words, 1))

    @property
    def kept_words(self) -> IntArray:
        """For every window the oldest word of the frame that is kept from the end of the window before on.

        The frame is released by what later windows do not show: columns up to a window's first tap where that lies in
        the frame, lines once the first tap of a line does, the rest of the frame with the last such line.
        """
        return self._kept(np.arange(self.out_shape[0]))

    def _kept(self, windows: IntArray) -> IntArray:
        """Those of some rows of windows."""
        y, x = (numbers * stride - pad for numbers, stride, pad
                in zip((windows, np.arange(self.out_shape[1])), self.stride, self.pad[:2], strict=True))
        first = np.arange(self.out_shape[0]) * self.stride[0] - self.pad[0]
        if not ((first >= 0) & (first < self.height)).any():
            return np.zeros(len(windows) * self.out_shape[1], np.int64)
        inside = (y >= 0) & (y < self.height)
        columns = np.maximum.accumulate(np.where((x >= 0) & (x <= self.width), x, 0))
        words = (y[:, None] * self.width + columns) * self.pixel_words
        above = np.where(y < 0, 0, self.inputs[0].words)
        return np.asarray(np.where(inside[:, None], words, above[:, None]).reshape(-1), np.int64)

    @property
    def window_rows(self) -> WindowRows:
        """The rows of windows, for what the minimal buffer takes."""
        first = -(-self.pad[0] // self.stride[0])
        end = min((self.height - 1 - self.reach[0] + self.pad[0]) // self.stride[0] + 1, self.out_shape[0])
        shift = self.stride[0] * self.width * self.pixel_words

        def row(number: int) -> tuple[IntArray, IntArray]:
            return self._needed(np.array([number])), self._kept(np.array([number]))

        return WindowRows(self.inputs[0].words, self.depth, row, self.out_shape[0], (first, end), shift)

    @cached_property
    def circular_buffer(self) -> Buffer:
        """The buffer as the kernels run it."""
        needed = self.needed_words.reshape(self.windows, -1)
        return Buffer(self.inputs[0].words, self.depth, self.buffer == "overlapping", needed, self.kept_words,
                      release_cycles=1)

    @cached_property
    def _phases(self) -> Phases:
        if self.buffer == "minimal":
            return frame_phases(self.circular_buffer)
        # A frame's first word leaves after its first word came, even where it shows padding.
        return demand_phases(np.maximum(self.needed_words, 0) + 1, self.inputs[0].words)

    def schedule(self) -> Schedule:
        run_ahead = self.depth - self.live_words if self.buffer == "overlapping" else 0
        return Schedule(lambda: self._phases, self.latency_cycles, slack_words=1, run_ahead_words=run_ahead,
                        flow=Ring(self.circular_buffer))

    @cached_property
    def cycles(self) -> int:
        if self.buffer == "minimal":
            return frame_cycles(self.window_rows)
        return max(self.inputs[0].words, self.outputs[0].words)

    @property
    def latency_cycles(self) -> int:
        return 2

    @property
    def hls(self) -> HlsForm:
        return WindowLines(self).form(serial_loop(self, self.depthwise))

    def parameters(self) -> Parameters:
        return (*self.shape_parameters, ("DEPTH", self.depth), ("OVERLAP", int(self.buffer == "overlapping")),
                ("DEPTHWISE", int(self.depthwise)))

    def amounts(self, a: Amounts) -> None:
        """Counters of the loops, three counters of differences, the tap's place in the padding, the buffer."""
        top, left, bottom, right = self.pad
        joined = not (left or right) and self.dilation[1] == 1 and not self.depthwise
        loops = (self.kernel[1] * self.pixel_words if joined else self.pixel_words, 1 if joined else self.kernel[1],
                 self.kernel[0], *self.out_shape)
        counters(a, *loops)
        a.add("loops", lut=8 * sum(end > 1 for end in loops) - 16, ff=sum(end > 2 for end in loops))
        words, row = self.inputs[0].words, self.width * self.pixel_words
        reach = self.reach[0] * row + self.reach[1] * self.pixel_words + self.pixel_words - 1
        skipped = (self.stride[0] + self.dilation[0] + 1) * row + self.stride[1] * self.pixel_words
        early = min(skipped, words) if any(self.pad) else 0
        outside = (top + bottom) * row + (left + right + self.stride[1]) * self.pixel_words
        address = (self.depth - 1).bit_length()
        lead = (self.depth + early + reach + outside + 1).bit_length() + 1
        space = (self.depth + early).bit_length() + 1
        a.add("swu", lut=5, ff=3 + 3 * any(self.pad) + (top + bottom > 0))
        a.add("address", lut=address, ff=2 * address)
        a.add("differences", lut=0.8 * (lead + space), ff=lead + space)
        if left or right:
            _place(a, max(left, self.width + right) + self.stride[1])
        if top or bottom:
            _place(a, max(top, self.height + bottom) + self.stride[0])
        ahead = (self.depth + words).bit_length() + 1 if any(self.pad) else 0
        opened = (2 * words).bit_length() + 1 if self.buffer == "minimal" else 0
        a.add("ahead", lut=0.6 * (ahead + opened), ff=ahead + opened)
        bits = self.inputs[0].bits
        ram(a, self.store, self.depth, bits)
        if any(self.pad):
            a.add("pads", lut=12 + bits * self.uram)
            a.add("depthwise pads", lut=4 * self.depthwise)


def _last_inside(windows: int, kernel: int, stride: int, dilation: int, before: int, size: int) -> IntArray:
    """(windows,): along an axis the last tap of a window that lies in the frame, -1 where none does."""
    taps = np.arange(windows)[:, None] * stride - before + np.arange(kernel) * dilation
    return np.asarray(np.where(taps < size, taps, -1).max(axis=1), np.int64)


def _place(a: Amounts, end: int) -> None:
    """The place of the tap and of the window's first one along an axis."""
    bits = end.bit_length() + 1
    a.add("place", lut=bits, ff=2 * bits)
    a.add("in frame", lut=0.5 * bits, ff=1)
