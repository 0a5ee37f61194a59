"""The step of least mean squared error of a uniform quantizer for a generalized gamma density.

Works wherever the closed form of ggd.py does not. The distortion is exact in regularized incomplete gamma functions,
with the one-sided partial moments M_j(t) = int_t^inf x^j p(x) dx = Gamma(r + j/alpha) / (2 Gamma(r)) Q(r + j/alpha,
t^alpha) for lam = 1; lam only scales the axis.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.optimize import brentq, minimize_scalar
from scipy.special import gammainc, gammaincc, poch

from headrace.errors import QuantizationError
from headrace.quantization.ggd import GeneralizedGamma, require_levels
from headrace.quantization.primitives import FloatArray

#: Up to this many levels every cell is summed; above, differences of moments lose too many digits.
SUMMED_LEVELS = 1024
#: Cells next to zero that stay exact above SUMMED_LEVELS: there the density may be singular.
EXACT_CELLS = 64

Distortion = Callable[[FloatArray], FloatArray]
Bracket = tuple[float, float, float]


class _UnitDensity:
    """Partial moments of the density with lam = 1."""

    def __init__(self, density: GeneralizedGamma) -> None:
        self.alpha, self.r = density.alpha, density.shape

    def above(self, j: int, t: FloatArray) -> FloatArray:
        """M_j(t) = int_t^inf x^j p(x) dx."""
        order = self.r + j / self.alpha
        return np.asarray(poch(self.r, j / self.alpha) / 2 * gammaincc(order, t**self.alpha))

    def below(self, j: int, t: FloatArray) -> FloatArray:
        """int_0^t x^j p(x) dx."""
        order = self.r + j / self.alpha
        return np.asarray(poch(self.r, j / self.alpha) / 2 * gammainc(order, t**self.alpha))

    def total(self, j: int) -> float:
        """M_j(0)."""
        return float(poch(self.r, j / self.alpha)) / 2

    def slope(self, t: FloatArray) -> FloatArray:
        """p'(t) for t > 0."""
        beta = self.r * self.alpha - 1
        log_mu = math.log(self.alpha / 2) - math.lgamma(self.r)
        density_over_t = np.exp(log_mu + (beta - 1) * np.log(t) - t**self.alpha)
        return np.asarray(density_over_t * (beta - self.alpha * t**self.alpha))


