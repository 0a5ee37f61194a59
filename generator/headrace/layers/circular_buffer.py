"""The circular buffer of the sliding window unit, executed cycle by cycle as the kernels do it."""

from __future__ import annotations

from collections import deque

import numpy as np

from headrace.datatypes import IntArray
from headrace.layers.flow import Buffer
from headrace.layers.phases import Phases, Step


def execute(buffer: Buffer, frames: int) -> tuple[IntArray, IntArray]:
    """The cycles in which the buffer takes each word and issues each tap, when nobody else waits.

    A word is there in the cycle after it was taken, a frame's first tap waits for the frame's first word, and a window
    releases words `release_cycles` after the tap before it. Without overlap a frame waits for the last tap of the one
    before.
    """
    taken: list[int] = []
    issued: list[int] = []
    releases: deque[tuple[int, int]] = deque([(0, 0)])  # (cycle, oldest word kept from then on)
    newest = np.maximum(buffer.needed.max(axis=1), 0).tolist()
    for base in range(0, frames * buffer.words, buffer.words):
        for kept, last, taps in zip(buffer.kept.tolist(), newest, buffer.needed, strict=True):
            if kept >= 0 and base + kept > releases[-1][1]:
                releases.append((issued[-1] + buffer.release_cycles, base + kept))
            _take(buffer, taken, releases, base + last + 1, issued[-1] if issued else -1)
            cycle = issued[-1] if issued else 0
            if taken[base + last] <= cycle:  # all of the window is there
                issued.extend(range(cycle + 1, cycle + 1 + len(taps)))
                continue
            for tap in taps.tolist():
                issued.append(max(taken[base + max(tap, 0)], issued[-1] if issued else 0) + 1)
    releases.append((issued[-1] + buffer.release_cycles, frames * buffer.words))
    _take(buffer, taken, releases, frames * buffer.words, issued[-1])
    return np.array(taken), np.array(issued)


def _take(buffer: Buffer, taken: list[int], releases: deque[tuple[int, int]], count: int, last_issue: int) -> None:
    """Take words until there are `count`, each as soon as its place is free."""
    while len(taken) < count:
        word = len(taken)
        cycle = taken[-1] + 1 if taken else 0
        if not buffer.overlaps and word % buffer.words == 0:
            cycle = max(cycle, last_issue + 1)
        while word - releases[0][1] >= buffer.depth:
            releases.popleft()
        cycle = max(cycle, releases[0][0])
        end = min(count, releases[0][1] + buffer.depth)  # up to there nothing holds words up
        if not buffer.overlaps:
            end = min(end, (word // buffer.words + 1) * buffer.words)
        taken.extend(range(cycle, cycle + end - word))


def frame_phases(buffer: Buffer) -> Phases:
    """One frame of a buffer without overlap; every frame finds the buffer as the first one did."""
    taken, issued = execute(buffer, 1)
    # Written into the cycle of the word that a tap waits for: the cycle in between is latency.
    moves = np.zeros((2, max(taken[-1], issued[-1]) + 1), np.int64)
    moves[0, taken] = 1
    moves[1, issued - 1] = 1
    ends = np.flatnonzero(np.any(np.diff(moves, axis=1, append=-1), axis=0)) + 1
    return tuple(Step(int(stop - first), int(moves[0, first]), int(moves[1, first]))
                 for first, stop in zip([0, *ends[:-1]], ends, strict=True))
