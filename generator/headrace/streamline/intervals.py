"""Intervals of integers on which a quantized curve that turns has one code, and the codes of these intervals.

A path is how many decision points the values reach, one interval after the other. Channels whose curves rise and fall
in the same order share one path, which begins and ends at the extremes of all: an interval that a channel does not have
is empty there. So one table of codes serves them all, and only the bounds of the intervals differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from headrace.datatypes import IntArray
from headrace.streamline.meaning import Channel, each
from headrace.streamline.pieces import Decisions, Piece, passing, pieces, reached


@dataclass(frozen=True, eq=False)
class Intervals:
    """The intervals of every channel between its lowest integer and its highest.

    bounds: (C, N) where the intervals but the first begin, ascending; counts: (C, N + 1) decisions reached in each.
    """

    bounds: IntArray
    counts: IntArray

    def thresholds(self, steps: int, lowest: IntArray, highest: IntArray) -> IntArray | None:
        """(C, steps) the first integers that reach each decision, if the counts nowhere fall, else None."""
        if np.any(np.diff(self.counts, axis=1) < 0):
            return None
        starts = np.concatenate([lowest[:, None], self.bounds, highest[:, None] + 1], axis=1)
        wanted = np.arange(1, steps + 1)
        return np.stack([row[np.searchsorted(counts, wanted)] for row, counts in zip(starts, self.counts, strict=True)])

    def table(self, integers: IntArray) -> IntArray:
        """(C, N) the counts at N integers."""
        places = [np.searchsorted(row, integers, side="right") for row in self.bounds]
        return np.stack([counts[place] for counts, place in zip(self.counts, places, strict=True)])


def intervals(channels: Sequence[Channel], decisions: Sequence[Decisions], lowest: IntArray,
              highest: IntArray) -> Intervals:
    """The intervals of channels whose arguments rise, in the ranges of their integers."""
    runs = each(_run, channels, decisions, lowest, highest)
    kinds = [tuple(piece.rises for piece in run.pieces) for run in runs]
    paths = {kind: _path(kind, [run for run, other in zip(runs, kinds, strict=True) if other == kind])
             for kind in dict.fromkeys(kinds)}
    most = max(len(path.counts) for path in paths.values())
    steps = [paths[kind] for kind in kinds]
    bounds = each(lambda channel, run, found, path, hi: _padded(_bounds(channel, run, found, path), most - 1, hi + 1),
                  channels, runs, decisions, steps, highest)
    counts = each(lambda path: _padded(path.counts, most, path.counts[-1]), steps)
    return Intervals(np.stack(bounds), np.stack(counts))


class _Run(NamedTuple):
    """The pieces of a channel, and how many decisions are reached at the first and the last integer of each."""

    pieces: list[Piece]
    ends: list[tuple[int, int] | None]


def _run(channel: Channel, decisions: Decisions, lo: int, hi: int) -> _Run:
    found = pieces(channel, lo, hi)
    return _Run(found, [(reached(channel, piece.start, decisions), reached(channel, piece.stop - 1, decisions))
                        if piece.stop > piece.start else None for piece in found])


class _Path(NamedTuple):
    """Counts of decisions in the order of the intervals, and from which to which they lead in each piece.

    None stands for a piece that no channel has.
    """

    counts: list[int]
    spans: list[tuple[int, int] | None]


def _path(kind: tuple[bool, ...], runs: Sequence[_Run]) -> _Path:
    """The path that holds the paths of all runs of a kind."""
    counts: list[int] = []
    spans: list[tuple[int, int] | None] = []
    for place, rises in enumerate(kind):
        ends = [end for run in runs if (end := run.ends[place]) is not None]
        spans.append(None if not ends else _widest(ends, rises))
        if (span := spans[-1]) is not None:
            steps = range(span[0], span[1] + 1) if rises else range(span[0], span[1] - 1, -1)
            counts += steps if not counts or counts[-1] != span[0] else steps[1:]
    return _Path(counts, spans)


def _widest(ends: Sequence[tuple[int, int]], rises: bool) -> tuple[int, int]:
    firsts, lasts = zip(*ends, strict=True)
    return (min(firsts), max(lasts)) if rises else (max(firsts), min(lasts))


def _bounds(channel: Channel, run: _Run, decisions: Decisions, path: _Path) -> list[int]:
    """Where the intervals of a path but the first begin in one channel."""
    bounds: list[int] = []
    last: int | None = None
    for piece, span in zip(run.pieces, path.spans, strict=True):
        if span is None:
            continue
        if last is not None and last != span[0]:
            bounds.append(piece.start)
        passed = range(span[0], span[1]) if piece.rises else range(span[0] - 1, span[1] - 1, -1)
        bounds += passing(channel, piece, [decisions[k] for k in passed]).tolist()
        last = span[1]
    return bounds


def _padded(values: list[int], count: int, filling: int) -> IntArray:
    return np.asarray([*values, *[filling] * (count - len(values))], np.int64)
