"""The estimator against the committed sweep of synthesized layers, and the sweep against what it would be now."""

import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks import estimator
from benchmarks.estimator import (
    FACTORS_FILE,
    SWEEP,
    error_record,
    errors,
    fit,
    inexact,
    load_sweep,
    split,
    synthesize_sweep,
)
from benchmarks.sweep import layer_of, part_of, shell_specs, specs
from headrace.area.factors import estimate_errors
from headrace.layers import LAYERS
from headrace.layers.cores import CORES
from headrace.layers.mvtu import Mvtu
from headrace.synthesis import yosys
from headrace.synthesis.yosys import yosys_version

WHOLE_SWEEP = load_sweep()
LAYERS_OF_SWEEP = [layer for layer in WHOLE_SWEEP if part_of(layer["spec"]) is None]
PARTS_OF_SHELL = [layer for layer in WHOLE_SWEEP if part_of(layer["spec"])]
HELD_BACK = split(WHOLE_SWEEP)[1]


def test_sweep_is_broad() -> None:
    layers = [layer_of(layer["spec"]) for layer in LAYERS_OF_SWEEP]
    assert len(layers) >= 300
    assert {type(layer) for layer in layers} == set(LAYERS.values())
    matrices = [layer for layer in layers if isinstance(layer, Mvtu)]
    assert {layer.chosen_core for layer in matrices} == set(CORES)
    assert {layer.storage for layer in matrices} == {"rom", "ram", "uram", "external"}
    assert len(HELD_BACK) == len(WHOLE_SWEEP) // 4


def test_committed_sweep_is_the_one_that_is_drawn() -> None:
    assert [layer["spec"] for layer in WHOLE_SWEEP] == [*specs(), *shell_specs()]
    assert json.loads(SWEEP.read_text())["yosys"] == yosys_version()


@pytest.mark.parametrize("count", ["lut", "all_luts", "ff"])
def test_layers_that_the_fit_has_not_seen_are_estimated_well(count: str) -> None:
    sizes = np.abs(errors(HELD_BACK)[count])
    assert np.median(sizes) <= 0.04
    assert np.quantile(sizes, 0.9) <= 0.1


def test_memories_and_multipliers_are_exact() -> None:
    assert [item for item in inexact(WHOLE_SWEEP) if item[1] != "lutram"] == []


def test_one_layer_is_deeper_than_5_levels() -> None:
    """For 300 MHz on UltraScale+: it has six, in tables of 255 thresholds for each of 64 rows."""
    depths = {json.dumps(layer["spec"]): layer["resources"]["depth"] for layer in LAYERS_OF_SWEEP}
    deep = {spec: depth for spec, depth in depths.items() if depth > 5}
    assert max(deep.values(), default=0) <= 6
    assert len(deep) <= 1 and all('"core": "halves"' in spec for spec in deep)


def test_no_part_of_the_shell_is_deeper_than_5_levels() -> None:
    assert max(layer["resources"]["depth"] for layer in PARTS_OF_SHELL) <= 5


def test_committed_factors_are_those_of_the_fit() -> None:
    committed = json.loads(FACTORS_FILE.read_text())
    found = fit(WHOLE_SWEEP)
    for count, factors in found.items():
        assert committed[count] == pytest.approx(factors, abs=2e-3)
    assert committed["error"] == estimate_errors() == error_record(WHOLE_SWEEP)


def test_synthesis_still_finds_what_the_sweep_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row by row, whatever stands beside it; and what is kept is not synthesized again."""
    kinds = ("fifo", "add", "dwc", "fork", "shell_narrow")
    some = [next(layer for layer in WHOLE_SWEEP if layer["spec"]["kind"] == kind) for kind in kinds]
    monkeypatch.setattr(estimator, "drawn", lambda family: [layer["spec"] for layer in some])
    monkeypatch.setattr(estimator, "CACHE", tmp_path)
    assert synthesize_sweep() == some
    monkeypatch.setattr(yosys, "run_yosys", lambda *_: pytest.fail("Yosys ran again"))
    assert synthesize_sweep() == some
