"""Verilog with the ports of an HLS compiler, in the bench of the build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import headrace as hr
from headrace import serialize
from headrace.__main__ import main
from headrace.benches.network import Simulation, simulate_build
from headrace.simulation.frames import Stalls
from tests.hls_verilog import write_hls_verilog
from tests.small_networks import small_network


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> hr.Build:
    folder = tmp_path_factory.mktemp("built")
    serialize.save(small_network(), folder / "small")
    return hr.build(hr.load(folder / "small.json"), folder / "b", verify=1, fps=200e6 / 800)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the compiled bench."""
    return tmp_path_factory.mktemp("bench")


def verilog(built: hr.Build, folder: Path) -> Path:
    return write_hls_verilog(built.folder / "rtl", built.dataflow, folder / "verilog")


def test_every_word_is_right_under_stalls_and_after_a_reset(built: hr.Build, bench: Path, tmp_path: Path) -> None:
    what = Simulation(3, Stalls.RANDOM, 5, verilog=verilog(built, tmp_path))
    result = simulate_build(built, what, work=bench)
    assert result["bit_exact"] is True and result["frames"] == 3


def test_the_command_measures_cycles(built: hr.Build, tmp_path: Path) -> None:
    folder = verilog(built, tmp_path)
    assert main(["sim", str(built.folder), "--frames", "3", "--verilog", str(folder / "accelerator.v")]) == 0
    result = json.loads((built.folder / "sim.json").read_text())
    assert (result["bit_exact"], result["cycles_per_frame"]) == (True, built.cycles)
    assert result["latency_cycles"] == built.record["latency_cycles"]


@pytest.mark.parametrize("memory", ["conv1_weights.dat", "fc4_weights.dat"])
def test_a_changed_memory_is_found(built: hr.Build, bench: Path, tmp_path: Path, memory: str) -> None:
    folder = verilog(built, tmp_path)
    text = (folder / memory).read_text()  # inner layers are not looked at, so that one bit may not show
    (folder / memory).write_text(text.translate(str.maketrans("0123456789abcdef", "fedcba9876543210")))
    with pytest.raises(hr.MismatchError, match=r"^fc4, frame \d, pixel 0, channel \d \(word \d, lane \d\): "):
        simulate_build(built, Simulation(3, verilog=folder), work=bench)
    assert json.loads((built.folder / "sim.json").read_text())["bit_exact"] is False


def test_a_missing_tlast_is_found(built: hr.Build, tmp_path: Path) -> None:
    folder = verilog(built, tmp_path)
    top = folder / "accelerator.v"
    top.write_text(top.read_text().replace(".m_axis_TLAST(m_axis_TLAST[0])", ".m_axis_TLAST()"))
    # An open port holds what it had at power-up, which is random.
    with pytest.raises(hr.MismatchError, match=r"TLAST is (0 where it must be 1|1 where it must be 0)"):
        simulate_build(built, Simulation(2, verilog=folder))


def test_folders_without_the_network(built: hr.Build, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.v").write_text("module other; endmodule\n")
    for path, sentence in ((tmp_path, "no .v or .sv file there defines the module accelerator; give the folder of"),
                           (tmp_path / "none", "there is no such file or folder; give the Verilog that an HLS")):
        assert main(["sim", str(built.folder), "--verilog", str(path)]) == 1
        assert sentence in capsys.readouterr().err
