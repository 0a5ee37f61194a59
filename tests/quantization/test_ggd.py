"""Closed form of the optimal step, its domain, and the exact step."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from headrace.errors import QuantizationError
from headrace.quantization import optimal_step
from headrace.quantization.ggd import (
    GeneralizedGamma,
    closed_form_defined,
    gamma_density,
    half_support,
    in_trust_region,
    model_distortion,
)
from headrace.quantization.optimal_step import exact_distortion, exact_step

exact = settings(derandomize=True, deadline=None, max_examples=40)
KAPPAS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 6, 8, 10, 12)


@exact
@given(st.floats(0.3, 4), st.floats(-0.9, 5), st.floats(1e-6, 1e6), st.floats(1e-3, 1e3), st.integers(2, 256))
def test_the_scale_moves_through(alpha: float, beta: float, lam: float, c: float, half_levels: int) -> None:
    levels = 2 * half_levels
    if closed_form_defined(alpha, beta, levels):
        support = half_support(GeneralizedGamma(alpha, beta, lam), levels)
        assert half_support(GeneralizedGamma(alpha, beta, lam * c**-alpha), levels) == pytest.approx(c * support, 1e-12)
    step = exact_step(GeneralizedGamma(alpha, beta, lam), levels)
    assert exact_step(GeneralizedGamma(alpha, beta, lam * c**-alpha), levels) == pytest.approx(c * step, 1e-9)


@pytest.mark.parametrize("alpha, beta, levels", [(1, 99, 16), (1, 29, 64), (1, -0.95, 4), (2, 0, 2), (1, 15, 16)])
def test_undefined_is_reported(alpha: int, beta: float, levels: int) -> None:
    assert not closed_form_defined(alpha, beta, levels)
    with pytest.raises(QuantizationError, match=f"not defined for alpha={alpha}, beta={beta}, N={levels}; use exact"):
        half_support(GeneralizedGamma(alpha, beta, 1), levels)


@pytest.mark.parametrize(("levels", "deviation", "penalty_db"), [
    (8, 25, 0.34), (16, 16, 0.23), (32, 12, 0.15), (64, 10, 0.13), (128, 9, 0.22), (256, 9, 0.37), (512, 11, 0.52)])
def test_trust_region(levels: int, deviation: int, penalty_db: float) -> None:
    for kappa in KAPPAS:
        if in_trust_region(kappa, levels):
            density = gamma_density(kappa, kappa)
            closed, best = 2 * half_support(density, levels) / levels, exact_step(density, levels)
            assert abs(closed / best - 1) <= (deviation + 0.5) / 100
            ratio = exact_distortion(density, levels, closed) / exact_distortion(density, levels, best)
            assert 0 <= 10 * math.log10(ratio) <= penalty_db + 0.006


@pytest.mark.parametrize(("kappa", "levels", "inside"), [
    (0.05, 8, True), (0.0499, 8, False), (2 * math.log(8), 8, True), (4.2, 8, False), (1, 6, False)])
def test_trust_region_ends(kappa: float, levels: int, inside: bool) -> None:
    assert in_trust_region(kappa, levels) is inside


@pytest.mark.parametrize(("kappa", "levels", "step_loss"), [
    (8, 8, -39), (10, 8, -69), (8, 16, -13), (20, 512, -15), (0.02, 8, -98)])
def test_the_closed_form_collapses_outside(kappa: float, levels: int, step_loss: int) -> None:
    density = gamma_density(kappa, kappa)
    ratio = 2 * half_support(density, levels) / levels / exact_step(density, levels)
    assert 100 * (ratio - 1) == pytest.approx(step_loss, abs=0.6)
    assert not in_trust_region(kappa, levels)


@pytest.mark.parametrize(("alpha", "beta"), [(1, -0.98), (1, 0), (1, 59), (1, 999), (2, 0), (0.5, 4)])
@pytest.mark.parametrize("levels", [2, 4, 16, 64])
def test_exact_step_is_the_global_minimum(alpha: float, beta: float, levels: int) -> None:
    density = GeneralizedGamma(alpha, beta, 1)
    best = exact_step(density, levels)
    scan = best * np.geomspace(0.02, 50, 3000)
    lowest = optimal_step._summed(optimal_step._UnitDensity(density), levels, scan)[0].min()
    assert lowest >= exact_distortion(density, levels, best) * (1 - 1e-12)


@pytest.mark.parametrize(("alpha", "beta", "lam", "levels", "step"), [(2, 0, 0.5, 4, 0.9), (1, 1, 2, 8, 0.7)])
def test_exact_distortion_is_the_integral(alpha: int, beta: int, lam: float, levels: int, step: float) -> None:
    density = GeneralizedGamma(alpha, beta, lam)

    def cell(level: float, low: float, high: float) -> float:
        def integrand(x: float) -> float:
            return (x - level) ** 2 * density.mu * x**beta * math.exp(-lam * x**alpha)
        return float(quad(integrand, low, high)[0])

    cells = [((i + 0.5) * step, i * step, (i + 1) * step) for i in range(levels // 2)]
    cells[-1] = (*cells[-1][:2], math.inf)
    assert exact_distortion(density, levels, step) == pytest.approx(2 * sum(cell(*c) for c in cells), rel=1e-8)


@pytest.mark.parametrize("kappa", [0.02, 0.5, 3, 30, 300])
def test_many_levels_continue_the_sum(kappa: float) -> None:
    unit = optimal_step._UnitDensity(gamma_density(kappa, kappa))
    best = optimal_step._best_summed(unit, 1024)
    assert optimal_step._best_dense(unit, 1024) == pytest.approx(best, rel=1e-6)
    for levels in (512, 1024):
        step = best * 1024 / levels * np.array([0.8, 1, 1.2])
        summed = optimal_step._summed(unit, levels, step)[0]
        assert optimal_step._dense(unit, levels, step) == pytest.approx(summed, rel=5e-9)


def test_exact_step_of_many_levels_and_of_narrow_densities() -> None:
    wide = gamma_density(1, 1)
    assert exact_step(wide, 1 << 20) == pytest.approx(2 * half_support(wide, 1 << 20) / (1 << 20), rel=1e-3)
    assert exact_step(gamma_density(1, 1e-12), 16) == pytest.approx(2 / 15, rel=1e-6)
    assert exact_step(gamma_density(3, 2.5e-3), 16) == pytest.approx(2 * 3 / 15, rel=0.05)


def test_model_distortion() -> None:
    """4 mu / lam^3 exp(-lam L) for the Laplacian."""
    density, support = GeneralizedGamma(1, 0, 2.0), 1.5
    assert density.mu == pytest.approx(1.0)
    expected = (2 * support / 8) ** 2 / 12 + 4 * 1.0 / 2**3 * math.exp(-3)
    assert model_distortion(density, 8, support) == pytest.approx(expected, rel=1e-12)


def test_model_distortion_at_the_limits_of_float64() -> None:
    assert model_distortion(gamma_density(1, 1e-4), 16, 1e-300) == 0
    assert model_distortion(GeneralizedGamma(4, 0, 1), 16, 1e-100) == math.inf


def test_a_support_of_nothing() -> None:
    with pytest.raises(QuantizationError, match="a half support of 0 holds no levels"):
        model_distortion(gamma_density(1, 1), 16, 0)


@pytest.mark.parametrize("levels", [0, 3, -4])
def test_levels_are_even(levels: int) -> None:
    for function in (half_support, exact_step):
        with pytest.raises(QuantizationError, match=f"N={levels} levels are not symmetric; use an even number"):
            function(gamma_density(1, 1), levels)
