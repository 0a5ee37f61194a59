"""The cycle model is the RTL: every word of every stream passes in the same cycle."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from headrace.atomic_files import write_files
from headrace.dataflow.graph import SOURCE, Dataflow
from headrace.dataflow.insert_fifos import insert_fifos, safe_depths
from headrace.datatypes import int_type, uint_type
from headrace.layers import Dwc, Vvtu
from headrace.layers.random_values import random_values
from headrace.packing import pack_stream
from headrace.render.rtl import render_rtl
from headrace.simulation import rtl
from headrace.timing.cycle_model import CycleModel, Limits
from tests.dataflow.test_insert_fifos import residual
from tests.small_dataflow import small_dataflow
from tests.small_dataflows import chain, named_mvtu, small_branches, small_cnn, small_windows

FRAMES = 5
DATAFLOWS: dict[str, Callable[[], Dataflow]] = {
    "chain": small_dataflow, "cnn": small_cnn, "branches": small_branches, "windows": small_windows,
    "residual": lambda: insert_fifos(residual(), safe_depths(residual())),
}


def rtl_cycles(dataflow: Dataflow, frames: int, folder: Path) -> dict[tuple[str, int], np.ndarray]:
    """The cycle of every word on every stream in the RTL."""
    stream = dataflow.input
    x = random_values(np.random.default_rng(0), stream.element, (frames, stream.elements))
    write_files(folder / "rtl", render_rtl(dataflow, "test"))
    (folder / "work").mkdir()
    model = rtl.compile_network(folder / "rtl", dataflow, folder / "work")
    traces = model.run({SOURCE: pack_stream(x, stream.lanes, stream.element)})
    return {port: traces[name].cycles for port, name in rtl.observed_ports(dataflow).items()}


def require_equal_cycles(dataflow: Dataflow, folder: Path) -> None:
    measured = rtl_cycles(dataflow, FRAMES, folder)
    predicted = CycleModel(dataflow).trace(FRAMES)
    start = measured[SOURCE, 0][0] - predicted[SOURCE, 0][0]
    for port, cycles in measured.items():
        np.testing.assert_array_equal(predicted[port], cycles - start, err_msg=str(port))


@pytest.mark.parametrize("name", DATAFLOWS)
def test_every_word_passes_in_the_cycle_of_the_rtl(tmp_path: Path, name: str) -> None:
    require_equal_cycles(DATAFLOWS[name](), tmp_path)


def bursts() -> Dataflow:
    """Eight words are taken in a row, then none for seven times as long."""
    return chain([named_mvtu("dense", mw=8, mh=8, pe=1, simd=1, weight="int3", input="uint2", output="acc")])


@pytest.mark.parametrize("make", [*DATAFLOWS.values(), bursts])
def test_the_pace_is_known_before_many_frames_have_left(make: Callable[[], Dataflow]) -> None:
    """What repeats itself within a frame goes on so, whether the source keeps its pace or is ever later."""
    dataflow = make()
    model, output = CycleModel(dataflow), dataflow.output_port
    ends = model.trace(60)[output][dataflow.streams[output].words - 1 :: dataflow.streams[output].words]
    pace = Fraction(int(ends[-1] - ends[-25]), 24)
    assert model.steady().cycles_per_frame == pace
    for source, seen in ((int(pace) * 3 // 4, pace), (int(pace) * 15 // 16, pace), (int(pace) + 7, int(pace) + 7)):
        assert model.watch(48, 2, limits=Limits(pace=source)).cycles_per_frame == seen


def test_pipelines_without_stages_lose_no_word() -> None:
    """What reads several words for each that it puts stands in front of what takes one in eight cycles."""
    weights = np.ones((8, 3), np.int64)
    unit = Vvtu("unit", weights, None, int_type(2), uint_type(2), int_type(5), 16, pe=8)
    dataflow = chain([unit, Dwc("narrow", 8, 1, unit.outputs[0].element, 16)])
    traces = CycleModel(dataflow, bare=True).trace(FRAMES)
    assert {port: len(cycles) for port, cycles in traces.items()} == {
        port: FRAMES * stream.words for port, stream in dataflow.streams.items()}
