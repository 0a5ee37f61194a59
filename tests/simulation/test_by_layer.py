"""Layers of a build by themselves: what differs is named, and the build says what was compared."""

from __future__ import annotations

from pathlib import Path

import pytest

import headrace as hr
from headrace.build_folder import Build
from headrace.building import random_frames
from headrace.dataflow.vectors import Vectors
from headrace.errors import MismatchError
from headrace.model import Model
from headrace.simulation.by_layer import verify_hls_layers, verify_rtl_layers
from tests.small_networks import small_network
from tests.unverified_build import SHA256


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    folder = tmp_path_factory.mktemp("layers") / "b"
    return hr.build(Model(small_network(), SHA256), folder, backend="both", fps=250_000, verify=2, verify_layers=True,
                    writable={"conv0": "ram"})


def changed(path: Path, before: str, after: str) -> None:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))


def test_the_build_says_that_the_whole_was_not_verified(built: Build) -> None:
    record = built.record
    by = {"compared": "each layer by itself", "vectors": 2}
    assert (record["verified"], record["vectors"], record["verified_by"]) == (False, 0, {"hls": by, "rtl": by})
    assert record["not_verified"][-1] == ("the network as a whole, its streams and FIFOs: every layer was compared by "
                                          "itself; build without --verify-layers")
    said = "not verified as a whole, 2 vectors bit-exact layer by layer"
    assert said in repr(built) and said in (built.folder / "report.html").read_text()


def test_a_wrong_word_is_the_layers(built: Build, tmp_path: Path) -> None:
    vectors = Vectors(built.dataflow, random_frames(built.model.unfolded, 2, 1))
    memory = built.folder / "rtl" / "conv1_weights.mem"
    right = memory.read_text()
    memory.write_text(right.translate(str.maketrans("0123456789abcdef", "fedcba9876543210")))
    with pytest.raises(MismatchError, match=r"^RTL: conv1 differs first in frame 0, word \d+, lane \d+: "):
        verify_rtl_layers(built.folder, vectors, tmp_path / "wrong")
    memory.write_text(right)
    verify_rtl_layers(built.folder, vectors, tmp_path / "right")


def test_a_layer_that_stops_is_named_among_others(built: Build, tmp_path: Path) -> None:
    vectors = Vectors(built.dataflow, random_frames(built.model.unfolded, 1, 1))
    changed(built.folder / "rtl" / "headrace_max_pool.sv",
            ".m_axis_TDATA(word), .m_axis_TVALID(word_valid)", ".m_axis_TDATA(word), .m_axis_TVALID()")
    with pytest.raises(MismatchError, match=r"^RTL: pool\d by itself: no stream moves any more; waiting: .*pool\d_m0 "):
        verify_rtl_layers(built.folder, vectors, tmp_path)


def test_changed_weights_of_the_cpp_are_seen(built: Build, tmp_path: Path) -> None:
    vectors = Vectors(built.dataflow, random_frames(built.model.unfolded, 1, 1))
    changed(built.folder / "hls" / "weights.hpp", "{0x", "{0xff")
    with pytest.raises(MismatchError, match=r"^HLS: conv0: conv0_weights in weights\.hpp has 0xff"):
        verify_hls_layers(built.folder, vectors, tmp_path)
