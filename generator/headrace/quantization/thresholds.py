"""Thresholds: a layer's arithmetic after the accumulator as comparisons with integers.

A unit computes base + #{k : acc >= T_k} with ascending T; base is the lowest output code, and bipolar outputs are
2 * count - 1. A type of N + 1 codes has N thresholds.

Source: P. Leong, "Quantisation - Efficient implementation of convolutional neural networks", PAPAA 2018, FINN part.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import ArrayLike

from headrace.datatypes import BIPOLAR, DataType, IntArray, as_int, dot_product_interval
from headrace.errors import QuantizationError

Number = int | float | Fraction


def decision_points(output: DataType, step: Number) -> list[Fraction]:
    """Where the output code changes, ascending: (k - 1/2) step for every code k but the lowest; 0 for bipolar.

    Source: PAPAA 2018, FINN part.

    >>> from headrace.datatypes import uint_type
    >>> [float(t) for t in decision_points(uint_type(2), 0.5)]
    [0.25, 0.75, 1.25]
    """
    if output == BIPOLAR:
        return [Fraction(0)]
    if not (math.isfinite(step) and step > 0):
        raise QuantizationError(f"an activation step of {step} gives no thresholds; use a finite number above 0")
    return [(k - Fraction(1, 2)) * Fraction(step) for k in range(output.lo + 1, output.hi + 1)]


@dataclass(frozen=True)
class RowThresholds:
    """Thresholds of one output channel.

    negate: the channel's weights are to be negated, and T compares with -acc. descending: the weights keep their sign
    and the unit counts acc <= T_k with T descending.
    """

    thresholds: tuple[int, ...]
    output: DataType
    negate: bool = False
    descending: bool = False

    def apply(self, acc: ArrayLike) -> IntArray:
        """Output codes of the layer's own accumulators, any shape."""
        values = as_int(acc)[..., None]
        if self.negate:
            values = -values
        count = (values <= self.thresholds if self.descending else values >= self.thresholds).sum(-1)
        return as_int(2 * count - 1 if self.output == BIPOLAR else self.output.lo + count)


def batch_norm_line(gamma: float, beta: float, mean: float, variance: float, eps: float) -> tuple[float, float]:
    """(A, B) of y = A acc + B in float64: A = gamma / sqrt(variance + eps), B = beta - A mean.

    A layer's bias b adds A b to B, a weight scale alpha multiplies A.
    Raises QuantizationError for variance + eps <= 0 and for nan or inf.
    Source: PAPAA 2018, FINN part.

    >>> batch_norm_line(0.5, 0.25, 3, 4, 0)
    (0.25, -0.5)
    """
    if not all(map(math.isfinite, (gamma, beta, mean, variance, eps))):
        raise QuantizationError(f"batch norm: gamma {gamma}, beta {beta}, mean {mean}, variance {variance} and eps "
                                f"{eps} must all be finite; check the model")
    if variance + eps <= 0:
        raise QuantizationError(f"batch norm: variance + eps is {variance + eps}; it must be above 0")
    slope = gamma / math.sqrt(variance + eps)
    offset = beta - slope * mean
    if not (math.isfinite(slope) and math.isfinite(offset)):
        raise QuantizationError(f"batch norm: slope {slope} and offset {offset} must be finite; check its parameters")
    return slope, offset


def line_thresholds(slope: Number, offset: Number, output: DataType, step: Number, acc_min: int, acc_max: int,
                    may_negate: bool = True) -> RowThresholds:
    """Thresholds of y = slope * acc + offset, rounded half up to multiples of `step` and clipped to the output type.

    T_k = ceil((t_k - offset) / slope) in exact rationals, clipped to [acc_min, acc_max + 1]. A negative slope negates
    the channel (accumulator, range and slope), or, without may_negate, descends: T_k = floor((t_k - offset) / slope),
    clipped to [acc_min - 1, acc_max]. A slope of 0 gives a constant. acc_min, acc_max: reachable accumulators, before
    negation. Source: section "FINN" of PAPAA 2018.
    Raises QuantizationError for nan, inf, a step that is not above 0 and acc_min > acc_max.

    >>> from headrace.datatypes import uint_type
    >>> line_thresholds(0.25, -0.5, uint_type(2), 0.5, -9, 9).thresholds
    (3, 5, 7)
    >>> line_thresholds(-0.25, 1, uint_type(2), 0.5, -9, 9).thresholds
    (-3, -1, 1)
    """
    if not (math.isfinite(slope) and math.isfinite(offset) and acc_min <= acc_max):
        raise QuantizationError(f"the line {slope} * acc + {offset} for acc from {acc_min} to {acc_max} has no "
                                "thresholds; give finite numbers and a range in ascending order")
    A, B, points = Fraction(slope), Fraction(offset), decision_points(output, step)
    if A < 0 and not may_negate:
        raw = [math.floor((t - B) / A) for t in points]
        return RowThresholds(tuple(min(max(T, acc_min - 1), acc_max) for T in raw), output, descending=True)
    negate = A < 0
    if negate:
        A, acc_min, acc_max = -A, -acc_max, -acc_min
    raw = [math.ceil((t - B) / A) for t in points] if A else [acc_min if t <= B else acc_max + 1 for t in points]
    return RowThresholds(tuple(min(max(T, acc_min), acc_max + 1) for T in raw), output, negate)


