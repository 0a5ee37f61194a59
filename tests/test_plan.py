"""headrace plan: points are what builds of the same options become, and those that cannot be say why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

import headrace as hr
from headrace.__main__ import main
from headrace.area.usage import Resources
from headrace.board.board import load_board
from headrace.board.room import room
from headrace.build_folder import Build
from headrace.cli.tables import does_not_fit
from headrace.folding import choices
from headrace.folding.choices import Choice
from headrace.layers.base import Layer
from headrace.planning import plan_design
from headrace.request import Options, resolve
from tests.small_onnx import small_onnx


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("plan") / "small.onnx"
    path.write_bytes(small_onnx(np.random.default_rng(0)))
    return path


def test_points_are_those_of_builds(path: Path) -> None:
    model = hr.load(path)
    points = hr.plan(model, boards=["zcu104", "pynq-z2"], fps=[100_000], clock_mhz=[100, 200], fifos="exact")
    assert [(point.board, point.clock_mhz) for point in points] == [
        ("zcu104", 100), ("zcu104", 200), ("pynq-z2", 100), ("pynq-z2", 200)]
    for point in points:
        planned = plan_design(model, resolve(Options(board=point.board, clock_mhz=point.clock_mhz, fps=100_000)))
        assert point.hardware is not None and point.fits
        assert point.hardware.cycles_per_frame == planned.design.sizing.cycles_per_frame
        assert point.hardware.resources == planned.resources
        assert point.hardware.fps >= 100_000


def test_estimated_fifos_are_near_and_the_smallest_are_found_where_those_do_not_fit(path: Path, tmp_path: Path) -> None:
    model = hr.load(path)
    exact, near = (hr.plan(model, boards=["zcu104"], fps=[200_000], fifos=kind)[0].hardware
                   for kind in ("exact", "estimated"))
    assert exact is not None and near is not None
    assert (exact.fifos, near.fifos) == ("exact", "estimated")
    assert (near.cycles_per_frame, near.folding) == (exact.cycles_per_frame, exact.folding)
    assert abs(near.latency_cycles - exact.latency_cycles) <= 0.02 * exact.latency_cycles
    least, more = exact.resources.all_luts, near.resources.all_luts
    assert least < more < 1.2 * least
    tight = tmp_path / "tight.toml"
    tight.write_text(f'title = "t"\npart = "p"\nboard_part = ""\nboard_connections = ""\nlut = {least}\nff = 99999\n'
                     "bram36 = 99\nuram = 0\ndsp = 99\n")
    point = hr.plan(model, boards=[str(tight)], fps=[200_000])[0]
    assert point.hardware is not None and point.hardware.fifos == "exact"


def test_points_of_one_family_share_what_their_layers_take(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[object] = []
    made = choices._choice_of

    def count(layer: Layer, folds: Mapping[str, int], *, other: bool = False) -> Choice:
        counted.append(layer)
        return made(layer, folds, other=other)

    monkeypatch.setattr(choices, "_choice_of", count)
    model = hr.load(path)
    hr.plan(model, boards=["zcu104"], fps=[1000])
    once = len(counted)
    hr.plan(model, boards=["kv260", "ultra96v2"], fps=[1000, 20_000], clock_mhz=[100, 200])
    assert once and len(counted) == once


def test_a_point_that_cannot_be_says_why(path: Path) -> None:
    possible, impossible = hr.plan(hr.load(path), boards=["zcu104"], fps=[1, 1e12])
    assert possible.fits and impossible.hardware is None and not impossible.fits
    assert "less than 1 cycle per frame is asked for" in impossible.stopped_by
    assert impossible.json()["fps"] is None and impossible.json()["resources"] is None


def test_the_command_prints_what_the_contract_says(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(path), "--board", "zcu104", "--board", "kv260", "--json"]) == 0
    points = json.loads(capsys.readouterr().out)
    assert [point["board"] for point in points] == ["zcu104", "kv260"]
    assert all({"board", "clock_mhz", "fps_asked", "fps", "cycles_per_frame", "latency_cycles", "resources", "fits",
                "bottleneck", "stopped_by"} <= set(point) for point in points)
    assert main(["plan", str(path), "--fps", "1e11", "--board", "zcu104"]) == 1
    assert "zcu104, 200 MHz, 100000000000: " in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "sentence"), [
    (["--board", "zcu14"], "board 'zcu14' is unknown; did you mean 'zcu104'?"),
    (["--board", "zcu104", "--board", "zcu104"], "the board zcu104 is given twice; leave one out"),
    (["--fps", "-1"], "fps=-1 must be a positive number; correct it"),
])
def test_mistakes(path: Path, arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", str(path), *arguments]) == 1
    assert sentence in capsys.readouterr().err


def test_what_stands_around_the_network_counts_where_it_does_not_fit() -> None:
    board = load_board("zcu104")
    left = room(board, 100.0).lut
    made = cast(Build, SimpleNamespace(folder="b", board=board, room=room(board, 100.0),
                                       resources=Resources(lut=board.lut - 1)))
    assert left < board.lut
    assert does_not_fit(made) == f"b does not fit zcu104: it takes {board.lut - 1} of {left} LUT, as estimated"
