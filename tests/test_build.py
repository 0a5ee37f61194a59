"""Builds of a small network, through the command line: what is written, what it computes, what breaks it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import headrace as hr
from headrace.__main__ import main
from headrace.area.usage import Resources
from headrace.benches.network import Simulation, simulate_build
from headrace.cli import tables
from headrace.engines.host import to_stream
from headrace.layers import Mvtu
from headrace.simulation.frames import Stalls
from headrace.simulation.memories import require_hls_memories, require_rtl_memories
from headrace.synthesis import report as synthesis
from headrace.synthesis.designs import network_design
from headrace.synthesis.yosys import Design, Synthesis
from tests.narrow import there

FPS = 200e6 / 800


@pytest.fixture(scope="module")
def built(model: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "b"
    assert main(["build", model, "--out", str(out), "--backend", "both", "--fps", str(FPS)]) == 0
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def copy_of(built: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(built, tmp_path / "copy"))


def test_record(built: Path) -> None:
    record = json.loads((built / "build.json").read_text())
    assert record["verified"] is True and record["vectors"] == 4
    assert record["not_verified"] == ["loop initiation intervals in HLS, until an HLS compiler reports them"]
    assert record["cycles_per_frame"] <= 800 and record["fps"] == 200e6 / record["cycles_per_frame"]
    layers = {layer["name"]: layer for layer in record["layers"]}
    assert record["cycles_per_frame"] == max(layer["cycles"] for layer in layers.values())
    conv1 = layers["conv1"]
    assert (conv1["mh"], conv1["mw"], conv1["vectors"], conv1["weight_bits"], conv1["output_bits"]) == (6, 36, 49, 1, 2)
    assert conv1["cycles"] == 6 // conv1["pe"] * 36 // conv1["simd"] * 49
    for fifo in record["fifos"]:
        assert set(fifo) == {"name", "depth", "bits", "smallest_depth"} and fifo["depth"] >= fifo["smallest_depth"]


def test_resources(built: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record = json.loads((built / "build.json").read_text())
    parts = [layer["resources"] for layer in record["layers"]]
    resets = (built / "rtl" / "top.sv").read_text().count("headrace_own_register #(.BITS(1))")
    sums = {key: sum(part[key] for part in parts) for key in parts[0]}
    assert resets > 2 and record["resources"] == sums | {"ff": sums["ff"] + resets}
    assert {"lut", "ff", "bram18", "uram", "dsp"} < set(parts[0]) and record["resources"]["lut"] > 500
    build = hr.Build.open(built)
    assert build.resources.ff == record["resources"]["ff"]
    tables.show(build.view, False, dict)
    printed = " ".join(capsys.readouterr().out.split())
    assert f"estimated use of ZCU104: {build.resources.all_luts} of 230400 LUT (" in printed


def counted(design: Design, cache: Path) -> Synthesis:
    """Instead of Yosys: a LUT for every module of the design."""
    return Synthesis(Resources(lut=len([name for name in design.files if name.endswith(".sv")])), 3)


def test_synth(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
               capsys: pytest.CaptureFixture[str]) -> None:
    copy = copy_of(built, tmp_path)
    monkeypatch.setattr(synthesis, "synthesize", counted)
    assert main(["synth", str(copy), "--per-layer", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record == json.loads((copy / "synth.json").read_text())
    names = [layer["name"] for layer in json.loads((copy / "build.json").read_text())["layers"]]
    assert [layer["name"] for layer in record["layers"]] == names
    assert record["total"]["lut"] == len(network_design(copy / "rtl").files) - len(list((copy / "rtl").glob("*.mem")))
    assert all(layer["depth"] == 3 and 1 < layer["lut"] < record["total"]["lut"] for layer in record["layers"])
    assert main(["synth", str(copy), "--layer", "conv1", "--layer", "fc4", "--jobs", "2"]) == 0
    record = json.loads((copy / "synth.json").read_text())
    assert [layer["name"] for layer in record["layers"]] == ["conv1", "fc4"]
    assert record["total"]["lut"] == sum(layer["lut"] for layer in record["layers"])


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--layer", "conv7"], "has no layer 'conv7'; choose from ['"),
    (["--jobs", "0"], "jobs=0 must be positive; use 1 or more"),
])
def test_synth_says_what_is_wrong(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str],
                                  sentence: str) -> None:
    copy = copy_of(built, tmp_path)
    assert main(["synth", str(copy), *arguments]) == 1
    assert sentence in " ".join(capsys.readouterr().err.split())
    assert not (copy / "synth.json").exists()
    shutil.rmtree(copy / "rtl")
    assert main(["synth", str(copy)]) == 1
    assert "holds no RTL; build it with --backend rtl or both" in " ".join(capsys.readouterr().err.split())


def test_the_same_inputs_give_the_same_bytes(built: Path, model: str, tmp_path: Path) -> None:
    again = tmp_path / "elsewhere"
    assert main(["build", model, "--out", str(again), "--backend", "both", "--fps", str(FPS)]) == 0
    assert files(again) == files(built)


def test_engines_agree(built: Path) -> None:
    build = hr.Build.open(built)
    x = np.random.default_rng(0).integers(-3, 20, (5, 1, 8, 8)).astype(np.float32)
    want = build.predict(x, engine="golden", raw=True)
    assert np.array_equal(want, build.dataflow.golden(to_stream(build.model.integer.host_input, x))["fc4", 0])
    for engine in ("fast", "hls", "rtl"):
        assert np.array_equal(build.predict(x, engine=engine, raw=True), want), engine


def test_predict_command(built: Path, tmp_path: Path) -> None:
    x = np.random.default_rng(1).integers(0, 16, (3, 1, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    for engine in ("fast", "rtl"):
        arguments = ["--input", str(tmp_path / "x.npy"), "--output", str(tmp_path / f"{engine}.npy")]
        assert main(["predict", str(built), *arguments, "--engine", engine]) == 0
    y = np.load(tmp_path / "rtl.npy")
    assert y.shape == (3, 5) and y.dtype == np.float32
    assert np.array_equal(y, np.load(tmp_path / "fast.npy"))


def test_simulation_measures_what_the_model_predicts(built: Path, tmp_path: Path) -> None:
    copy = copy_of(built, tmp_path)
    assert main(["sim", str(copy), "--frames", "4"]) == 0
    result = json.loads((copy / "sim.json").read_text())
    assert result["bit_exact"] is True and result["frames"] == 4
    assert result["cycles_per_frame"] == hr.Build.open(copy).cycles
    assert result["latency_cycles"] == hr.Build.open(copy).record["latency_cycles"]


def test_simulation_with_random_stalls(built: Path, tmp_path: Path) -> None:
    copy = copy_of(built, tmp_path)
    assert main(["sim", str(copy), "--frames", "3", "--stalls", "random", "--seed", "7"]) == 0
    assert json.loads((copy / "sim.json").read_text())["bit_exact"] is True


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keeps the compiled bench: a changed memory is read anew, so nothing has to be compiled again."""
    return tmp_path_factory.mktemp("bench")


