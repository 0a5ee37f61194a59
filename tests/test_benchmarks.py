"""The long benchmarks still run: each on the least that it takes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks import packing, scale, simulation
from headrace.datatypes import BIPOLAR, uint_type
from headrace.design import Recipe, elaborate
from headrace.paths import data_folder


def test_packing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(data_folder("boards") / "driver"), *sys.path])
    monkeypatch.setattr(packing, "BATCH", 8)
    for dtype, lanes in ((BIPOLAR, 49), (uint_type(8), 7)):
        assert min(packing.measure(dtype, lanes, frames=16)) >= 0


def test_simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "HLS_FRAMES", 3)
    monkeypatch.setattr(simulation, "RTL_FRAMES", 3)
    monkeypatch.setattr(simulation, "SIZES", (12, 8, 4))
    network = elaborate(simulation.binary_mlp((12, 8, 4)), Recipe({"fc0": {"pe": 4, "simd": 6}})).dataflow
    measured = simulation.measure(network, tmp_path)
    assert measured["rtl_cycles_per_frame"] == network.cycles_per_frame


def test_planning_of_chains_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each size, and how the stages grow from one to the next."""
    assert scale.main(["chain1:zcu104", "chain2:zcu104:1000"]) == 0
    first, second, growth = capsys.readouterr().out.splitlines()
    assert first.startswith("row chain1:zcu104  load ") and " fifos " in first and " peak_mb " in second
    assert growth.startswith("growth from chain1:zcu104 to chain2:zcu104:1000: {'load': ")
