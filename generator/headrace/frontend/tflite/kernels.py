"""The arithmetic of TensorFlow Lite's kernels: from an integer accumulator to a code, as a fixed function.

Reference kernels (tensorflow/lite/kernels/internal/common.h): a scale is a 31-bit multiplier and a shift. Convolutions
round twice, as gemmlowp does: to the product's upper half, ties up, then by the shift, ties away from zero. Dense
layers round once, ties up. XNNPACK multiplies in float32 and rounds ties to even. All of them rise with the
accumulator.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import IntArray
from headrace.errors import UnsupportedError

KernelSet = Literal["reference", "xnnpack"]
#: What can be chosen by `--kernels`.
KERNEL_SETS: tuple[KernelSet, ...] = ("reference", "xnnpack")
#: Accumulators (C, N) -> codes before the zero point is added.
Rescale = Callable[[IntArray], IntArray]
FloatArray = NDArray[np.float64]
#: Integers times a multiplier, rounded.
Rounded = Callable[[IntArray, "Multiplier"], IntArray]


@dataclass(frozen=True)
class Multiplier:
    """A positive real number as multiplier * 2^(shift - 31), the multiplier from 2^30 to 2^31."""

    multiplier: int
    shift: int

    @property
    def exact(self) -> Fraction:
        """The number."""
        return Fraction(self.multiplier) * Fraction(2) ** (self.shift - 31)

    @staticmethod
    def of(value: float) -> Multiplier:
        """The nearest one to a float64; below 2^-32 it is 0.

        >>> Multiplier.of(0.375)
        Multiplier(multiplier=1610612736, shift=-1)
        """
        mantissa, shift = math.frexp(value)
        multiplier = math.floor(math.ldexp(mantissa, 31) + 0.5)
        if multiplier == 1 << 31:
            multiplier, shift = 1 << 30, shift + 1
        return Multiplier(0, 0) if shift < -31 else Multiplier(multiplier, shift)


def high_product(values: IntArray, multiplier: int | IntArray) -> IntArray:
    """values * multiplier / 2^31 to the nearest integer, ties up."""
    return np.asarray((values * multiplier + (1 << 30)) >> 31, np.int64)


def divided(values: IntArray, bits: int | IntArray) -> IntArray:
    """values / 2^bits to the nearest integer, ties away from zero.

    >>> divided(np.array([-6, -5, 5, 6]), 2).tolist()
    [-2, -1, 1, 2]
    """
    half = np.left_shift(1, bits) >> 1
    return np.asarray((values + half - ((values < 0) & (half > 0))) >> bits, np.int64)


def rounded_twice(values: IntArray, by: Multiplier) -> IntArray:
    """values times a multiplier as gemmlowp rounds."""
    return divided(high_product(values << max(by.shift, 0), by.multiplier), max(-by.shift, 0))


def rounded_twice_up(values: IntArray, by: Multiplier) -> IntArray:
    """As `rounded_twice`, both ties up: the fast kernels of LiteRT itself."""
    right = max(-by.shift, 0)
    return np.asarray((high_product(values << max(by.shift, 0), by.multiplier) + (1 << right >> 1)) >> right, np.int64)


def rounded_once(values: IntArray, by: Multiplier) -> IntArray:
    """values times a multiplier, ties up."""
    total = 31 - by.shift
    return np.asarray((values * by.multiplier + (1 << (total - 1))) >> total, np.int64)


def alike(function: Rounded, scale: float) -> Rescale:
    """A function of accumulators (C, N) with one multiplier for all channels, however many."""
    one = per_channel(function, [scale])
    return lambda acc: one(acc.reshape(1, -1)).reshape(acc.shape)


def per_channel(function: Rounded, scales: list[float]) -> Rescale:
    """A function of accumulators (C, N) with one multiplier per channel."""
    multipliers = [Multiplier.of(scale) for scale in scales]

    def rescale(acc: IntArray) -> IntArray:
        for row, by in zip(acc, multipliers, strict=True):
            if by.shift > 30 or int(np.abs(row).max()) << max(by.shift, 0) > 1 << 31:
                raise UnsupportedError(f"multiplies sums of up to {np.abs(row).max()} by {max(scales):g}, which leaves "
                                       "the 32 bits of the kernels; calibrate the model again")
        return np.stack([function(row, by) for row, by in zip(acc, multipliers, strict=True)])
    return rescale


def float32_rescale(scales: list[np.float32]) -> Rescale:
    """XNNPACK's: the accumulator in float32 times a float32 scale, ties to even."""
    column = np.asarray(scales, np.float32)[:, None]
    return lambda acc: np.asarray(np.rint(acc.astype(np.float32) * column), np.int64)


