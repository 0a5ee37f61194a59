"""Thresholds against the arithmetic that they replace, for every accumulator value in range."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from headrace.datatypes import BIPOLAR, DataType, Interval, int_type, uint_type
from headrace.errors import QuantizationError
from headrace.quantization.primitives import rshift_round
from headrace.quantization.thresholds import (
    batch_norm_line,
    layer_thresholds,
    line_thresholds,
    popcount_threshold,
    shift_thresholds,
    xnor_popcount,
)

exact = settings(derandomize=True, deadline=None)
TYPES = [BIPOLAR, uint_type(1), uint_type(3), int_type(2), int_type(3), Interval(-3, 3), Interval(2, 5)]
OUTPUTS = st.sampled_from(TYPES)
LINES = st.fractions(-3, 3, max_denominator=64) | st.floats(-3, 3)


def activation(y: Fraction, output: DataType, step: Fraction | float) -> int:
    """round_half_up and clip, or the sign, of an exact value."""
    if output == BIPOLAR:
        return 1 if y >= 0 else -1
    return min(max(math.floor(y / Fraction(step) + Fraction(1, 2)), output.lo), output.hi)


@exact
@given(LINES, LINES, OUTPUTS, st.sampled_from([0.25, 0.3, 1]), st.integers(-60, 0), st.integers(0, 60), st.booleans())
@example(0, 0.125, uint_type(2), 0.25, -5, 5, True)
@example(Fraction(-1, 4), 1, uint_type(2), 0.5, -5, 9, True)
def test_line(slope: Fraction, offset: Fraction, output: Interval, step: Fraction, acc_min: int, acc_max: int,
              may_negate: bool) -> None:
    row = line_thresholds(slope, offset, output, step, acc_min, acc_max, may_negate)
    acc = range(acc_min, acc_max + 1)
    expected = [activation(Fraction(slope) * a + Fraction(offset), output, step) for a in acc]
    assert row.apply(acc).tolist() == expected
    assert list(row.thresholds) == sorted(row.thresholds, reverse=row.descending)
    assert (row.negate, row.descending) == (slope < 0 and may_negate, slope < 0 and not may_negate)
    low, high = (-acc_max, -acc_min) if row.negate else (acc_min, acc_max)
    assert all(low - row.descending <= t <= high + (not row.descending) for t in row.thresholds)


@pytest.mark.parametrize(("norm", "output", "step", "acc_max", "negate", "thresholds"), [
    ((0.5, 0.25, 3, 4, 0), BIPOLAR, 1, 9, False, (2,)),
    ((0.5, 0.25, 3, 4, 0), uint_type(2), 0.5, 9, False, (3, 5, 7)),
    ((-0.5, 0.25, 3, 4, 0), BIPOLAR, 1, 9, True, (-4,)),
    ((-0.5, 0.25, 3, 4, 0), uint_type(2), 0.5, 9, True, (-3, -1, 1)),
    ((-1.3, 0.441, 2.845, 4.694, 1e-5), uint_type(3), 0.25, 40, True, (-3, -2, -2, -2, -1, -1, 0)),
    ((0, 0.4, 1, 1, 0), uint_type(2), 0.25, 9, False, (-9, -9, 10)),
])
def test_batch_norm(norm: tuple[float, ...], output: Interval, step: float, acc_max: int, negate: bool,
                    thresholds: tuple[int, ...]) -> None:
    row = line_thresholds(*batch_norm_line(*norm), output, step, -acc_max, acc_max)
    assert (row.negate, row.thresholds) == (negate, thresholds)


@pytest.mark.parametrize("weight", [int_type(2), Interval(-1, 1), uint_type(2), BIPOLAR])
def test_layer(weight: DataType) -> None:
    rng = np.random.default_rng(0)
    pool = [-1, 1] if weight == BIPOLAR else range(weight.lo, weight.hi + 1)
    W, inputs, output = rng.choice(list(pool), (24, 6)), uint_type(2), uint_type(3)
    slopes, offsets = rng.standard_normal(24) * (rng.random(24) > 0.1), rng.standard_normal(24)
    layer = layer_thresholds(W, slopes.tolist(), offsets.tolist(), inputs, weight, output, 0.5)
    x = rng.integers(0, 4, (6, 50))
    assert weight.contains(layer.weights)
    for i, row in enumerate(layer.rows):
        unit = layer.weights[i] @ x
        compared = unit[:, None] <= row.thresholds if row.descending else unit[:, None] >= row.thresholds
        expected = [activation(Fraction(slopes[i]) * int(a) + Fraction(offsets[i]), output, 0.5) for a in W[i] @ x]
        assert compared.sum(1).tolist() == expected == row.apply(W[i] @ x).tolist()
    descending = {row.descending for row, slope in zip(layer.rows, slopes, strict=True) if slope < 0}
    narrow = weight in (BIPOLAR, Interval(-1, 1))
    assert descending == ({False} if narrow else {True} if weight == uint_type(2) else {False, True})


@exact
@given(st.integers(1, 20), st.integers(-30, 30))
def test_popcount(fan_in: int, threshold: int) -> None:
    for matches in range(fan_in + 1):
        assert (matches >= popcount_threshold(threshold, fan_in)) == (2 * matches - fan_in >= threshold)
    assert 0 <= popcount_threshold(threshold, fan_in) <= fan_in + 1


def test_popcount_counts_matches() -> None:
    rng = np.random.default_rng(1)
    W, x = rng.choice([-1, 1], (5, 9)), rng.choice([-1, 1], 9)
    assert (2 * xnor_popcount(W, x) - 9).tolist() == (W @ x).tolist()


@exact
@given(st.integers(-3, 6), st.integers(-50, 50), st.sampled_from([uint_type(2), int_type(3), uint_type(4)]))
def test_shift(shift: int, bias: int, output: Interval) -> None:
    thresholds = np.array(shift_thresholds(shift, bias, output))
    acc = np.arange(-600, 600)
    count = output.lo + (acc[:, None] >= thresholds).sum(1)
    assert count.tolist() == np.clip(rshift_round(acc + bias, shift), output.lo, output.hi).tolist()


@exact
@given(LINES, LINES, OUTPUTS, st.lists(st.integers(-20, 20), min_size=1, max_size=9))
def test_max_pooling_may_stand_on_either_side(slope: Fraction, offset: Fraction, output: Interval,
                                              window: list[int]) -> None:
    row = line_thresholds(slope, offset, output, 0.5, -20, 20)
    unit = [-a for a in window] if row.negate else window
    pooled = max(unit)
    assert row.apply(window).max() == row.apply(-pooled if row.negate else pooled)


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: batch_norm_line(1, 0, 0, 0, 0), "variance . eps is 0; it must be above 0"),
    (lambda: batch_norm_line(math.inf, 0, 0, 1, 0), "gamma inf, .* must all be finite"),
    (lambda: batch_norm_line(1, 0, 0, math.inf, 0), "variance inf and eps 0 must all be finite"),
    (lambda: batch_norm_line(1e300, 0, 0, 1e-300, 0), "slope inf and offset nan must be finite"),
    (lambda: line_thresholds(math.inf, 0, uint_type(2), 1, -5, 5), r"line inf \* acc \+ 0 for acc from -5 to 5 has no"),
    (lambda: line_thresholds(1, math.nan, uint_type(2), 1, -5, 5), r"line 1 \* acc \+ nan for acc from"),
    (lambda: line_thresholds(1, 0, uint_type(2), 1, 5, -5), "acc from 5 to -5 has no thresholds"),
    (lambda: line_thresholds(1, 0, uint_type(2), 0, -5, 5), "an activation step of 0 gives no thresholds"),
])
def test_errors(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        call()
