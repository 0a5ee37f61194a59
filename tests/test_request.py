"""Options are checked where they are made, whoever makes them; a build says what it was asked and what was compared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest

import headrace as hr
from headrace.atomic_files import json_text
from headrace.board.board import load_board
from headrace.dataflow.graph import Dataflow
from headrace.model import Model
from headrace.request import Options, resolve
from tests.small_networks import small_network
from tests.unverified_build import write_unverified


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(small_network(), "0" * 64)


@pytest.mark.parametrize(("options", "sentence"), [
    ({"backend": "verilog"}, "backend='verilog' is unknown; choose one of ['rtl', 'hls', 'both']"),
    ({"backend": "bth"}, "backend='bth' is unknown; did you mean 'both'? choose one of ['rtl', 'hls', 'both']"),
    ({"weights": "outside"}, "weights='outside' is unknown; choose one of ['on-chip', 'external']"),
    ({"clock_mhz": "fast"}, "clock_mhz='fast' must be a number; correct it"),
    ({"clock_mhz": 1e308}, "clock_mhz=1e+308 must lie between 1 and 1000; no device has such a clock"),
    ({"share": 0}, "share=0 must be a positive number; correct it"),
    ({"share": 101}, "share=101 percent is more than a board has; give at most 100"),
    ({"fps": -1.0}, "fps=-1 must be a positive number; correct it"),
    ({"fps": True}, "fps=True must be a number; correct it"),
    ({"fps": 1.0, "folding": {}}, "fps and a folding were both given but exclude each other; leave one out"),
    ({"folding": [3]}, "a folding maps layers to whole numbers; write {\"conv0\": {\"pe\": 2}}"),
    ({"folding": {"conv0": 3}}, "a folding maps layers to whole numbers, not conv0 to 3; write {\"conv0\": {\"pe\": "
                                "2}}"),
    ({"folding": {"conv0": {"pe": 2.0}}}, "a folding maps layers to whole numbers, not 'pe' of conv0 to 2.0; write "
                                          "{\"conv0\": {\"pe\": 2}}"),
    ({"folding": {"fc3": {"core": "dsp"}}}, "a folding maps layers to whole numbers, not 'core' of fc3 to 'dsp'; name "
                                            "cores by --core fc3=dsp"),
    ({"folding": {"fc3": {"core": None}}}, "a folding maps layers to whole numbers, not 'core' of fc3 to None; write "
                                           "{\"conv0\": {\"pe\": 2}}"),
    ({"verify": 0}, "verify=0 vectors: a build is verified with at least 1; give 1 or more, at most 100000"),
    ({"verify": 10**12}, "verify=1000000000000 vectors: a build is verified with at least 1; give 1 or more, at most "
                         "100000"),
    ({"cores": {"*": "fast"}}, "core 'fast' is unknown; choose one of "
                               "['auto', 'plain', 'parity', 'pairs', 'dsp', 'planes', 'halves', 'tables', "
                               "'mixed'], or mixed:ROWS"),
    ({"cores": {"fc3": "DSP"}}, "fc3: core 'DSP' is unknown; did you mean 'dsp'? choose one of ['auto', 'plain', "
                                "'parity', 'pairs', 'dsp', 'planes', 'halves', 'tables', 'mixed'], or mixed:ROWS"),
    ({"cores": {"fc3": "mixed:02"}}, "fc3: core 'mixed:02' is unknown; write mixed:ROWS with ROWS from 1 to 999999"),
    ({"cores": {"conv0": 5}}, "conv0: core 5 is unknown; choose one of ['auto', 'plain', 'parity', 'pairs', 'dsp', "
                              "'planes', 'halves', 'tables', 'mixed'], or mixed:ROWS"),
    ({"cores": {"fc3": ["dsp"]}}, "fc3: core ['dsp'] is unknown; choose one of ['auto', 'plain', 'parity', 'pairs', "
                                  "'dsp', 'planes', 'halves', 'tables', 'mixed'], or mixed:ROWS"),
    ({"writable": {"fc3": "flash"}}, "writable weights of fc3='flash' is unknown; choose one of ['ram', 'uram']"),
    ({"writable": {"fc3": "ram"}, "backend": "hls"}, "fc3: writable weights need the rtl back end; build with "
                                                     "--backend rtl or both"),
    ({"fifos": "deep"}, "fifos='deep' is unknown; choose one of ['exact', 'safe']"),
    ({"external": "fc3"}, "external='fc3' must be a list of names of layers; correct it"),
    ({"board": ""}, "board '' is not a name; give the name of a board or a .toml file"),
    ({"verify_input": [[1.0], [2.0, 3.0]]}, "verify_input is not an array of numbers (N, ...); correct it"),
    ({"fsp": 3}, "fsp is not an option of build; did you mean 'fps'? choose from ['board', 'clock_mhz', 'fps', "
                 "'folding', 'cores', 'writable', 'external', 'weights', 'backend', 'verify', 'verify_input', "
                 "'overfull', 'verify_layers', 'fifos', 'share']"),
])
def test_options_of_any_caller(model: Model, tmp_path: Path, options: dict[str, object], sentence: str) -> None:
    build: Callable[..., hr.Build] = hr.build
    with pytest.raises(hr.InputError) as error:
        build(model, tmp_path / "b", **options)
    assert str(error.value) == sentence
    assert list(tmp_path.iterdir()) == []


def test_a_model_is_what_is_built(tmp_path: Path) -> None:
    with pytest.raises(hr.InputError, match=r"build takes what headrace.load returns, not a str; load the model first"):
        hr.build("model.onnx", tmp_path / "b")  # type: ignore[arg-type]


def test_a_loaded_model_is_loaded(model: Model) -> None:
    assert hr.load(model) is model
    assert repr(model).startswith("Model(") and len(repr(model)) < 120


@pytest.mark.parametrize("fps", [1e-310, 5e-324, 1e-300])
def test_the_slowest_rates_are_those_of_the_smallest_hardware(model: Model, fps: float) -> None:
    assert resolve(Options(fps=fps)).cycles == 2**53


def test_a_rate_above_the_clock_asks_for_less_than_a_cycle() -> None:
    assert resolve(Options(fps=200e6)).cycles == 1
    assert resolve(Options(fps=201e6)).cycles == 0


def test_json_holds_numbers_only() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_text({"fps": float("inf")})


def test_nothing_is_verified_that_was_not_compared(tmp_path: Path) -> None:
    record = write_unverified(tmp_path / "b", small_network(), "rtl").record
    assert (record["verified"], record["vectors"], record["verified_by"]) == (False, 0, {})
    assert "not verified" in (tmp_path / "b" / "report.html").read_text()


def test_what_was_compared_is_in_the_record(model: Model, tmp_path: Path) -> None:
    """One verified build: the board is looked up once, the golden model computed once, the recipe read back whole."""
    golden = mock.Mock(side_effect=Dataflow.golden)
    boards = mock.Mock(side_effect=load_board)
    with mock.patch.object(Dataflow, "golden", lambda self, x: golden(self, x)), \
            mock.patch("headrace.request.load_board", boards):
        made = hr.build(model, tmp_path / "new" / "b", backend="hls", fps=250_000, verify=3)
    assert (golden.call_count, boards.call_count) == (1, 1)
    record = json.loads((made.folder / "build.json").read_text())
    assert (record["verified"], record["vectors"]) == (True, 3)
    assert record["verified_by"] == {"hls": {"compared": "whole network", "vectors": 3}}
    assert (record["board"], record["family"], record["fits"]) == ("zcu104", "Zynq UltraScale+", True)
    assert (record["asked"], record["fps_asked"]) == ("250000 fps, 800 cycles per frame", 250_000)
    assert set(record["recipe"]) == {"folding", "cores", "writable", "external", "depths", "prices", "fifos"}
    assert record["recipe"]["depths"] == {fifo["name"]: fifo["depth"] for fifo in record["fifos"]}
    opened = hr.Build.open(str(made.folder))
    assert opened.recipe.record() == record["recipe"] and opened.board == load_board("zcu104")
    assert [layer.parameters() for layer in opened.dataflow.layers] == [
        layer.parameters() for layer in made.dataflow.layers]
    assert repr(opened) == f"Build({str(made.folder)!r}: 3 vectors bit-exact, {made.cycles} cycles per frame, zcu104)"
    x = np.zeros((1, 1, 8, 8), np.float32)
    assert np.array_equal(opened.predict(x, engine="hls", raw=True), opened.predict(x, engine="golden", raw=True))
