"""Estimated times and FIFOs against the cycle model, which executes every cycle."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from headrace.dataflow.fold import fold
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.insert_fifos import insert_fifos
from headrace.dataflow.lower import lower
from headrace.folding.plan import solve_folding
from headrace.layers.phases import Loop, Step, cycle_moves, moves
from headrace.timing.cycle_model import CycleModel
from headrace.timing.fifo_sizing import size_fifos
from headrace.timing.word_times import _Times, estimated_fifos
from tests.dataflow.test_insert_fifos import residual
from tests.small_dataflows import small_windows
from tests.small_networks import small_network

#: Cycles of registers that the estimate does not count.
REGISTERS = 30


def folded() -> Dataflow:
    unfolded = lower(small_network())
    return fold(unfolded, solve_folding(unfolded, 80))


@pytest.mark.parametrize("made", [residual, small_windows, folded])
def test_times_and_depths_are_near_those_of_the_cycle_model(made: Callable[[], Dataflow]) -> None:
    dataflow = made()
    near, exact = estimated_fifos(dataflow), size_fifos(dataflow)
    assert near.cycles_per_frame == exact.cycles_per_frame
    assert 0 <= exact.latency_cycles - near.latency_cycles <= max(REGISTERS, exact.latency_cycles // 50)
    assert CycleModel(insert_fifos(dataflow, near.depths)).steady().cycles_per_frame == exact.cycles_per_frame


def test_depths_that_are_given_stay() -> None:
    assert estimated_fifos(residual(), {"add1_fifo1": 777}).depths["add1_fifo1"] == 777


def test_moves_are_those_of_every_cycle() -> None:
    phases = (Step(3, 1, 0), Loop(2, (Step(1, 1, 1, 1), Loop(3, (Step(2, 0, 1), Step(1, 1, 0, 0))))), Step(2, 1, 1))
    for source in (0, 1):
        reads, writes = cycle_moves(phases, source)
        found = moves(phases, source)
        assert np.array_equal(found.reads, np.flatnonzero(reads))
        assert np.array_equal(found.writes, np.flatnonzero(writes))
        assert np.array_equal(found.needed, np.cumsum(reads)[writes > 0])
        assert found.cycles == len(reads)


def test_windows_that_lie_in_the_border_wait_for_nothing() -> None:
    times, port = object.__new__(_Times), ("a", 0)
    times.of, times.waiting = {port: np.asarray([5, 6, 7])}, {}
    assert times._window(np.asarray([-1, -1, 0, 2]), port).tolist() == [0, 1, 5, 7] and times.waiting == {port: 0}
    assert times._window(np.asarray([1, 1]), port).tolist() == [6, 7]
