"""Multipliers and shifts: y = clip(round((x * m + o) / 2^s)) that equals given thresholds, or given exact lines.

A channel with m >= 0 never falls, so it equals thresholds T_k everywhere if it does at every T_k and every T_k - 1.
The code k is reached where m x + o >= B_k with B_k = k 2^s - 2^(s-1), and under half_even 1 more for odd k; hence the
offsets that fit a multiplier are an interval: max_k(B_k - m T_k) <= o < min_k(B_k - m (T_k - 1)).

Thresholds of arithmetic that rounds twice lie on one line above a code Z and on a shifted one below it. Where no line
fits all, offsets are fitted to the codes above Z and to the others, and their difference is the kink.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from headrace.datatypes import IntArray, Interval
from headrace.network.integer import Requant
from headrace.network.rounding import Rounding
from headrace.streamline.requant_facts import FAR, MAX_SHIFT, Facts, Nearest, bounds, candidates, facts_of_row
from headrace.streamline.requant_kink import kinked_requant

#: Most fractional bits of lines that are given exactly.
MAX_DYADIC_SHIFT = 30
NEAREST: tuple[Nearest, ...] = ("half_up", "half_even")


def dyadic_requant(lines: Sequence[tuple[Fraction, Fraction]], rounding: Rounding, output: Interval) -> Requant | None:
    """The requantizer of round(a q + b), (a, b) per channel, if all are multiples of a power of two; else None."""
    shift = max(part.denominator for line in lines for part in line).bit_length() - 1
    if shift > MAX_DYADIC_SHIFT or any((part * (1 << shift)).denominator != 1 for line in lines for part in line):
        return None
    # floor(v / 2^s) is half_up of v - 2^(s-1), and ceil is floor of v + 2^s - 1.
    half, whole = 1 << shift >> 1, 1 << shift
    moves = {"half_even": 0, "half_up": 0, "floor": -half, "ceil": whole - 1 - half}
    if rounding not in moves:
        return None
    multiplier, offset = (np.asarray([int(line[i] * whole) for line in lines], np.int64) for i in (0, 1))
    nearest: Nearest = "half_even" if rounding == "half_even" else "half_up"
    return Requant(multiplier, offset + moves[rounding], shift, nearest, output)


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
    facts = [facts_of_row(np.frombuffer(row, np.int64), output) for row in places]
    found = requant_of_facts(facts, output)
    if found is None:
        return None
    found = of_channels(found, which)
    return replace(found, multiplier=found.multiplier * (1 - 2 * falls))


def of_channels(found: Requant, which: Sequence[int]) -> Requant:
    """The requantizer whose channels are those numbered `which` of another."""
    places = list(which)
    return replace(found, multiplier=found.multiplier[places], offset=found.offset[places],
                   kink=None if found.kink is None else found.kink[places])


def requant_of_facts(facts: Sequence[Facts], output: Interval,
                     shifts: Sequence[int] = range(MAX_SHIFT + 1)) -> Requant | None:
    """The requantizer with the first of `shifts` for rising channels, with a kink only where no line fits."""
    for shift in shifts:
        for rounding in NEAREST:
            found = _fit_all(facts, shift, rounding)
            if found is not None:
                return Requant(*found, shift, rounding, output)
    return kinked_requant(facts, output, shifts)


def _fit_all(facts: Sequence[Facts], shift: int, rounding: Nearest) -> tuple[IntArray, IntArray] | None:
    """Multipliers and offsets of all channels, or None as soon as one has none."""
    found = []
    for channel in facts:
        fit = _fit(channel, shift, rounding)
        if fit is None:
            return None
        found.append(fit)
    table = np.asarray(found, np.int64)
    return table[:, 0].copy(), table[:, 1].copy()


def _fit(channel: Facts, shift: int, rounding: Nearest) -> tuple[int, int] | None:
    """The smallest multiplier with an offset, and of its offsets the one nearest to 0."""
    reach, miss = (bounds(codes, shift, rounding) for codes in (channel.reached, channel.missed))
    for m in candidates(channel.slopes, shift):
        lowest = int((reach - m * channel.at).max(initial=-FAR))
        highest = int((miss - m * channel.before).min(initial=FAR)) - 1
        if lowest <= highest:
            return m, min(max(0, lowest), highest)
    return None
