"""What a user meets first: help, hints for what was misspelled, tables that can be read in a log."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table

import headrace as hr
from headrace.__main__ import main
from headrace.board.board import board_names
from headrace.cli import parser, progress_bar, tables
from headrace.cli.main import _COMMANDS
from headrace.cli.quantize import add_quantize
from headrace.reporting.views import sim_view
from tests.cli.terminal import Terminal
from tests.small_networks import small_network
from tests.unverified_build import write_unverified


def usage_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What a command says of wrong usage."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    for flag in ("--version", "-V"):
        with pytest.raises(SystemExit) as stopped:
            main([flag])
        assert stopped.value.code == 0
        assert capsys.readouterr().out == f"headrace {hr.__version__}\n"


def test_no_arguments_give_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and "headrace build model.onnx --out build/mine" in captured.err
    order = [line.split()[0] for line in captured.err.splitlines() if re.match(r"    [a-z]", line)]
    assert order == list(_COMMANDS)


@pytest.mark.parametrize(("arguments", "hint"), [
    (["chekc", "m.onnx"], "did you mean 'check'?"),
    (["build", "m.onnx", "--out", "b", "--bord", "zcu104"], "did you mean '--board'?"),
    (["build", "m.onnx", "--out", "b", "--backend", "rlt"], "did you mean 'rtl'?"),
    (["sim", "b", "--stall=random"], "the following arguments"),
])
def test_hints_of_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], hint: str) -> None:
    if hint.startswith("did"):
        assert usage_error(capsys, *arguments).endswith(hint)
    else:  # a unique beginning is understood
        assert main(arguments) == 1 and "not a build directory" in capsys.readouterr().err


def test_every_argument_is_explained_and_every_command_has_an_example() -> None:
    top = parser.command_parser(_COMMANDS, add_quantize)
    commands = next(action for action in top._actions if isinstance(action, argparse._SubParsersAction)).choices
    assert list(commands) == list(_COMMANDS)
    for name, sub in commands.items():
        silent = [action.dest for action in sub._actions if not action.help]
        assert silent == [], name
        assert sub.epilog is not None and f"  headrace {name}" in sub.epilog


@pytest.mark.parametrize("name", ["check", "build", "predict", "export"])
def test_the_main_format_is_in_the_help_of_model(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit):
        main([name, "--help"])
    assert ".onnx" in capsys.readouterr().out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one sentence of a command that ends with exit code 1."""
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("headrace: ") and captured.err.count("\n") == 1
    return captured.err.removeprefix("headrace: ").strip()


@pytest.mark.parametrize(("options", "sentence"), [
    (["--core", "=plain"], "core =plain: no layer is in front of the =; write LAYER=NAME, or NAME for all layers"),
    (["--core", "plian"], "core 'plian' is unknown; did you mean 'plain'? choose one of "
                          "['auto', 'plain', 'parity', 'pairs', 'dsp', 'planes', 'halves', 'tables', "
                          "'mixed'], or mixed:ROWS"),
    (["--core", "conf0=plain"], "core: there is no layer conf0 with weights; did you mean 'conv0'? choose one of "
                                "['conv0', 'conv1', 'fc3', 'fc4']"),
    (["--writable", "cnov1"], "cnov1: is not a layer whose weights can be writable; did you mean 'conv1'? choose from "
                              "['conv0', 'conv1', 'fc3', 'fc4']"),
    (["--external", "cnov1"], "cnov1: is not a layer whose weights can be external; did you mean 'conv1'? choose from "
                              "['fc3', 'conv1', 'conv0', 'fc4']"),
    (["--board", ""], "board '' is not a name; give the name of a board or a .toml file"),
    (["--board", "zcu14"], f"board 'zcu14' is unknown; did you mean 'zcu104'? choose one of {board_names()} or "
                           "give a .toml file"),
])
def test_names_that_are_not_there(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str],
                                  sentence: str) -> None:
    assert refused(capsys, "build", model, "--out", str(tmp_path / "b"), *options) == sentence


