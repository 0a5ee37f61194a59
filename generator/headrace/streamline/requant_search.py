"""Multipliers and shifts: y = clip(round((x * m + o) / 2^s)) that equals given thresholds, or given exact lines.

A channel with m >= 0 never falls, so it equals thresholds T_k everywhere if it does at every T_k and every T_k - 1.
The code k is reached where m x + o >= B_k with B_k = k 2^s - 2^(s-1), and under half_even 1 more for odd k; hence the
offsets that fit a multiplier are an interval: max_k(B_k - m T_k) <= o < min_k(B_k - m (T_k - 1)).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal, NamedTuple

import numpy as np

from headrace.datatypes import IntArray, Interval
from headrace.network.integer import Requant
from headrace.network.rounding import Rounding

Nearest = Literal["half_up", "half_even"]
NEAREST: tuple[Nearest, ...] = ("half_up", "half_even")
MAX_SHIFT = 30
#: Beyond every sum: an offset without a bound.
FAR = 1 << 62


def dyadic_requant(lines: Sequence[tuple[Fraction, Fraction]], rounding: Rounding, output: Interval) -> Requant | None:
    """The requantizer of round(a q + b), (a, b) per channel, if all are multiples of a power of two; else None."""
    shift = max(part.denominator for line in lines for part in line).bit_length() - 1
    if shift > MAX_SHIFT or any((part * (1 << shift)).denominator != 1 for line in lines for part in line):
        return None
    # floor(v / 2^s) is half_up of v - 2^(s-1), and ceil is floor of v + 2^s - 1.
    half, whole = 1 << shift >> 1, 1 << shift
    moves = {"half_even": 0, "half_up": 0, "floor": -half, "ceil": whole - 1 - half}
    if rounding not in moves:
        return None
    multiplier, offset = (np.asarray([int(line[i] * whole) for line in lines], np.int64) for i in (0, 1))
    nearest: Nearest = "half_even" if rounding == "half_even" else "half_up"
    return Requant(multiplier, offset + moves[rounding], shift, nearest, output)


class _Channel(NamedTuple):
    """Facts to hold: at `at` the codes `reached` are reached, at `before` the codes `missed` are not yet."""

    at: IntArray
    reached: IntArray
    before: IntArray
    missed: IntArray
    slopes: tuple[float, float]


def requant_of_thresholds(thresholds: IntArray, inverted: frozenset[int], lowest: IntArray, highest: IntArray,
                          output: Interval) -> Requant | None:
    """The requantizer with the smallest shift, then the smallest multipliers, that equals thresholds (C, N).

    lowest, highest: (C,) what can occur. None where no shift up to MAX_SHIFT has one.
    """
    falls = np.zeros(len(thresholds), np.int64)
    falls[sorted(inverted)] = 1
    rows = np.column_stack([thresholds, lowest, highest, falls])
    places: dict[bytes, int] = {}  # equal channels are fitted once
    which = [places.setdefault(row.tobytes(), len(places)) for row in rows]
    facts = [_facts_of(np.frombuffer(row, np.int64), output) for row in places]
    for shift in range(MAX_SHIFT + 1):
        for rounding in NEAREST:
            found = _fit_all(facts, shift, rounding)
            if found is not None:
                return Requant(found[0][which] * (1 - 2 * falls), found[1][which], shift, rounding, output)
    return None


def _facts_of(row: IntArray, output: Interval) -> _Channel:
    """The facts of a channel's thresholds, lowest, highest, and 1 where it falls."""
    T, (lo, hi, falls) = row[:-3], row[-3:].tolist()
    if falls:
        T, lo, hi = _mirrored(T, lo, hi)
    return _facts(T, lo, hi, output)


def _mirrored(T: IntArray, lo: int, hi: int) -> tuple[IntArray, int, int]:
    """An inverted channel as a rising one of -x."""
    return 1 - T[::-1], -hi, -lo


def _facts(T: IntArray, lo: int, hi: int, output: Interval) -> _Channel:
    """What must hold at every T_k and T_k - 1 that can occur, and the slopes between which a line can do it."""
    codes = output.lo + 1 + np.arange(len(T), dtype=np.int64)
    reached, missed = hi >= T, lo < T
    at, before = np.maximum(T, lo)[reached], (np.minimum(T, hi + 1) - 1)[missed]
    rise = codes[reached][:, None] - codes[missed][None, :]
    run = at[:, None] - before[None, :]
    up, down = run > 0, run < 0
    steepest = (rise[down] / run[down]).min(initial=np.inf)
    flattest = (rise[up] / run[up]).max(initial=0.0)
    return _Channel(at, codes[reached], before, codes[missed], (float(flattest), float(steepest)))


def _fit_all(facts: Sequence[_Channel], shift: int, rounding: Nearest) -> tuple[IntArray, IntArray] | None:
    """Multipliers and offsets of all channels, or None as soon as one has none."""
    found = []
    for channel in facts:
        fit = _fit(channel, shift, rounding)
        if fit is None:
            return None
        found.append(fit)
    table = np.asarray(found, np.int64)
    return table[:, 0].copy(), table[:, 1].copy()


def _fit(channel: _Channel, shift: int, rounding: Nearest) -> tuple[int, int] | None:
    """The smallest multiplier with an offset, and of its offsets the one nearest to 0."""
    reach, miss = (_bounds(codes, shift, rounding) for codes in (channel.reached, channel.missed))
    for m in _candidates(channel.slopes, shift):
        lowest = int((reach - m * channel.at).max(initial=-FAR))
        highest = int((miss - m * channel.before).min(initial=FAR)) - 1
        if lowest <= highest:
            return m, min(max(0, lowest), highest)
    return None


def _bounds(codes: IntArray, shift: int, rounding: Nearest) -> IntArray:
    """B_k: from which sum on a code is reached."""
    odd_tie = codes & 1 if rounding == "half_even" and shift else 0
    return (codes << shift) - (1 << shift >> 1) + odd_tie


def _candidates(slopes: tuple[float, float], shift: int) -> list[int]:
    """Multipliers near the smallest possible one, and one in the middle of the range."""
    low, high = (bound * (1 << shift) for bound in slopes)
    first = math.floor(low)
    last = first + 3 if math.isinf(high) else math.ceil(high)
    return sorted({m for m in (first, first + 1, first + 2, (first + last) // 2) if m <= last})