@pytest.mark.parametrize("seed", [3, 8, 11, 16])
def test_any_values_at_power_up(built: Path, bench: Path, tmp_path: Path, seed: int) -> None:
    copy = copy_of(built, tmp_path)
    shutil.rmtree(copy / "hls")
    measured = simulate_build(hr.Build.open(copy), Simulation(stalls=Stalls.RANDOM, seed=seed), work=bench)
    assert measured["bit_exact"] is True


@pytest.mark.parametrize("layer", ["conv0", "conv1", "fc3", "fc4"])
def test_a_changed_memory_word_is_found_and_its_layer_named(built: Path, bench: Path, tmp_path: Path,
                                                            layer: str) -> None:
    copy = copy_of(built, tmp_path)
    memory = copy / "rtl" / f"{layer}_weights.mem"
    words = memory.read_text().split()
    every_bit = (1 << 4 * len(words[0])) - 1
    words[0] = f"{int(words[0], 16) ^ every_bit:0{len(words[0])}x}"
    memory.write_text("\n".join(words) + "\n")
    shutil.rmtree(copy / "hls")
    with pytest.raises(hr.MismatchError, match=rf"\b{layer}\b"):
        simulate_build(hr.Build.open(copy), Simulation(frames=2), work=bench)
    assert json.loads((copy / "sim.json").read_text())["bit_exact"] is False


def test_the_command_exits_1_on_a_changed_memory_word(built: Path, tmp_path: Path,
                                                      capsys: pytest.CaptureFixture[str]) -> None:
    copy = copy_of(built, tmp_path)
    memory = copy / "rtl" / "conv1_thresholds.mem"
    memory.write_text(memory.read_text().translate(str.maketrans("0123456789abcdef", "fedcba9876543210")))
    assert main(["sim", str(copy), "--frames", "2"]) == 1
    error = capsys.readouterr().err
    assert error.startswith("headrace: ") and re.search(r"\bconv1\b", error)


