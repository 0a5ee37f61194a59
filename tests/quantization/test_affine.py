"""Affine integers, their matrix product, multiplier and thresholds."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace.errors import QuantizationError
from headrace.quantization import affine

exact = settings(derandomize=True, deadline=None)
INT32 = st.integers(-(1 << 31), (1 << 31) - 1)


@exact
@given(st.integers(0, 10**6), st.integers(0, 255), st.integers(0, 255))
def test_the_product_is_that_of_the_centred_codes(seed: int, zero1: int, zero2: int) -> None:
    rng = np.random.default_rng(seed)
    q1, q2 = rng.integers(0, 256, (3, 5)), rng.integers(0, 256, (5, 4))
    assert affine.matmul(q1, zero1, q2, zero2).tolist() == ((q1 - zero1) @ (q2 - zero2)).tolist()


@exact
@given(st.floats(-100, 100), st.floats(-100, 100), st.integers(1, 16))
def test_zero_has_an_exact_code_and_the_range_is_covered(a: float, b: float, bits: int) -> None:
    params = affine.affine_params(min(a, b), max(a, b), bits)
    assert params.dequantize(params.zero_point) == 0
    assert params.quantize([0.0])[0] == params.zero_point
    for r in (a, b):
        if abs(r) > 1e-300:
            assert abs(params.dequantize(params.quantize([r]))[0] - r) <= params.scale * (1 + 1e-9)


@pytest.mark.parametrize(("low", "high", "scale", "zero_point"), [
    (-1, 1, 2 / 255, 128), (0.5, 3, 3 / 255, 0), (-4, -1, 4 / 255, 255), (0, 0, 1, 0)])
def test_params(low: float, high: float, scale: float, zero_point: int) -> None:
    params = affine.affine_params(low, high)
    assert params.scale == pytest.approx(scale, rel=1e-15) and params.zero_point == zero_point


def test_values_far_outside_saturate() -> None:
    assert affine.AffineParams(1e-3, 3, 8).quantize([1e308, -1e308]).tolist() == [255, 0]


@exact
@given(INT32, INT32)
@example(-(1 << 31), -(1 << 31))
@example(1 << 30, -1)
def test_srdhm(a: int, b: int) -> None:
    assert affine.srdhm(a, b) == min(math.floor(Fraction(a * b, 1 << 31) + Fraction(1, 2)), (1 << 31) - 1)


@exact
@given(INT32, st.integers(0, 100))
@example(-1, 31)
@example(-(1 << 31), 32)
@example(-(1 << 31), 33)
def test_rdbpot(x: int, exponent: int) -> None:
    nearest = math.floor(Fraction(abs(x), 1 << exponent) + Fraction(1, 2))
    assert affine.rdbpot(x, exponent) == (nearest if x >= 0 else -nearest)


@exact
@given(st.floats(1e-9, 0.999999), INT32)
def test_requantization_is_within_one(M: float, acc: int) -> None:
    multiplier = affine.quantize_multiplier(M)
    assert 1 << 30 <= multiplier.m0 < 1 << 31
    assert Fraction(multiplier.m0) / (1 << (31 + multiplier.shift)) == pytest.approx(Fraction(M), rel=2.0**-31)
    assert abs(int(multiplier.apply(acc)) - Fraction(multiplier.m0) * acc / (1 << (31 + multiplier.shift))) <= 1


@pytest.mark.parametrize(("M", "m0", "shift"), [
    (0.5, 1073741824, 0), (0.0001234, 1085437879, 12), (0.9999999, 2147483433, 0), (0.007247427341846, 1992157658, 7),
    (0.5 - 2.0**-40, 1 << 30, 0)])
def test_multiplier(M: int, m0: int, shift: int) -> None:
    assert affine.quantize_multiplier(M) == affine.Multiplier(m0, shift)


@exact
@given(st.floats(0.003, 0.9), st.integers(0, 7), st.integers(1, 4), st.integers(-200, 0), st.integers(0, 200))
@example(0.01, 0, 2, -300, 300)
def test_thresholds_are_the_arithmetic(M: int, zero_point: int, bits: int, acc_min: int, acc_max: int) -> None:
    multiplier = affine.quantize_multiplier(M)
    thresholds = np.array(affine.affine_thresholds(multiplier, zero_point, bits, acc_min, acc_max))
    acc = np.arange(acc_min, acc_max + 1)
    assert (acc[:, None] >= thresholds).sum(1).tolist() == affine.requantize(acc, multiplier, zero_point, bits).tolist()


def test_thresholds_on_raw_accumulators() -> None:
    rng = np.random.default_rng(2)
    weights, x, zero = rng.integers(-7, 8, (4, 9)), rng.integers(0, 16, (9, 100)), 5
    multiplier = affine.quantize_multiplier(0.03)
    T = np.array([affine.affine_thresholds(multiplier, 1, 3, -2000, 2000)] * 4)
    raw = affine.raw_thresholds(T, zero, weights)
    codes = ((weights @ x)[:, :, None] >= raw[:, None]).sum(-1)
    assert codes.tolist() == affine.requantize(weights @ (x - zero), multiplier, 1, 3).tolist()


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: affine.quantize_multiplier(1.0), "the multiplier 1.0 is not between 0 and 1"),
    (lambda: affine.quantize_multiplier(0.0), "the multiplier 0.0 is not between"),
    (lambda: affine.quantize_multiplier(math.nan), "the multiplier nan is not between"),
    (lambda: affine.quantize_multiplier(1 - 2.0**-40), "rounds to 1"),
    (lambda: affine.affine_params(1, -1), r"\[1, -1\] is not a range"),
    (lambda: affine.affine_params(-math.inf, 1), "is not a range"),
    (lambda: affine.affine_params(-1.7e308, 1.7e308), "is not a range"),
    (lambda: affine.affine_thresholds(affine.Multiplier(1 << 30, 6), 0, 2, 0, 1 << 31), "from 0 to 2147483648 leave"),
    (lambda: affine.matmul([[1 << 20]], 0, [[1 << 20]], 0), "accumulators from 1099511627776 to 10995.* leave 32"),
    (lambda: affine.requantize([1 << 31], affine.Multiplier(1 << 30, 0), 0, 8), "leave 32 bits"),
    (lambda: affine.raw_thresholds([[0]], 3, [[1]], weight_zero_point=2), "a weight zero point of 2 makes thresholds"),
])
def test_errors(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        call()
