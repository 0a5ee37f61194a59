"""Windows and FIFOs go to UltraRAM where a board's block RAM is short, and stay where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from headrace.build_folder import Build
from headrace.building import build
from headrace.datatypes import Interval, uint_type
from headrace.errors import FoldingError
from headrace.hls_lint.directives import check_directives
from headrace.hls_lint.pragmas import read_pragmas
from headrace.layers.buffered import Buffered
from headrace.model import Model
from headrace.network.integer import Add, HostOutput, IntegerNetwork, Node
from headrace.planning import Planned, plan_design
from headrace.render.hls import render_hls
from headrace.request import Options, resolve
from tests.small_networks import host_input, random_conv, random_threshold
from tests.test_placement import board

UINT4 = uint_type(4)
WIDTH = 300


@pytest.fixture(scope="module")
def model() -> Model:
    """Lines of 300 pixels of 16 bits: a 3x3 window over them, and a shortcut around it that waits for a line."""
    rng = np.random.default_rng(0)
    nodes = (
        Node("conv0", random_conv(rng, (4, 1, 1, 4), Interval(-7, 7)), ("input",)),
        Node("conv0_act", random_threshold(rng, 4, UINT4, 150), ("conv0",)),
        Node("conv1", random_conv(rng, (4, 3, 3, 4), Interval(-7, 7), pad=(1, 1, 1, 1)), ("conv0_act",)),
        Node("conv1_act", random_threshold(rng, 4, UINT4, 300), ("conv1",)),
        Node("sum", Add(), ("conv0_act", "conv1_act")),
        Node("sum_act", random_threshold(rng, 4, UINT4, 30), ("sum",)),
    )
    output = HostOutput((4, 4, WIDTH), np.ones(4), np.zeros(4))
    return Model(IntegerNetwork(host_input(4, WIDTH, 4, UINT4), nodes, output), "0" * 64)


def planned(model: Model, folder: Path, bram36: int, uram: int, fps: float | None = 5000.0) -> Planned:
    return plan_design(model, resolve(Options(board=board(folder, bram36, uram, 8000), fps=fps, share=100.0)))


def in_uram(found: Planned) -> list[str]:
    return [layer.name for layer in Buffered.among(found.dataflow.layers) if layer.uram]


@pytest.mark.parametrize("fps", [None, 5000.0])
def test_a_window_and_a_shortcut_lie_in_uram(model: Model, tmp_path: Path, fps: float | None) -> None:
    found = planned(model, tmp_path, 0, 4, fps)
    assert found.fits and found.resources.bram18 == 0 and found.resources.uram == len(in_uram(found))
    assert in_uram(found) == ["conv1_swu", "sum_fifo0"] == sorted(found.design.recipe.buffers)


def test_what_frees_most_block_ram_moves_first(model: Model, tmp_path: Path) -> None:
    roomy, tight = planned(model, tmp_path, 9, 4), planned(model, tmp_path, 1, 4)
    assert in_uram(roomy) == [] and "buffers" not in roomy.design.recipe.record() and roomy.resources.uram == 0
    assert roomy.resources.bram36 == 2 and tight.fits and in_uram(tight) == ["conv1_swu"]
    assert tight.design.recipe.depths == roomy.design.recipe.depths
    assert tight.design.cycles_per_frame == roomy.design.cycles_per_frame


def test_what_is_not_there_or_not_enough(model: Model, tmp_path: Path) -> None:
    assert not planned(model, tmp_path, 0, 0).fits
    with pytest.raises(FoldingError, match=r"even the smallest folding takes 1 of 0 BRAM36; choose a larger board$"):
        planned(model, tmp_path, 0, 0, None)


@pytest.fixture(scope="module")
def built(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("buffers")
    return build(model, folder / "b", Options(board=board(folder, 0, 4, 8000), fps=5000.0, verify=2))


def test_a_build_is_exact_and_says_what_lies_where(built: Build) -> None:
    record = json.loads((built.folder / "build.json").read_text())
    assert record["verified"] and record["resources"]["bram18"] == 0
    assert sorted(record["recipe"]["buffers"]) == ["conv1_swu", "sum_fifo0"]
    assert {layer["name"]: layer["buffer_in"] for layer in record["layers"] if "buffer_in" in layer} == {
        "conv1_swu": "uram", "sum_fifo0": "uram"}
    top = (built.folder / "rtl" / "top.sv").read_text()
    assert top.count(".URAM") == 2
    assert '(* ram_style = "ultra" *)' in (built.folder / "rtl" / "headrace_ram.sv").read_text()


def test_it_is_read_back_as_it_is(built: Build) -> None:
    assert built.resources == Build.open(built.folder).resources and built.resources.uram == 2


def test_the_c_plus_plus_binds_the_same_streams(built: Build, tmp_path: Path) -> None:
    text = render_hls(built.dataflow, 5.0, "xczu7ev", "header")["top.cpp"]
    (tmp_path / "top.cpp").write_text(text)
    assert list(check_directives(read_pragmas(tmp_path / "top.cpp", "top.cpp"))) == []
    bound = [line for line in text.splitlines() if "BIND_STORAGE" in line]
    assert bound and all(line.endswith("type=fifo impl=uram") for line in bound)
    assert any("conv1_swu_row" in line for line in bound)
