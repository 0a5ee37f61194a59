"""Mixed precision by SQNR."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.errors import QuantizationError
from headrace.quantization.precision import feature_map_sqnr_db, mixed_precision, weight_sqnr_db

exact = settings(derandomize=True, deadline=None)
LEVELS = st.floats(-10, 60) | st.sampled_from([math.inf, math.nan])


@exact
@given(st.lists(LEVELS, min_size=1, max_size=8), st.lists(st.floats(), max_size=5))
def test_the_ratio_grows_with_the_threshold(levels: Sequence[float], thresholds: list[float]) -> None:
    sqnr = {f"conv{i}": level for i, level in enumerate(levels)}
    ordered = sorted(t for t in thresholds if not math.isnan(t))
    ratios = [mixed_precision(sqnr, t, 4, 8).ratio for t in (-math.inf, *ordered, math.inf)]
    assert ratios == sorted(ratios)
    assert (ratios[0], ratios[-1]) == (0, 1)


def test_layers_below_the_threshold_and_forced_ones_move() -> None:
    plan = mixed_precision({"a": 10.0, "b": 20.0, "c": 30.0, "d": 20.0}, 20.0, 4, 8, forced={"c"})
    assert plan.bits == {"a": 8, "b": 4, "c": 8, "d": 4}
    assert plan.ratio == 0.5


def test_sqnr_of_the_methods_in_use() -> None:
    x = np.random.default_rng(3).standard_normal(5000)
    assert 16 < weight_sqnr_db(x, 4) < 21
    assert 16 < feature_map_sqnr_db(x, 4) < 21
    assert feature_map_sqnr_db(np.abs(x), 4) > feature_map_sqnr_db(x, 4) + 4  # the sign bit is gained
    heavy = np.sqrt(2) * np.random.default_rng(10).weibull(0.5, 20_000)
    assert feature_map_sqnr_db(heavy, 8, guard=True) > feature_map_sqnr_db(heavy, 8)


@pytest.mark.parametrize(("limit", "low", "high", "forced", "sentence"), [
    (20.0, 8, 4, (), "8 and 4 bits at 20.0 dB has no meaning"),
    (math.nan, 4, 8, (), "at nan dB has no meaning"),
    (20.0, 4, 8, {"fc"}, "layer 'fc' is forced to 8 bits but not among"),
])
def test_errors(limit: float, low: int, high: int, forced: Collection[str], sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        mixed_precision({"conv0": 1.0}, limit, low, high, forced)
