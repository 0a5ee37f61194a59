"""Activation functions that are curves: their values in float64, and certain answers on which side a value lies.

The exponential of a rational number other than 0 is irrational (Lindemann), so enough digits always decide whether a
curve reaches a rational level; `decimal` rounds its exponential correctly, which bounds it from both sides.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
ONE = Fraction(1)
#: Beyond this many powers of e the exponential is compared by its size alone.
_FAR = 2000


def exp_bounds(x: Fraction, digits: int) -> tuple[Fraction, Fraction]:
    """Rational numbers below and above e^x, `digits` significant digits apart, for |x| up to _FAR."""
    bounds = []
    for rounding in (ROUND_FLOOR, ROUND_CEILING):
        context = Context(prec=digits, rounding=rounding)
        power = context.divide(Decimal(x.numerator), Decimal(x.denominator)).exp(Context(prec=digits))
        bounds.append(context.next_minus(power) if rounding == ROUND_FLOOR else context.next_plus(power))
    return Fraction(bounds[0]), Fraction(bounds[1])


def compared_exp(x: Fraction, decides: Callable[[Fraction, Fraction], bool | None]) -> bool:
    """What `decides` says of e^x, given bounds of it that close in until it says something but None."""
    digits = 20
    while (answer := decides(*exp_bounds(x, digits))) is None:
        digits *= 2
    return answer


def exp_exceeds(x: Fraction, level: Fraction, closed: bool) -> bool:
    """True if e^x is above `level`, or equal to it and `closed`.

    >>> exp_exceeds(Fraction(1), Fraction(2718281828, 1000000000), False), exp_exceeds(Fraction(0), ONE, False)
    (True, False)
    """
    if level <= 0 or x > max(_FAR, 2 * level.numerator.bit_length()):
        return True
    if x < -max(_FAR, 2 * level.denominator.bit_length()):
        return False
    if x == 0:
        return closed if level == 1 else level < 1
    return compared_exp(x, lambda lo, hi: True if lo > level else False if hi < level else None)


def above(value: Fraction, level: Fraction, closed: bool) -> bool:
    """True if the value is above `level`, or equal to it and `closed`."""
    return value >= level if closed else value > level


class Curve(ABC):
    """A function that rises, but for a dip perhaps, from one argument; values in float64 and in exact questions."""

    @abstractmethod
    def values(self, x: FloatArray) -> FloatArray:
        """The function in float64."""

    @abstractmethod
    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        """True if the value at x is above `level`, or equal to it and `closed`.

        Raises DipsError where that says nothing of larger x.
        """

    @abstractmethod
    def inverse(self, level: float) -> float:
        """About where the value is `level`; any number where it never is."""

    def exact(self, x: Fraction) -> Fraction | None:
        """The value at x where it is rational for all rational x."""
        return None

    def crossing(self, level: Fraction, closed: bool) -> Fraction | bool | None:
        """Where the value reaches the level (closed) or exceeds it, a bool if always or never; None if irrational."""
        return None


class DipsError(Exception):
    """The curve falls and rises around a level, so reaching it says nothing of larger arguments."""


@dataclass(frozen=True)
class Leaky(Curve):
    """max(x, 0) + slope * min(x, 0), slope >= 0 (LeakyReLU, PReLU)."""

    slope: Fraction

    def values(self, x: FloatArray) -> FloatArray:
        return np.where(x < 0, float(self.slope) * x, x)

    def exact(self, x: Fraction) -> Fraction:
        return x if x >= 0 else self.slope * x

    def crossing(self, level: Fraction, closed: bool) -> Fraction | bool:
        if self.slope:
            return level if level >= 0 else level / self.slope
        return level < 0 or (level == 0 and closed) or level

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        return above(self.exact(x), level, closed)

    def inverse(self, level: float) -> float:
        return level if level >= 0 or not self.slope else level / float(self.slope)


@dataclass(frozen=True)
class Softsign(Curve):
    """x / (1 + |x|)."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(x / (1 + np.abs(x)))

    def exact(self, x: Fraction) -> Fraction:
        return x / (1 + abs(x))

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        return above(self.exact(x), level, closed)

    def inverse(self, level: float) -> float:
        return level / max(1 - abs(level), 1e-300)


