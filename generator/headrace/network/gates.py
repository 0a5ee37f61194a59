"""Activation functions x * gate(x) with a gate that rises from 0 to 1: they fall to a lowest value, then rise."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import numpy as np

from headrace.network.bounds import (
    FAR,
    ONE,
    Bounds,
    above,
    decided,
    erf_bounds,
    exp_bounds,
    exp_exceeds,
    two_by_root_pi,
)
from headrace.network.curves import Curve, Erf, FloatArray, Sigmoid

#: Halvings of the bounds of a turn.
_HALVINGS = 100


class Gated(Curve):
    """x * gate(x)."""

    @abstractmethod
    def gate(self, x: FloatArray) -> FloatArray:
        """The gate in float64."""

    @abstractmethod
    def opens(self, x: Fraction, share: Fraction, closed: bool) -> bool:
        """True if the gate at x is above `share`, or equal to it and `closed`."""

    @abstractmethod
    def rises(self, x: Fraction) -> bool:
        """True if the curve rises at x < 0, which it does from one argument on."""

    @property
    @abstractmethod
    def start(self) -> Fraction:
        """An argument below 0 where it falls still."""

    @property
    def turn(self) -> Bounds:
        return _turn(self)

    def values(self, x: FloatArray) -> FloatArray:
        return np.asarray(x * self.gate(x))

    def reaches(self, x: Fraction, level: Fraction, closed: bool) -> bool:
        if x == 0:
            return above(x, level, closed)
        if x > 0:
            return level <= 0 or self.opens(x, level / x, closed)
        return level <= 0 and not self.opens(x, level / x, not closed)


@lru_cache(maxsize=256)
def _turn(curve: Gated) -> Bounds:
    falls, rises = curve.start, Fraction(0)
    for _ in range(_HALVINGS):
        middle = (falls + rises) / 2
        falls, rises = (falls, middle) if curve.rises(middle) else (middle, rises)
    return falls, rises


@dataclass(frozen=True)
class Swish(Gated):
    """x / (1 + e^-p) with p = gain * x + cubic * x^3, gain > 0 and cubic >= 0 (SiLU: gain 1; GELU by tanh)."""

    gain: Fraction = ONE
    cubic: Fraction = Fraction(0)

    def gate(self, x: FloatArray) -> FloatArray:
        return Sigmoid().values(float(self.gain) * x + float(self.cubic) * x**3)

    def opens(self, x: Fraction, share: Fraction, closed: bool) -> bool:
        return Sigmoid().reaches(self.gain * x + self.cubic * x**3, share, closed)

    def rises(self, x: Fraction) -> bool:
        # The derivative has the sign of 1 + e^p + x p', which rises below 0.
        slope = self.gain * x + 3 * self.cubic * x**3
        return exp_exceeds(self.gain * x + self.cubic * x**3, -1 - slope, False)

    @property
    def start(self) -> Fraction:
        return -2 / self.gain


@dataclass(frozen=True)
class HardSwish(Gated):
    """x * min(max(slope * x + 1/2, 0), 1), slope > 0."""

    slope: Fraction = Fraction(1, 6)

    @property
    def turn(self) -> Bounds:
        return -1 / (4 * self.slope), -1 / (4 * self.slope)

    def gate(self, x: FloatArray) -> FloatArray:
        return np.clip(float(self.slope) * x + 0.5, 0, 1)

    def opens(self, x: Fraction, share: Fraction, closed: bool) -> bool:
        return above(min(max(self.slope * x + Fraction(1, 2), Fraction(0)), ONE), share, closed)

    def rises(self, x: Fraction) -> bool:
        return x >= self.turn[1]

    @property
    def start(self) -> Fraction:
        return self.turn[0]


@dataclass(frozen=True)
class Mish(Gated):
    """x * tanh(ln(1 + e^x)) = x * w / (w + 2) with w = e^x * (e^x + 2)."""

    def gate(self, x: FloatArray) -> FloatArray:
        return np.tanh(np.logaddexp(0, x))

    def opens(self, x: Fraction, share: Fraction, closed: bool) -> bool:
        if not 0 < share < 1 or abs(x) > FAR:  # the gate is 0 or 1 within 2 e^-|x|
            return share <= 0 or (share < 1 and x > 0)
        wanted = 2 * share / (1 - share)

        def answer(digits: int) -> bool | None:
            lo, hi = exp_bounds(x, digits)
            return True if lo * (lo + 2) > wanted else False if hi * (hi + 2) < wanted else None
        return decided(answer)

    def rises(self, x: Fraction) -> bool:
        # The derivative has the sign of 4 (x + 1) + 4 e^2x + e^3x + e^x (4 x + 6).
        def answer(digits: int) -> bool | None:
            lo, hi = sorted(4 * (x + 1) + 4 * e**2 + e**3 + e * (4 * x + 6) for e in exp_bounds(x, digits))
            return True if lo > 0 else False if hi < 0 else None
        return decided(answer)

    @property
    def start(self) -> Fraction:
        return Fraction(-3, 2)


@dataclass(frozen=True)
class Gelu(Gated):
    """x * (1 + erf(factor * x)) / 2, factor > 0: sqrt(1/2) as the model has it."""

    factor: Fraction

    def gate(self, x: FloatArray) -> FloatArray:
        return np.asarray((1 + Erf().values(float(self.factor) * x)) / 2)

    def opens(self, x: Fraction, share: Fraction, closed: bool) -> bool:
        return Erf().reaches(self.factor * x, 2 * share - 1, closed)

    def rises(self, x: Fraction) -> bool:
        # The derivative is half of 1 + erf(z) + z * 2 / sqrt(pi) * e^(-z^2) with z = factor * x.
        z = self.factor * x

        def answer(digits: int) -> bool | None:
            erf, factor, power = erf_bounds(z, digits), two_by_root_pi(digits), exp_bounds(-z * z, digits)
            lo, hi = 1 + erf[0] + z * factor[1] * power[1], 1 + erf[1] + z * factor[0] * power[0]
            return True if lo > 0 else False if hi < 0 else None
        return decided(answer)

    @property
    def start(self) -> Fraction:
        return -1 / self.factor
