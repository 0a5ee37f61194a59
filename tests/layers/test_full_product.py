"""Every combination of foldings, types, shapes and windows of every kind of layer; half an hour, hence `slow`."""

from __future__ import annotations

import pytest

from tests.exact_layers import require_exact, run_exact
from tests.layer_factors import MULTIPLIED
from tests.pairwise import full_product, specs

#: Compiled into one model: fewer cost more for what every model needs, more take too much memory.
AT_ONCE = 96
EVERYTHING = [spec for kind, factors in MULTIPLIED.items() for spec in specs(kind, full_product(factors))]


@pytest.mark.slow
@pytest.mark.parametrize("start", range(0, len(EVERYTHING), AT_ONCE))
def test_the_full_product_is_exact(start: int) -> None:
    require_exact(run_exact(EVERYTHING[start : start + AT_ONCE], seed=start))
