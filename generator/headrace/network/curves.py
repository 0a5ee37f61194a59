"""Activation functions that are curves: their values in float64, and certain answers on which side a value lies."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from headrace.network.bounds import FAR, ONE, Bounds, above, decided, erf_bounds, exceeds, exp_bounds, exp_exceeds

FloatArray = NDArray[np.float64]


class Curve(ABC):
    """A function that rises, or falls up to one argument and rises from there on; values in float64 and exactly."""

    @abstractmethod
    def values(self, x: FloatArray) -> FloatArray:
        """The function in float64."""

    @abstractmethod
    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        """True if the value at x is above `level`, or equal to it and `closed`."""

    @property
    def turn(self) -> Bounds | None:
        """Arguments between which it turns: up to the first it falls, from the second on it rises; None if it rises."""
        return None

    def exact(self, x: Fraction) -> Fraction | None:
        """The value at x where it is rational for all rational x."""
        return None

    def crossing(self, level: Fraction, closed: bool) -> Fraction | bool | None:
        """Where the value reaches the level (closed) or exceeds it, a bool if always or never.

        None if that is irrational, or the curve turns.
        """
        return None


@dataclass(frozen=True)
class Leaky(Curve):
    """max(x, 0) + slope * min(x, 0) (LeakyReLU, PReLU; the magnitude with slope -1)."""

    slope: Fraction

    def values(self, x: FloatArray) -> FloatArray:
        return np.where(x < 0, float(self.slope) * x, x)

    @property
    def turn(self) -> Bounds | None:
        return (Fraction(0), Fraction(0)) if self.slope < 0 else None

    def exact(self, x: Fraction) -> Fraction:
        return x if x >= 0 else self.slope * x

    def crossing(self, level: Fraction, closed: bool) -> Fraction | bool | None:
        if self.slope < 0:
            return None
        if self.slope:
            return level if level >= 0 else level / self.slope
        return level < 0 or (level == 0 and closed) or level

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        return above(self.exact(x), level, closed)


@dataclass(frozen=True)
class Power(Curve):
    """x^exponent, the exponent 1 or more."""

    exponent: int

    @property
    def turn(self) -> Bounds | None:
        return None if self.exponent % 2 else (Fraction(0), Fraction(0))

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(x**self.exponent)

    def exact(self, x: Fraction) -> Fraction:
        return Fraction(x**self.exponent)

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        return above(self.exact(x), level, closed)


@dataclass(frozen=True)
class Softsign(Curve):
    """x / (1 + |x|)."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(x / (1 + np.abs(x)))

    def exact(self, x: Fraction) -> Fraction:
        return x / (1 + abs(x))

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        return above(self.exact(x), level, closed)


@dataclass(frozen=True)
class Sigmoid(Curve):
    """1 / (1 + e^-x)."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(np.exp(-np.logaddexp(0, -x)))  # small values keep their digits

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if not 0 < level < 1:
            return level <= 0
        return exp_exceeds(x, level / (1 - level), closed)


@dataclass(frozen=True)
class Tanh(Curve):
    """(e^2x - 1) / (e^2x + 1)."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.tanh(x)

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if not -1 < level < 1:
            return level <= -1
        return exp_exceeds(2 * x, (1 + level) / (1 - level), closed)


@dataclass(frozen=True)
class Erf(Curve):
    """The error function."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(np.vectorize(math.erf, [float])(x))

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if not -1 < level < 1:
            return level <= -1
        if x == 0 or level == 0:
            return above(x, level, closed)
        return exceeds(lambda digits: erf_bounds(x, digits), level)


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


@dataclass(frozen=True)
class Softplus(Curve):
    """ln(1 + e^x)."""

    def values(self, x: FloatArray) -> FloatArray:
        return np.logaddexp(0, x)

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if level <= 0 or x >= level:
            return True
        if level > FAR:
            return exp_exceeds(x - level, ONE, True)  # ln(1 + e^x) - x is below e^-x

        def answer(digits: int) -> bool | None:
            (lo, hi), (below, above) = exp_bounds(max(x, Fraction(-FAR)), digits), exp_bounds(level, digits)
            return True if lo > above - 1 else False if hi < below - 1 else None
        return decided(answer)
