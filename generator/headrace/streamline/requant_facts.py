"""What thresholds ask of a multiplier, an offset and a shift: which codes are reached, or missed, at which integers."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import IntArray, Interval

FloatArray = NDArray[np.float64]
Nearest = Literal["half_up", "half_even"]
#: A line through thresholds of 20-bit sums is fixed to 2^-23 of its slope, and slopes reach down to 2^-20.
MAX_SHIFT = 46
#: Of so few points no hull is made, and of none so wide that products with codes leave 64 bits.
_FEW, _WIDE = 16, 1 << 50
#: Beyond every sum: an offset without a bound.
FAR = 1 << 62


class Facts(NamedTuple):
    """Facts to hold: at `at` the codes `reached` are reached, at `before` the codes `missed` are not yet."""

    at: IntArray
    reached: IntArray
    before: IntArray
    missed: IntArray
    slopes: tuple[float, float]

    @staticmethod
    def of(at: IntArray, reached: IntArray, before: IntArray, missed: IntArray) -> Facts:
        """The facts with the slopes between which a line can hold them."""
        over, under = _corners(at, reached), _corners(before, -missed)  # a line that holds these holds all
        flattest, steepest = ratios(at[over], reached[over], before[under], missed[under])
        return Facts(at, reached, before, missed,
                     (float(flattest.max(initial=0.0)), float(steepest.min(initial=np.inf))))


def facts_of_row(row: IntArray, output: Interval) -> Facts:
    """The facts of a channel's thresholds, lowest, highest, and 1 where it falls."""
    T, (lo, hi, falls) = row[:-3], row[-3:].tolist()
    if falls:
        T, lo, hi = _mirrored(T, lo, hi)
    return facts_of(T, lo, hi, output)


def _mirrored(T: IntArray, lo: int, hi: int) -> tuple[IntArray, int, int]:
    """An inverted channel as a rising one of -x."""
    return 1 - T[::-1], -hi, -lo


def facts_of(T: IntArray, lo: int, hi: int, output: Interval) -> Facts:
    """What must hold at every T_k and T_k - 1 that can occur, and the slopes between which a line can do it."""
    codes = output.lo + 1 + np.arange(len(T), dtype=np.int64)
    reached, missed = hi >= T, lo < T
    at, before = np.maximum(T, lo)[reached], (np.minimum(T, hi + 1) - 1)[missed]
    return Facts.of(at, codes[reached], before, codes[missed])


def _corners(x: IntArray, y: IntArray) -> IntArray:
    """Indices of the corners of the upper hull of points with ascending x."""
    if len(x) < _FEW or int(x[-1]) - int(x[0]) > _WIDE:
        return np.arange(len(x))
    corners, spans = {0, len(x) - 1}, [(0, len(x) - 1)]
    while spans:
        first, last = spans.pop()
        height = (x[last] - x[first]) * (y[first:last] - y[first]) - (y[last] - y[first]) * (x[first:last] - x[first])
        top = first + int(height.argmax())
        if height[top - first] > 0:
            corners.add(top)
            spans += [(first, top), (top, last)]
    return np.array(sorted(corners))


def ratios(at: IntArray, reached: IntArray, before: IntArray, missed: IntArray) -> tuple[FloatArray, FloatArray]:
    """What every pair (reached, missed) says of a line's slope: at least the first, at most the second."""
    rise = reached[:, None] - missed[None, :]
    run = at[:, None] - before[None, :]
    slope = rise / np.where(run == 0, 1, run)
    return np.where(run > 0, slope, 0.0), np.where(run < 0, slope, np.inf)


def bounds(codes: IntArray, shift: int, rounding: Nearest) -> IntArray:
    """B_k: from which sum on a code is reached."""
    odd_tie = codes & 1 if rounding == "half_even" and shift else 0
    return (codes << shift) - (1 << shift >> 1) + odd_tie


def candidates(slopes: tuple[float, float], shift: int) -> list[int]:
    """Multipliers near the smallest possible one, and one in the middle of the range."""
    low, high = (bound * (1 << shift) for bound in slopes)
    first = math.floor(low)
    last = first + 3 if math.isinf(high) else math.ceil(high)
    return sorted({m for m in (first, first + 1, first + 2, (first + last) // 2) if m <= last})
