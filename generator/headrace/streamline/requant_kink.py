"""Requantizers with a kink: thresholds that lie on one line above a code Z and on another of the same slope below it.

With S = m x + o the codes above Z are reached from S >= B_k on, the others from S - kink >= B_k on, where B_k counts
from Z. The kink applies where S < 0, so S must be below 0 wherever a code below Z is right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import IntArray, Interval
from headrace.network.integer import Requant
from headrace.streamline.requant_facts import FAR, MAX_SHIFT, Facts, bounds, candidates, ratios

#: Most places of a kink that are tried one by one.
MAX_TRIED = 8
#: A multiplier, an offset and a kink.
Fit = tuple[int, int, int]


def kinked_requant(facts: Sequence[Facts], output: Interval,
                   shifts: Sequence[int] = range(MAX_SHIFT + 1)) -> Requant | None:
    """The requantizer with the first of `shifts` whose channels share the code of their kinks; None where none fits."""
    spans = [_kinks(channel, output) for channel in facts]
    first, last = max(lo for lo, _ in spans), min(hi for _, hi in spans)
    for zero in _tried(first, last):
        halves = [(_above(channel, zero), _below(channel, zero)) for channel in facts]
        for shift in shifts:
            if found := _fit_all(halves, zero, shift):
                table = np.asarray(found, np.int64)
                kink = table[:, 2].copy()
                return Requant(table[:, 0].copy(), table[:, 1].copy(), shift, "half_up", output, kink, zero)
    return None


def _tried(first: int, last: int) -> list[int]:
    """The codes that are tried of those from first to last."""
    few = range(first, last + 1) if last - first < MAX_TRIED else (first, (first + last) // 2, last)
    return list(few)


def _kinks(channel: Facts, output: Interval) -> tuple[int, int]:
    """The codes Z, lowest and highest, for which one line can hold what lies above Z and one what does not."""
    facts = channel.at, channel.reached, channel.before, channel.missed
    codes = np.arange(output.lo, output.hi + 1)
    below = codes[_has_slope(*facts, codes)]
    at, reached, before, missed = (-part[::-1] for part in facts)  # half a turn makes what is reached what is missed
    above = codes[::-1][_has_slope(before, missed, at, reached, -codes[::-1] - 1)]
    return int(above.min(initial=output.hi)), int(below.max(initial=output.lo))


def _has_slope(at: IntArray, reached: IntArray, before: IntArray, missed: IntArray,
               codes: IntArray) -> NDArray[np.bool_]:
    """For every one of `codes`: whether one line can hold the facts about codes up to it."""
    flattest, steepest = ratios(at, reached, before, missed)
    if not flattest.size:
        return np.ones(len(codes), np.bool_)
    most = np.maximum.accumulate(np.maximum.accumulate(flattest, 0), 1)
    least = np.minimum.accumulate(np.minimum.accumulate(steepest, 0), 1)
    rows, columns = (np.searchsorted(part, codes, side="right") - 1 for part in (reached, missed))
    fits = most[rows, columns] < least[rows, columns]
    return np.asarray(fits | (rows < 0) | (columns < 0), np.bool_)


def _above(channel: Facts, zero: int) -> Facts:
    """The facts about codes above Z."""
    return _chosen(channel, channel.reached > zero, channel.missed > zero)


def _below(channel: Facts, zero: int) -> Facts:
    """The facts about codes up to Z."""
    return _chosen(channel, channel.reached <= zero, channel.missed <= zero)


def _chosen(channel: Facts, reached: NDArray[np.bool_], missed: NDArray[np.bool_]) -> Facts:
    return Facts.of(channel.at[reached], channel.reached[reached], channel.before[missed], channel.missed[missed])


def _fit_all(halves: Sequence[tuple[Facts, Facts]], zero: int, shift: int) -> list[Fit] | None:
    """Fits of all channels, or None as soon as one has none."""
    found = []
    for above, below in halves:
        fit = _fit(above, below, zero, shift)
        if fit is None:
            return None
        found.append(fit)
    return found


def _fit(above: Facts, below: Facts, zero: int, shift: int) -> Fit | None:
    """The smallest multiplier with offsets on both sides of Z, the one above not below the other."""
    slopes = (max(above.slopes[0], below.slopes[0]), min(above.slopes[1], below.slopes[1]))
    for m in candidates(slopes, shift):
        low, high = _offsets(above, m, zero, shift)
        low_below, high_below = _offsets(below, m, zero, shift)
        negative = -1 - m * int(below.before.max()) if below.before.size else FAR
        offset = max(low, low_below)
        if abs(offset) >= FAR:  # only one side asks for anything
            offset = min(high, high_below, negative)
        if offset <= min(high, negative) and low_below <= high_below:
            return m, offset, offset - min(offset, high_below)
    return None


def _offsets(facts: Facts, m: int, zero: int, shift: int) -> tuple[int, int]:
    """The lowest and the highest offset with which a multiplier fits."""
    reach, miss = (bounds(codes - zero, shift, "half_up") for codes in (facts.reached, facts.missed))
    return (int((reach - m * facts.at).max(initial=-FAR)), int((miss - m * facts.before).min(initial=FAR)) - 1)