def test_paths_options_and_tools_come_before_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The model is not there; what else is wrong is said first."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    build = ["build", "none.onnx", "--out"]
    assert "is not a build directory" in refused(capsys, *build, str(tmp_path / "photos"))
    assert "fps=0 must be" in refused(capsys, *build, str(tmp_path / "b"), "--fps", "0")
    (tmp_path / "file").touch()
    assert f"{tmp_path / 'file'} is not a folder" in refused(capsys, *build, str(tmp_path / "file" / "b"))
    predict = ["predict", "none.onnx", "--input", "x.npy", "--output"]
    assert refused(capsys, *predict, "y") == (
        "y: outputs are written as a .npy file, several as an .npz file; give --output NAME.npy")
    assert "outputs are written as a .npy file" in refused(capsys, *predict, f"{tmp_path}/")
    (tmp_path / "y.npy").mkdir()
    assert "y.npy: is a folder; give the name of a file" in refused(capsys, *predict, str(tmp_path / "y.npy"))


def test_a_nul_character_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "build", "m.onnx", "--out", "a\0b") == (
        "'a\\x00b': an argument cannot hold a NUL character; remove it")


def test_layer_says_what_is_wrong_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "spec.json"
    spec.write_text(json.dumps({"kind": "fifo", "depth": 0, "lanes": 1, "element": "uint2", "words": 3}))
    assert main(["layer", str(spec)]) == 1
    captured = capsys.readouterr()
    assert captured.err == "headrace: fifo0: depth=0 must be positive; use 1 or more\n"
    assert "refused" in captured.out and "depth" not in captured.out
    assert refused(capsys, "layer", str(spec), "--seed", "-1") == "seed=-1: give a seed of 0 or more"


def test_tables_are_whole_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str],
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    name, text = "depthwise_convolution_12_swu", "a long text that a narrow window would wrap or cut " * 3
    tables.show(tables._table("layer", "text"), False, dict)
    table = tables._table("layer", "text")
    table.add_row(name, text)
    tables.show(table, False, dict)
    printed = capsys.readouterr().out
    assert name in printed and text.strip() in printed


def test_a_narrow_terminal_keeps_names(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("COLUMNS", "30")
    monkeypatch.setenv("TERM", "xterm")
    table: Table = tables._table("layer", "types", "more")
    table.add_row("depthwise_convolution_12_swu", "uint4 -> [-5152,5152], weights [-7,7]", "a b c")
    tables.show(table, False, dict)
    assert "depthwise_convolution_12_swu" in terminal.getvalue()


def test_a_simulation_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    result = {"frames": 4, "stalls": "random", "bit_exact": True, "mismatch": None, "cycles_per_frame": None,
              "fifo_max_occupancy": {"add4_fifo0": 129, "conv5_fifo": 33}}
    tables.show(sim_view(result), False, dict)
    printed = capsys.readouterr().out
    assert '"' not in printed and "null" not in printed and "mismatch" not in printed
    assert "add4_fifo0 129, conv5_fifo 33" in printed and "not measured" in printed


def test_what_goes_on_is_told_in_lines(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with progress_bar.progress() as tell:
        tell("loading")
    assert capsys.readouterr().err == ""  # what is fast says nothing
    monkeypatch.setattr(progress_bar, "QUIET_S", 0.0)
    with progress_bar.progress() as tell:
        tell("loading")
        tell("verifying")
        tell("verifying")
    lines = capsys.readouterr().err.splitlines()
    step = re.compile(r"headrace: \[ +\d+ s\] (loading|verifying)")
    assert len(lines) in (2, 3) and all(step.fullmatch(line) for line in lines)


def test_a_build_tells_what_was_asked_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = write_unverified(tmp_path / "b", small_network(), "rtl", cycles=800)
    tables.show(made.view, False, dict)
    printed = capsys.readouterr().out
    assert "asked for: 250000 fps, 800 cycles per frame" in printed and f"{made.record['fps']:.0f} fps at" in printed
    assert tables.next_steps(made).endswith(f"next: headrace sim {made.folder} --frames 4 --stalls random")
    readme, files = (tmp_path / "b" / "README.md").read_text(), (tmp_path / "b" / "files.txt").read_text().split()
    assert "`rtl/`" in readme and "`hls/`" not in readme and "make -C sim" in readme
    assert files == sorted(str(path.relative_to(made.folder)) for path in made.folder.rglob("*") if path.is_file())


def test_predict_writes_all_or_nothing(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 1, 8, 8), np.float32))
    y = tmp_path / "new" / "y.npy"
    assert main(["predict", model, "--input", str(tmp_path / "x.npy"), "--output", str(y)]) == 0
    assert np.load(y).shape == (1, 5)
    assert [path.name for path in y.parent.iterdir()] == ["y.npy"]
