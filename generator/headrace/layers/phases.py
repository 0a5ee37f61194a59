"""What schedules are written in: phases of steps and loops. Each layer's own schedule is in the file of the layer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from headrace.datatypes import IntArray
from headrace.layers.flow import Flow, Pipeline


class Step(NamedTuple):
    """`repeats` cycles in each of which the layer takes `reads` words and then puts `writes` words, 0 or 1 each.

    A word is taken from every input, or from input `source` alone; it is put on every output.
    """

    repeats: int
    reads: int
    writes: int
    source: int | None = None


class Loop(NamedTuple):
    """`body`, `times` times."""

    times: int
    body: tuple[Step | Loop, ...]


Phases = tuple[Step | Loop, ...]
_NONE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Schedule:
    """One frame of a layer, cycle by cycle, when no neighbour stalls it.

    `phases` lists what each cycle takes and puts, in the order in which outputs need inputs; `made` is that list, or
    makes it where it is asked for. A cycle happens only when its input word is there and its output has room.
    `latency_cycles` is the time from the cycle that takes the last word an output needs to the cycle in which that
    output is valid. `slack_words` is how many words the layer still holds when its output is blocked.
    `run_ahead_words` > 0 says that reading runs ahead of the phases by up to that many words, into the next frame too,
    so that the larger of reads and writes sets the pace.
    """

    made: Phases | Callable[[], Phases]
    latency_cycles: int
    slack_words: int = 2
    run_ahead_words: int = 0
    flow: Flow | None = None

    @cached_property
    def phases(self) -> Phases:
        """What each cycle takes and puts."""
        return self.made() if callable(self.made) else self.made

    @property
    def control(self) -> Flow:
        """How the layer holds words."""
        return self.flow or Pipeline(self.latency_cycles - 2)  # the two slices are part of the latency

    @property
    def reads(self) -> int:
        """Words taken per frame (from each input, or from all of them together where the steps name a source)."""
        return _total(self.phases, reads=True, writes=False)

    @property
    def writes(self) -> int:
        """Words put per frame (to each output)."""
        return _total(self.phases, reads=False, writes=True)

    @property
    def cycles(self) -> int:
        """Steady-state cycles per frame."""
        if self.run_ahead_words:
            return max(self.reads, self.writes)
        return _total(self.phases, reads=False, writes=False)

    @property
    def cycles_to_first_write(self) -> int:
        """Cycles of one frame before the cycle of its first write."""
        return _before_first_write(self.phases)[0]

    def write_cycles(self) -> IntArray:
        """(writes,): for each word put, the cycle of the frame in which it is put."""
        return moves(self.phases, 0).writes

    def needed_reads(self, source: int = 0) -> IntArray:
        """(writes,): for each word put, how many words of input `source` are taken up to and with its cycle."""
        return moves(self.phases, source).needed


class Moves(NamedTuple):
    """When words pass in phases.

    reads: (reads,) the cycle of each word taken. writes: (writes,) the cycle of each word put. needed: (writes,) how
    many words are taken up to and with that cycle. cycles: of the phases.
    """

    reads: IntArray
    writes: IntArray
    needed: IntArray
    cycles: int


def moves(phases: Phases, source: int) -> Moves:
    """The words that phases take from input `source`, and those that they put."""
    parts = [Moves(_NONE, _NONE, _NONE, 0)]
    parts += [_of_loop(part, source) if isinstance(part, Loop) else _of_steps(part, source) for part in _parted(phases)]
    start = np.cumsum([0, *(part.cycles for part in parts)])
    taken = np.cumsum([0, *(len(part.reads) for part in parts)])
    return Moves(np.concatenate([part.reads + at for part, at in zip(parts, start, strict=False)]),
                 np.concatenate([part.writes + at for part, at in zip(parts, start, strict=False)]),
                 np.concatenate([part.needed + before for part, before in zip(parts, taken, strict=False)]),
                 int(start[-1]))


def _of_steps(steps: Sequence[Step], source: int) -> Moves:
    takes, puts = (found != 0 for found in _step_moves(steps, source))
    writes = np.flatnonzero(puts)
    return Moves(np.flatnonzero(takes), writes, np.cumsum(takes)[writes], len(takes))


def _of_loop(loop: Loop, source: int) -> Moves:
    body = moves(loop.body, source)
    times = np.arange(loop.times)[:, None]
    reads, writes = ((times * body.cycles + cycles).reshape(-1) for cycles in (body.reads, body.writes))
    return Moves(reads, writes, (times * len(body.reads) + body.needed).reshape(-1), loop.times * body.cycles)


def cycle_moves(phases: Phases, source: int) -> tuple[IntArray, IntArray]:
    """(cycles,), (cycles,): words taken from input `source`, and words put, in every cycle."""
    parts = [(_NONE, _NONE)]
    for part in _parted(phases):
        if isinstance(part, Loop):
            reads, writes = cycle_moves(part.body, source)
            parts.append((np.tile(reads, part.times), np.tile(writes, part.times)))
        else:
            parts.append(_step_moves(part, source))
    reads, writes = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    return reads, writes


def _step_moves(steps: Sequence[Step], source: int) -> tuple[IntArray, IntArray]:
    """Of steps alone, of which there may be one per word."""
    repeats = [step.repeats for step in steps]
    reads = [step.reads if step.source in (None, source) else 0 for step in steps]
    return np.repeat(reads, repeats), np.repeat([step.writes for step in steps], repeats)


def _parted(phases: Phases) -> Iterator[Loop | list[Step]]:
    """Loops, and what lies between them."""
    steps: list[Step] = []
    for phase in phases:
        if isinstance(phase, Step):
            steps.append(phase)
            continue
        if steps:
            yield steps
        yield phase
        steps = []
    if steps:
        yield steps


def _total(phases: Phases, *, reads: bool, writes: bool) -> int:
    total = 0
    for phase in phases:
        if isinstance(phase, Loop):
            total += phase.times * _total(phase.body, reads=reads, writes=writes)
        else:
            total += phase.repeats * (phase.reads if reads else phase.writes if writes else 1)
    return total


def _before_first_write(phases: Phases) -> tuple[int, bool]:
    cycles = 0
    for phase in phases:
        if isinstance(phase, Loop):
            inside, found = _before_first_write(phase.body)
            if found:
                return cycles + inside, True
            cycles += phase.times * inside
        elif phase.writes:
            return cycles, True
        else:
            cycles += phase.repeats
    return cycles, False


def put_phases(puts: IntArray) -> Phases:
    """Phases that take a word in every cycle and put one where `puts`, (reads,), is 1."""
    ends = np.flatnonzero(np.diff(puts, append=-1)) + 1
    return tuple(Step(int(end - start), 1, int(puts[start])) for start, end in zip([0, *ends[:-1]], ends, strict=True))


def demand_phases(needed_reads: IntArray, reads: int) -> Phases:
    """Phases in which every output word follows the reads that it needs.

    needed_reads: (writes,) for each output word how many of the frame's `reads` input words it needs. Reads that no
    output needs close the frame.
    """
    reached = np.maximum.accumulate(needed_reads)
    fresh = np.diff(reached, prepend=0)
    steps: list[Step] = []
    start = 0
    for end in np.flatnonzero(np.diff(fresh, append=-1)) + 1:  # ends of runs of equal numbers
        repeats, count = int(end) - start, int(fresh[start])
        start = int(end)
        if count > 1:
            steps += [Step(count - 1, 1, 0), Step(1, 1, 1)] * repeats
        else:
            steps.append(Step(repeats, count, 1))
    if unused := reads - int(reached[-1]):
        steps.append(Step(unused, 1, 0))
    return tuple(steps)
