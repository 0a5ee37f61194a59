"""A few layers of a kind against golden: what judges a mutant of hardware before whole batteries do."""

from __future__ import annotations

import tempfile
from pathlib import Path

from headrace.errors import HeadraceError
from headrace.layers.base import Layer
from headrace.render.library import library_paths
from headrace.simulation.frames import Stalls
from headrace.tools import run_tool, verilator
from tests.layer_battery import SEED, Runs, batteries

#: Layers of a kind, at least one of each of its batteries.
LAYERS = 6


def few_layers(kind: str) -> list[Layer]:
    """Of every battery in the tests of a kind one layer, or some from all over."""
    of_each = [item.layers() for item in batteries(kind)]
    each = max(1, LAYERS // max(1, len(of_each)))
    return [layers[len(layers) * k // each] for layers in of_each for k in range(min(each, len(layers)))]


def passes(kind: str, hls: bool) -> bool:
    """Do these layers give the golden words, in RTL under stalls, after a reset, and in the cycles of the model?"""
    with tempfile.TemporaryDirectory() as work:
        runs = Runs(few_layers(kind), Path(work))
        try:
            if hls:
                _require_cpp(runs)
            else:
                _require_rtl(runs)
        except (HeadraceError, AssertionError):
            return False
    return True


def _require_cpp(runs: Runs) -> None:
    for index, item in enumerate(runs.words):
        item.require_equal("HLS", runs.hls.run(index, item))


def _require_rtl(runs: Runs) -> None:
    # Where the model is compiled, an $error of a parameter check is a warning.
    run_tool("Verilator", [verilator(), "--lint-only", "-Wno-lint", "--top-module", "harness", *library_paths(),
                           runs.rtl.model.work / "harness.sv"], runs.rtl.model.work)
    for stalls, resets in ((Stalls.NONE, False), (Stalls.RANDOM, True), (Stalls.SINK, False), (Stalls.SOURCE, False)):
        for item, ran in zip(runs.words, runs.ran(stalls, resets), strict=True):
            item.require_equal(f"RTL, seed {SEED}", ran.words)
    for layer, ran in zip(runs.layers, runs.ran(Stalls.NONE), strict=True):
        schedule = layer.schedule()
        assert ran.outputs[0].cycles_per_frame(layer.outputs[0].words) == layer.cycles
        latency = schedule.cycles_to_first_write + schedule.latency_cycles
        assert all(out.cycles[0] - ran.inputs[0].cycles[0] == latency for out in ran.outputs)