def test_a_changed_word_of_the_hls_sources_is_found_and_its_layer_named(built: Path, tmp_path: Path,
                                                                        capsys: pytest.CaptureFixture[str]) -> None:
    copy = copy_of(built, tmp_path)
    header = copy / "hls" / "weights.hpp"
    text = header.read_text()
    start = text.index("conv1_weights")
    word = there(re.compile(r"0x([0-9a-f]+)").search(text, start))
    conv1 = next(layer for layer in Mvtu.among(hr.Build.open(copy).dataflow.layers) if layer.name == "conv1")
    every_weight = (1 << conv1.simd) - 1
    header.write_text(text[: word.start(1)] + f"{int(word[1], 16) ^ every_weight:x}" + text[word.end(1) :])
    assert main(["sim", str(copy), "--frames", "2"]) == 1
    error = capsys.readouterr().err
    assert "HLS" in error and "conv1" in error


def test_a_change_that_no_frame_shows_is_found_in_the_memories(built: Path, bench: Path, tmp_path: Path) -> None:
    copy = copy_of(built, tmp_path)
    memory = copy / "rtl" / "conv1_thresholds.mem"
    words = memory.read_text().split()
    words[-1] = f"{int(words[-1], 16) ^ 1:0{len(words[-1])}x}"
    memory.write_text("\n".join(words) + "\n")
    build = hr.Build.open(copy)
    with pytest.raises(hr.MismatchError, match=r"conv1: conv1_thresholds.mem has 0x\w+ as word \d+ but the network"):
        require_rtl_memories(copy / "rtl", build.dataflow)
    header = copy / "hls" / "weights.hpp"
    text = header.read_text()
    last = list(re.finditer(r"0x[0-9a-f]+", text[: text.index("fc4_weights")]))[-1]
    header.write_text(text[: last.start()] + f"{int(last[0], 16) ^ 1:#x}" + text[last.end() :])
    with pytest.raises(hr.MismatchError, match=r"fc3: fc3_thresholds in weights.hpp has 0x\w+ as word \d+ but"):
        require_hls_memories(copy / "hls", build.dataflow)
    memory.write_text("\n".join(words[:-1]) + "\nxyz\n")
    with pytest.raises(hr.MismatchError, match=r"conv1_thresholds.mem has no number as word"):
        require_rtl_memories(copy / "rtl", build.dataflow)


def test_a_weight_behind_thresholds_is_found_by_the_simulation(built: Path, bench: Path, tmp_path: Path) -> None:
    copy = copy_of(built, tmp_path)
    shutil.rmtree(copy / "hls")
    memory = copy / "rtl" / "fc3_weights.mem"
    words = memory.read_text().split()
    words[5] = f"{int(words[5], 16) ^ 3:0{len(words[5])}x}"
    memory.write_text("\n".join(words) + "\n")
    with pytest.raises(hr.MismatchError, match="fc3"):
        simulate_build(hr.Build.open(copy), Simulation(frames=1), work=bench)


def test_the_bench_needs_no_headrace(built: Path, tmp_path: Path) -> None:
    copy = copy_of(built, tmp_path)
    # -I hides the checkout, and a stub in front of the installed package makes any import of it fail.
    block = tmp_path / "block" / "headrace"
    block.mkdir(parents=True)
    (block / "__init__.py").write_text("raise ImportError('headrace must not be needed')")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(["make", "-C", str(copy / "sim")], env={"PATH": path, "PYTHONPATH": str(block.parent)},
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_saved_network_is_built_without_torch(model: str, tmp_path: Path) -> None:
    script = ("import sys\nfor name in ('torch', 'brevitas', 'hls4ml', 'sklearn', 'onnx'): sys.modules[name] = None\n"
              "from headrace.__main__ import main\nsys.exit(main(sys.argv[1:]))")
    out = tmp_path / "b"
    done = subprocess.run([sys.executable, "-c", script, "build", model, "--out", str(out), "--verify", "1"],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (out / "build.json").is_file()


def test_folding_file_and_cores(model: str, tmp_path: Path) -> None:
    folding = tmp_path / "folding.json"
    folding.write_text('{"conv1": {"pe": 3, "simd": 4}, "conv0": {"pe": 2, "simd": 3}}')
    cores = ["--core", "plain", "--core", "conv0=dsp", "--core", "conv1=auto"]
    assert main(["build", model, "--out", str(tmp_path / "b"), "--folding", str(folding), "--verify", "1", *cores]) == 0
    record = json.loads((tmp_path / "b" / "build.json").read_text())
    assert record["cores"] == {"*": "plain", "conv0": "dsp", "conv1": "auto"}
    assert [layer["core"] for layer in record["layers"] if "core" in layer] == ["dsp", "pairs", "plain", "plain"]
    opened = hr.Build.open(tmp_path / "b").dataflow.layers
    assert [layer.chosen_core for layer in Mvtu.among(opened)] == ["dsp", "pairs", "plain", "plain"]
    assert record["folding"]["conv1"] == {"pe": 3, "simd": 4}
    assert record["cycles_per_frame"] == 49 * 2 * 9
