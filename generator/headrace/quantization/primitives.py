"""The arithmetic shared by all quantization methods: exact binary logarithms, one rounding rule, codes, errors.

Every float is an IEEE float64. A code stands for the value code * 2^-frac_bits; frac_bits is any integer, negative and
above the width included. Rounding is half up everywhere: it is "add half an LSB, shift right", and the only nearest
rule that is exactly a set of `>=` thresholds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headrace.datatypes import IntArray, Interval, int_type, uint_type
from headrace.errors import QuantizationError

FloatArray = NDArray[np.float64]

#: Samples per block of a pass over a large tensor: temporaries of 64 KiB stay in the cache, and below the size from
#: which the allocator maps fresh pages for every one of them (several times slower).
BLOCK = 1 << 13


def finite(name: str, values: ArrayLike) -> FloatArray:
    """The values as float64, in their shape. Raises QuantizationError naming `name` for nan and inf."""
    array = np.asarray(values, np.float64)
    if bad := array.size - int(np.count_nonzero(np.isfinite(array))):
        raise QuantizationError(f"{name}: {bad} of {array.size} values are nan or inf; remove them")
    return array


def code_type(bits: int, signed: bool) -> Interval:
    """The codes of a width: [-2^(bits-1), 2^(bits-1)-1] or [0, 2^bits-1].

    Raises QuantizationError below 2 bits (signed) or 1 bit (unsigned) and above 32 bits.

    >>> str(code_type(4, signed=True)), str(code_type(4, signed=False))
    ('int4', 'uint4')
    """
    least = 2 if signed else 1
    if not least <= bits <= 32:
        kind = "signed" if signed else "unsigned"
        raise QuantizationError(f"a width of {bits} bits for {kind} codes is not possible; use {least} to 32")
    return int_type(bits) if signed else uint_type(bits)


def _mantissa_exponent(x: float) -> tuple[float, int]:
    """x = m * 2^e with 0.5 <= m < 1."""
    if not (math.isfinite(x) and x > 0):
        raise QuantizationError(f"the binary logarithm of {x} is not defined; give a finite number above 0")
    return math.frexp(x)


def ceil_log2(x: float) -> int:
    """The least integer n with 2^n >= x, exact next to powers of two. Raises QuantizationError unless 0 < x < inf.

    >>> [ceil_log2(x) for x in (0.9999999999999999, 1.0, 1.0000000000000002, 127, 128)]
    [0, 0, 1, 7, 7]
    """
    mantissa, exponent = _mantissa_exponent(x)
    return exponent - 1 if mantissa == 0.5 else exponent


def floor_log2(x: float) -> int:
    """The greatest integer n with 2^n <= x, exact next to powers of two. Raises QuantizationError unless 0 < x < inf.

    >>> [floor_log2(x) for x in (0.9999999999999999, 1.0, 1.0000000000000002, 127, 128)]
    [-1, 0, 0, 6, 7]
    """
    return _mantissa_exponent(x)[1] - 1


def scale_pow2(x: FloatArray, exponent: int) -> FloatArray:
    """x * 2^exponent, exact; what exceeds float64 becomes inf or 0, which codes saturate or round to."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(x, exponent)


def float_pow2(x: float, exponent: int) -> float:
    """x * 2^exponent of one number, exact; inf where float64 ends."""
    return float(scale_pow2(np.float64(x), exponent))  # type: ignore[arg-type]


def round_half_up(x: FloatArray) -> FloatArray:
    """floor(x) + [x - floor(x) >= 0.5] of finite x; floor(x + 0.5) would be wrong for 0.49999999999999994.

    >>> round_half_up(np.array([0.5, -0.5, -1.5, 2.5, 0.49999999999999994]))
    array([ 1.,  0., -1.,  3.,  0.])
    """
    floor = np.floor(x)
    return floor + (x - floor >= 0.5)


def _rounded(x: FloatArray, frac_bits: int, codes: Interval) -> tuple[FloatArray, FloatArray]:
    """(x in LSBs, its codes as floats). Clipping before rounding gives the same codes and keeps inf out of floor."""
    scaled = scale_pow2(x, frac_bits)
    return scaled, round_half_up(np.clip(scaled, codes.lo, codes.hi))


def quantize_codes(x: ArrayLike, frac_bits: int, bits: int, signed: bool = True) -> IntArray:
    """clip(round_half_up(x * 2^frac_bits)), in the shape of x.

    Raises QuantizationError for nan, inf and impossible widths.

    >>> quantize_codes([100, 300, -300, 1000, 24, 8], -4, 6)
    array([  6,  19, -19,  31,   2,   1])
    """
    return _rounded(finite("tensor", x), frac_bits, code_type(bits, signed))[1].astype(np.int64)


def dequantize(codes: ArrayLike, frac_bits: int) -> FloatArray:
    """codes * 2^-frac_bits.

    >>> dequantize([6, -19], -4)
    array([  96., -304.])
    """
    return scale_pow2(np.asarray(codes, np.float64), -frac_bits)


