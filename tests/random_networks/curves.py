"""Curves to 100 digits and more, as fractions. Where a curve has a rational value, that value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction
from functools import cache

#: So many that a softplus below e^-_FAR is not 0: a quantizer that rounds up sees the difference.
DIGITS = 120
#: Beyond, a curve differs from its asymptote by less than any quantizer resolves.
_FAR = 200
_FAR_ERF = 16


def _decimal(v: Fraction) -> Decimal:
    return Decimal(v.numerator) / Decimal(v.denominator)


def exponential(v: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = DIGITS
        return Fraction(_decimal(max(v, Fraction(-_FAR))).exp())


def sigmoid(v: Fraction) -> Fraction:
    return exponential(v) / (1 + exponential(v)) if v < 0 else 1 / (1 + exponential(-v))


def tanh(v: Fraction) -> Fraction:
    return 2 * sigmoid(2 * v) - 1


def celu(v: Fraction, alpha: Fraction) -> Fraction:
    return v if v >= 0 else alpha * (exponential(v / alpha) - 1)


def erf(v: Fraction) -> Fraction:
    """2 / sqrt(pi) * e^(-v^2) * (v + 2/3 v^3 + 4/15 v^5 + ...), whose terms have one sign."""
    if abs(v) > _FAR_ERF:
        return (1 - Fraction(1, 10**DIGITS)) * (1 if v > 0 else -1)
    with localcontext() as context:
        context.prec = 3 * DIGITS
        x = _decimal(v)
        term = total = x
        n = 0
        while abs(term) > abs(total) * Decimal(10) ** (-2 * DIGITS):
            n += 1
            term = term * 2 * x * x / (2 * n + 1)
            total += term
        return Fraction(total * 2 * (-x * x).exp() / _pi().sqrt())


@cache
def _pi() -> Decimal:
    """By Machin's formula, in the precision that is set."""
    def arctangent(below: int) -> Decimal:
        return sum((Decimal((-1) ** k) / ((2 * k + 1) * Decimal(below) ** (2 * k + 1)) for k in range(3 * DIGITS)),
                   Decimal(0))
    return 16 * arctangent(5) - 4 * arctangent(239)


def softplus(v: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = DIGITS
        return max(v, Fraction(0)) + Fraction(_decimal(1 + exponential(-abs(v))).ln())


def _softsign(v: Fraction) -> Fraction:
    return v / (1 + abs(v))


CURVES: Mapping[str, Callable[[Fraction], Fraction]] = {
    "sigmoid": sigmoid, "tanh": tanh, "erf": erf, "softplus": softplus, "softsign": _softsign,
}
