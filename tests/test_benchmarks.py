"""The long benchmarks still run: each on the least that it takes."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import packing, scale, simulation
from benchmarks.large_networks import write_network
from benchmarks.throughput import binary_mlp
from headrace.datatypes import BIPOLAR, DataType, uint_type
from headrace.design import Recipe, elaborate
from headrace.model import load
from headrace.packing import pack_stream
from headrace.paths import data_folder


@pytest.mark.parametrize(("dtype", "lanes"), [(BIPOLAR, 16), (uint_type(8), 1)])
def test_packing(dtype: DataType, lanes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(data_folder("boards") / "driver"), *sys.path])
    samples = np.random.default_rng(0).integers(0, 256, (3, 1, 28, 28), np.uint8)
    elements = np.where(samples >= 128, 1, -1) if dtype == BIPOLAR else samples.astype(np.int64)
    packed = packing.packer(dtype, lanes, tmp_path)(samples)
    assert np.array_equal(packed, pack_stream(elements, lanes, dtype).reshape(-1))


def test_simulation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "HLS_FRAMES", 3)
    monkeypatch.setattr(simulation, "RTL_FRAMES", 3)
    monkeypatch.setattr(simulation, "SIZES", (12, 8, 4))
    network = elaborate(binary_mlp((12, 8, 4)), Recipe({"fc0": {"pe": 4, "simd": 6}})).dataflow
    measured = simulation.measure(network, tmp_path)
    assert measured["rtl_cycles_per_frame"] == network.cycles_per_frame


def test_planning_of_chains_is_measured(capsys: pytest.CaptureFixture[str]) -> None:
    """A row for each size, and how the stages grow from one to the next."""
    assert scale.main(["chain1:zcu104", "chain2:zcu104:1000"], built=False) == 0
    first, second, growth = capsys.readouterr().out.splitlines()
    assert first.startswith("row chain1:zcu104  stages {'load': ") and " cpu_s " in first and " peak_mb " in second
    assert growth.startswith("growth from chain1:zcu104 to chain2:zcu104:1000: {'load': ")


def test_a_built_row_tells_the_stages_of_verification() -> None:
    row = scale.measured("chain1:zcu104:1000", built=True)
    assert {"load", "rendering", "verifying RTL with Verilator", "simulating one frame"} <= row["stages"].keys()
    assert row["cycles"] <= 200_000


@pytest.mark.parametrize("name", ["cnv_w2a2", "vgg10_w4a4", "ds_cnn_w4a4", "unet128_w4a4"])
def test_large_networks_can_be_read(name: str, tmp_path: Path) -> None:
    path = write_network(name, tmp_path)
    assert path.read_bytes() == write_network(name, tmp_path).read_bytes()
    assert sum(layer.macs for layer in load(path).unfolded.layers) > 1e6
