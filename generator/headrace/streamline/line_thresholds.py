"""The thresholds of a clipped line, all at once.

In integers of 64 bits where the fractions are that small, as those of powers of two are; else in float64 where that is
certain, and in fractions near an integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, lcm

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import IntArray
from headrace.streamline.meaning import Channel

#: Times the sizes of what is added up: more than three roundings of float64 are wrong by.
_ERROR = 2.0**-48
#: Integers up to here are exact in float64, with room for what is added.
_EXACT = 2.0**51
#: Integers below are multiplied and added up in 64 bits.
_LARGEST = 1 << 61


@dataclass(frozen=True, eq=False)
class Levels:
    """Where a quantizer's codes begin, ascending, and whether a level itself belongs to its code; also as arrays."""

    exact: Sequence[tuple[Fraction, bool]]
    denominator: int
    numerators: IntArray | None  # None where they leave 62 bits
    at: NDArray[np.float64]
    closed: NDArray[np.bool_]

    @classmethod
    def of(cls, exact: Sequence[tuple[Fraction, bool]]) -> Levels:
        """Arrays of exact levels."""
        denominator = lcm(*(at.denominator for at, _ in exact))
        numerators = [int(at * denominator) for at, _ in exact]
        fits = max(map(abs, numerators), default=0) < _LARGEST
        whole = np.array(numerators, np.int64) if fits else None
        return cls(exact, denominator, whole, np.array([_float(at) for at, _ in exact]),
                   np.array([closed for _, closed in exact], np.bool_))


def first_reaching(channel: Channel, levels: Levels, lo: int, hi: int) -> IntArray:
    """(levels,): what Channel.first_reaching gives for each level; the channel is a clipped line that does not fall."""
    small = _in_integers(channel, levels, lo, hi)
    return _in_floats(channel, levels, lo, hi) if small is None else small


def _in_integers(channel: Channel, levels: Levels, lo: int, hi: int) -> IntArray | None:
    """The same where all numbers are fractions of one denominator that 64 bits hold; else None."""
    bounds = [bound for bound in (channel.lo, channel.hi) if bound is not None]
    unit = lcm(levels.denominator, *(part.denominator for part in (channel.offset, *bounds)))
    offset, divisor, factor = int(channel.offset * unit), channel.scale.numerator * unit, channel.scale.denominator
    if levels.numerators is None or not divisor or not len(levels.exact):
        return None
    widest = max(int(np.abs(levels.numerators).max()) * (unit // levels.denominator), abs(offset))
    if max(2 * widest * factor, divisor, *(int(abs(bound) * unit) for bound in bounds)) >= _LARGEST:
        return None
    at = levels.numerators * (unit // levels.denominator)
    point = (at - offset) * factor
    first = np.clip(np.where(levels.closed, -(-point // divisor), point // divisor + 1), lo, hi + 1)
    if channel.hi is not None:
        level = int(channel.hi * unit)
        first = np.where(np.where(levels.closed, level >= at, level > at), first, hi + 1)
    if channel.lo is not None:
        level = int(channel.lo * unit)
        first = np.where(np.where(levels.closed, level >= at, level > at), lo, first)
    return np.asarray(first, np.int64)


def _in_floats(channel: Channel, levels: Levels, lo: int, hi: int) -> IntArray:
    scale, offset, at = _float(channel.scale), _float(channel.offset), levels.at
    with np.errstate(all="ignore"):
        point = (at - offset) / scale
        error = _ERROR * (np.abs(at) + abs(offset)) / abs(scale)
        certain = (np.abs(point - np.rint(point)) > error) & (np.abs(point) < _EXACT)  # not where it is NaN
        first = np.clip(np.where(certain, np.ceil(point), 0), lo, hi + 1)
    for bound, beyond in ((channel.lo, lo), (channel.hi, hi + 1)):
        if bound is not None:
            level = _float(bound)
            certain &= np.abs(at - level) > _ERROR * (np.abs(at) + abs(level))
            first = np.where(at < level if beyond == lo else at > level, beyond, first)
    found = first.astype(np.int64)
    for index in np.flatnonzero(~certain).tolist():
        found[index] = channel.first_reaching(*levels.exact[index], lo, hi)
    return found


def _float(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return inf
