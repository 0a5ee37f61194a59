"""Curves to 100 digits and more, as fractions. Where a curve has a rational value, that value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from fractions import Fraction

#: So many that a softplus below e^-_FAR is not 0: a quantizer that rounds up sees the difference.
_DIGITS = 120
#: Beyond, a curve differs from its asymptote by less than any quantizer resolves.
_FAR = 200


def _decimal(v: Fraction) -> Decimal:
    return Decimal(v.numerator) / Decimal(v.denominator)


def _exp(v: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = _DIGITS
        return Fraction(_decimal(max(v, Fraction(-_FAR))).exp())


def _sigmoid(v: Fraction) -> Fraction:
    return _exp(v) / (1 + _exp(v)) if v < 0 else 1 / (1 + _exp(-v))


def _tanh(v: Fraction) -> Fraction:
    return 2 * _sigmoid(2 * v) - 1


def _elu(v: Fraction) -> Fraction:
    return v if v >= 0 else _exp(v) - 1


def _softplus(v: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = _DIGITS
        return max(v, Fraction(0)) + Fraction(_decimal(1 + _exp(-abs(v))).ln())


def _softsign(v: Fraction) -> Fraction:
    return v / (1 + abs(v))


CURVES: Mapping[str, Callable[[Fraction], Fraction]] = {
    "sigmoid": _sigmoid, "tanh": _tanh, "elu": _elu, "softplus": _softplus, "softsign": _softsign,
}
