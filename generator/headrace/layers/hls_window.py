"""Sliding windows in C++: a process that passes on the lines of the frame, and one that makes windows of them.

The geometry is that of hls_templates/include/window.hpp, swu.hpp and parallel_swu.hpp, under the same names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headrace.datatypes import IntArray
from headrace.layers.hls import HlsForm, HlsLoop, HlsProcess
from headrace.layers.stream import Stream
from headrace.layers.window_geometry import SlidingWindow


@dataclass(frozen=True)
class WindowLines:
    """Which words of the frame the rows of taps get, and what every window needs of them."""

    layer: SlidingWindow

    @property
    def shows(self) -> list[int]:
        """Distances from a window's left edge, modulo the stride, at which any tap shows a column."""
        stride, dilation = self.layer.stride[1], self.layer.dilation[1]
        return sorted({j * dilation % stride for j in range(self.layer.kernel[1])})

    def rank(self, x: int) -> int:
        """How many of the columns in front of x, counted from the left edge of the first window, are shown."""
        whole, rest = divmod(x, self.layer.stride[1])
        return whole * len(self.shows) + sum(distance < rest for distance in self.shows)

    @property
    def step(self) -> int:
        """Columns from one window to the next."""
        return len(self.shows)

    @property
    def span(self) -> int:
        """Columns of a window."""
        return self.rank(self.layer.reach[1]) + 1

    @property
    def first(self) -> int:
        """Columns in front of the frame."""
        return self.rank(self.layer.pad[1])

    @cached_property
    def shown_columns(self) -> IntArray:
        """(width,): 1 for the columns that are passed on, else 0."""
        layer = self.layer
        last = (layer.out_shape[1] - 1) * layer.stride[1] + layer.reach[1] - layer.pad[1]
        x = np.arange(layer.width)
        return (np.isin((x + layer.pad[1]) % layer.stride[1], self.shows) & (x <= last)).astype(np.int64)

    @property
    def columns(self) -> int:
        """Columns that are passed on."""
        return int(self.shown_columns.sum())

    @cached_property
    def lines(self) -> IntArray:
        """(rows of windows, rows of taps): the line of the frame that is shown, -1 outside."""
        layer = self.layer
        y = (np.arange(layer.out_shape[0])[:, None] * layer.stride[0] - layer.pad[0]
             + np.arange(layer.kernel[0]) * layer.dilation[0])
        return np.where((y >= 0) & (y < layer.height), y, -1)

    @cached_property
    def tap_columns(self) -> IntArray:
        """(windows of a row, taps of a row): the column of the frame that is shown, -1 outside."""
        layer = self.layer
        x = (np.arange(layer.out_shape[1])[:, None] * layer.stride[1] - layer.pad[1]
             + np.arange(layer.kernel[1]) * layer.dilation[1])
        return np.where((x >= 0) & (x < layer.width), x, -1)

    @property
    def line_masks(self) -> IntArray:
        """(rows of windows,): the rows of taps that lie in the frame."""
        return (self.lines >= 0) @ (1 << np.arange(self.layer.kernel[0]))

    def form(self, loop: HlsLoop) -> HlsForm:
        """Both processes; loop: of the one that makes windows."""
        layer = self.layer
        words = (self.lines >= 0).sum(axis=0) * self.columns * layer.pixel_words
        names = tuple(f"row{i}" for i in range(layer.kernel[0]))
        streams = {name: Stream(layer.element, layer.simd, int(count))
                   for name, count in zip(names, words, strict=True)}
        return HlsForm((HlsProcess("window_rows", ("in0",), names, self._rows_loop(), suffix="_rows"),
                        HlsProcess(layer.kind, names, ("out0",), loop, outputs_first=True)), streams)

    def _rows_loop(self) -> HlsLoop:
        layer = self.layer
        passes = np.zeros(layer.height, np.int64)
        for i, lines in enumerate(self.lines.T):
            passes[lines[lines >= 0]] |= 1 << i
        writes = np.repeat(np.outer(passes, self.shown_columns).reshape(-1), layer.pixel_words)
        return HlsLoop(np.ones_like(writes), writes)


def serial_loop(layer: SlidingWindow, depthwise: bool) -> HlsLoop:
    """The loop of swu.hpp."""
    direct = layer.kernel[1] == 1 or (layer.dilation[1] == 1 and (not depthwise or layer.pixel_words == 1))
    return _direct_loop(layer, depthwise) if direct else _ahead_loop(layer, depthwise)


def _in_order(layer: SlidingWindow, depthwise: bool, taps: IntArray) -> IntArray:
    """(windows, K_h, K_w) values, or with the words of a pixel behind -> (windows, taps) in the order of the loop."""
    words = np.broadcast_to(taps if taps.ndim == 4 else taps[..., None], (*taps.shape[:3], layer.pixel_words))
    return (np.moveaxis(words, -1, 1) if depthwise else words).reshape(len(taps), -1)


