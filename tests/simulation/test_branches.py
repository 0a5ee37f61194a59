"""A dataflow that forks and joins, on both back ends."""

import subprocess
from pathlib import Path

import numpy as np
import pytest

from headrace.atomic_files import write_files
from headrace.dataflow.graph import SOURCE, Port
from headrace.dataflow.vectors import Vectors
from headrace.layers.random_values import random_values
from headrace.packing import Bytes
from headrace.render.hls import render_hls
from headrace.render.library import compile_order
from headrace.render.rtl import render_rtl
from headrace.simulation import csim, rtl
from headrace.simulation.frames import Stalls
from headrace.tools import verilator
from tests.small_dataflows import small_branches

FRAMES = 4
DATAFLOW = small_branches()


@pytest.fixture(scope="module")
def expected() -> dict[Port, Bytes]:
    stream = DATAFLOW.input
    frames = random_values(np.random.default_rng(3), stream.element, (FRAMES, stream.elements))
    return dict(Vectors(DATAFLOW, frames).words)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> rtl.RtlModel:
    folder = tmp_path_factory.mktemp("branches")
    write_files(folder / "rtl", render_rtl(DATAFLOW, "test"))
    (folder / "work").mkdir()
    return rtl.compile_network(folder / "rtl", DATAFLOW, folder / "work")


@pytest.mark.parametrize("stalls", Stalls)
def test_every_stream_is_golden_in_rtl(model: rtl.RtlModel, expected: dict[Port, Bytes], stalls: Stalls) -> None:
    traces = model.run({SOURCE: expected[SOURCE, 0]}, stalls, seed=5, reset_after_words={SOURCE: 20})
    for port, name in rtl.observed_ports(DATAFLOW).items():
        np.testing.assert_array_equal(traces[name].words, expected[port], err_msg=name)
    if stalls is Stalls.NONE:
        assert traces[rtl.SINK].cycles_per_frame(3) == DATAFLOW.cycles_per_frame == 48


def test_every_stream_is_golden_in_hls(tmp_path: Path, expected: dict[Port, Bytes]) -> None:
    write_files(tmp_path / "hls", render_hls(DATAFLOW, 5.0, "part", "header"))
    traced = csim.compile_network(tmp_path / "hls", DATAFLOW, tmp_path).run(expected[SOURCE, 0], FRAMES).words
    assert list(traced) == list(expected)
    for port, words in expected.items():
        np.testing.assert_array_equal(traced[port], words, err_msg=str(port))


def test_the_top_with_its_open_ports_passes_the_lint(tmp_path: Path) -> None:
    write_files(tmp_path, render_rtl(DATAFLOW, "test"))
    sources = compile_order(tmp_path.glob("*.sv"))
    command: list[str | Path] = [verilator(), "--lint-only", "-Wall", "--top-module", "accelerator", *sources]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
