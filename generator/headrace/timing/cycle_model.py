"""Cycle model: when every word passes every stream of a dataflow, FIFOs and back-pressure included.

The layers' schedules are executed by a small C++ program (in the folder `model`), which mirrors the registers of the
RTL that decide when words move. Nothing is estimated: word for word its cycles are those of the RTL with a source that
always has a word and a sink that always takes one.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np

from headrace.dataflow.graph import Dataflow, Port
from headrace.datatypes import IntArray
from headrace.timing.graph import Components, flow_header, graph, in_chains
from headrace.timing.library import load_library

#: The reader of the network's output.
SINK = "m_axis"
#: Frames after which a dataflow that does not repeat itself is judged by its last frame.
MAX_FRAMES = 48


@dataclass(frozen=True)
class Deadlock:
    """No word moves any more: a cycle of full and empty streams.

    full: streams whose producer waits for room. empty: those whose reader waits for a word. By producer and reader.
    """

    full: tuple[tuple[str, str], ...]
    empty: tuple[tuple[str, str], ...]

    def full_fifos(self, names: Iterable[str]) -> list[str]:
        """Those of the FIFOs that take no word."""
        readers = {reader for _, reader in self.full}
        return [name for name in names if name in readers]

    def empty_fifos(self, names: Iterable[str]) -> list[str]:
        """Those of the FIFOs that have no word."""
        producers = {producer for producer, _ in self.empty}
        return [name for name in names if name in producers]


@dataclass(frozen=True)
class Outcome:
    """What the model says of a dataflow.

    cycles_per_frame: in steady state, exact; None in a deadlock. latency_cycles: first word in to last word of the
    first frame out. occupancy: most words that every FIFO held at once, those of its registers included.
    """

    cycles_per_frame: Fraction | None
    latency_cycles: int | None
    occupancy: Mapping[str, int]
    deadlock: Deadlock | None


class Limits(NamedTuple):
    """What ends a run early, and the source's pace.

    slowest: cycles per frame of the slowest layer; no more frames are run than are under way at once, and `more`.
    most_cycles: per frame; two frames after each other that take longer are the last. pace: cycles per frame at which
    the source gives its words. 0: as if it were not there. patient: frames may take longer while each takes less than
    the one before, as they do where FIFOs fill.
    """

    slowest: int = 0
    more: int = 0
    most_cycles: int = 0
    pace: int = 0
    patient: bool = False


_NO_LIMITS = Limits()


class CycleModel:
    """A dataflow ready to be executed any number of times, with other depths of its FIFOs if wanted.

    content: equal for dataflows that differ in names only.
    """

    def __init__(self, dataflow: Dataflow, bare: bool = False, components: Components | None = None) -> None:
        """bare: the pipelines hold no word; what register slices and memories hold decides whether words can move.

        components: what is known of the layers already.
        """
        readers = {port: item.layer.name for item in dataflow.placed for port in item.sources}
        self._ends = [(port[0], readers.get(port, SINK)) for port in dataflow.streams]
        self._ports = list(dataflow.streams)
        self._words = [stream.words for stream in dataflow.streams.values()]
        self._depths = {item.layer.name: item.layer.stream_depth or 0 for item in in_chains(dataflow)
                        if item.layer.stream_depth is not None}
        edges = {port: index for index, port in enumerate(self._ports)}
        self._graph = graph(dataflow, edges, components or Components(bare))
        self.content = sha256(self._graph.data).digest()

    @property
    def streams(self) -> int:
        """How many streams there are."""
        return len(self._ports)

    @property
    def fifos(self) -> Iterable[str]:
        """The names of the FIFOs."""
        return self._depths

    def steady(self, depths: Mapping[str, int] | None = None, max_frames: int = MAX_FRAMES) -> Outcome:
        """Run until the state at a frame's end repeats. depths: of FIFOs by name, 0 leaves one out."""
        ends, done, period, outcome = self._simulate(max_frames, depths or {}, repeats=True)
        if outcome.deadlock is not None:
            return outcome
        if period[0] == 0:  # still filling a FIFO: the last frame tells the pace
            period = np.array([1, ends[done - 1] - ends[done - 2] if done > 1 else ends[0] + 1])
        return Outcome(Fraction(int(period[1]), int(period[0])), outcome.latency_cycles, outcome.occupancy, None)

    def watch(self, frames: int, watched: int, depths: Mapping[str, int] | None = None,
              limits: Limits = _NO_LIMITS) -> Outcome:
        """Like steady, but the last `watched` of at most `frames` frames tell the pace of what does not repeat.

        With a source that has a pace, all frames but the first do unless the run is patient: none of them is faster
        than the source.
        """
        ends, done, period, outcome = self._simulate(frames, depths or {}, limits, repeats=True)
        if outcome.deadlock is not None:
            return outcome
        frames, cycles = (int(number) for number in period)
        if not frames:
            frames = done - 1 if limits.pace and not limits.patient else min(watched, done - 1)
            cycles = int(ends[done - 1] - ends[done - 1 - frames])
        return replace(outcome, cycles_per_frame=Fraction(cycles, frames))

    def trace(self, frames: int, depths: Mapping[str, int] | None = None) -> dict[Port, IntArray]:
        """The cycle of every word on every stream while `frames` frames pass; shorter where a deadlock ends it."""
        traces = [np.full(frames * words, -1, np.int64) for words in self._words]
        self._simulate(frames, depths or {}, traces=traces)
        return {port: trace[trace >= 0] for port, trace in zip(self._ports, traces, strict=True)}

    def _simulate(self, frames: int, depths: Mapping[str, int], limits: Limits = _NO_LIMITS, *,
                  repeats: bool = False, traces: list[IntArray] | None = None
                  ) -> tuple[IntArray, int, IntArray, Outcome]:
        """Run: the cycle of every frame's last word, how many frames left, the period, what is known without it."""
        chosen = np.array([depths.get(name, depth) for name, depth in self._depths.items()], np.int64)
        ends, period = np.zeros(frames, np.int64), np.zeros(2, np.int64)
        first, most, waits = (np.zeros(count, np.int64) for count in (1, len(chosen), len(self._ports)))
        pointers = (ctypes.c_void_p * len(self._ports))(*(trace.ctypes.data for trace in traces)) if traces else None
        waits[0] = -1
        done = _library().simulate(
            self._graph.ctypes.data, chosen.ctypes.data, frames, *limits, int(repeats), ends.ctypes.data, pointers,
            period.ctypes.data, first.ctypes.data, most.ctypes.data, waits.ctypes.data)
        stuck = waits[0] >= 0
        outcome = Outcome(None, int(ends[0] - first[0]) if done else None,
                          dict(zip(self._depths, most.tolist(), strict=True)), self._deadlock(waits) if stuck else None)
        return ends, done, period, outcome

    def _deadlock(self, waits: IntArray) -> Deadlock:
        by_state = [tuple(ends for ends, wait in zip(self._ends, waits.tolist(), strict=True) if wait == state)
                    for state in (1, 2)]
        return Deadlock(*by_state)


@cache
def _library() -> ctypes.CDLL:
    """The compiled program. Raises ToolError if g++ is missing."""
    loaded = load_library(Path(__file__).parent / "model" / "cycle_model.cpp", {"flow.hpp": flow_header()})
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    loaded.simulate.restype = number
    loaded.simulate.argtypes = [pointer, pointer, *[number] * 7, *[pointer] * 6]
    return loaded