def _direct_loop(layer: SlidingWindow, depthwise: bool) -> HlsLoop:
    lines, kernel_h, kernel_w = WindowLines(layer), *layer.kernel
    fresh = lines.tap_columns >= 0
    fresh[1:] &= np.arange(kernel_w) >= max(kernel_w - layer.stride[1], 0)
    masks = np.where(lines.lines >= 0, 1 << np.arange(kernel_h), 0)  # (rows, K_h)
    taps = masks[:, None, :, None] * fresh[None, :, None, :]  # (rows, windows of a row, K_h, K_w)
    reads = _in_order(layer, depthwise, taps.reshape(-1, kernel_h, kernel_w)).reshape(-1)
    return HlsLoop(reads.astype(np.int64), np.ones(len(reads), np.int64))


def read_columns(lines: WindowLines) -> IntArray:
    """(steps of a row,): columns that each reads, where a process reads ahead; the last ones show the windows."""
    kernel_w, windows = lines.layer.kernel[1], lines.layer.out_shape[1]
    first = max(0, min(lines.columns, lines.span - lines.first))
    empty = max(0, -(-first // kernel_w) - 1)
    steps = np.arange(empty + windows + 1)
    shown = np.clip(lines.span - lines.first + (steps - 1 - empty) * lines.step, 0, lines.columns)
    return np.diff(np.where(steps <= empty, steps * kernel_w, shown))


#: Words that are shown earlier than this many iterations after they came are kept in registers, or made to wait.
_DISTANCE = 4


def _ahead_loop(layer: SlidingWindow, depthwise: bool) -> HlsLoop:
    lines = WindowLines(layer)
    columns = read_columns(lines).tolist()
    empty = len(columns) - layer.out_shape[1]
    filled = max(1, columns[empty] * layer.pixel_words + _pause(lines, depthwise))

    def step(mask: int, k: int, shows: bool) -> IntArray:
        if shows:
            return _showing(layer, depthwise, mask, columns[k])
        return _filling(mask, columns[k] * layer.pixel_words, filled if k == empty else columns[k] * layer.pixel_words)

    def row(mask: int, first: bool) -> IntArray:
        return np.concatenate([step(mask, k, k > empty or (k == 0 and not first)) for k in range(len(columns))], axis=1)

    top, *others = lines.line_masks.tolist()
    rows = {mask: row(mask, first=False) for mask in set(others)}
    reads, writes = np.concatenate([row(top, first=True), *(rows[mask] for mask in others),
                                    _showing(layer, depthwise, 0, 0)], axis=1)
    return HlsLoop(reads, writes)


def _showing(layer: SlidingWindow, depthwise: bool, mask: int, columns: int) -> IntArray:
    """(2, iterations): reads and writes of a step that shows a window and reads new columns in the rows of a mask."""
    kernel_h, kernel_w = layer.kernel
    taps = np.outer(mask & 1 << np.arange(kernel_h), np.arange(kernel_w) < columns)
    reads = _in_order(layer, depthwise, taps[None])[0]
    return np.stack([reads, np.ones_like(reads)]).astype(np.int64)


def _filling(mask: int, words: int, iterations: int) -> IntArray:
    """(2, iterations): reads and writes of a step that shows none, and reads so many words of every row of a mask."""
    reads = np.where(np.arange(iterations) < words, mask, 0)
    return np.stack([reads, np.zeros_like(reads)]).astype(np.int64)


def _pause(lines: WindowLines, depthwise: bool) -> int:
    """Iterations between a frame's first words and its first window, for a memory to give back what it took."""
    layer, (kernel_h, kernel_w) = lines.layer, lines.layer.kernel
    folds, first = layer.pixel_words, max(0, min(lines.columns, lines.span - lines.first))
    least = kernel_h * folds - (kernel_w - 1) if depthwise else (kernel_h * kernel_w - (kernel_w - 1)) * folds
    columns = [lines.rank(j * layer.dilation[1]) - lines.first for j in range(kernel_w)]
    soonest = min(((first - column) * folds + j * (1 if depthwise else folds)
                   for j, column in enumerate(columns) if 0 <= column < first), default=_DISTANCE)
    return 0 if least < _DISTANCE else max(0, _DISTANCE - soonest)


def parallel_loop(layer: SlidingWindow) -> HlsLoop:
    """The loop of parallel_swu.hpp."""
    lines, (out_h, out_w) = WindowLines(layer), layer.out_shape
    early = max(0, lines.first - (lines.span - 1))
    start = lines.span - 1 - lines.first + early
    stride = (out_w - 1) * lines.step
    places = max(early + lines.columns, stride + 1)
    late = max(0, stride + start - (places - 1))
    reads = np.zeros(out_h * places + late, np.int64)
    row = np.zeros(places, np.int64)
    row[early : early + lines.columns] = 1
    reads[: out_h * places] = np.outer(lines.line_masks, row).reshape(-1)
    writes = np.zeros_like(reads)
    writes[(np.arange(out_h)[:, None] * places + start + np.arange(out_w) * lines.step).reshape(-1)] = 1
    return HlsLoop(np.repeat(reads, layer.pixel_words), np.repeat(writes, layer.pixel_words))


