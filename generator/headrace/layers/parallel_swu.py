"""Sliding window unit that emits a whole window of SIMD channels per cycle.

The frame lies in BANKS_H x BANKS_W memories, the pixel (y, x) in bank (y mod BANKS_H, x mod BANKS_W). With the numbers
of banks prime to the dilations, the taps of any window lie in different banks: one cycle reads them all, whatever the
stride, and nothing is stored twice. Each bank holds `slots` of its rows in a circle; reading in runs ahead of the
windows by whole rows, over the end of the frame too.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, gcd

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, memories, multiplexer, slices
from headrace.datatypes import IntArray
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Buffer, Window
from headrace.layers.hls import HlsForm
from headrace.layers.hls_window import WindowLines, parallel_loop
from headrace.layers.phases import Phases, Schedule, demand_phases
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream
from headrace.layers.window_geometry import Pair, SlidingWindow, window_fields
from headrace.packing import depthwise_columns

#: Words that come in between the last window of a row and the release of the row.
_RELEASE_WORDS = 4


@dataclass(frozen=True)
class ParallelSwu(SlidingWindow):
    """Sliding window, all taps of SIMD channels per word: lanes [taps][SIMD], in depthwise order."""

    kind = "parallel_swu"
    #: Pads on three sides, strides and dilation that differ, two words per pixel.
    example = {"height": 6, "width": 7, "channels": 4, "simd": 2, "kernel": [3, 2], "stride": [2, 1],
               "dilation": [1, 2], "pad": [1, 0, 1, 2], "element": "uint3"}

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, *window_fields(f), uram=f.flag("uram"))

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.taps * self.simd, self.windows * self.pixel_words),)

    @property
    def window_columns(self) -> int:
        return self.taps * self.channels

    def golden(self, *x: IntArray) -> IntArray:
        windows = self.im2col(x[0]).reshape(-1, self.taps * self.channels)
        return depthwise_columns(windows, self.channels, self.simd).reshape(len(x[0]), -1)

    @cached_property
    def upright(self) -> ParallelSwu:
        """The same stream as a column, where the frame is one row: rows are what the banks release."""
        if self.height > 1 or self.kernel[0] > 1 or self.pad[0] or self.pad[2]:
            return self
        return replace(self, height=self.width, width=1, kernel=(self.kernel[1], 1), stride=(self.stride[1], 1),
                       dilation=(self.dilation[1], 1), pad=(self.pad[1], 0, self.pad[3], 0))

    @property
    def banks(self) -> Pair:
        """Memories (vertically, horizontally): at least the kernel, and prime to the dilation."""
        vertical, horizontal = (
            next(count for count in range(kernel, kernel + dilation + 1) if kernel == 1 or gcd(count, dilation) == 1)
            for kernel, dilation in zip(self.kernel, self.dilation, strict=True)
        )
        return vertical, horizontal

    @property
    def slots(self) -> int:
        """Rows per bank, a power of two so that addresses wrap for free.

        Rows of a window, and what comes in while its last windows leave. Where the windows set the pace or rows are
        skipped, twice as much. That suffices for one word per cycle; a property test executes it to confirm it.
        """
        top, left, bottom, right = self.pad
        live = self.reach[0] + 1
        late_words = _RELEASE_WORDS + right // self.stride[1] * self.pixel_words
        rows = live - (-late_words // (self.width * self.pixel_words))
        if (self.windows > self.height * self.width or self.stride[0] > live or top + bottom > self.reach[0]
                or left + right > self.reach[1]):
            rows += live + 2 * max(0, self.stride[0] - live) + top + bottom
        return max(2, 1 << (-(-rows // self.banks[0]) - 1).bit_length())

    @property
    def buffers(self) -> tuple[int, int, int]:
        upright = self.upright
        return upright.banks[0] * upright.banks[1], upright.slots << upright.bank_address, upright.inputs[0].bits

    @property
    def bank_address(self) -> int:
        """Bits of a place in a row of a bank."""
        return max(1, (-(-self.width // self.banks[1]) * self.pixel_words - 1).bit_length())

    @cached_property
    def needed_words(self) -> IntArray:
        """For every output word the input word it waits for: that of its last tap, moved into the frame."""
        y, x = (np.clip(np.arange(windows) * stride - pad + reach, 0, size - 1)
                for windows, stride, pad, reach, size in zip(self.out_shape, self.stride, self.pad[:2], self.reach,
                                                             (self.height, self.width), strict=True))
        pixels = y[:, None, None] * self.width + x[:, None]
        return (pixels * self.pixel_words + np.arange(self.pixel_words)).reshape(-1)

    @cached_property
    def circular_buffer(self) -> Buffer:
        """The banks as one buffer that releases whole rows."""
        row_words = self.width * self.pixel_words
        first_rows = np.clip(np.arange(self.out_shape[0]) * self.stride[0] - self.pad[0], 0, self.height)
        kept = np.repeat(first_rows * row_words, self.out_shape[1])
        needed = self.needed_words.reshape(self.windows, self.pixel_words)
        return Buffer(self.inputs[0].words, self.slots * self.banks[0] * row_words, True, needed, kept,
                      release_cycles=3)

    @cached_property
    def _phases(self) -> Phases:
        return demand_phases(self.needed_words + 1, self.inputs[0].words)

    @property
    def _spare_rows(self) -> int:
        return self.upright.slots * self.upright.banks[0] - self.upright.reach[0] - 1

    @cached_property
    def cycles(self) -> int:
        return max(self.inputs[0].words, self.outputs[0].words) if self._spare_rows else super().cycles

    @property
    def latency_cycles(self) -> int:
        return 5

    def schedule(self) -> Schedule:
        upright = self.upright
        return Schedule(lambda: self._phases, self.latency_cycles, slack_words=4,
                        run_ahead_words=self._spare_rows * upright.width * self.pixel_words,
                        flow=Window(upright.circular_buffer, stages=2, row_words=upright.width * self.pixel_words))

    @property
    def hls(self) -> HlsForm:
        return WindowLines(self.upright).form(parallel_loop(self.upright))

    def parameters(self) -> Parameters:
        upright = self.upright
        return (*upright.shape_parameters, ("BANKS_H", upright.banks[0]), ("BANKS_W", upright.banks[1]),
                ("SLOTS", upright.slots))

    def amounts(self, a: Amounts) -> None:
        """Counters of both sides, places of the window, addresses of banks, banks and two multiplexers behind them."""
        upright = self.upright
        (top, left, bottom, right), (banks_h, banks_w) = upright.pad, upright.banks
        bits, pixel_words = upright.inputs[0].bits, upright.pixel_words
        row, rows = upright.width * pixel_words, upright.slots * banks_h
        slices(a, bits, upright.taps * bits)
        counters(a, pixel_words, upright.width, banks_w, banks_h, upright.slots)
        counters(a, pixel_words, *upright.out_shape)
        bank_address = upright.bank_address
        lead = max((rows + 1) * row, upright.stride[0] * row, row * upright.reach[0]).bit_length() + 1
        lines = (upright.height + rows + 1).bit_length() + 1
        x = (max(left, upright.width + right) + upright.reach[1] + upright.stride[1] - 1).bit_length() + 1
        y = (max(top, upright.height + bottom) + upright.reach[0] + upright.stride[0] - 1).bit_length() + 1
        a.add("parallel swu", lut=10, ff=6)
        a.add("counts", lut=1.6 * lead + 2 * lines, ff=lead + 3 * lines)
        a.add("places", lut=x + y, ff=x + y)
        a.add("banks", lut=banks_w * bank_address + 0.75 * banks_h,
              ff=(banks_w + 1) * bank_address + 2 * (banks_h - 1).bit_length() + 3 * (banks_w - 1).bit_length())
        a.add("inside", lut=upright.taps + upright.kernel[0] + upright.kernel[1],
              ff=upright.taps + upright.kernel[0] + upright.kernel[1])
        turned = upright.kernel[0] * banks_w * bits
        a.add("turned", lut=turned * (banks_h > 1), ff=turned)
        a.add("taps", lut=upright.taps * bits)
        found, (number, words, _) = self.store, self.buffers
        memories(a, found, number)
        if found.lutram:
            blocks = -(-words // self.prices.ram_words)
            a.add("read", ff=number * bits)
            a.add("ram", lut=number * bits * ceil(multiplexer(blocks)))
            a.add("write enables", lut=number * blocks)
