"""Five hundred random layers over all kinds: exact on both back ends, as many cycles as the model says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.exact_layers import require_exact, run_exact
from tests.random_specs import random_specs

SPECS = json.loads((Path(__file__).parents[1] / "data" / "five_hundred_layers.json").read_text())


def test_the_data_are_what_the_generator_draws() -> None:
    assert random_specs(500, 2026) == SPECS


def test_some_of_them() -> None:
    require_exact(run_exact(SPECS[:24], seed=1))


@pytest.mark.slow
def test_all_of_them() -> None:
    require_exact(run_exact(SPECS, seed=1))
