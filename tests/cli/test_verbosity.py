"""-q, -v and --log: how much a command says; and what a terminal shows meanwhile."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from headrace.__main__ import main
from headrace.cli import progress_bar
from headrace.progress import AGAIN_S, LOG, Sieve, Step
from tests.cli.terminal import Terminal


def test_verbose_says_every_step_at_once(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", model, "--fps", "10000", "-v"]) == 0
    lines = capsys.readouterr().err.splitlines()
    assert all(re.match(r"headrace: \[\d\d:\d\d:\d\d\] ", line) for line in lines)
    assert [line.partition("] ")[2].split(":")[0] for line in lines][1:3] == [f"loading {model}", "point 1 of 1"]
    assert LOG.handlers[1:] == [] and LOG.level == 0  # nothing is left for the next command


def test_before_the_command_it_means_the_same(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-v", "plan", model, "--fps", "10000"]) == 0
    assert "point 1 of 1" in capsys.readouterr().err


def test_quiet_says_no_notes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, model: str) -> None:
    monkeypatch.setattr("headrace.model.Model.notes", property(lambda _: ("the input is odd",)))
    assert main(["check", model]) == 0
    assert capsys.readouterr().err == "headrace: note: the input is odd\n"
    assert main(["check", model, "-q"]) == 0
    captured = capsys.readouterr()
    assert captured.err == "" and "conv0" in captured.out


def test_a_log_holds_steps_and_errors(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "new" / "run.log"
    assert main(["plan", model, "--fps", "10000", "--log", str(log)]) == 0
    assert main(["check", "none.onnx", "--log", str(log)]) == 1
    lines = log.read_text().splitlines()
    assert capsys.readouterr().err.count("\n") == 1
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (DEBUG|INFO|ERROR) ", line) for line in lines)
    assert "plan" in lines[0] and any("point 1 of 1" in line for line in lines)
    assert "ERROR none.onnx: " in lines[-1]


def test_a_log_that_cannot_be(model: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", model, "--log", str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"headrace: {tmp_path}: Is a directory; choose another place\n"


def test_quiet_and_verbose_exclude_each_other(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["check", model, "-q", "-v"])
    assert stopped.value.code == 2 and "not allowed with" in capsys.readouterr().err


def test_a_terminal_shows_how_far_it_is_and_keeps_results(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with progress_bar.progress() as tell:
        tell(Step("compiling: 40%, 9 s left", "compiling", 0.4))
        tell(Step("conv0: 12 lut", kept=True))
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    assert "conv0: 12 lut\n" in shown and "compiling: 40%, 9 s left" in shown


def test_a_terminal_shows_batches_beside_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with progress_bar.tracking("calibrating") as (track, tell):
        tell(Step("affine", seconds=50.0))
        assert list(track([1, 2])) == [1, 2]
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    assert "calibrating" in shown and "affine: about 0%, " in shown


def test_a_log_has_a_line_for_a_step_and_then_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("headrace.progress.time.monotonic", lambda: now[0])
    sieve, passed = Sieve(), []
    for now[0], text in ((100.0, "a"), (101.0, Step("a: 10%", "a", 0.1)), (102.0, Step("row", kept=True)),
                         (101 + AGAIN_S, Step("a: 90%", "a", 0.9)), (102 + AGAIN_S, "b"), (103 + AGAIN_S, "b")):
        if sieve.passes(text):
            passed.append(str(text))
    assert passed == ["a", "row", "a: 90%", "b"]