@dataclass(frozen=True)
class Sigmoid(Curve):
    """1 / (1 + e^-x)."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if not 0 < level < 1:
            return level <= 0
        return exp_exceeds(x, level / (1 - level), closed)

    def inverse(self, level: float) -> float:
        return math.log(level / (1 - level)) if 0 < level < 1 else 0.0


@dataclass(frozen=True)
class Tanh(Curve):
    """(e^2x - 1) / (e^2x + 1)."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.tanh(x)

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if not -1 < level < 1:
            return level <= -1
        return exp_exceeds(2 * x, (1 + level) / (1 - level), closed)

    def inverse(self, level: float) -> float:
        return math.atanh(level) if -1 < level < 1 else 0.0


@dataclass(frozen=True)
class Elu(Curve):
    """x for x >= 0, else alpha * (e^(x / width) - 1), alpha and width > 0 (ELU: width 1; CELU: width alpha)."""

    alpha: Fraction
    width: Fraction = ONE

    def values(self, x: FloatArray) -> FloatArray:
        return np.where(x < 0, float(self.alpha) * np.expm1(np.minimum(x, 0) / float(self.width)), x)

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if x >= 0 or level > 0:
            return above(x, level, closed)
        return exp_exceeds(x / self.width, 1 + level / self.alpha, closed)

    def inverse(self, level: float) -> float:
        rest = 1 + level / float(self.alpha)
        return level if level >= 0 else float(self.width) * math.log(rest) if rest > 0 else 0.0


@dataclass(frozen=True)
class Softplus(Curve):
    """ln(1 + e^x)."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.logaddexp(0, x)

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if level <= 0 or x >= level:
            return True
        if level > _FAR:
            return exp_exceeds(x - level, ONE, True)  # ln(1 + e^x) - x is below e^-x
        digits = 20
        while True:
            (lo, hi), (below, above) = exp_bounds(max(x, Fraction(-_FAR)), digits), exp_bounds(level, digits)
            if lo > above - 1 or hi < below - 1:
                return lo > above - 1
            digits *= 2

    def inverse(self, level: float) -> float:
        return level + math.log(-math.expm1(-level)) if 0 < level < 700 else level


@dataclass(frozen=True)
class Gated(Curve):
    """x * gate(x) with a gate between 0 and 1 that rises: below 0 it dips to no less than `least`.

    Above 0 it rises, below 0 its values are negative, and so a level above 0 or at 0 is reached once and for good.
    """

    least: Fraction

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if level <= self.least:
            return True
        if level < 0 or (level == 0 and not self._negative_below_zero and closed):
            raise DipsError
        if x <= 0:
            return level == 0 and closed and x == 0
        return level == 0 or (x > level and self._gated(x, level, closed))

    @property
    def _negative_below_zero(self) -> bool:
        """True if the value is negative for every x below 0."""
        return True

    @abstractmethod
    def _gated(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        """`reaches` for x > level > 0."""

    def inverse(self, level: float) -> float:
        """By bisection: the curve lies between x / 2 and x for x > 0."""
        lo, hi = max(level, 0.0), 2 * max(level, 0.0) + 1
        for _ in range(60):
            middle = (lo + hi) / 2
            lo, hi = (lo, middle) if float(self.values(np.asarray([middle]))[0]) >= level else (middle, hi)
        return hi


@dataclass(frozen=True)
class Silu(Gated):
    """x / (1 + e^-x), never below -0.2784646."""

    least: Fraction = Fraction(-2784646, 10000000)

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(x * Sigmoid().values(x))

    def _gated(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        return exp_exceeds(x, level / (x - level), closed)


@dataclass(frozen=True)
class HardSwish(Gated):
    """x * min(max(slope * x + 1/2, 0), 1), never below -1 / (16 * slope)."""

    slope: Fraction = Fraction(1, 6)

    @property
    def _negative_below_zero(self) -> bool:
        return False

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(x * np.clip(float(self.slope) * x + 0.5, 0, 1))

    def _gated(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        return above(x * min(self.slope * x + Fraction(1, 2), ONE), level, closed)


@dataclass(frozen=True)
class Mish(Gated):
    """x * tanh(ln(1 + e^x)) = x * w / (w + 2) with w = e^x * (e^x + 2), never below -0.3088."""

    least: Fraction = Fraction(-3088, 10000)

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(x * np.tanh(np.logaddexp(0, x)))

    def _gated(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if x > _FAR:
            return True  # the curve is x within e^-x
        wanted = 2 * level / (x - level)
        return compared_exp(x, lambda lo, hi: True if lo * (lo + 2) > wanted else
                            False if hi * (hi + 2) < wanted else None)