@dataclass(frozen=True, eq=False)
class LayerThresholds:
    """Weights (MH, MW) with negated rows where the slope asks for it, and the thresholds of every row."""

    weights: IntArray
    rows: tuple[RowThresholds, ...]


def layer_thresholds(weights: IntArray, slopes: Sequence[Number], offsets: Sequence[Number], inputs: DataType,
                     weight: DataType, output: DataType, step: Number) -> LayerThresholds:
    """Thresholds of all rows of a layer: y_i = slopes_i * acc_i + offsets_i.

    weights: (MH, MW) codes of type `weight`. A row whose slope is negative is negated if the type holds all its
    negated codes, and keeps its sign with descending comparison if not (the code -2^(pw-1), unsigned weights).
    Raises as `line_thresholds`.
    Source: PAPAA 2018, FINN part.

    >>> from headrace.datatypes import int_type, uint_type
    >>> layer = layer_thresholds(np.array([[1, -2], [1, -1]]), [-1, -1], [0, 0], uint_type(2), int_type(2), BIPOLAR, 1)
    >>> layer.weights.tolist(), layer.rows[0].descending, layer.rows[1].negate
    ([[1, -2], [-1, 1]], True, True)
    """
    low, high = dot_product_interval(weights, inputs)
    rows = tuple(line_thresholds(slope, offset, output, step, int(low[i]), int(high[i]), weight.contains(-weights[i]))
                 for i, (slope, offset) in enumerate(zip(slopes, offsets, strict=True)))
    signs = np.array([-1 if row.negate else 1 for row in rows])
    return LayerThresholds(weights * signs[:, None], rows)


def popcount_threshold(threshold: int, fan_in: int) -> int:
    """Threshold on the number of XNOR matches: acc = 2 pc - S, T_pc = clip(ceil((T + S) / 2), 0, S + 1).

    Source: PAPAA 2018, FINN part.

    >>> [popcount_threshold(*case) for case in ((0, 9), (3, 8), (-8, 8), (20, 8))]
    [5, 6, 0, 9]
    """
    return min(max(-((-threshold - fan_in) // 2), 0), fan_in + 1)


def xnor_popcount(weights: IntArray, x: IntArray) -> IntArray:
    """Matches (MH,) of bipolar weights (MH, S) with bipolar inputs (S,); the accumulator is 2 * matches - S.

    >>> xnor_popcount(np.array([[1, -1, 1]]), np.array([1, 1, 1]))
    array([2])
    """
    return as_int((weights == x).sum(-1))


def shift_thresholds(shift: int, bias: int, output: DataType) -> tuple[int, ...]:
    """Thresholds of sat(rshift_round(acc + bias, shift)): one per code k but the lowest.

    T_k = k 2^s - 2^(s-1) - bias for s >= 1, else ceil(k / 2^-s) - bias. Cheaper than the shifter up to about 4 bits.
    Source: PAPAA 2018, FINN part.

    >>> from headrace.datatypes import uint_type
    >>> shift_thresholds(3, 5, uint_type(2)), shift_thresholds(-1, 0, uint_type(3))
    ((-1, 7, 15), (1, 1, 2, 2, 3, 3, 4))
    """
    codes = range(output.lo + 1, output.hi + 1)
    if shift > 0:
        return tuple((k << shift) - (1 << (shift - 1)) - bias for k in codes)
    return tuple(-((-k) >> -shift) - bias for k in codes)
