"""Exact logarithms, rounding, codes and shifts, against rational arithmetic."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace.quantization.primitives import (
    ceil_log2,
    floor_log2,
    least_error,
    quantize,
    quantize_codes,
    round_half_up,
    rshift_round,
    saturate,
    sqnr_db,
)

exact = settings(derandomize=True, deadline=None)
positive = st.floats(5e-324, 1.7e308)


@exact
@given(positive)
@example(5e-324)
@example(2.0**-1022)
@example(1e30)
@example(math.nextafter(2.0**52, 0))
def test_logarithms_enclose(x: float) -> None:
    high, low = ceil_log2(x), floor_log2(x)
    assert Fraction(2) ** low <= Fraction(x) < Fraction(2) ** (low + 1)
    assert Fraction(2) ** (high - 1) < Fraction(x) <= Fraction(2) ** high


@exact
@given(st.floats(-1e15, 1e15))
@example(0.49999999999999994)
@example(-0.5)
def test_round_half_up(x: float) -> None:
    assert round_half_up(np.array([x]))[0] == math.floor(Fraction(x) + Fraction(1, 2))


@exact
@given(st.floats(-1e300, 1e300), st.integers(-1100, 1100), st.integers(2, 32), st.booleans())
@example(1e300, 1000, 8, True)
@example(-1e-300, -1000, 8, True)
def test_codes(x: float, frac_bits: int, bits: int, signed: bool) -> None:
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    nearest = math.floor(Fraction(x) * Fraction(2) ** frac_bits + Fraction(1, 2))
    assert quantize_codes([x], frac_bits, bits, signed)[0] == min(max(nearest, low), high)


@exact
@given(st.integers(-(1 << 31), (1 << 31) - 1), st.integers(-31, 80))
@example(-(1 << 31), 62)
@example((1 << 31) - 1, 31)
def test_rshift_round(acc: int, shift: int) -> None:
    scaled = Fraction(acc) / Fraction(2) ** shift
    assert rshift_round(acc, shift) == math.floor(scaled + Fraction(1, 2))


def test_blocks_do_not_show() -> None:
    x = np.random.default_rng(0).standard_normal(100_000)
    choice = least_error(x, [5, 6], 8, True)
    assert choice.errors == pytest.approx([np.sum((x - quantize(x, fl, 8)) ** 2) for fl in (5, 6)], rel=1e-12)


def test_least_error_keeps_the_first_of_equals() -> None:
    assert least_error(np.array([1.0, 2.0]), [0, 1, 2], 8, True).frac_bits == 0


def test_sqnr_without_error_without_signal_and_at_the_ends_of_float64() -> None:
    assert sqnr_db([1.0], [1.0]) == math.inf
    assert math.isnan(sqnr_db([0.0], [0.0]))
    assert sqnr_db([1e300], [0.9e300]) == pytest.approx(20)
    assert sqnr_db([1e-300], [0.9e-300]) == pytest.approx(20)
    assert sqnr_db([1.7e308], [-1.7e308]) == pytest.approx(-20 * math.log10(2))
    assert sqnr_db([1e-300], [1e300]) == pytest.approx(-12000)
    assert sqnr_db([1.0, 1e-200], [1.0, 0.0]) == pytest.approx(4000)


def test_shapes_stay() -> None:
    assert quantize(np.zeros((2, 3)), 4, 8).shape == (2, 3)
    assert quantize_codes([], 4, 8).shape == (0,)
    assert saturate([[300, -300]], 8, signed=False).tolist() == [[255, 0]]
