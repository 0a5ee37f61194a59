"""Full disks, closed pipes and signals: one sentence, nothing half-written, nothing left behind."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from headrace import stop_signals
from headrace.__main__ import main
from headrace.atomic_files import replacing, require_writable_file, write_file, write_json
from headrace.errors import InputError


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def full(*_: object, **__: object) -> int:
    """Instead of a write: the file system has no space left."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "new" / "x.json"
    write_json(path, {"a": 1})
    assert json.loads(path.read_text()) == {"a": 1}
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left") as error:
        write_file(path, "longer")
    assert error.value.filename == str(path)
    assert json.loads(path.read_text()) == {"a": 1} and names(path.parent) == ["x.json"]
    with pytest.raises(OSError, match="No space left"):
        write_file(tmp_path / "other" / "y", "")
    assert names(tmp_path) == ["new"]


@pytest.mark.parametrize("command", ["predict", "export"])
def test_a_full_file_system_is_one_sentence(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                            capsys: pytest.CaptureFixture[str], command: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros((1, 1, 8, 8), np.float32))
    out = tmp_path / ("y.npy" if command == "predict" else "y.onnx")
    out.write_text("of the user")
    monkeypatch.setattr(Path, "write_bytes", full)
    if command == "predict":
        arguments = ["predict", model, "--input", str(tmp_path / "x.npy"), "--output", str(out)]
    else:
        monkeypatch.setattr("headrace.cli.main.save_qonnx", lambda _, path: write_file(path, "text"))
        arguments = ["export", model, "--out", str(out)]
    assert main(arguments) == 1
    assert capsys.readouterr().err == (
        f"headrace: {out}: No space left on device; free some space or choose another place\n")
    assert out.read_text() == "of the user" and len(names(tmp_path)) == 2


def test_a_full_file_system_under_a_build(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("headrace.building.render_driver", full)
    assert main(["build", model, "--out", str(tmp_path / "new" / "b")]) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "headrace: the output: No space left on device; free some space or choose another place")
    assert names(tmp_path) == []


def test_a_closed_pipe_is_one_sentence(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "headrace", "boards", "--json"], stdout=writer, stderr=subprocess.PIPE,
                          text=True, check=False)
    os.close(writer)
    assert done.returncode == 1
    assert done.stderr == ("headrace: the reader of the output has gone before its end; "
                           "what was asked for is done\n")
    with Path("/dev/full").open("w") as nowhere:
        done = subprocess.run([sys.executable, "-m", "headrace", "boards"], stdout=nowhere, stderr=subprocess.PIPE,
                              text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == ("headrace: the output: No space left on device; free some space or choose another place\n")


def test_a_current_folder_that_was_removed(model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    try:
        assert main(["build", model, "--out", "b"]) == 1
    finally:
        os.chdir(tmp_path)
    assert capsys.readouterr().err == (
        "headrace: the current folder does not exist any more; change to another one\n")


def test_places_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="a path cannot hold a NUL character"):
        require_writable_file(tmp_path / "a\0b")
    with pytest.raises(InputError, match="is a folder; give the name of a file"):
        require_writable_file(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(InputError, match=rf"y.npy: cannot be written, {tmp_path} is read-only; choose another name"):
        require_writable_file(tmp_path / "y.npy")


def test_the_umask_is_kept(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with replacing(tmp_path / "b") as folder:
            (folder / "file").touch()
        write_file(tmp_path / "x", "")
    finally:
        os.umask(before)
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o600


def test_parents_that_were_made_go_with_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), replacing(tmp_path / "a" / "b" / "c"):
        raise RuntimeError
    assert names(tmp_path) == []


def test_what_killed_builds_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    left = ".b.headrace-0123abcd"
    (tmp_path / left / "rtl").mkdir(parents=True)
    for other in (".b.headrace-photos", ".b.headrace-0123abcdef", ".other.headrace-0123abcd"):
        (tmp_path / other).mkdir()
    (tmp_path / ".b.headrace-00000000").symlink_to(tmp_path / ".b.headrace-photos")
    (tmp_path / ".b.headrace-11111111").touch()
    with replacing(tmp_path / "b"):
        running = next(name for name in names(tmp_path) if name.startswith(".b.headrace-") and len(name) == len(left)
                       and name not in (".b.headrace-00000000", ".b.headrace-11111111"))
        with replacing(tmp_path / "b"):
            assert running in names(tmp_path)  # its process lives: it is this one
    assert names(tmp_path) == [".b.headrace-00000000", ".b.headrace-0123abcdef", ".b.headrace-11111111",
                               ".b.headrace-photos", ".other.headrace-0123abcd", "b"]


def test_a_build_that_was_killed_between_two_renames_gives_the_place_back(tmp_path: Path) -> None:
    (tmp_path / ".b.headrace-0123abcd").mkdir()
    (tmp_path / ".b.headrace-0123abcd.previous").mkdir()
    (tmp_path / ".b.headrace-0123abcd.previous" / "build.json").write_text("previous")
    with pytest.raises(RuntimeError), replacing(tmp_path / "b"):
        raise RuntimeError
    assert names(tmp_path) == ["b"] and (tmp_path / "b" / "build.json").read_text() == "previous"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("times", [1, 3])
def test_signals_end_programs_and_clean_up(model: str, tmp_path: Path, number: signal.Signals, code: int,
                                           times: int) -> None:
    """A build whose verification is a program that starts another one, both of which would run for a minute."""
    script = f"""
import subprocess, sys
from pathlib import Path
from unittest import mock
from headrace.__main__ import main

def slow(*_):
    subprocess.run(["sh", "-c", "sleep 61 & echo $! > {tmp_path}/pid; wait"], check=False)

with mock.patch("headrace.building._verify", slow):
    sys.exit(main(["build", {model!r}, "--out", "{tmp_path}/new/b"]))
"""
    process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    pid = tmp_path / "pid"
    while not (pid.exists() and pid.read_text().strip()):
        time.sleep(0.05)
        assert process.poll() is None, process.communicate()
    for _ in range(times):
        process.send_signal(number)
    assert process.wait(20) == code
    assert names(tmp_path) == ["pid"]
    child = int(pid.read_text())
    assert not still_runs(child)


def still_runs(process: int) -> bool:
    """True if a process is there and not yet ended."""
    for _ in range(40):
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return False
        if state in "ZX":
            return False
        time.sleep(0.05)
    return True


def test_a_killed_build_is_cleaned_up_by_the_next(tmp_path: Path) -> None:
    script = f"""
import os, signal
from pathlib import Path
from headrace.atomic_files import replacing
with replacing(Path("{tmp_path}/b")) as folder:
    (folder / "file").touch()
    os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL and len(names(tmp_path)) == 1
    with replacing(tmp_path / "b"):
        assert len(names(tmp_path)) == 1
    assert names(tmp_path) == ["b"]


def test_what_a_shell_lets_ignore_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_signals.stopped_by_signals():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) == stop_signals._stop
    finally:
        signal.signal(signal.SIGHUP, before)
