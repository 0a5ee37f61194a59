"""Variable elimination finds the least sum, which trying every choice confirms."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from headrace.folding.elimination import Factor, minimize


@pytest.mark.parametrize("seed", range(20))
def test_the_least_sum_is_that_of_all_choices(seed: int) -> None:
    """Some names share costs, some stand alone."""
    rng = np.random.default_rng(seed)
    sizes = {name: int(rng.integers(2, 4)) for name in "abcdef"}
    pairs = [pair for pair in combinations("abcde", 2) if rng.random() < 0.4]
    factors = [Factor(names, rng.integers(0, 100, [sizes[name] for name in names]).astype(np.float64))
               for names in [*pairs, *((name,) for name in sizes)]]

    def total(chosen: dict[str, int]) -> float:
        return sum(float(factor.costs[tuple(chosen[name] for name in factor.names)]) for factor in factors)

    chosen, least = minimize(sizes, factors)
    every = [total(dict(zip(sizes, places, strict=True))) for places in product(*map(range, sizes.values()))]
    assert least == min(every) == total(chosen)
