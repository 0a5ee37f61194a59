"""The estimator of Zynq-7000, whose leaf modules are made of its own cells, against its committed sweep."""

import json

import numpy as np
import pytest

from benchmarks.estimator import SWEEPS, drawn, error_record, errors, fit, inexact, load_sweep, split
from benchmarks.sweep import SHELL
from headrace.area.factors import estimate_errors
from headrace.board.family import ZYNQ_7000
from headrace.layers.spec import layer_from_spec
from headrace.synthesis.designs import layer_design, library
from headrace.synthesis.yosys import yosys_version

PATH = SWEEPS["xc7"][0]
SWEEP = load_sweep(PATH)


def test_committed_sweep_is_the_one_that_is_drawn() -> None:
    """Of every other layer that is drawn some large ones were not counted."""
    specs = [json.dumps(spec, sort_keys=True) for spec in drawn("xc7")]
    held = [json.dumps(layer["spec"], sort_keys=True) for layer in SWEEP]
    assert held == [spec for spec in specs if spec in held] and len(held) >= 190
    assert json.loads(PATH.read_text())["yosys"] == yosys_version()


@pytest.mark.parametrize(("count", "median", "most"),
                         [("lut", 0.05, 0.12), ("all_luts", 0.05, 0.12), ("ff", 0.03, 0.1)])
def test_layers_that_the_fit_has_not_seen(count: str, median: float, most: float) -> None:
    sizes = np.abs(errors(split(SWEEP)[1])[count])
    assert np.median(sizes) <= median
    assert np.quantile(sizes, 0.9) <= most


@pytest.mark.parametrize("count", ["lut", "all_luts", "ff"])
def test_both_families_and_the_shell_together(count: str) -> None:
    held_back = [split(load_sweep(SWEEPS[family][0]))[1] for family in ("xcup", "xc7")]
    assert all(len(layers) >= 50 for layers in held_back)
    assert {layer["spec"]["kind"].startswith(SHELL) for layers in held_back for layer in layers} == {True, False}
    sizes = np.abs(np.concatenate([errors(layers)[count] for layers in held_back]))
    assert np.median(sizes) <= 0.04
    assert np.mean(sizes <= 0.1) >= 0.9


def test_blocks_and_multipliers_are_counted_by_rules() -> None:
    assert [item for item in inexact(SWEEP) if item[1] in ("bram18", "dsp")] == []


def test_committed_factors_are_those_of_the_fit() -> None:
    found = fit(SWEEP)
    committed = json.loads((PATH.parents[1] / "generator/headrace/area/factors_xc7.json").read_text())
    for count, factors in found.items():
        assert committed[count] == pytest.approx(factors, abs=2e-3)
    assert committed["error"] == estimate_errors("xc7") == error_record(SWEEP)


def test_zynq_7000_is_synthesized_as_the_code_that_it_gets() -> None:
    layer = layer_from_spec({"kind": "mvtu", "mw": 576, "mh": 64, "pe": 16, "simd": 32, "weight": "bipolar",
                             "input": "bipolar", "output": "bipolar"}).layer
    script = layer_design(layer.priced(ZYNQ_7000.prices), library(prices=ZYNQ_7000.prices)).script
    assert "-family xc7" in script and "-D HEADRACE_PRIMITIVES -D HEADRACE_SERIES7 " in script
    assert "SERIES7" not in layer_design(layer, library()).script
