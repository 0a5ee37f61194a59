"""FIFOs at joins hold a whole branch's fill: no deadlock in the RTL, and none too small to prove it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headrace.atomic_files import write_files
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.dataflow.insert_fifos import JOIN_MARGIN_WORDS, insert_fifos, join_depths, safe_depths
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import int_type, uint_type
from headrace.errors import MismatchError
from headrace.layers import Add, Concat, Fifo, Fork, Mvtu, Swu
from headrace.layers.random_values import random_values
from headrace.packing import pack_stream
from headrace.render.rtl import render_rtl
from headrace.simulation import rtl
from headrace.simulation.frames import Stalls

HEIGHT = WIDTH = 6
CHANNELS = 2
UINT2 = uint_type(2)


def residual() -> Dataflow:
    """x + conv3x3(x): the sum waits for a whole window."""
    rng = np.random.default_rng(0)
    pixels = HEIGHT * WIDTH
    fork = Fork("input_fork", CHANNELS, UINT2, pixels)
    window = Swu("conv0_swu", HEIGHT, WIDTH, CHANNELS, (3, 3), UINT2, pad=(1, 1, 1, 1))
    weights = rng.integers(-2, 2, (CHANNELS, 9 * CHANNELS))
    unit = Mvtu("conv0", weights, np.sort(rng.integers(-20, 20, (CHANNELS, 3))), int_type(2), UINT2, UINT2, pixels)
    join = Add("add1", CHANNELS, UINT2, UINT2, pixels)
    return Dataflow(fork.inputs[0], (
        Placed(fork, ((SOURCE, 0),)), Placed(window, (("input_fork", 0),)), Placed(unit, (("conv0_swu", 0),)),
        Placed(join, (("input_fork", 1), ("conv0", 0))),
    ))


def simulate(dataflow: Dataflow, folder: Path, stalls: Stalls) -> None:
    x = random_values(np.random.default_rng(1), UINT2, (3, dataflow.input.elements))
    write_files(folder / "rtl", render_rtl(dataflow, "test"))
    (folder / stalls.value).mkdir()
    words = pack_stream(x, dataflow.input.lanes, UINT2)
    traces = rtl.compile_network(folder / "rtl", dataflow, folder / stalls.value).run({SOURCE: words}, stalls, seed=3)
    expected = Vectors(dataflow, x).words
    for port, name in rtl.observed_ports(dataflow).items():
        np.testing.assert_array_equal(traces[name].words, expected[port], str(port))


def test_depths_of_a_residual_block() -> None:
    depths = safe_depths(residual())
    # The window needs its own pixel's row, the next row and one pixel more, all channels: 8 pixels, 2 words each.
    assert depths["add1_fifo0"] == 8 * CHANNELS + JOIN_MARGIN_WORDS
    assert depths["add1_fifo1"] <= 3 + JOIN_MARGIN_WORDS
    assert depths["conv0_fifo"] == 18
    names = [layer.name for layer in insert_fifos(residual(), depths).layers if isinstance(layer, Fifo)]
    assert names == ["conv0_fifo", "add1_fifo0", "add1_fifo1"]


@pytest.mark.parametrize("stalls", [Stalls.NONE, Stalls.RANDOM])
def test_a_residual_block_runs(tmp_path: Path, stalls: Stalls) -> None:
    simulate(insert_fifos(residual(), safe_depths(residual())), tmp_path, stalls)


def test_a_join_without_room_is_a_deadlock_that_names_who_waits(tmp_path: Path) -> None:
    depths = safe_depths(residual()) | {"add1_fifo0": 2}
    with pytest.raises(MismatchError, match=r"no stream moves any more; waiting: .*conv0"):
        simulate(insert_fifos(residual(), depths), tmp_path, Stalls.NONE)


def test_a_concatenation_waits_for_whole_pixels() -> None:
    pixels = 4
    fork = Fork("f", 2, UINT2, pixels)
    join = Concat("c", (2, 2), UINT2, pixels)
    dataflow = Dataflow(fork.inputs[0], (Placed(fork, ((SOURCE, 0),)), Placed(join, (("f", 0), ("f", 1)))))
    assert [depth - JOIN_MARGIN_WORDS for depth in join_depths(dataflow).values()] == [1, 2]