def quantize(x: ArrayLike, frac_bits: int, bits: int, signed: bool = True) -> FloatArray:
    """Q(x, FL): the values of the codes, in the shape of x. Raises as quantize_codes.

    >>> quantize([0.3, 0.9], 2, 4)
    array([0.25, 1.  ])
    """
    return dequantize(quantize_codes(x, frac_bits, bits, signed), frac_bits)


def peak_of(x: FloatArray) -> float:
    """max|x|, 0 for an empty tensor."""
    return float(max(np.max(x, initial=0), -np.min(x, initial=0)))


def sqnr_db(x: ArrayLike, quantized: ArrayLike) -> float:
    """10 log10(sum x^2 / sum (x - quantized)^2) in dB; inf without error, nan without signal.

    Raises QuantizationError for nan, inf and unequal shapes.

    >>> round(sqnr_db([0.1, 0.2, 0.3], [0.125, 0.25, 0.25]), 6)
    13.960055
    """
    signal, result = finite("tensor", x), finite("quantized tensor", quantized)
    if signal.shape != result.shape:
        raise QuantizationError(f"SQNR of shapes {signal.shape} and {result.shape} is not defined; give equal shapes")
    shrink = 2 if max(peak_of(signal), peak_of(result)) > 2.0**1022 else 0  # else the difference may leave float64
    power, exponent = _energy(scale_pow2(signal, -shrink))
    error, error_exponent = _energy(scale_pow2(signal, -shrink) - scale_pow2(result, -shrink))
    if power == 0:
        return math.nan
    if error == 0:
        return math.inf
    return 10 * (math.log10(power / error) + 2 * (exponent - error_exponent) * math.log10(2))


def _energy(x: FloatArray) -> tuple[float, int]:
    """(m, e) with sum x^2 = m * 4^e; squares of huge or tiny values would leave float64."""
    peak = peak_of(x)
    exponent = ceil_log2(peak) if peak else 0
    return float(np.sum(np.square(scale_pow2(x, -exponent)))), exponent


def rshift_round(acc: ArrayLike, shift: int) -> IntArray:
    """(acc + 2^(shift-1)) >> shift with an arithmetic shift; acc << -shift for shift <= 0.

    acc: integers of up to 32 bits. Raises QuantizationError for a left shift by more than 31, which leaves int64.

    >>> rshift_round([5, 6, -6, -7], 2), rshift_round([3], -2)
    (array([ 1,  2, -1, -2]), array([12]))
    """
    values = np.asarray(acc, np.int64)
    if shift < -31:
        raise QuantizationError(f"a left shift by {-shift} bits leaves every accumulator; choose closer scales")
    if shift <= 0:
        return values << -shift
    # Beyond 62 the half LSB leaves int64, and every accumulator rounds to 0 there as it does at 62.
    shift = min(shift, 62)
    return (values + (1 << (shift - 1))) >> shift


def saturate(acc: ArrayLike, bits: int, signed: bool = True) -> IntArray:
    """Clip integers to the codes of a width.

    >>> saturate([-200, 5, 200], 8)
    array([-128,    5,  127])
    """
    codes = code_type(bits, signed)
    return np.clip(np.asarray(acc, np.int64), codes.lo, codes.hi)


@dataclass(frozen=True)
class Choice:
    """The fractional length of least error among candidates; `errors` are sums of squares, one per candidate."""

    frac_bits: int
    candidates: tuple[int, ...]
    errors: tuple[float, ...]


def _blocks(x: FloatArray) -> Iterator[FloatArray]:
    """The samples of x in blocks."""
    flat = x.reshape(-1)
    return (flat[start : start + BLOCK] for start in range(0, flat.size, BLOCK))


def _error_in_lsb(x: FloatArray, frac_bits: int, codes: Interval, counts: FloatArray | None) -> float:
    """sum counts (x - Q(x))^2 in units of LSB^2, so that it scales with x without any rounding."""
    total = 0.0
    often: Iterable[FloatArray | None] = repeat(None) if counts is None else _blocks(counts)
    for block, times in zip(_blocks(x), often, strict=False):
        scaled, rounded = _rounded(block, frac_bits, codes)
        scaled -= rounded
        with np.errstate(over="ignore"):  # samples far beyond the codes: the error is inf and loses
            total += float(np.dot(scaled if times is None else scaled * times, scaled))
    return total


def least_error(x: FloatArray, candidates: Sequence[int], bits: int, signed: bool,
                counts: FloatArray | None = None) -> Choice:
    """The candidate with the least sum (x - Q(x, FL))^2; a tie keeps the first.

    x: finite samples of any shape; candidates: fractional lengths, ascending; counts: how often each sample occurs, in
    the shape of x (once where absent).

    >>> least_error(np.array([0.9, -0.4, 0.2, 0.1]), [3, 4], 4, True).frac_bits
    3
    """
    codes, first = code_type(bits, signed), candidates[0]
    errors = [float_pow2(_error_in_lsb(x, fl, codes, counts), 2 * (first - fl)) for fl in candidates]
    best = candidates[errors.index(min(errors))]
    return Choice(best, tuple(candidates), tuple(float_pow2(error, -2 * first) for error in errors))
