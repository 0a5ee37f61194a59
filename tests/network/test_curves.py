"""Curves: values, and on which side of a level a value lies where float64 cannot tell."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

from headrace.errors import InputError
from headrace.network.activation import CURVES, Activation
from headrace.network.bounds import erf_bounds, exp_bounds, exp_exceeds
from headrace.network.curves import Curve, Leaky, Sigmoid
from headrace.network.gates import Gated, Swish

ALPHA = {"leaky_relu": 0.125, "elu": 1.5, "celu": 0.5, "hard_swish": 1 / 6, "swish": 1.702, "gelu": 0.7, "power": 2.0}


def curve_of(kind: str) -> Curve:
    return Activation(kind, np.asarray([ALPHA.get(kind, 0.0)])).curves[0]


@pytest.mark.parametrize("kind", sorted(CURVES))
def test_what_is_reached_is_what_float64_says_away_from_the_level(kind: str) -> None:
    curve = curve_of(kind)
    rng = np.random.default_rng(1)
    decided = 0
    for x, level in [*rng.uniform((-9, -1.5), (9, 2.5), (400, 2)), *rng.uniform((-4, -0.4), (0, 0.1), (200, 2))]:
        value = float(curve.values(np.asarray([x]))[0])
        if abs(value - level) < 1e-9:
            continue
        assert curve.reaches(Fraction(x), Fraction(level), True) == (value >= level)
        decided += 1
    assert decided > 500


@pytest.mark.parametrize("curve", [
    *(curve_of(kind) for kind in sorted(CURVES)), Swish(Fraction(8, 5), Fraction(1, 14)), Leaky(Fraction(-1, 3)),
], ids=str)
def test_a_curve_falls_up_to_its_turn_and_rises_from_there(curve: Curve) -> None:
    if curve.turn is None:
        assert np.all(np.diff(curve.values(np.linspace(-8, 8, 200))) >= 0)
        return
    below, above = curve.turn
    assert above - below <= Fraction(1, 10**29)
    assert np.all(np.diff(curve.values(np.linspace(-8, float(below), 200))) <= 1e-15)
    assert np.all(np.diff(curve.values(np.linspace(float(above), 8, 200))) >= -1e-15)
    if isinstance(curve, Gated):
        assert not curve.rises(below - Fraction(1, 10**6)) and curve.rises(above + Fraction(1, 10**6))


def test_the_error_function_is_bounded() -> None:
    for x in (0.01, 0.5, 1.0, 2.5, 5.0, -0.7, -3.0):
        lo, hi = erf_bounds(Fraction(x), 25)
        assert lo < hi < lo + Fraction(1, 10**24)
        assert float(lo) == pytest.approx(math.erf(x), rel=1e-14)
    # Its first 40 digits at 1, as tables have them.
    lo, hi = erf_bounds(Fraction(1), 45)
    assert lo < Fraction(8427007929497148693412206350826092592961, 10**40) < hi + Fraction(1, 10**40)
    assert erf_bounds(Fraction(60), 20)[1] == 1


def test_far_from_zero_a_gate_is_shut_or_open() -> None:
    for kind in ("silu", "mish", "gelu"):
        curve = curve_of(kind)
        assert curve.reaches(Fraction(-3000), Fraction(-1, 100), True)
        assert not curve.reaches(Fraction(-3000), Fraction(0), True)
        assert curve.reaches(Fraction(3000), Fraction(2999), False)
        assert not curve.reaches(Fraction(3000), Fraction(3000), True)


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


def test_an_unknown_curve_is_an_error() -> None:
    with pytest.raises(InputError, match="activation 'swoosh' is unknown; choose one of"):
        Activation("swoosh")
    with pytest.raises(InputError, match="alpha -1 of elu must be positive; correct the model"):
        Activation("elu", np.asarray([-1.0]))
