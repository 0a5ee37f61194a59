"""Ranges, equalising scales and adaptive rounding against what they are meant to minimize."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest

from headrace.errors import QuantizationError
from headrace.network.ops import FloatArray
from headrace.quantization.adaptive_rounding import adaptive_rounding
from headrace.quantization.affine import affine_params
from headrace.quantization.equalisation import equalising_scales
from headrace.quantization.primitives import round_half_up
from headrace.quantization.ranges import (
    SHARES,
    Range,
    entropy_range,
    least_error_range,
    least_error_scales,
    percentile_range,
)

RNG = np.random.default_rng(0)
#: A bell with one sample in a thousand ten times as far out.
BELL = np.where(RNG.random(20_000) < 1e-3, 10.0, 1.0) * RNG.normal(size=20_000)
ONES = np.ones(BELL.size)


def squared_error(bounds: Range, bits: int) -> float:
    params = affine_params(*bounds, bits)
    return float(np.square(params.dequantize(params.quantize(BELL)) - BELL).sum())


def test_a_percentile_leaves_out_its_share_on_both_sides() -> None:
    low, high = percentile_range(BELL, ONES, 0.98)
    assert [np.mean(low > BELL), np.mean(high < BELL)] == pytest.approx([0.01, 0.01], abs=1e-4)
    assert percentile_range(BELL, ONES, 1.0) == (BELL.min(), BELL.max())


def test_counts_stand_for_repeated_samples() -> None:
    values, counts = np.unique(np.round(BELL, 1), return_counts=True)
    repeated = np.repeat(values, counts)
    rules: list[Callable[[np.ndarray, np.ndarray], tuple[float, float]]] = [
        lambda v, c: least_error_range(v, c, 4), lambda v, c: entropy_range(v, c, 4), percentile_range]
    for rule in rules:
        assert rule(values, counts) == pytest.approx(rule(repeated, np.ones(repeated.size)))


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_no_shrunk_range_has_a_smaller_error(bits: int) -> None:
    found = squared_error(least_error_range(BELL, ONES, bits), bits)
    assert found <= min(squared_error((BELL.min() * share, BELL.max() * share), bits) for share in SHARES)


def test_all_rules_clip_the_far_samples_at_few_bits_and_keep_zero() -> None:
    rules = (least_error_range(BELL, ONES, 3), entropy_range(BELL, ONES, 3), percentile_range(BELL, ONES, 0.999))
    for low, high in rules:
        assert BELL.min() < low <= 0 <= high < BELL.max()
    assert least_error_range(np.abs(BELL), ONES, 3)[0] == 0
    assert entropy_range([0.0], [5.0], 4) == (0.0, 0.0)


@pytest.mark.parametrize(("share", "values"), [(0.0, [1.0]), (1.5, [1.0]), (0.9, []), (0.9, [np.nan])])
def test_ranges_of_nothing_are_refused(share: float, values: list[float]) -> None:
    with pytest.raises(QuantizationError):
        percentile_range(values, np.ones(len(values)), share)


def test_scales_of_weights_weigh_the_columns() -> None:
    rows = np.array([[10.0, 0.6, 0.7, 0.65]])
    plain, weighed = least_error_scales(rows, 3), least_error_scales(rows, 3, np.array([1e-6, 1.0, 1.0, 1.0]))
    assert plain[0] == pytest.approx(10 / 3) and weighed[0] < 1


def test_equalised_channels_have_one_range_on_both_sides() -> None:
    made, read = np.array([4.0, 0.5, 0.0, 2.0]), np.array([1.0, 8.0, 3.0, 0.0])
    scale = equalising_scales(made, read)
    assert (made / scale)[:2] == pytest.approx((read * scale)[:2]) and list(scale[2:]) == [1.0, 1.0]


def quadratic(codes: FloatArray, weights: FloatArray, moment: FloatArray, scale: float) -> float:
    error = codes * scale - weights
    return float(error @ moment @ error)


@pytest.mark.parametrize("seed", range(20))
def test_adaptive_rounding_lies_between_the_best_codes_and_the_nearest(seed: int) -> None:
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(50, 5)) @ rng.normal(size=(5, 5))
    moment, weights, scale = inputs.T @ inputs / 50 + 0.01 * np.eye(5), rng.normal(size=(1, 5)), 0.4
    found = adaptive_rounding(weights, moment, np.full(1, scale), 3)
    nearest = np.clip(round_half_up(weights / scale), -3, 3)
    best = min(quadratic(np.array(codes, float), weights[0], moment, scale)
               for codes in itertools.product(range(-3, 4), repeat=5))
    mine = quadratic(found[0].astype(float), weights[0], moment, scale)
    assert np.abs(found).max() <= 3
    assert best - 1e-12 <= mine <= quadratic(nearest[0], weights[0], moment, scale) + 1e-12
