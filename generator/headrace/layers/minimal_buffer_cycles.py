"""The cycles of a frame through a circular buffer without overlap, found without executing all of it.

The rows of windows inside of the frame show the same pattern, one stride further down each. Once the buffer ends a row
as it ended the row before, the rows in between are known.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from headrace.datatypes import IntArray

#: What a buffer looks like at the end of a row, relative to the row.
_State = tuple[int, int, tuple[tuple[int, int], ...]]


@dataclass(frozen=True, eq=False)
class WindowRows:
    """The rows of windows of a frame.

    words: of the frame. depth: of the buffer, in words. row: for the number of a row what its windows need and keep,
    see flow.Buffer. rows: how many there are. alike: the first and the end of those that differ by `shift` words only.
    """

    words: int
    depth: int
    row: Callable[[int], tuple[IntArray, IntArray]]
    rows: int
    alike: tuple[int, int]
    shift: int


def frame_cycles(frame: WindowRows) -> int:
    """What executing the buffer for one frame takes (circular_buffer.frame_phases)."""
    run, row, before = _Run(frame), 0, None
    first, end = frame.alike
    while row < frame.rows:
        run.windows(*frame.row(row))
        state = run.state(row)
        row += 1
        if first < row < end and state == before:
            run.skip(end - row)
            row, before = end, None
        else:
            before = state if first < row else None
    return run.finish()


class _Run:
    """A buffer in the course of a frame: what was taken and issued so far, see circular_buffer.execute."""

    def __init__(self, frame: WindowRows) -> None:
        self.frame = frame
        self.taken = np.zeros(frame.words, np.int64)  # the cycle of each word; long ago for those that were skipped
        self.count, self.last, self.issued = 0, -1, 0
        self.releases: deque[tuple[int, int]] = deque([(0, 0)])
        self.row_cycles = 0

    def windows(self, needed: IntArray, kept: IntArray) -> None:
        """A row of windows: (windows, words out per window) and (windows,)."""
        start, taps = self.issued, needed.shape[1]
        shown = np.maximum(needed, 0)
        left = np.arange(taps, 0, -1)
        for oldest, newest, words in zip(kept.tolist(), shown.max(axis=1).tolist(), shown, strict=True):
            if oldest > self.releases[-1][1]:
                self.releases.append((self.issued + 1, oldest))
            self._take(newest + 1)
            waited = self.issued if self.taken[newest] <= self.issued else int((self.taken[words] + left).max()) - taps
            self.issued = max(self.issued, waited) + taps
        self.row_cycles = self.issued - start

    def _take(self, count: int) -> None:
        while self.count < count:
            while self.count - self.releases[0][1] >= self.frame.depth:
                self.releases.popleft()
            free_at, oldest = self.releases[0]
            first = max(self.last + 1, free_at)
            end = min(count, oldest + self.frame.depth)  # up to there nothing holds words up
            self.taken[self.count : end] = np.arange(first, first + end - self.count)
            self.last, self.count = first + end - self.count - 1, end

    def state(self, row: int) -> _State:
        """What the rows that follow depend on."""
        while len(self.releases) > 1 and self.count - self.releases[0][1] >= self.frame.depth:
            self.releases.popleft()
        base = row * self.frame.shift
        held = tuple((max(cycle - self.last, 1), word - base) for cycle, word in self.releases)
        return self.count - base, self.last - self.issued, held

    def skip(self, rows: int) -> None:
        """So many more rows like the last one."""
        cycles, words = rows * self.row_cycles, rows * self.frame.shift
        self.count, self.last, self.issued = self.count + words, self.last + cycles, self.issued + cycles
        self.releases = deque((cycle + cycles, word + words) for cycle, word in self.releases)

    def finish(self) -> int:
        """Cycles of the frame with the words that no window shows."""
        self.releases.append((self.issued + 1, self.frame.words))
        self._take(self.frame.words)
        return max(self.last, self.issued) + 1
