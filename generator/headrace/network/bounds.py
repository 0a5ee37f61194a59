"""Bounds of transcendental numbers that close in, and what they decide.

The exponential of a rational number other than 0 is irrational (Lindemann), so enough digits always decide whether it
reaches a rational level; `decimal` rounds its exponential correctly, which bounds it from both sides. Nobody has found
a rational value of the error function either.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from math import isqrt

ONE = Fraction(1)
#: A number below and a number above.
Bounds = tuple[Fraction, Fraction]
#: Beyond this many powers of e the exponential is compared by its size alone.
FAR = 2000


def exp_bounds(x: Fraction, digits: int) -> Bounds:
    """Rational numbers below and above e^x, `digits` significant digits apart, for |x| up to FAR."""
    bounds = []
    for rounding in (ROUND_FLOOR, ROUND_CEILING):
        context = Context(prec=digits, rounding=rounding)
        power = context.divide(Decimal(x.numerator), Decimal(x.denominator)).exp(Context(prec=digits))
        bounds.append(context.next_minus(power) if rounding == ROUND_FLOOR else context.next_plus(power))
    return Fraction(bounds[0]), Fraction(bounds[1])


def decided(answer: Callable[[int], bool | None]) -> bool:
    """What `answer` says with so many digits that it says something but None."""
    digits = 20
    while (found := answer(digits)) is None:
        digits *= 2
    return found


def exceeds(bounds: Callable[[int], Bounds], level: Fraction) -> bool:
    """True if a number that never equals `level` is above it, given bounds of so many digits."""
    def answer(digits: int) -> bool | None:
        lo, hi = bounds(digits)
        return True if lo > level else False if hi < level else None
    return decided(answer)


def exp_exceeds(x: Fraction, level: Fraction, closed: bool) -> bool:
    """True if e^x is above `level`, or equal to it and `closed`.

    >>> exp_exceeds(Fraction(1), Fraction(2718281828, 1000000000), False), exp_exceeds(Fraction(0), ONE, False)
    (True, False)
    """
    if level <= 0 or x > max(FAR, 2 * level.numerator.bit_length()):
        return True
    if x < -max(FAR, 2 * level.denominator.bit_length()):
        return False
    if x == 0:
        return closed if level == 1 else level < 1
    return exceeds(lambda digits: exp_bounds(x, digits), level)


def above(value: Fraction, level: Fraction, closed: bool) -> bool:
    """True if the value is above `level`, or equal to it and `closed`."""
    return value >= level if closed else value > level


@lru_cache(maxsize=32)
def two_by_root_pi(digits: int) -> Bounds:
    """Bounds of 2 / sqrt(pi), by Machin's formula for pi.

    >>> [round(float(bound), 12) for bound in two_by_root_pi(20)]
    [1.128379167096, 1.128379167096]
    """
    one = 10 ** (2 * digits + 4)
    pi = 16 * _arctan_inverse(5, one) - 4 * _arctan_inverse(239, one)
    off = 40 * digits  # every term of the series was cut by less than 1, and multiplied by at most 16
    return Fraction(2 * isqrt(one), isqrt(pi + off) + 1), Fraction(2 * (isqrt(one) + 1), isqrt(pi - off))


def _arctan_inverse(x: int, one: int) -> int:
    """arctan(1 / x) in units of 1 / one, each term of its series cut."""
    power, total, n = one // x, 0, 1
    while power:
        total += power // n if n % 4 == 1 else -(power // n)
        power, n = power // (x * x), n + 2
    return total


def erf_bounds(x: Fraction, digits: int) -> Bounds:
    """Bounds of the error function, about 10^-digits apart.

    erf(x) = 2 / sqrt(pi) e^(-x^2) sum of x (2 x^2)^n / (1 * 3 * ... (2 n + 1)), all terms of one sign (DLMF 7.6.2).

    >>> [round(float(bound), 12) for bound in erf_bounds(Fraction(-1, 2), 20)]
    [-0.520499877813, -0.520499877813]
    """
    if x < 0:
        lo, hi = erf_bounds(-x, digits)
        return -hi, -lo
    square = x * x
    if square > FAR:  # 1 - erf(x) < e^(-x^2)
        return 1 - Fraction(1, 10**800), ONE
    digits += int(square) // 2 + 4  # as many as the sum has before its point
    series, factor, power = _series(x, square, digits), two_by_root_pi(digits), exp_bounds(-square, digits)
    return series[0] * factor[0] * power[0], min(ONE, series[1] * factor[1] * power[1])


def _series(x: Fraction, square: Fraction, digits: int) -> Bounds:
    unit = 10**digits
    lo, hi = x.numerator * unit // x.denominator, x.numerator * unit // x.denominator + 1
    total_lo, total_hi, n = lo, hi, 1
    top, bottom = 2 * square.numerator, square.denominator
    while hi > 1 or 2 * top >= (2 * n + 1) * bottom:
        divisor = (2 * n + 1) * bottom
        lo, hi, n = lo * top // divisor, hi * top // divisor + 1, n + 1
        total_lo, total_hi = total_lo + lo, total_hi + hi
    return Fraction(total_lo, unit), Fraction(total_hi + 2, unit)  # the terms that are left halve at least
