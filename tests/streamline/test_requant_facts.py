"""The slopes of a line through thresholds are those that every pair of facts asks for."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.datatypes import uint_type
from headrace.streamline.requant_facts import facts_of, ratios


@pytest.mark.parametrize("seed", range(60))
def test_corners_ask_for_the_slopes_of_all_pairs(seed: int) -> None:
    """Thresholds of a line with an offset, of which some cannot occur; where no line fits, none fits the corners."""
    rng = np.random.default_rng(seed)
    slope, steps = rng.uniform(0.001, 3), 255
    T = np.ceil((np.arange(steps) + rng.uniform(-40, 40)) / slope).astype(np.int64)
    if seed % 3 == 0:
        T = np.sort(T + rng.integers(0, 3, steps))
    lo, hi = int(T[rng.integers(0, 40)]), int(T[-1 - rng.integers(0, 40)])
    facts = facts_of(T, lo, hi, uint_type(8))
    flattest, steepest = ratios(*facts[:4])
    least, most = float(flattest.max(initial=0.0)), float(steepest.min(initial=np.inf))
    if least <= most:
        assert facts.slopes == (least, most)
    else:
        assert facts.slopes[0] > facts.slopes[1]
