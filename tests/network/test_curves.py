"""Curves: values, and on which side of a level a value lies where float64 cannot tell."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from headrace.errors import InputError
from headrace.network.activation import CURVES, Activation
from headrace.network.curves import DipsError, Gated, Sigmoid, exp_bounds, exp_exceeds

ALPHA = {"leaky_relu": 0.125, "elu": 1.5, "celu": 0.5, "hard_swish": 1 / 6}


@pytest.mark.parametrize("kind", sorted(CURVES))
def test_what_is_reached_is_what_float64_says_away_from_the_level(kind: str) -> None:
    curve = CURVES[kind](Fraction(ALPHA.get(kind, 0.0)))
    rng = np.random.default_rng(1)
    decided = 0
    for x, level in rng.uniform((-9, -1.5), (9, 2.5), (400, 2)).tolist():
        value = float(curve.values(np.asarray([x]))[0])
        if abs(value - level) < 1e-9 or (isinstance(curve, Gated) and level <= curve.least):
            continue
        try:
            assert curve.reaches(Fraction(x), Fraction(level), True) == (value >= level)
            decided += 1
        except DipsError:
            assert isinstance(curve, Gated) and level <= 0
    assert decided > 200


@pytest.mark.parametrize("kind", sorted(CURVES))
def test_the_inverse_points_to_the_level(kind: str) -> None:
    curve = CURVES[kind](Fraction(ALPHA.get(kind, 0.0)))
    for level in (0.25, 0.5, 0.75):
        assert float(curve.values(np.asarray([curve.inverse(level)]))[0]) == pytest.approx(level, rel=1e-9)


def test_a_level_that_float64_cannot_tell_from_the_value_is_decided() -> None:
    # sigmoid(1) lies between these two fractions, which are equal in float64.
    lo, hi = exp_bounds(Fraction(1), 40)
    below, above = lo / (1 + lo), hi / (1 + hi)
    assert float(below) == float(above)
    assert Sigmoid().reaches(Fraction(1), below - Fraction(1, 10**45), False)
    assert not Sigmoid().reaches(Fraction(1), above + Fraction(1, 10**45), True)


def test_equality_is_at_zero_only() -> None:
    assert Sigmoid().reaches(Fraction(0), Fraction(1, 2), True)
    assert not Sigmoid().reaches(Fraction(0), Fraction(1, 2), False)
    assert exp_exceeds(Fraction(10**9), Fraction(10**30), True)
    assert not exp_exceeds(Fraction(-(10**9)), Fraction(1, 10**30), True)


def test_the_dip_of_silu_is_told() -> None:
    silu = CURVES["silu"](Fraction(0))
    with pytest.raises(DipsError):
        silu.reaches(Fraction(-1), Fraction(-1, 10), True)
    assert silu.reaches(Fraction(-1), Fraction(-3, 10), True)


def test_an_unknown_curve_is_an_error() -> None:
    with pytest.raises(InputError, match="activation 'swoosh' is unknown; choose one of"):
        Activation("swoosh")
    with pytest.raises(InputError, match="alpha -1 of elu must be positive; correct the model"):
        Activation("elu", np.asarray([-1.0]))
