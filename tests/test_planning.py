"""Plans are made of the layers as they will be built, and what does not fit is refused with what would."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import headrace as hr
from headrace import serialize
from headrace.__main__ import main
from headrace.area.estimate import estimate
from headrace.area.shell import ShellPart
from headrace.area.usage import Resources
from headrace.board.board import load_board
from headrace.board.room import room
from headrace.board.shell_area import shell_area
from headrace.datatypes import Interval
from headrace.design import estimated
from headrace.errors import FoldingError
from headrace.layers.mvtu import Mvtu
from headrace.model import Model
from headrace.placement import choose_folding
from headrace.planning import Planned, plan_design
from headrace.request import Options, resolve
from tests.small_dataflow import chain as chain_of
from tests.small_networks import dense_network

INT8, INT32 = Interval(-127, 127), Interval(-(2**31), 2**31 - 1)


@pytest.fixture(scope="module")
def model() -> Model:
    """Two layers with many weights behind many columns."""
    return Model(dense_network(INT8, 128, 128, 32), "0" * 64)


def board(folder: Path, lut: int = 230400, uram: int = 96, bram36: int = 312, dsp: int = 1728) -> str:
    path = folder / f"of{lut}_{uram}_{bram36}_{dsp}.toml"
    path.write_text(f'title = "T"\npart = "xczu3eg"\nboard_part = "b"\nlut = {lut}\nff = 460800\nbram36 = {bram36}\n'
                    f"uram = {uram}\ndsp = {dsp}\n")
    return str(path)


def test_what_of_a_board_is_filled() -> None:
    """Shares of it, less what stands around the network."""
    zcu104, pynq = load_board("zcu104"), load_board("pynq-z1")
    filled = room(zcu104)
    assert (filled.lut, filled.ff, filled.bram36, filled.uram, filled.dsp) == (165800, 336100, 259, 81, 1468)
    assert (room(zcu104, 95.0).bram36, room(zcu104, 95.0).dsp) == (306, 1728)
    assert room(pynq).lut == 34900 and room(replace(zcu104, lut=100)).lut == 0
    assert room(zcu104, 100.0).lut == 223400
    shell = Resources(lut=300, ff=600, bram18=2)
    assert room(zcu104, shell=shell) == replace(filled, lut=165500, ff=335500, bram36=258)


def test_the_shell_counts_as_the_network_at_hand_needs_it() -> None:
    """Words of three bytes are padded to four; where the DMA has no time for that, bytes move to any place."""
    zcu104 = load_board("zcu104")
    layers = chain_of(Mvtu("fc0", np.ones((4, 12), np.int64), None, INT8, INT8, INT32, 16, pe=4, simd=3))
    registers = ShellPart("registers", 4, 16)
    padded, exact = shell_area(layers, zcu104, 200.0), shell_area(layers, zcu104, 1e6)
    assert padded.less(estimate(ShellPart("narrow", 16, 4)) + estimate(registers)).lut == 45  # results as the DMA's
    assert exact.less(padded) == estimate(ShellPart("gearbox", 16, 3)).less(estimate(ShellPart("narrow", 16, 4)))
    assert exact.lut > padded.lut
    assert shell_area(layers, load_board("ulx3s-85f"), 25.0) == Resources()
    for options, shares in ((Options(board="zcu104"), 75.0), (Options(board="zcu104", fps=1e3), 100.0)):
        assert resolve(options).room(layers) == room(zcu104, shares, padded)


def test_memories_of_writable_layers_bound_the_fastest_folding(model: Model, tmp_path: Path) -> None:
    options = Options(board=board(tmp_path, uram=8), writable={"fc0": "uram", "fc1": "uram"})
    planned = plan_design(model, resolve(options))
    assert planned.fits and 0 < planned.resources.uram <= 8
    assert "URAM" in planned.plan.stopped_by
    freely = plan_design(model, resolve(Options(board=board(tmp_path, uram=8))))
    assert freely.design.sizing.cycles_per_frame < planned.design.sizing.cycles_per_frame


def test_cores_that_the_user_names_bound_the_fastest_folding(model: Model, tmp_path: Path) -> None:
    options = Options(board=board(tmp_path, dsp=20), cores={"*": "dsp"})
    planned = plan_design(model, resolve(options))
    assert planned.fits and 0 < planned.resources.dsp <= 20
    assert "17 DSP" in planned.plan.stopped_by  # 85 %
    whole = plan_design(model, resolve(replace(options, share=90.0)))
    assert "20 DSP" in whole.plan.stopped_by


def test_the_plan_is_made_of_what_is_built(model: Model, tmp_path: Path) -> None:
    """What the solver counts is what the estimate of the hardware says, FIFOs and converters aside."""
    for options in (Options(cores={"*": "plain"}), Options(writable={"fc0": "ram"}), Options(external=["fc0"]),
                    Options(cores={"fc1": "dsp"}, external=["fc0"])):
        request = resolve(options)
        plan = choose_folding(model, request)
        built = {layer.name: layer for layer in plan_design(model, request).dataflow.layers}
        for layer in model.unfolded.layers:
            planned = request.recipe.as_built(layer.with_folds(plan.folds.get(layer.name, {})))
            assert planned.parameters() == built[layer.name].parameters()


def test_fifos_that_do_not_fit_are_the_reason_that_is_given(model: Model, tmp_path: Path) -> None:
    used = iter([*[Resources(lut=10**6)] * 2, *[Resources(lut=1)] * 8])
    with mock.patch("headrace.planning.estimated", lambda dataflow: next(used)):
        planned = plan_design(model, resolve(Options(board="zcu104")))
    assert planned.plan.stopped_by.endswith("1000000 of 165456 LUT with FIFOs")  # 75 % but 7000 and the shell


def test_a_pace_that_is_asked_for_leaves_room_for_fifos_too(model: Model) -> None:
    """The first three designs do not fit, whatever they are: those of shares 0.96, 0.9 and 0.8."""
    request = resolve(Options(board="zcu104", fps=1000.0))
    used = chain([Resources(lut=10**6)] * 3, repeat(Resources(lut=1)))
    with mock.patch("headrace.planning.estimated", lambda dataflow: next(used)):
        planned = plan_design(model, request)
        assert planned.share == 0.6 and not planned.first and planned.plan.stopped_by == ""
    assert planned.fits and planned.design.cycles_per_frame <= 200_000
    assert plan_design(model, request).first


def test_what_fills_the_board_is_as_fast_as_what_is_asked_for(model: Model) -> None:
    request = resolve(Options(board="zcu104", fps=1000.0))
    with mock.patch.object(Planned, "fits", property(lambda planned: planned.request.fills)):
        planned = plan_design(model, request)
    fastest = plan_design(model, resolve(Options(board="zcu104")))
    assert planned.design.cycles_per_frame == fastest.design.cycles_per_frame < 200_000
    assert planned.request.asked == request.asked and planned.plan.stopped_by == "" and not planned.first
    with mock.patch.object(Planned, "fits", property(lambda planned: False)):
        assert plan_design(model, request).design.cycles_per_frame > fastest.design.cycles_per_frame


@pytest.mark.parametrize(("lut", "dsp", "core"), [(38000, 90, "halves"), (34000, 90, "mixed:6")])
def test_a_pace_that_is_asked_for_takes_luts_for_dsp_blocks(tmp_path: Path, lut: int, dsp: int, core: str) -> None:
    """In two cycles products take 96 blocks where each layer is as cheap as it can be."""
    model = Model(dense_network(INT8, 64, 64, 8), "0" * 64)
    request = resolve(Options(board=board(tmp_path, lut, dsp=dsp), fps=100e6, backend="rtl"))
    planned = plan_design(model, request)
    assert planned.fits and planned.design.cycles_per_frame <= 2 and planned.request.asked == request.asked
    assert core in [layer.facts["core"] for layer in Mvtu.among(planned.dataflow.layers)]
    with mock.patch("headrace.planning.keeps_pace_filled", lambda *_: False):
        assert not plan_design(model, request).fits


def test_a_board_that_the_user_named_and_that_is_too_small(model: Model, tmp_path: Path,
                                                          capsys: pytest.CaptureFixture[str]) -> None:
    serialize.save(model.integer, tmp_path / "net")
    small = board(tmp_path, lut=20000, bram36=400, uram=0)
    command = ["build", str(tmp_path / "net.json"), "--out", str(tmp_path / "b"), "--board", small]
    with mock.patch("headrace.building._verify", return_value=[]) as verify:
        assert main([*command, "--fps", "10e6"]) == 1
        assert verify.call_count == 0 and not (tmp_path / "b").exists()
        error = capsys.readouterr().err
        assert ": the accelerator does not fit, it would take " in error and "of 12507 LUT" in error
        assert " would hold it; " in error and "cycles per frame) would fit " in error
        assert error.endswith("; --overfull builds it all the same\n")
        assert main([*command, "--fps", "10e6", "--overfull"]) == 0
        assert "warning" in capsys.readouterr().err
    record = json.loads((tmp_path / "b" / "build.json").read_text())
    assert record["fits"] is False
    assert "does not fit T" in (tmp_path / "b" / "report.html").read_text()


def test_weights_outside_are_named_where_they_help(model: Model, tmp_path: Path) -> None:
    with pytest.raises(FoldingError, match=r"; choose a larger board or --weights external$"):
        plan_design(model, resolve(Options(board=board(tmp_path, lut=13700, bram36=0, uram=0))))
    with pytest.raises(FoldingError, match=r"; choose a larger board$"):
        plan_design(model, resolve(Options(board=board(tmp_path, lut=100))))
    with pytest.raises(FoldingError, match=r"; choose a larger board$"):
        plan_design(model, resolve(Options(board=board(tmp_path, lut=4000), share=5)))
    with pytest.raises(FoldingError, match=r"; choose a larger board or a --share above 5$"):
        plan_design(model, resolve(Options(board=board(tmp_path, lut=20000), share=5)))


def test_a_rate_above_the_clock(model: Model) -> None:
    with pytest.raises(FoldingError, match="less than 1 cycle per frame is asked for but it needs at least "):
        plan_design(model, resolve(Options(fps=1e9)))
    assert estimated(plan_design(model, resolve(Options(fps=1e-310))).dataflow).all_luts > 0
    assert issubclass(hr.QuantizationError, hr.HeadraceError)


def test_what_is_slower_on_the_board_is_said(model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The layers may stop at fewer cycles than a frame takes through the DMA; the rate is not theirs then."""
    serialize.save(model.integer, tmp_path / "net")
    command = ["build", str(tmp_path / "net.json"), "--out", str(tmp_path / "b"), "--board", "zcu104"]
    with mock.patch("headrace.building._verify", return_value=[]), \
            mock.patch("headrace.placement._bits_per_frame", return_value={"the DMA's input": 128 * 13}):
        assert main([*command, "--fps", "1e6"]) == 0
        assert json.loads((tmp_path / "b" / "build.json").read_text())["board_bound"] is None
        assert main(command) == 0
    record = json.loads((tmp_path / "b" / "build.json").read_text())
    assert record["cycles_per_frame"] == 8
    assert record["board_bound"] == {"name": "the DMA's input", "cycles_per_frame": 13}
    assert "on zcu104 the DMA's input takes 13 cycles per frame: at most 15384615 fps" in capsys.readouterr().out
