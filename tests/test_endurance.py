"""Long runs of whole networks in simulation: random stalls, resets in the middle, other states at power-up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import headrace as hr
from headrace.dataflow.graph import SOURCE
from headrace.datatypes import IntArray
from headrace.engines.host import to_stream
from headrace.packing import pack_stream
from headrace.simulation import rtl
from headrace.simulation.frames import Stalls
from tests.public_models import SHARED
from tests.test_public_networks import cifar_input, model

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]


def endure(build: hr.Build, frames: IntArray, runs: int, per_run: int, work: Path) -> None:
    """So many frames in all; every run has stalls and a power-up of its own, and is reset once in its first tenth."""
    dataflow, rng = build.dataflow, np.random.default_rng(11)
    simulated = rtl.compile_network(build.folder / "rtl", dataflow, work)
    source, sink = dataflow.input, dataflow.streams[dataflow.output_port]
    given = pack_stream(frames, source.lanes, source.element).reshape(len(frames), source.words, -1)
    golden = dataflow.golden(frames)[dataflow.output_port]
    wanted = pack_stream(golden, sink.lanes, sink.element).reshape(len(frames), sink.words, -1)
    for seed in range(runs):
        order = rng.integers(0, len(frames), per_run)
        words = given[order].reshape(-1, source.bytes)
        reset = {SOURCE: int(rng.integers(1, len(words) // 10))}
        traces = simulated.run({SOURCE: words}, Stalls.RANDOM, seed, reset, tap_frames=0)
        np.testing.assert_array_equal(traces[rtl.SINK].words, wanted[order].reshape(-1, sink.bytes), f"run {seed}")


def test_a_hundred_thousand_digits(tmp_path: Path) -> None:
    build = hr.build(hr.load(f"{ROOT}/examples/digits/model.py:trained"), tmp_path / "b", fps=1e6, verify=1)
    images = (load_digits().images / 16).astype(np.float32)[:, None]
    (tmp_path / "work").mkdir()
    endure(build, to_stream(build.model.integer.host_input, images), 20, 5000, tmp_path / "work")


@pytest.mark.skipif(not (SHARED / "models").is_dir(), reason="the public models are not in ../shared/models")
def test_five_hundred_images_through_cnv(tmp_path: Path) -> None:
    build = hr.build(hr.load(model("cnv_w1a1_cifar10_quant")), tmp_path / "b", verify=1)
    images = cifar_input(np.load(SHARED / "datasets" / "cifar10" / "cifar10_test_png250_dev.npz"))
    (tmp_path / "work").mkdir()
    endure(build, to_stream(build.model.integer.host_input, images), 10, 50, tmp_path / "work")
