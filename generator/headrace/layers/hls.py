"""The processes that the C++ of a layer is: pipelined loops that read and write streams, iteration by iteration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from headrace.datatypes import IntArray
from headrace.layers.phases import Loop, Phases, Schedule, cycle_moves
from headrace.layers.stream import Stream


@dataclass(frozen=True, eq=False)
class HlsLoop:
    """The iterations of a frame: `times` times those of the body.

    reads, writes: (iterations of the body,) masks of the process' inputs and outputs, the first in bit 0.
    """

    reads: IntArray
    writes: IntArray
    times: int = 1

    def __post_init__(self) -> None:
        if self.reads.shape != self.writes.shape or self.reads.ndim != 1:
            raise AssertionError("an iteration has a mask of reads and one of writes")

    @property
    def iterations(self) -> int:
        """Iterations of a frame."""
        return len(self.reads) * self.times


@dataclass(frozen=True, eq=False)
class HlsProcess:
    """One process: the kernel that it calls, the streams that it reads and writes, its loop.

    suffix: what its name has behind that of the layer. Streams are called in0, in1, ..., out0, ... as the layer's own,
    those between the processes of a layer by a name of theirs. memories: names in the order of the kernel's arguments;
    the kernel gets an empty one for each that the layer lacks. outputs_first: the kernel takes the output in front of
    its inputs, whose number varies.
    """

    kernel: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    loop: HlsLoop
    memories: tuple[str, ...] = ()
    suffix: str = ""
    outputs_first: bool = False


@dataclass(frozen=True, eq=False)
class HlsForm:
    """A layer in C++: its processes in the order of the data, and the streams between them by their name."""

    processes: tuple[HlsProcess, ...]
    streams: Mapping[str, Stream] = field(default_factory=dict)

    @property
    def iterations(self) -> int:
        """Iterations per frame of the longest process: its cycles per frame at an initiation interval of 1."""
        return max(process.loop.iterations for process in self.processes)


def single_process(kernel: str, inputs: int, outputs: int, schedule: Schedule,
                   memories: Sequence[str] = ()) -> HlsForm:
    """A layer whose iterations are the cycles of its schedule."""
    names = tuple(f"in{k}" for k in range(inputs)), tuple(f"out{k}" for k in range(outputs))
    return HlsForm((HlsProcess(kernel, *names, scheduled_loop(schedule.phases, inputs, outputs), tuple(memories)),))


def scheduled_loop(phases: Phases, inputs: int, outputs: int) -> HlsLoop:
    """The cycles of a schedule as iterations."""
    times = 1
    while len(phases) == 1 and isinstance(phases[0], Loop):
        times *= phases[0].times
        phases = phases[0].body
    moves = [cycle_moves(phases, source) for source in range(inputs)]
    reads = np.sum([taken << source for source, (taken, _) in enumerate(moves)], axis=0)
    writes = moves[0][1] * ((1 << outputs) - 1)
    return HlsLoop(np.asarray(reads, np.int64), np.asarray(writes, np.int64), times)
