"""Depths of FIFOs: as small as the throughput allows, in the cycle model and in the RTL; deadlocks are named."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from headrace.dataflow.fold import fold
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.dataflow.insert_fifos import fifo_places, insert_fifos
from headrace.dataflow.lower import lower
from headrace.datatypes import uint_type
from headrace.errors import FoldingError, MismatchError
from headrace.folding.plan import solve_folding
from headrace.layers import Add, Dwc, Fifo, Fork, MaxPool, Swu
from headrace.memory import PRICES, free_depth
from headrace.timing import fifo_search, fifo_sizing, paces
from headrace.timing.cycle_model import MAX_FRAMES, CycleModel, Deadlock, Outcome
from headrace.timing.fifo_sizing import size_fifos
from headrace.timing.paces import Paces
from tests.dataflow.test_insert_fifos import residual
from tests.narrow import the
from tests.small_dataflows import chain, named_mvtu
from tests.small_networks import small_network
from tests.timing.test_cycle_model import rtl_cycles

FRAMES = 6
#: The convolution takes 4 cycles per word of the shortcut.
FOLDING = {"conv0": {"simd": 9}}


def folded() -> Dataflow:
    return fold(residual(), FOLDING)


def pace(dataflow: Dataflow) -> Fraction | None:
    return CycleModel(dataflow).steady().cycles_per_frame


def test_the_throughput_is_that_of_the_slowest_layer() -> None:
    sizing = size_fifos(folded())
    assert sizing.cycles_per_frame == folded().cycles_per_frame
    assert pace(insert_fifos(folded(), sizing.smallest)) == folded().cycles_per_frame
    assert set(sizing.smallest) == set(fifo_places(folded())) == {
        "conv0_swu_fifo", "conv0_fifo", "add1_fifo0", "add1_fifo1"}


def test_two_words_are_taken_where_they_are_enough() -> None:
    unfolded = lower(small_network())
    dataflow = fold(unfolded, solve_folding(unfolded, 80))
    smallest = size_fifos(dataflow).smallest
    assert smallest["conv1_act_fifo"] == 2
    less = pace(insert_fifos(dataflow, {**smallest, "conv1_act_fifo": 0}))
    assert less is None or less > dataflow.cycles_per_frame


def test_one_word_less_in_any_fifo_is_slower_or_a_deadlock() -> None:
    smallest = size_fifos(folded()).smallest
    assert smallest["add1_fifo0"] > 3
    for name, depth in smallest.items():
        if depth:
            less = pace(insert_fifos(folded(), {**smallest, name: depth - 1}))
            assert less is None or less > folded().cycles_per_frame, name


def test_the_rtl_confirms_depth_and_occupancy(tmp_path: Path) -> None:
    smallest = dict(size_fifos(folded()).smallest)
    dataflow = insert_fifos(folded(), smallest)
    (tmp_path / "enough").mkdir()
    cycles = rtl_cycles(dataflow, FRAMES, tmp_path / "enough")
    words = dataflow.streams[dataflow.output_port].words
    ends = cycles[dataflow.output_port][words - 1 :: words]
    assert ends[-1] - ends[-2] == dataflow.cycles_per_frame
    occupancy = CycleModel(dataflow).steady(max_frames=FRAMES).occupancy
    for item in dataflow.placed:
        if isinstance(item.layer, Fifo):
            assert most_inside(cycles[item.sources[0]], cycles[item.layer.name, 0]) == occupancy[item.layer.name]


def test_the_rtl_confirms_that_one_word_less_is_too_few(tmp_path: Path) -> None:
    smallest = dict(size_fifos(folded()).smallest)
    dataflow = insert_fifos(folded(), smallest | {"add1_fifo0": smallest["add1_fifo0"] - 1})
    assert pace(dataflow) is None
    with pytest.raises(MismatchError, match="no stream moves any more"):
        rtl_cycles(dataflow, FRAMES, tmp_path)


def test_progress_counts_places_and_tells_the_time_left() -> None:
    told: list[str] = []
    size_fifos(folded(), progress=told.append)
    assert re.fullmatch("sizing FIFOs: 4 of 4 places, about 0 s left", told[-1]) and len(told) > 1


def test_progress_tells_the_time_at_the_rate_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks, told = count(1000, 10), list[str]()
    monkeypatch.setattr(fifo_search, "monotonic", lambda: float(next(ticks)))
    size_fifos(folded(), progress=told.append)
    assert [text.rpartition("about ")[2] for text in told] == ["30 s left", "20 s left", "0 s left"]


def test_a_depth_in_the_way_becomes_what_it_holds_if_it_is_never_full() -> None:
    """None where others are in the way as well."""
    found = Paces(folded(), {})
    fill = found.start(the(int, CycleModel(insert_fifos(folded(), found.safe)).steady().latency_cycles))
    search, smallest = fifo_search.DepthSearch(found, fill), dict(size_fifos(folded()).smallest)
    search.depths = {**smallest, "add1_fifo0": 0}
    assert not found.fits(found.whole, search.depths)
    assert search._deepen(found.whole, "add1_fifo0") and search.depths == {**smallest, "add1_fifo0": 16}
    assert found.fits(found.whole, search.depths) and found.held(found.whole, smallest, "add1_fifo0") == 15
    search.depths = {**smallest, "add1_fifo0": 0}
    assert not search._deepen(found.whole, "conv0_fifo") and search.depths == {**smallest, "add1_fifo0": 0}


def test_safe_depths_keep_the_pace_without_a_search() -> None:
    smallest, safe = size_fifos(folded()), size_fifos(folded(), exact=False)
    assert smallest.exact and not safe.exact
    assert safe.cycles_per_frame == smallest.cycles_per_frame == pace(insert_fifos(folded(), safe.smallest))
    assert all(safe.smallest[name] >= depth for name, depth in smallest.smallest.items())
    assert safe.depths["add1_fifo0"] == 32 and CycleModel(insert_fifos(folded(), safe.depths)).steady().deadlock is None


def test_a_search_that_takes_too_long_ends_with_safe_depths(monkeypatch: pytest.MonkeyPatch) -> None:
    safe = size_fifos(folded(), {"conv0_fifo": 5}, exact=False)
    assert safe.depths["conv0_fifo"] == 5
    monkeypatch.setattr(paces, "_MOST_WORK", 20_000)
    assert size_fifos(folded(), {"conv0_fifo": 5}) == safe


def test_a_branch_that_waits_for_more_than_a_frame_keeps_the_pace() -> None:
    """Windows of half a frame each: the shortcut holds the words of several frames."""
    dataflow = small_frames()
    sizing = size_fifos(dataflow)
    assert sizing.cycles_per_frame == dataflow.cycles_per_frame
    assert sizing.smallest["add_fifo1"] > 2 * dataflow.input.words
    assert pace(insert_fifos(dataflow, sizing.smallest)) == dataflow.cycles_per_frame
    less = pace(insert_fifos(dataflow, {**sizing.smallest, "add_fifo1": sizing.smallest["add_fifo1"] - 1}))
    assert less is None or less > dataflow.cycles_per_frame


def small_frames() -> Dataflow:
    """Six windows over frames of 3x3 pixels beside a shortcut."""
    element, pixels = uint_type(2), 9
    fork = Fork("fork", 1, element, pixels)
    placed = [Placed(fork, ((SOURCE, 0),))]
    port = ("fork", 0)
    for k in range(6):
        window = Swu(f"w{k}", 3, 3, 1, (3, 3), element, pad=(1, 1, 1, 1))
        unit = named_mvtu(f"c{k}", mw=9, mh=1, simd=1, weight="ternary", input="uint2", output="uint2", vectors=pixels)
        placed += [Placed(window, (port,)), Placed(unit, ((f"w{k}", 0),))]
        port = (f"c{k}", 0)
    return Dataflow(fork.inputs[0], (*placed, Placed(Add("add", 1, element, element, pixels), (port, ("fork", 1)))))


def test_bursts_wait_in_front_of_a_converter_to_fewer_lanes() -> None:
    """A pooling gives a row of results in half the time that the converter takes for it, then pauses as long."""
    dataflow = chain([
        MaxPool("pool0", 4, 32, 4, (2, 2), (2, 2), uint_type(2), pe=4),
        Dwc("fc0_dwc", 4, 1, uint_type(2), 32),
        named_mvtu("fc0", mw=128, mh=1, weight="ternary", input="uint2", output="acc"),
    ])
    sizing = size_fifos(dataflow)
    assert sizing.cycles_per_frame == dataflow.cycles_per_frame == 128
    assert sizing.smallest["fc0_fifo"] > 0
    slower = pace(dataflow)
    assert slower is not None and slower > 128


def most_inside(taken: np.ndarray, given: np.ndarray) -> int:
    """Most words that a FIFO held at the end of a cycle."""
    events = sorted([(int(cycle), 1) for cycle in taken] + [(int(cycle), -1) for cycle in given])
    inside = most = 0
    for _, change in events:
        inside += change
        most = max(most, inside)
    return most


def test_a_depth_that_stops_the_dataflow_is_named() -> None:
    with pytest.raises(FoldingError) as error:
        size_fifos(folded(), {"add1_fifo0": 2})
    assert str(error.value) == (
        "add1_fifo0: with a depth of 2 the dataflow stops for good: add1_fifo0 (depth 2) is full, add1_fifo1 is empty; "
        "give it a larger depth, or leave it out of the folding to have it sized")


def test_a_given_depth_is_kept() -> None:
    sizing = size_fifos(folded(), {"add1_fifo0": 77, "conv0_fifo": 5})
    assert sizing.depths["add1_fifo0"] == 77 and sizing.depths["conv0_fifo"] == 5


@pytest.mark.parametrize(("depth", "bits", "wanted"), [
    (0, 8, 0), (2, 8, 2), (3, 8, 32), (32, 8, 32), (33, 8, 64), (65, 8, 128), (600, 8, 2048), (600, 36, 1024),
])
def test_a_memory_gives_its_whole_depth(depth: int, bits: int, wanted: int) -> None:
    assert free_depth(depth, bits, PRICES) == wanted


def test_no_stall_pattern_stops_a_sized_dataflow() -> None:
    """Pipelines that are blocked while empty hold only the words of their slices: even then words can move."""
    dataflow = insert_fifos(residual(), size_fifos(residual()).depths)
    assert CycleModel(dataflow, bare=True).steady().deadlock is None


class SlowAtOneDepth(CycleModel):
    """A model that loses a cycle per frame where the convolution's FIFO has one certain depth."""

    slow: ClassVar[int] = 0

    def steady(self, depths: Mapping[str, int] | None = None, max_frames: int = MAX_FRAMES) -> Outcome:
        outcome = super().steady(depths, max_frames)
        if outcome.cycles_per_frame is None or (depths or {})["conv0_fifo"] != self.slow:
            return outcome
        return replace(outcome, cycles_per_frame=outcome.cycles_per_frame + 1)