def _summed(unit: _UnitDensity, levels: int, step: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(D, dD/dstep) for steps (G,) as sums over all cells, i = 1..N/2-1.

        D  = 2 [M2(0) - 2 (step/2 M1(0) + step sum M1(i step)) + step^2/4 M0(0) + 2 step^2 sum i M0(i step)]
        dD = 2 [-2 (M1(0)/2 + sum M1(i step)) + step/2 M0(0) + 4 step sum i M0(i step)]
    """
    i = np.arange(1, levels // 2)
    edges = step[:, None] * i
    first = unit.total(1) / 2 + unit.above(1, edges).sum(1)
    zeroth = (i * unit.above(0, edges)).sum(1)
    distortion = 2 * (unit.total(2) - 2 * step * first + step**2 * (0.125 + 2 * zeroth))
    return distortion, 2 * (-2 * first + step * (0.25 + 4 * zeroth))


def _dense(unit: _UnitDensity, levels: int, step: FloatArray) -> FloatArray:
    """D for steps (G,) and many levels: cells next to zero and the last one exact, those between to order step^4.

    A cell in between holds step^2/12 of its mass plus step^5 p''/360, which sum to a mass and a difference of slopes.
    """
    i = np.arange(1, EXACT_CELLS)
    edges, near, far = step[:, None] * i, step * EXACT_CELLS, step * (levels // 2 - 1)
    level = near - step / 2
    first = level * unit.below(1, near) - step * unit.below(1, edges).sum(1)
    zeroth = level**2 * unit.below(0, near) - 2 * step**2 * (i * unit.below(0, edges)).sum(1)
    inner = unit.below(2, near) - 2 * first + zeroth
    between = step**2 / 12 * (unit.above(0, near) - unit.above(0, far))
    between += step**4 / 360 * (unit.slope(far) - unit.slope(near))
    level = far + step / 2
    outer = unit.above(2, far) - 2 * level * unit.above(1, far) + level**2 * unit.above(0, far)
    return np.asarray(2 * (inner + between + outer))


def _grid(unit: _UnitDensity, levels: int) -> FloatArray:
    """Steps to look at, ascending: evenly on a logarithmic axis, and those with one of the top levels at the mean.

    The latter are the local minima of narrow distributions, which the even steps may miss.
    """
    mean, rms = 2 * unit.total(1), math.sqrt(2 * unit.total(2))
    even = np.geomspace(mean / levels, 4 * rms, 128)
    top = np.arange(max(1, levels // 2 - 7), levels // 2 + 1)
    return np.unique(np.concatenate([even, mean / (top - 0.5)]))


def _valleys(distortion: Distortion, grid: FloatArray) -> list[Bracket]:
    """Brackets of the local minima that may be the global one: those within 10 % of the least value on the grid."""
    values = distortion(grid)
    inner = values[1:-1]
    low = (inner <= values[:-2]) & (inner <= values[2:]) & (inner <= 1.1 * values.min())
    return [(float(grid[k]), float(grid[k + 1]), float(grid[k + 2])) for k in np.flatnonzero(low)]


def _narrowed(distortion: Distortion, bracket: Bracket) -> Bracket:
    """The bracket cut to 1/256, so that no second minimum hides in it."""
    for _ in range(2):
        grid = np.geomspace(bracket[0], bracket[2], 33)
        best = min(max(int(np.argmin(distortion(grid))), 1), 31)
        bracket = float(grid[best - 1]), float(grid[best]), float(grid[best + 1])
    return bracket


def _best_summed(unit: _UnitDensity, levels: int) -> float:
    """The root of dD/dstep at the global minimum."""
    def distortion(step: FloatArray) -> FloatArray:
        return _summed(unit, levels, step)[0]

    def slope(step: float) -> float:
        return float(_summed(unit, levels, np.array([step]))[1][0])

    def root(bracket: Bracket) -> float:
        left, centre, right = _narrowed(distortion, bracket)
        low, high = (left, centre) if slope(centre) > 0 else (centre, right)
        return float(brentq(slope, low, high, rtol=1e-12)) if slope(low) < 0 < slope(high) else centre

    steps = np.array([root(bracket) for bracket in _valleys(distortion, _grid(unit, levels))])
    return float(steps[np.argmin(distortion(steps))])


def _best_dense(unit: _UnitDensity, levels: int) -> float:
    """The minimum of D, which is smooth and free of cancellation here."""
    def distortion(step: FloatArray) -> FloatArray:
        return _dense(unit, levels, step)

    left, _, right = min(_valleys(distortion, _grid(unit, levels)), key=lambda valley: distortion(np.array(valley))[1])
    result = minimize_scalar(lambda log_step: float(distortion(np.exp([log_step]))[0]),
                             bounds=(math.log(left), math.log(right)), method="bounded", options={"xatol": 1e-10})
    return math.exp(float(result.x))


def exact_step(density: GeneralizedGamma, levels: int) -> float:
    """The step of least mean squared error for N levels, to 1e-6 relative, in the units of x.

    A scan for the global minimum (there may be several local ones), then the root of dD/dstep. Distributions so
    narrow that one cell holds them get the top level at the mean.
    Raises QuantizationError for odd N.
    Source: the criterion of Hui and Neuhoff, IEEE Trans. Information Theory 47(3), 2001.

    >>> round(exact_step(GeneralizedGamma(2, 0, 0.5), 4), 8)
    0.99568669
    """
    require_levels(levels)
    unit = _UnitDensity(density)
    mean, second = 2 * unit.total(1), 2 * unit.total(2)
    deviation = math.sqrt(max(second - mean * mean, 0.0))
    if levels * deviation * 8 < mean:
        step = 2 * mean / (levels - 1)
    elif levels <= SUMMED_LEVELS:
        step = _best_summed(unit, levels)
    else:
        step = _best_dense(unit, levels)
    return float(step * density.lam ** (-1 / density.alpha))


def exact_distortion(density: GeneralizedGamma, levels: int, step: float) -> float:
    """Mean squared error of the uniform quantizer with N <= 1024 levels, exact, in squared units of x.

    Raises QuantizationError for odd N and for more levels, where the sum loses too many digits.
    Source: the criterion of Hui and Neuhoff, IEEE Trans. Information Theory 47(3), 2001.

    >>> round(exact_distortion(GeneralizedGamma(2, 0, 0.5), 4, 0.9956866859), 9)
    0.11884605
    """
    require_levels(levels)
    if levels > SUMMED_LEVELS:
        raise QuantizationError(f"the exact distortion of N={levels} levels loses too many digits; "
                                f"use {SUMMED_LEVELS} or fewer")
    scale = float(density.lam ** (1 / density.alpha))
    return float(_summed(_UnitDensity(density), levels, np.array([step * scale]))[0][0]) / scale**2
