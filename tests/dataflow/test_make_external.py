"""Which layers get their weights from memory outside, and what that memory's port bounds."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import pytest

from headrace import serialize
from headrace.__main__ import main
from headrace.board.family import ZYNQ_ULTRASCALE
from headrace.dataflow.make_external import external_candidates, make_external
from headrace.datatypes import Interval
from headrace.errors import FoldingError, InputError
from headrace.model import Model
from headrace.placement import choose_folding, folding_terms, placements
from headrace.planning import plan_design
from headrace.request import Options, resolve
from tests.small_dataflows import chain, named_mvtu
from tests.small_networks import dense_network

INT8 = Interval(-127, 127)


def external(model: Model, options: Options) -> tuple[str, ...]:
    """The layers that get their weights from outside."""
    return next(placements(model, resolve(options))).recipe.external


@pytest.fixture(scope="module")
def model() -> Model:
    """Three layers of 16 K, 32 K and 2.5 K weights of 8 bits."""
    return Model(dense_network(INT8, 128, 128, 256, 10), "0")


def board(folder: Path, bram36: int, lut: int = 4000) -> str:
    """A board with so much beside what stands around a network."""
    path, around = folder / f"of{bram36}.toml", ZYNQ_ULTRASCALE.around
    path.write_text(f'title = "T"\npart = "xczu3eg"\nboard_part = "b"\nlut = {lut + around.lut}\nff = 200000\n'
                    f"bram36 = {bram36 + around.bram36}\nuram = 0\ndsp = 100\n")
    return str(path)


@pytest.mark.parametrize(("bram36", "wanted"), [(40, []), (8, ["fc1"]), (1, ["fc1", "fc0"])])
@pytest.mark.parametrize("fps", [None, 5000.0])
def test_the_largest_go_outside_until_the_rest_fits(model: Model, tmp_path: Path, bram36: int, wanted: list[str],
                                                    fps: float | None) -> None:
    options = Options(board=board(tmp_path, bram36), weights="external", fps=fps, share=100.0)
    assert external(model, options) == tuple(wanted)


def test_the_largest_has_most_bits() -> None:
    layers = [named_mvtu("wide", mw=10, mh=10, weight="int8", input="uint2", output="uint2"),
              named_mvtu("long", mw=10, mh=30, weight="bipolar", input="uint2", output="acc")]
    assert [layer.name for layer in external_candidates(chain(layers))] == ["wide", "long"]
    assert [layer.name for layer in external_candidates(chain(layers[1:]))] == ["long"]


def test_layers_that_the_user_names_go_outside_in_any_case(model: Model, tmp_path: Path) -> None:
    options = Options(board=board(tmp_path, 8), weights="external", fps=5000.0, external=["fc2"])
    assert external(model, options) == ("fc2", "fc1")
    assert external(model, Options(external=["fc0", "fc0"])) == ("fc0",)


def test_a_board_that_is_too_small_anyway(model: Model, tmp_path: Path) -> None:
    options = Options(board=board(tmp_path, 1, lut=200), weights="external", fps=5000.0)
    with pytest.raises(InputError, match=r"does not fit even with the weights of \['fc1', 'fc0', 'fc2'\]"):
        external(model, options)


def test_a_pace_that_no_board_reaches(model: Model, tmp_path: Path) -> None:
    options = Options(board=board(tmp_path, 8), weights="external", fps=100e6)
    with pytest.raises(FoldingError, match="2 cycles per frame are asked for but it needs at least"):
        external(model, options)


def test_writable_weights_stay_inside(model: Model, tmp_path: Path) -> None:
    options = Options(board=board(tmp_path, 10), weights="external", fps=5000.0, writable={"fc1": "ram"})
    assert external(model, options) == ("fc0",)
    both = Options(board=board(tmp_path, 10), external=["fc1"], writable={"fc1": "ram"})
    with pytest.raises(InputError, match="fc1: its weights cannot be both writable and external"):
        plan_design(model, resolve(both))


def test_the_dma_of_the_weights_bounds_the_pace(model: Model) -> None:
    # 48 KiB a frame and 16 bytes a cycle at 200 MHz.
    options = Options(board="zcu104", clock_mhz=400.0, external=["fc0", "fc1"])
    terms = folding_terms(model, resolve(options))
    assert (terms.min_cycles, terms.bound) == (2 * 3072, "the DMA's weights")
    stopped_by = choose_folding(model, resolve(options)).stopped_by
    assert "the DMA's weights cannot take fewer than 6144 cycles per frame" in stopped_by
    faster = Options(board="zcu104", clock_mhz=400.0, fps=100_000, external=["fc0", "fc1"])
    with pytest.raises(FoldingError, match="the DMA's weights: 4000 cycles per frame are asked for but it needs "
                                           "at least 6144"):
        choose_folding(model, resolve(faster))


def test_the_command(model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    serialize.save(model.integer, tmp_path / "net")
    command = ["build", str(tmp_path / "net.json"), "--board", board(tmp_path, 8), "--fps", "5000",
               "--weights", "external", "--out", str(tmp_path / "b")]
    with mock.patch("headrace.building._verify", return_value=[]):
        assert main([*command, "--external", "fc9"]) == 1
        assert "fc9: is not a layer whose weights can be external" in capsys.readouterr().err
        assert not (tmp_path / "b").exists()
        assert main([*command, "--external", "fc2"]) == 0
    record = json.loads((tmp_path / "b" / "build.json").read_text())
    assert record["external"] == ["fc2", "fc1"]
    assert {layer["name"]: layer["weights_in"] for layer in record["layers"] if layer["kind"] == "mvtu"} == {
        "fc0": "rom", "fc1": "external", "fc2": "external"}


def test_more_layers_than_dmas(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headrace.dataflow.make_external.MAX_EXTERNAL", 2)
    with pytest.raises(InputError, match="3 layers have external weights but there are DMAs for at most 2; leave some"):
        make_external(model.unfolded, ["fc0", "fc1", "fc2"])