def test_free_room_that_costs_throughput_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pipelines behind one enable can be slower with more room; the other FIFO takes what its memory gives."""
    dataflow = fold(residual(), {"conv0": {"simd": 2}})
    usual = size_fifos(dataflow)
    assert all(usual.depths[name] > usual.smallest[name] > 0 for name in ("conv0_fifo", "add1_fifo0"))
    monkeypatch.setattr(SlowAtOneDepth, "slow", usual.depths["conv0_fifo"])
    monkeypatch.setattr(paces, "CycleModel", SlowAtOneDepth)
    sizing = size_fifos(dataflow)
    assert sizing.cycles_per_frame == dataflow.cycles_per_frame
    assert sizing.depths == {**usual.depths, "conv0_fifo": usual.smallest["conv0_fifo"]}


def test_fifos_that_deadlock_grow_until_words_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each round doubles what is full, so that the rounds end; depths that the user gave stay."""
    search = fifo_sizing._Search(folded(), {})
    rounds: list[int] = []

    stuck = Deadlock((("fork", "add1_fifo0"),), ())

    def steady(depths: Mapping[str, int], frames: int) -> object:
        rounds.append(depths["add1_fifo0"])
        assert len(rounds) < 20
        return Outcome(None, None, {}, None if depths["add1_fifo0"] >= 4000 else stuck)

    monkeypatch.setattr(search.bare, "steady", steady)
    grown = search.without_deadlock({"add1_fifo0": 0, "conv0_fifo": 5})
    assert grown["add1_fifo0"] >= 4000 and grown["conv0_fifo"] == 5
    assert rounds == sorted(set(rounds)) and rounds[:3] == [0, 2, 32]


@pytest.mark.parametrize(("given", "found"), [({}, (0, 64)), ({"add1_fifo1": 0}, (0, 0))])
def test_a_fifo_against_a_deadlock_that_costs_throughput_is_made_up_for(
        given: dict[str, int], found: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    """The other FIFOs of the join become deeper, and only those that have to; depths that the user gave stay."""
    search = fifo_sizing._Search(folded(), given)

    def steady(depths: Mapping[str, int]) -> Outcome:
        return Outcome(Fraction(search.paces.target + (depths["add1_fifo1"] < 40)), 1, {}, None)

    monkeypatch.setattr(search, "steady", steady)
    search.paces.safe |= {"add1_fifo0": 100, "add1_fifo1": 100}
    depths = {"add1_fifo0": 0, "add1_fifo1": 0, "conv0_fifo": 5}
    assert search.as_fast(depths) == depths | dict(zip(("add1_fifo0", "add1_fifo1"), found, strict=True))