def mean_of(count: int | IntArray) -> Rescale:
    """A sum of `count` codes divided by their number, of all channels or (C, 1), ties away from zero."""
    def divide(sums: IntArray) -> IntArray:
        size = (np.abs(sums) + count // 2) // count
        return np.asarray(np.where(sums < 0, -size, size), np.int64)
    return divide


#: How far the inputs of the reference sum are shifted up.
SUM_SHIFT = 20


def reference_sum(left: float, right: float, out: float) -> Callable[[IntArray, IntArray], IntArray]:
    """The reference kernels' sum of two tensors of codes without zero point, by the scales (float64) of all three."""
    twice = 2 * max(left, right)
    sides = [Multiplier.of(scale / twice) for scale in (left, right)]
    result = Multiplier.of(twice / ((1 << SUM_SHIFT) * out))

    def total(a: IntArray, b: IntArray) -> IntArray:
        parts = [rounded_twice(codes << SUM_SHIFT, by) for codes, by in zip((a, b), sides, strict=True)]
        return rounded_twice(parts[0] + parts[1], result)
    return total


def xnnpack_factors(left: np.float32, right: np.float32, out: np.float32) -> tuple[int, int, int]:
    """XNNPACK's multipliers of a sum, the larger one of 21 bits, and its shift."""
    ratios = np.float32(left) / np.float32(out), np.float32(right) / np.float32(out)
    shift = 20 - (math.frexp(float(max(ratios)))[1] - 1)
    return round(math.ldexp(float(ratios[0]), shift)), round(math.ldexp(float(ratios[1]), shift)), shift


def xnnpack_sum(left: np.float32, right: np.float32, out: np.float32) -> Callable[[IntArray, IntArray], IntArray]:
    """XNNPACK's sum: two multipliers, one rounding, ties up."""
    a_factor, b_factor, shift = xnnpack_factors(left, right, out)

    def total(a: IntArray, b: IntArray) -> IntArray:
        return np.asarray((a * a_factor + b * b_factor + (1 << (shift - 1))) >> shift, np.int64)
    return total


def product(left: np.float32, right: np.float32, out: np.float32, kernels: KernelSet) -> Rescale:
    """The kernels' product of two codes without zero points, given as one integer."""
    scale = left * right / out
    if kernels == "xnnpack":
        return lambda values: np.asarray(np.rint(values.astype(np.float32) * scale), np.int64)
    by = Multiplier.of(float(scale))
    return lambda values: rounded_twice(values, by)


def curve(function: Callable[[FloatArray], FloatArray], scale: np.float32, out: np.float32) -> Rescale:
    """A table of a function of codes without zero point, in real numbers, to the nearest code of a scale."""
    def rescale(codes: IntArray) -> IntArray:
        real = np.asarray(codes, np.float64) * float(scale)
        return np.asarray(np.rint(function(real) / float(out)), np.int64)
    return rescale


def joined_uint8(scale: np.float32, zero: int, out: np.float32) -> Rescale:
    """Codes of a branch of a uint8 concatenation in the scale of the result, in float32, ties away from zero."""
    factor = np.float32(scale * (np.float32(1) / out))
    offset = np.float32(np.float32(-zero) * factor)

    def rescale(codes: IntArray) -> IntArray:
        real = codes.astype(np.float32) * factor + offset
        return np.asarray(np.sign(real) * np.floor(np.abs(real).astype(np.float64) + 0.5), np.int64)
    return rescale


def bent(above: Multiplier, below: Multiplier) -> Rescale:
    """Codes without zero point, multiplied by their side's multiplier as gemmlowp rounds."""
    return lambda codes: np.where(codes < 0, rounded_twice(codes, below), rounded_twice(codes, above))


def xnnpack_convert(factor: np.float32, below: np.float32 | None = None) -> Rescale:
    """XNNPACK's conversion of codes without zero point: a multiplier with 8 fractional bits, ties up.

    below: the factor of codes below 0, where it differs.
    """
    above, under = (round(256.0 * float(value)) for value in (factor, factor if below is None else below))
    return lambda codes: np.asarray((codes * np.where(codes < 0, under, above) + 128) >> 8, np.int64)


def xnnpack_mean(scale: np.float32, zero: int, out: np.float32, out_zero: int, count: int) -> Rescale:
    """XNNPACK's MEAN of sums of codes with their zero point, all in float32, ties to even."""
    ratio = np.float32(scale / out)
    share, offset = np.float32(ratio / np.float32(count)), np.float32(out_zero) - np.float32(zero) * ratio
    return lambda sums: np.asarray(np.rint(sums.astype(np.float32) * share + offset), np.int64) - out_zero


def mean_rescale(scale: np.float32, out: np.float32, count: int) -> Rescale:
    """MEAN of sums without zero point: the division by the count is part of the multiplier."""
    by = Multiplier.of(float(scale) / float(out))
    bits = min(count.bit_length() - 1, 32, 31 + by.shift)
    share = Multiplier((by.multiplier << bits) // count, by.shift - bits)
    return lambda acc: rounded_twice(acc, share)
