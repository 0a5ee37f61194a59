"""A build with the HLS back end alone: what it holds, what it predicts, what it has run."""

from __future__ import annotations

import re

import numpy as np
import pytest

from headrace.build_folder import Build
from headrace.building import build
from headrace.errors import MismatchError
from headrace.model import Model
from headrace.request import Options
from tests.hls_networks import random_network

FPS = 60_000.0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """A network that forks and joins, verified as C++ whose streams hold what their directives say."""
    options = Options(fps=FPS, backend="hls", verify=3)
    return build(Model(random_network(1), "0" * 64), tmp_path_factory.mktemp("hls") / "b", options)


def test_the_rate_holds_for_the_cpp(built: Build) -> None:
    record = built.record
    assert record["verified"] and record["fps"] == 200e6 / record["hls_cycles_per_frame"] >= FPS
    assert record["hls_cycles_per_frame"] <= 1.03 * record["cycles_per_frame"]
    assert record["hls_latency_cycles"] > record["hls_cycles_per_frame"] / 2
    assert record["not_verified"] == ["loop initiation intervals in HLS, until an HLS compiler reports them"]


def test_streams_are_recorded_as_they_are_rendered(built: Build) -> None:
    top = (built.folder / "hls" / "top.cpp").read_text()
    depths = {name: int(depth) for name, depth in re.findall(r"STREAM variable=(\w+) depth=(\d+)", top)}
    recorded = {stream["name"]: stream["depth"] for stream in built.record["hls_streams"]}
    assert depths == {name: depth for name, depth in recorded.items() if depth != 2}
    assert min(recorded.values()) == 2


def test_it_has_all_but_the_rtl(built: Build) -> None:
    folders = {path.name for path in built.folder.iterdir() if path.is_dir()}
    assert {"hls", "vivado", "driver"} <= folders and not {"rtl", "sim"} & folders


def test_only_kernels_in_use_are_there(built: Build) -> None:
    kernels = {path.stem for path in (built.folder / "hls" / "include").iterdir()}
    assert {"mvtu", "swu", "window", "words", "axis"} <= kernels
    assert not {"label_select", "upsample", "acc_pool", "fifo"} & kernels


def test_a_shallower_stream_is_an_error_that_names_it(built: Build) -> None:
    top = built.folder / "hls" / "top.cpp"
    text = top.read_text()
    deepest = max(re.findall(r"variable=(\w+) depth=(\d+)", text), key=lambda found: int(found[1]))
    top.write_text(text.replace(f"variable={deepest[0]} depth={deepest[1]}", f"variable={deepest[0]} depth=2"))
    try:
        with pytest.raises(MismatchError, match=rf"stops for good: .*waits for room in {deepest[0]} \(holds 2 of 2\)"):
            built.predict(np.zeros((1, *built.model.integer.host_inputs[0].shape), np.float32), engine="hls")
    finally:
        top.write_text(text)
