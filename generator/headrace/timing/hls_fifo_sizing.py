"""Depths of the streams of the HLS back end: as deep as its pace needs, and such that no pipeline stops it.

What a compiler makes of a loop is not known, so the depths must do for pipelines of any number of stages, whether they
flush or stall: a pipeline that stalls keeps its words until others follow, and those must find room in front of the
joins behind. The pace is that of pipelines of 8 stages that flush.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count
from math import ceil

from headrace.dataflow.graph import Dataflow, Port
from headrace.dataflow.hls_graph import carriers, hls_graph
from headrace.dataflow.insert_fifos import place_name
from headrace.errors import FoldingError
from headrace.timing.hls_model import HlsModel, Pipelines

#: A stream's depth in Vitis HLS where no directive gives it one.
DEFAULT_DEPTH = 2
#: What the pace is promised for.
EXPECTED = Pipelines()
#: Stages of the deepest pipelines that must not stop a dataflow.
MOST_STAGES = 64
#: What must not stop: no stages (every word waits in a stream), few and many, flushing and stalling ones.
#: With pipelines that stall every frame is a call of its own (csynth.tcl), as the last words would wait for the next.
_HARDEST = (Pipelines(0), Pipelines(MOST_STAGES, flushes=False, runs_on=False), Pipelines(2), Pipelines(MOST_STAGES),
            *(Pipelines(depth, flushes=False, runs_on=False) for depth in (2, 16, 32)))
_STAGES = range(2, MOST_STAGES + 1)
#: Frames after which a dataflow that has not stopped will not.
_FRAMES = 3
#: Words that may move in all runs of a search together, and per frame where all numbers of stages are tried and where
#: only the hardest two of all pipelines are.
_MOST_MOVES = 20_000_000
_MOST_TRIED = 20_000
_LARGE = 1_000_000
#: How often all streams that are deep already get deeper where a dataflow stops.
_MOST_ATTEMPTS = 8


@dataclass(frozen=True)
class HlsSizing:
    """Depths by port. cycles_per_frame and latency_cycles: with them, for the expected pipelines."""

    depths: Mapping[Port, int]
    cycles_per_frame: int
    latency_cycles: int

    @classmethod
    def of(cls, dataflow: Dataflow, given: Mapping[str, int] | None = None, exact: bool = True) -> HlsSizing:
        """Size the streams of a dataflow. given: depths of FIFOs by name that the user chose; they are kept.

        exact: search for small depths; otherwise they are what a run of streams that are never full shows.

        Raises FoldingError naming the streams if these let it stop.
        """
        return _Search(dataflow, given or {}).run(exact)


class _Search:
    """The state of one sizing."""

    def __init__(self, dataflow: Dataflow, given: Mapping[str, int]) -> None:
        self.graph = hls_graph(dataflow)
        self.model = HlsModel(self.graph)
        self.given = _given_ports(dataflow, given)
        self.target = Fraction(self.model.iterations)
        self.hardest = _HARDEST[:2] if self.graph.words > _LARGE else _HARDEST

    def run(self, exact: bool) -> HlsSizing:
        large = self._large_enough()
        depths = self._small(large) if exact else self._going_on_all(large)
        outcome = self.model.run(depths, EXPECTED)
        assert outcome.cycles_per_frame is not None and outcome.latency_cycles is not None
        return HlsSizing(depths, ceil(outcome.cycles_per_frame), outcome.latency_cycles)

    def _small(self, large: dict[Port, int]) -> dict[Port, int]:
        """Depths that are as small as the pace and all pipelines allow."""
        free = [port for port, depth in large.items() if depth > DEFAULT_DEPTH and port not in self.given]
        depths = large | self._lowered(free, self._bursts(large), large)
        paced = self._scaled([port for port in free if depths[port] > DEFAULT_DEPTH], depths)
        depths = self._trimmed(paced, self._paced_again(self._going_on_all(paced)))
        if self.graph.words <= _MOST_TRIED:
            for stages in _STAGES:
                depths = self._going_on(depths, Pipelines(stages))
                depths = self._going_on(depths, Pipelines(stages, flushes=False, runs_on=False))
            depths = self._paced_again(depths)
        return depths

    def _bursts(self, depths: Mapping[Port, int]) -> dict[Port, int]:
        """Depths that do for most streams: what their reader takes at once, if it reads in bursts."""
        bursts = {port: item.layer.burst_words for item in self.graph.processes for port in item.inputs}
        return {port: max(DEFAULT_DEPTH, min(depth, bursts.get(port, 0))) for port, depth in depths.items()}

    def _large_enough(self) -> dict[Port, int]:
        """What the streams hold when the source gives its words at the pace of the slowest process, and more if that
        does not do.
        """
        pace = self.model.iterations
        depths = {port: max(DEFAULT_DEPTH, words) for port, words in self.model.run(None, EXPECTED, pace).most.items()}
        depths |= self.given
        for _ in range(4):
            if self._keeps_pace(depths):
                return depths
            depths = {port: 2 * depth if depth > DEFAULT_DEPTH else EXPECTED.depth
                      for port, depth in depths.items()} | self.given
        reached = self.model.run(depths, EXPECTED)
        if reached.cycles_per_frame is None:  # given depths stop pipelines that flush too
            raise self._stops(depths, reached.held)
        self.target = reached.cycles_per_frame
        return depths

    def _going_on(self, depths: dict[Port, int], pipelines: Pipelines) -> dict[Port, int]:
        """The depths, larger where the dataflow would stop."""
        for attempt in count():
            outcome = self.model.run(depths, pipelines, frames=_FRAMES)
            if outcome.cycles_per_frame is not None:
                return depths
            full = [port for port, held in outcome.held.items() if held >= depths[port] and port not in self.given]
            blocking = self._blocking(depths, outcome.held)
            if any(depths[port] > DEFAULT_DEPTH for port in blocking) and attempt < _MOST_ATTEMPTS:
                blocking = []  # the deep ones are in the way, and others that are as deep are likely to be
            joins = blocking or [port for port in full if depths[port] > DEFAULT_DEPTH] or full
            if not joins:
                raise self._stops(depths, outcome.held)
            depths = depths | {port: depths[port] + max(depths[port] // 4, 8) for port in joins}
        raise AssertionError("unreachable")

    def _blocking(self, depths: Mapping[Port, int], held: Mapping[Port, int]) -> list[Port]:
        """The full streams for which processes wait that others need words of, from the output backwards."""
        makers = {port: item for item in self.graph.processes for port in item.outputs}
        missing, seen, found = [self.graph.sink], set(), []
        while missing:
            port = missing.pop()
            if port not in seen and port in makers:
                seen.add(port)
                found += [made for made in makers[port].outputs if held[made] >= depths[made]]
                missing += [read for read in makers[port].inputs if not held[read]]
        return [port for port in dict.fromkeys(found) if port not in self.given]

    def _going_on_all(self, depths: dict[Port, int]) -> dict[Port, int]:
        for pipelines in self.hardest:
            depths = self._going_on(depths, pipelines)
        return depths

    def _paced_again(self, depths: dict[Port, int]) -> dict[Port, int]:
        """The depths, larger where they are the pace's: a stream made deeper can let words come at other times, so that
        a shallow one before a burst is empty in the middle of it.
        """
        raised = depths
        for _ in range(3):
            if self._keeps_pace(raised) or self.model.moves > _MOST_MOVES:
                break
            raised = {port: 2 * depth for port, depth in raised.items()} | self.given
        if not self._keeps_pace(raised):
            return depths
        return raised | self._lowered([port for port in depths if raised[port] > depths[port]], depths, raised)

    def _trimmed(self, least: Mapping[Port, int], depths: dict[Port, int]) -> dict[Port, int]:
        """The depths, as near to the least as goes on with all pipelines, one stream after the other."""
        for port in sorted(depths, key=lambda port: least[port] - depths[port]):
            low, high = least[port] - 1, depths[port]
            while high - low > 1 + depths[port] // 64 and self.model.moves <= _MOST_MOVES:
                middle = (low + high) // 2
                trial = {**depths, port: middle}
                goes_on = all(self.model.run(trial, pipelines, frames=_FRAMES).cycles_per_frame is not None
                              for pipelines in self.hardest)
                low, high = (low, middle) if goes_on and self._keeps_pace(trial) else (middle, high)
            depths = {**depths, port: high}
        return depths

    def _stops(self, depths: Mapping[Port, int], held: Mapping[Port, int]) -> FoldingError:
        full = [port for port in self.given if held[port] >= depths[port]]
        states = ", ".join(f"the stream behind {port[0]} holds {held[port]} of {depths[port]} words" for port in full)
        return FoldingError(f"{full[0][0] if full else next(iter(self.given))[0]}: with the depth given for the FIFO "
                            f"behind it the HLS dataflow stops for good: {states}; give it a larger depth, or leave it "
                            "out of the folding to have it sized")

    def _keeps_pace(self, depths: Mapping[Port, int]) -> bool:
        pace = self.model.run(depths, EXPECTED).cycles_per_frame
        return pace is not None and pace <= self.target

    def _lowered(self, ports: Sequence[Port], lower: Mapping[Port, int], depths: Mapping[Port, int]) -> dict[Port, int]:
        """Those of the streams that do with their lower depth, found by halves."""
        if not ports or self.model.moves > _MOST_MOVES:
            return {}
        lowered = {port: lower[port] for port in ports}
        if self._keeps_pace({**depths, **lowered}):
            return lowered
        if len(ports) == 1:
            return {}
        half = len(ports) // 2
        first = self._lowered(ports[:half], lower, depths)
        return {**first, **self._lowered(ports[half:], lower, {**depths, **first})}

    def _scaled(self, ports: Sequence[Port], depths: Mapping[Port, int]) -> dict[Port, int]:
        """The depths, halved as often as the pace allows, then lowered by a quarter, an eighth and so on."""
        found, left = dict(depths), list(ports)
        while left:
            lower = {port: max(DEFAULT_DEPTH, found[port] // 2) for port in left}
            lowered = self._lowered(left, lower, found)
            found |= lowered
            left = [port for port, depth in lowered.items() if depth > DEFAULT_DEPTH]
        for part in (4, 8, 16, 32):
            rest = [port for port in ports if found[port] > DEFAULT_DEPTH]
            lower = {port: min(found[port] - 1, found[port] - found[port] // part) for port in rest}
            found |= self._lowered(rest, lower, found)
        return found


def _given_ports(dataflow: Dataflow, given: Mapping[str, int]) -> dict[Port, int]:
    """The depths that the user chose, by the port of the stream; the compiler's own come on top."""
    carried = carriers(dataflow)
    ports = {place_name(item, index): carried[port] for item in dataflow.placed
             for index, port in enumerate(item.sources)}
    return {ports[name]: DEFAULT_DEPTH + depth for name, depth in given.items() if name in ports}
