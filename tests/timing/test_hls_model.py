"""The cycle model of the HLS back end, against the same rules written down cycle by cycle."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from itertools import product

import numpy as np
import pytest

from headrace.dataflow.graph import Dataflow, Port
from headrace.dataflow.hls_graph import hls_graph
from headrace.design import elaborate
from headrace.errors import FoldingError
from headrace.model import Model
from headrace.planning import plan_design
from headrace.request import Options, resolve
from headrace.timing.hls_fifo_sizing import HlsSizing
from headrace.timing.hls_model import HlsModel, Pipelines
from tests.hls_networks import planned, random_network
from tests.small_dataflow import small_dataflow
from tests.small_dataflows import small_branches, small_cnn
from tests.timing.test_fifo_sizing import folded

GAP = 2
PIPELINES = [Pipelines(2), Pipelines(8), Pipelines(13), Pipelines(8, flushes=False),
             Pipelines(5, flushes=False, runs_on=False), Pipelines(20, runs_on=False)]
STAGES = range(2, 65)


class Process:
    """One loop in a pipeline, as hls_model.cpp describes it, without any of its shortcuts."""

    def __init__(self, inputs: list[int], outputs: list[int], reads: np.ndarray, writes: np.ndarray,
                 pipelines: Pipelines) -> None:
        self.inputs, self.outputs, self.pipelines = inputs, outputs, pipelines
        self.reads, self.writes = reads.tolist(), writes.tolist()
        self.at, self.start, self.under_way = 0, 0, deque([-1] * pipelines.depth)  # iterations, -1: none
        self.wrote = 0

    def step(self, cycle: int, held: list[int], depths: list[int], moved: list[tuple[int, int]]) -> bool:
        """Move in one cycle what can move; true if anything did, or time alone will change that."""
        leaving = self.under_way[-1]
        out = [s for k, s in enumerate(self.outputs) if leaving >= 0 and self.writes[leaving] >> k & 1]
        if any(held[stream] >= depths[stream] for stream in out):
            return False
        drains = self.at == len(self.reads)
        needs = [] if drains else [s for k, s in enumerate(self.inputs) if self.reads[self.at] >> k & 1]
        enters = not drains and cycle >= self.start and all(held[stream] for stream in needs)
        holds = any(iteration >= 0 for iteration in self.under_way)
        if not enters and not drains and not (self.pipelines.flushes and holds):
            return cycle < self.start
        moved += [(stream, 1) for stream in out]
        self.wrote += len(out)
        self.under_way.pop()
        self.under_way.appendleft(self.at if enters else -1)
        if enters:
            moved += [(stream, -1) for stream in needs]
            self.at += 1
            if self.at == len(self.reads) and self.pipelines.runs_on:
                self.at = 0
        if drains and not any(iteration >= 0 for iteration in self.under_way):
            self.at, self.start = 0, cycle + 1 + GAP
        return True


def naive_ends(dataflow: Dataflow, depths: Mapping[Port, int], pipelines: Pipelines, frames: int) -> list[int]:
    """The cycle of the last word of every frame; fewer than `frames` if the processes wait for good."""
    graph = hls_graph(dataflow)
    index = {port: k for k, port in enumerate(graph.streams)}
    sizes = [*(depths.get(port, 2) for port in index), 1 << 40]
    ones = [np.ones(graph.streams[port].words, int) for port in (graph.source, graph.sink)]
    processes = [Process([], [index[graph.source]], 0 * ones[0], ones[0], pipelines)]
    for item in graph.processes:
        loop = item.process.loop
        processes.append(Process([index[port] for port in item.inputs], [index[port] for port in item.outputs],
                                 np.tile(loop.reads, loop.times), np.tile(loop.writes, loop.times), pipelines))
    processes.append(Process([index[graph.sink]], [len(index)], ones[1], ones[1], pipelines))
    held, cycle = [0] * len(sizes), 0
    ends: list[int] = []
    while len(ends) < frames:
        moved: list[tuple[int, int]] = []
        stepped = [process.step(cycle, held, sizes, moved) for process in processes]
        if not any(stepped):
            break
        for stream, change in moved:
            held[stream] += change
        ends += [cycle] if processes[-1].wrote >= (len(ends) + 1) * len(ones[1]) else []
        cycle += 1
    return ends


@pytest.mark.parametrize("pipelines", PIPELINES, ids=str)
@pytest.mark.parametrize("make", [small_dataflow, small_branches, small_cnn])
def test_cycles_are_those_of_the_rules(make: Callable[[], Dataflow], pipelines: Pipelines) -> None:
    dataflow = make()
    # Pipelines that stall and never drain keep many words, for which streams are not sized.
    more = 64 if pipelines.runs_on and not pipelines.flushes else 0
    depths = {port: depth + more for port, depth in HlsSizing.of(dataflow).depths.items()}
    frames = 4
    ends = naive_ends(dataflow, depths, pipelines, frames)
    outcome = HlsModel(hls_graph(dataflow)).run(depths, pipelines, frames=frames)
    assert len(ends) == frames
    assert outcome.cycles_per_frame == (ends[-1] - ends[-3]) / 2
    assert outcome.latency_cycles == ends[0]


def test_a_stop_is_a_stop_by_the_rules_too() -> None:
    depths = dict.fromkeys(HlsSizing.of(small_cnn()).depths, 2)
    assert naive_ends(small_cnn(), depths, Pipelines(), 2) == []
    assert HlsModel(hls_graph(small_cnn())).run(depths, Pipelines()).cycles_per_frame is None


def goes_on(dataflow: Dataflow, depths: Mapping[Port, int], pipelines: Pipelines) -> bool:
    return HlsModel(hls_graph(dataflow)).run(depths, pipelines, frames=3).cycles_per_frame is not None


def require_pace(seed: int, cycles: int) -> None:
    """The predicted cycles are those of the RTL but for 3 %, and no pipeline stops the network."""
    design = planned(random_network(seed), cycles)
    assert design.hls is not None
    assert design.hls.cycles_per_frame <= 1.03 * design.sizing.cycles_per_frame
    for stages in STAGES:
        for flushes in (True, False):
            assert goes_on(design.dataflow, design.hls.depths, Pipelines(stages, flushes, runs_on=flushes))


# 11: a depthwise window of several words per pixel in a frame of 4x4. 22: a shortcut that is deeper for pipelines that
# stall, behind which words come too late for a burst.
@pytest.mark.parametrize(("seed", "cycles"), [*product(range(5), (3000, 600)), (11, 600), (22, 3000)])
def test_random_networks_with_joins_keep_the_pace_of_the_rtl(seed: int, cycles: int) -> None:
    require_pace(seed, cycles)


@pytest.mark.slow
def test_many_random_networks_with_joins_keep_the_pace_of_the_rtl() -> None:
    for seed in range(100):
        require_pace(seed, 3000)
        require_pace(seed, 600)


def test_a_given_depth_that_stops_the_network_is_named() -> None:
    net, request = random_network(1), resolve(Options(fps=200e6 / 3000, backend="both"))
    planned = plan_design(Model(net, "0" * 64), request)
    places = [name for name in planned.design.sizing.depths if name.startswith("join_fifo")]
    with pytest.raises(FoldingError, match="stops for good"):
        for name in places:  # one of the branches is the longer one
            recipe = request.recipe.__class__(planned.plan.folds, depths={name: 1})
            elaborate(net, recipe, hls=True)


def test_a_given_depth_that_stops_the_expected_pipelines_is_named() -> None:
    """The RTL of this dataflow needs the 12 words that the user gives, the C++ some more."""
    with pytest.raises(FoldingError) as error:
        HlsSizing.of(folded(), {"add1_fifo0": 12, "conv0_fifo": 40})
    assert str(error.value) == (
        "input_fork: with the depth given for the FIFO behind it the HLS dataflow stops for good: the stream behind "
        "input_fork holds 14 of 14 words; give it a larger depth, or leave it out of the folding to have it sized")
