"""Networks whose weights come from outside: every engine gives the integers of the golden model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.benches.cocotb_bench import run_bench
from headrace.benches.network import Simulation, simulate_build
from headrace.build_folder import Build
from headrace.building import random_frames
from headrace.dataflow.make_external import make_external
from headrace.dataflow.vectors import Vectors
from headrace.errors import InputError
from headrace.hls_lint.hls import lint_hls
from headrace.simulation.backends import verify_hls, verify_rtl
from headrace.simulation.frames import Stalls
from tests.hls_verilog import write_hls_verilog
from tests.small_dataflow import small_dataflow
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

EXTERNAL = ("conv1", "fc4")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return write_unverified(tmp_path_factory.mktemp("external") / "b", small_network(), external=EXTERNAL)


def test_rtl(built: Build, tmp_path: Path) -> None:
    x = random_frames(built.dataflow, 3, 2)
    measured = verify_rtl(built.folder, Vectors(built.dataflow, x), tmp_path)
    assert measured.per_frame == built.cycles  # a source with a word in every cycle is as good as a memory


def test_hls(built: Build, tmp_path: Path) -> None:
    x = random_frames(built.dataflow, 3, 2)
    verify_hls(built.folder, Vectors(built.dataflow, x), tmp_path)
    assert lint_hls(built.folder) == []


def test_bench_of_the_build(built: Build, tmp_path: Path) -> None:
    for stalls in ("none", "random"):
        result = run_bench(built.folder, frames=3, stalls=Stalls(stalls), work=tmp_path)
        assert result["bit_exact"]


@pytest.mark.slow
def test_verilog_of_an_hls_compiler(built: Build, tmp_path: Path) -> None:
    verilog = write_hls_verilog(built.folder / "rtl", built.dataflow, tmp_path / "verilog")
    assert simulate_build(built, Simulation(3, Stalls.RANDOM, 5, verilog=verilog))["bit_exact"]


def test_no_weights_are_left_inside(built: Build) -> None:
    for layer in EXTERNAL:
        assert not (built.folder / "rtl" / f"{layer}_weights.mem").exists()
        assert f"{layer}_weights" not in (built.folder / "hls" / "weights.hpp").read_text()
    again = Build.open(built.folder).dataflow
    assert np.array_equal([layer.weight_stream is None for layer in again.layers],
                          [layer.name not in EXTERNAL for layer in again.layers])


@pytest.mark.parametrize(("names", "sentence"), [
    (["fc5"], r"fc5: is not a layer whose weights can be external; choose from \['fc0', 'fc1'\]"),
    (["fc0_dwc"], "fc0_dwc: is not a layer whose weights can be external"),
])
def test_layers_that_cannot_be_external(names: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make_external(small_dataflow(), names)
