"""Cycle model of the HLS back end: when every word passes every stream, at an initiation interval of 1.

What only an HLS compiler decides are parameters: the depth of the pipelines and whether they flush. hls_model.cpp
executes the loops of the processes, which the C simulation of every build compares with the kernels, iteration by
iteration.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from math import ceil
from pathlib import Path

import numpy as np

from headrace.dataflow.graph import Port
from headrace.dataflow.hls_graph import HlsGraph
from headrace.datatypes import IntArray
from headrace.layers.hls import HlsLoop
from headrace.timing.library import load_library

#: Words that a stream holds which is as deep as any.
_ENDLESS = 1 << 60
#: Cycles from the end of a loop whose pipeline is empty to its next start.
_GAP = 2
#: Frames of which the pace is taken, once the first have left.
_WATCHED_FRAMES = 2
#: Words per frame above which every frame takes seconds, and no more are run than are watched.
_LARGE = 5_000_000


@dataclass(frozen=True)
class Pipelines:
    """How a compiler builds the loops: stages, and whether they flush (flp) or stall with what they hold (stp).

    runs_on: the loops run on from frame to frame; else each is entered anew when its pipeline is empty.
    """

    depth: int = 8
    flushes: bool = True
    runs_on: bool = True


@dataclass(frozen=True, eq=False)
class HlsOutcome:
    """cycles_per_frame: None if the processes wait for each other for good. most: words that every stream held at
    once; held: at the end. latency_cycles: first word in to last word of the first frame out.
    """

    cycles_per_frame: Fraction | None
    latency_cycles: int | None
    most: Mapping[Port, int]
    held: Mapping[Port, int]


class HlsModel:
    """The processes of a dataflow, ready to be executed any number of times."""

    def __init__(self, graph: HlsGraph) -> None:
        self._ports = list(graph.streams)
        self._moves = graph.words
        #: Words that moved in all runs so far, about.
        self.moves = 0
        self._words = graph.streams[graph.source].words
        one = HlsLoop(np.ones(1, np.int64), np.ones(1, np.int64), self._words)
        silent = np.zeros(1, np.int64)
        last = HlsLoop(one.reads, one.writes, graph.streams[graph.sink].words)
        index = {port: k for k, port in enumerate(self._ports)}
        rows = [([], [index[graph.source]], HlsLoop(silent, one.writes, self._words)),
                *(([index[port] for port in item.inputs], [index[port] for port in item.outputs], item.process.loop)
                  for item in graph.processes),
                ([index[graph.sink]], [len(index)], last)]
        self.iterations = max(loop.iterations for _, _, loop in rows)
        self._graph, self._masks = _tables(rows, len(index) + 1)

    def run(self, depths: Mapping[Port, int] | None, pipelines: Pipelines, pace: int = 0,
            frames: int = 0) -> HlsOutcome:
        """depths: of the streams, or None for such that are never full; pace: cycles per frame at which the source
        gives its words, 0 for one in every cycle; frames: 0 for as many as show the steady pace.
        """
        if not frames and self._moves > _LARGE:
            frames = 1 + _WATCHED_FRAMES
        if not frames:
            first = self._simulate(depths, pipelines, pace, 1)
            if first.latency_cycles is None:
                return first
            frames = 2 + _WATCHED_FRAMES + ceil(first.latency_cycles / max(self.iterations, 1))
        return self._simulate(depths, pipelines, pace, frames)

    def _simulate(self, depths: Mapping[Port, int] | None, pipelines: Pipelines, pace: int,
                  frames: int) -> HlsOutcome:
        sizes = [_ENDLESS if depths is None else depths.get(port, 2) for port in self._ports]
        chosen = np.array([*sizes, _ENDLESS], np.int64)
        form = np.array([pipelines.depth, pipelines.flushes, pipelines.runs_on, _GAP], np.int64)
        ends, first = np.zeros(frames, np.int64), np.zeros(1, np.int64)
        most, held = np.zeros(len(chosen), np.int64), np.zeros(len(chosen), np.int64)
        done = _library().simulate(self._graph.ctypes.data, chosen.ctypes.data, self._masks.ctypes.data,
                                   form.ctypes.data, frames, pace, self._words, ends.ctypes.data, first.ctypes.data,
                                   most.ctypes.data, held.ctypes.data)
        self.moves += max(done, 1) * self._moves
        watched = min(_WATCHED_FRAMES, frames - 1)
        return HlsOutcome(
            Fraction(int(ends[-1] - ends[-1 - watched]), max(watched, 1)) if done == frames else None,
            int(ends[0] - first[0]) if done else None,
            dict(zip(self._ports, most.tolist(), strict=False)), dict(zip(self._ports, held.tolist(), strict=False)))


def _tables(rows: list[tuple[list[int], list[int], HlsLoop]], streams: int) -> tuple[IntArray, IntArray]:
    """The processes as hls_model.cpp reads them, and the masks of their bodies."""
    numbers, masks, start = [streams, len(rows)], [], 0
    for inputs, outputs, loop in rows:
        body = len(loop.reads)
        numbers += [len(inputs), *inputs, len(outputs), *outputs, body, loop.times,
                    start, start + body, start + 2 * body]
        masks += [loop.reads, loop.writes, _quiet(loop)]
        start += 3 * body
    return np.array(numbers, np.int64), np.concatenate(masks).astype(np.uint32)


def _quiet(loop: HlsLoop) -> IntArray:
    """For every iteration of the body how many from it on to the end move no word."""
    moving = np.append(np.flatnonzero(loop.reads | loop.writes), len(loop.reads))
    at = np.arange(len(loop.reads))
    return moving[np.searchsorted(moving, at)] - at


@cache
def _library() -> ctypes.CDLL:
    """The compiled program. Raises ToolError if g++ is missing."""
    loaded = load_library(Path(__file__).with_suffix(".cpp"))
    pointer, number = ctypes.c_void_p, ctypes.c_int64
    loaded.simulate.restype = number
    loaded.simulate.argtypes = [*[pointer] * 4, *[number] * 3, *[pointer] * 4]
    return loaded
