"""The estimator of an ECP5 against its committed sweep: coarser than that of UltraScale+, for it has fewer layers."""

import json

import numpy as np
import pytest

from benchmarks.estimator import SWEEPS, drawn, error_record, errors, fit, inexact, load_sweep, split
from headrace.area.factors import estimate_errors
from headrace.synthesis.yosys import yosys_version

PATH, EVERY = SWEEPS["ecp5"]
SWEEP = load_sweep(PATH)


def test_committed_sweep_is_the_one_that_is_drawn() -> None:
    assert [layer["spec"] for layer in SWEEP] == drawn("ecp5")
    assert json.loads(PATH.read_text())["yosys"] == yosys_version()


@pytest.mark.parametrize(("count", "median", "most"), [("lut", 0.2, 0.4), ("ff", 0.1, 0.35)])
def test_layers_that_the_fit_has_not_seen(count: str, median: float, most: float) -> None:
    sizes = np.abs(errors(split(SWEEP)[1])[count])
    assert np.median(sizes) <= median
    assert np.quantile(sizes, 0.9) <= most


def test_blocks_and_multipliers_are_counted_by_rules() -> None:
    wrong = [(count, ours, found) for _, count, ours, found in inexact(SWEEP) if count in ("bram18", "dsp")]
    assert len(wrong) <= 1, wrong  # of a memory whose kind Yosys chooses


def test_committed_factors_are_those_of_the_fit() -> None:
    found = fit(SWEEP)
    committed = json.loads((PATH.parents[1] / "generator/headrace/area/factors_ecp5.json").read_text())
    for count in ("lut", "ff", "default"):
        assert committed[count] == pytest.approx(found[count], abs=2e-3)
    assert committed["error"] == estimate_errors("ecp5") == error_record(SWEEP)
