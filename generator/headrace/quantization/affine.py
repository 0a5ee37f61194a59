"""Affine integers: r = S (q - Z) with unsigned codes q and a zero point Z.

Source: P. Leong, "Quantisation - Efficient implementation of convolutional neural networks", PAPAA 2018, equations
(2) to (5), after Jacob et al., CVPR 2018. Rounding of the two run-time steps is that of gemmlowp.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headrace.datatypes import IntArray, as_int, int_type
from headrace.errors import QuantizationError
from headrace.quantization.primitives import FloatArray, code_type, finite, round_half_up


@dataclass(frozen=True)
class AffineParams:
    """r = scale * (q - zero_point), q in 0..2^bits-1."""

    scale: float
    zero_point: int
    bits: int

    def quantize(self, r: ArrayLike) -> IntArray:
        """clip(round_half_up(Z + r / S)); PAPAA 2018, equation (5) with r for x. Raises QuantizationError for nan, inf.

        >>> AffineParams(0.5, 4, 3).quantize([-1.0, 0.3, 9.0])
        array([2, 5, 7])
        """
        codes = code_type(self.bits, signed=False)
        with np.errstate(over="ignore"):  # far outside, inf is clipped
            q = np.clip(self.zero_point + finite("tensor", r) / self.scale, codes.lo, codes.hi)
        return round_half_up(q).astype(np.int64)

    def dequantize(self, q: ArrayLike) -> FloatArray:
        """S (q - Z).

        >>> AffineParams(0.5, 4, 3).dequantize([2, 5])
        array([-1. ,  0.5])
        """
        return self.scale * (np.asarray(q, np.float64) - self.zero_point)


def affine_params(low: float, high: float, bits: int = 8) -> AffineParams:
    """Scale and zero point of the range [low, high], widened to hold 0, so that 0 has an exact code.

    S = (high - low) / (2^W - 1), Z = clip(round_half_up(-low / S)); S = 1, Z = 0 for [0, 0].
    Raises QuantizationError for low > high, nan, inf and impossible widths.
    Source: PAPAA 2018, equations (2) to (5).

    >>> affine_params(-1, 1).zero_point, affine_params(0.5, 3), affine_params(-4, -1).zero_point
    (128, AffineParams(scale=0.011764705882352941, zero_point=0, bits=8), 255)
    """
    largest = code_type(bits, signed=False).hi
    if not (math.isfinite(low) and math.isfinite(high) and low <= high and math.isfinite(high - low)):
        raise QuantizationError(f"[{low}, {high}] is not a range; give two finite numbers in ascending order")
    low, high = min(low, 0.0), max(high, 0.0)
    scale = (high - low) / largest
    if scale == 0:
        return AffineParams(1.0, 0, bits)
    return AffineParams(scale, min(max(int(round_half_up(np.array(-low / scale))), 0), largest), bits)


def srdhm(a: ArrayLike, b: ArrayLike) -> IntArray:
    """Saturating rounding doubling high multiply: floor(a b / 2^31 + 1/2), (-2^31)^2 -> 2^31 - 1; ties go up.

    a, b: 32-bit integers.
    Source: PAPAA 2018, affine part; SaturatingRoundingDoublingHighMul of gemmlowp.

    >>> srdhm(1 << 30, [1, -1, 3, -3])
    array([ 1,  0,  2, -1])
    """
    product = as_int(a) * as_int(b)
    return as_int(np.minimum((product + (1 << 30)) >> 31, int_type(32).hi))


def rdbpot(x: ArrayLike, exponent: int) -> IntArray:
    """Rounding division by a power of two: x / 2^exponent to nearest, ties away from zero.

    Source: PAPAA 2018, affine part; RoundingDivideByPOT of gemmlowp.

    >>> rdbpot([3, -3, 2, -2], 1), rdbpot([2, -2, -1], 2)
    (array([ 2, -2,  1, -1]), array([ 1, -1,  0]))
    """
    values = as_int(x)
    exponent = min(exponent, 62)  # every 32-bit x gives 0 there, and from there on
    half = (1 << exponent) >> 1
    return as_int(np.sign(values) * ((np.abs(values) + half) >> exponent))


@dataclass(frozen=True)
class Multiplier:
    """M = m0 * 2^-31 * 2^-shift with m0 in [2^30, 2^31 - 1]."""

    m0: int
    shift: int

    def apply(self, acc: ArrayLike) -> IntArray:
        """requant(acc) = rdbpot(srdhm(acc, m0), shift), within 1 of round(M acc), for 32-bit acc.

        >>> Multiplier(1 << 30, 1).apply([100, 101])
        array([25, 26])
        """
        return rdbpot(srdhm(acc, self.m0), self.shift)


def quantize_multiplier(M: float) -> Multiplier:
    """The fixed-point form of M = S1 S2 / S3: M = m0 2^-31 2^-shift, m0 = round_half_up(mantissa 2^31).

    Source: PAPAA 2018, affine part, after Jacob et al. Raises QuantizationError unless 0 < M < 1, and where M rounds
    to 1.

    >>> quantize_multiplier(0.0001234)
    Multiplier(m0=1085437879, shift=12)
    """
    if not 0 < M < 1:
        raise QuantizationError(f"the multiplier {M} is not between 0 and 1; enlarge the output's scale")
    mantissa, exponent = math.frexp(M)
    m0, shift = int(round_half_up(np.array(mantissa * 2.0**31))), -exponent
    if m0 == 1 << 31:
        m0, shift = m0 >> 1, shift - 1
    if shift < 0:
        raise QuantizationError(f"the multiplier {M} rounds to 1; enlarge the output's scale")
    return Multiplier(m0, shift)


def matmul(q1: ArrayLike, zero1: int, q2: ArrayLike, zero2: int) -> IntArray:
    """acc = N Z1 Z2 - Z1 colsum(q2) - Z2 rowsum(q1) + q1 q2 = (q1 - Z1) (q2 - Z2).

    q1: (rows, N), q2: (N, columns). Source: PAPAA 2018, equation (4).
    Raises QuantizationError for an accumulator outside 32 bits.

    >>> matmul([[3, 5]], 4, [[1], [2]], 1)
    array([[1]])
    """
    a, b = as_int(q1), as_int(q2)
    acc = a.shape[1] * zero1 * zero2 - zero1 * b.sum(0) - zero2 * a.sum(1)[:, None] + a @ b
    _require_int32(acc)
    return as_int(acc)


def _require_int32(acc: IntArray) -> None:
    """Raise QuantizationError unless all accumulators fit into 32 bits."""
    if not int_type(32).contains(acc):
        raise QuantizationError(f"accumulators from {acc.min()} to {acc.max()} leave 32 bits; use fewer terms or "
                                "narrower codes")


def requantize(acc: ArrayLike, multiplier: Multiplier, zero_point: int, bits: int) -> IntArray:
    """q3 = clip(Z3 + requant(acc)) in unsigned codes. Raises QuantizationError for acc outside 32 bits.

    Source: PAPAA 2018, equation (4).

    >>> requantize([-50, 50, 900], quantize_multiplier(0.01), 1, 2)
    array([0, 2, 3])
    """
    values, codes = as_int(acc), code_type(bits, signed=False)
    _require_int32(values)
    return as_int(np.clip(zero_point + multiplier.apply(values), codes.lo, codes.hi))


def affine_thresholds(multiplier: Multiplier, zero_point: int, bits: int, acc_min: int, acc_max: int) -> list[int]:
    """T_k = min{acc : q3(acc) >= k} for k = 1..2^bits-1, acc_max + 1 if there is none.

    Binary search on the bit-exact `requantize`, as the closed form ceil((k - Z3 - 1/2) / M) can be off by one.
    Raises QuantizationError for a range outside 32 bits.
    Source: PAPAA 2018, equation (4) as comparisons.

    >>> affine_thresholds(quantize_multiplier(0.01), 0, 2, -300, 300)
    [50, 150, 250]
    """
    _require_int32(as_int([acc_min, acc_max]))
    accumulators = range(acc_min, acc_max + 1)
    return [acc_min + bisect_left(accumulators, k, key=lambda acc: int(requantize(acc, multiplier, zero_point, bits)))
            for k in range(1, code_type(bits, signed=False).hi + 1)]


def raw_thresholds(thresholds: ArrayLike, input_zero_point: int, weights: ArrayLike,
                   weight_zero_point: int = 0) -> IntArray:
    """Thresholds (MH, N) for hardware that accumulates sum q_x q_w without zero points: T + Z_x sum_j w_ij.

    weights: (MH, MW) codes. Raises QuantizationError for Z_w != 0, where the correction depends on the data and no
    constant threshold exists.
    Source: PAPAA 2018, equation (4) with Z2 = 0.

    >>> raw_thresholds([[50, 150]], 3, [[1, -2, 5]])
    array([[ 62, 162]])
    """
    if weight_zero_point:
        raise QuantizationError(f"a weight zero point of {weight_zero_point} makes thresholds depend on the data; "
                                "use symmetric weights (zero point 0)")
    return as_int(as_int(thresholds) + input_zero_point * as_int(weights).sum(1)[:, None])
