"""Five hundred random layers over all kinds: exact on both back ends, as many cycles as the model says."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from generator.simulate.cases import run_specs
from tests.random_specs import random_specs

SPECS = json.loads((Path(__file__).parents[1] / "data" / "five_hundred_layers.json").read_text())


def test_the_data_are_what_the_generator_draws():
    assert random_specs(500, 2026) == SPECS


def require_exact(specs):
    for result in run_specs(specs, ("rtl", "hls"), stalls=None, seed=1):
        assert result["error"] is None and result["bit_exact"], result
        assert result["cycles_measured"] == result["cycles"], result


def test_some_of_them():
    require_exact(SPECS[:24])


@pytest.mark.slow
def test_all_of_them():
    require_exact(SPECS)
