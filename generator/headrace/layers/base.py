"""What every streaming layer is: a frozen value with typed streams, a golden model, a schedule and parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from headrace.datatypes import DataType, IntArray
from headrace.layers.flow import Flow, Pipeline
from headrace.packing import Memory, word_bytes


@dataclass(frozen=True)
class Stream:
    """A typed edge: per frame `words` words of `lanes` elements, in stream order (row major, channels innermost)."""

    element: DataType
    lanes: int
    words: int

    @property
    def bits(self) -> int:
        """Exact width of a word in bits."""
        return self.lanes * self.element.bits

    @property
    def bytes(self) -> int:
        """Width of TDATA at a boundary in bytes."""
        return word_bytes(self.lanes, self.element.bits)

    @property
    def elements(self) -> int:
        """Elements per frame."""
        return self.lanes * self.words


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


@dataclass(frozen=True)
class Schedule:
    """One frame of a layer, cycle by cycle, when no neighbour stalls it.

    `phases` lists what each cycle takes and puts, in the order in which outputs need inputs. A cycle happens only when
    its input word is there and its output has room. `latency_cycles` is the time from the cycle that takes the last
    word an output needs to the cycle in which that output is valid. `slack_words` is how many words the layer still
    holds when its output is blocked. `run_ahead_words` > 0 says that reading runs ahead of the phases by up to that
    many words, into the next frame too, so that the larger of reads and writes sets the pace.
    """

    phases: Phases
    latency_cycles: int
    slack_words: int = 2
    run_ahead_words: int = 0
    flow: Flow | None = None

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

    def needed_reads(self, source: int = 0) -> IntArray:
        """(writes,): for each word put, how many words of input `source` are taken up to and with its cycle."""
        reads, writes = _per_cycle(self.phases, source)
        return np.cumsum(reads)[writes > 0]


def _per_cycle(phases: Phases, source: int) -> tuple[IntArray, IntArray]:
    """Words taken from one input and words put in every cycle."""
    reads, writes = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for phase in phases:
        if isinstance(phase, Loop):
            body = _per_cycle(phase.body, source)
            reads.append(np.tile(body[0], phase.times))
            writes.append(np.tile(body[1], phase.times))
        else:
            taken = phase.reads if phase.source in (None, source) else 0
            reads.append(np.full(phase.repeats, taken, np.int64))
            writes.append(np.full(phase.repeats, phase.writes, np.int64))
    return np.concatenate(reads), np.concatenate(writes)


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


Parameters = tuple[tuple[str, int], ...]


class Layer(ABC):
    """Base of the streaming layers. Every subclass is a frozen dataclass whose first field is `name`.

    `kind` is the stem shared by the Python file, the C++ header, the SystemVerilog module, the bench and the test.
    """

    kind: ClassVar[str]
    #: Ports that the kernels have; those that a layer does not use stay open.
    max_inputs: ClassVar[int] = 1
    max_outputs: ClassVar[int] = 1
    name: str

    @property
    @abstractmethod
    def inputs(self) -> tuple[Stream, ...]:
        """Typed input streams."""

    @property
    @abstractmethod
    def outputs(self) -> tuple[Stream, ...]:
        """Typed output streams."""

    @property
    def weight_stream(self) -> Stream | None:
        """The stream w_axis that brings the weights of a layer that does not hold them itself; it is no input."""
        return None

    @property
    def streams(self) -> tuple[Stream, ...]:
        """All streams of the layer: inputs, outputs, weights."""
        return (*self.inputs, *self.outputs, *([self.weight_stream] if self.weight_stream else []))

    @abstractmethod
    def golden(self, *x: IntArray) -> IntArray:
        """Naive integer model: every x (frames, elements) in stream order -> (frames, elements), on all outputs."""

    @abstractmethod
    def schedule(self) -> Schedule:
        """The layer's frame, cycle by cycle; the only source of its cycle count."""

    @abstractmethod
    def parameters(self) -> Parameters:
        """Integers that configure the kernels: names are those of the C++ template and the SystemVerilog module."""

    def rtl_parameters(self) -> Parameters:
        """Parameters that the SystemVerilog module alone has; those that are left out keep their defaults."""
        return ()

    @property
    def fold_sizes(self) -> dict[str, int]:
        """What may be folded: the field that holds the fold (pe, simd) and the size that it must divide."""
        return {}

    @property
    def fold_flags(self) -> tuple[str, ...]:
        """What may be switched on by 1 or off by 0 beside the folds."""
        return ()

    def with_folds(self, folds: Mapping[str, int]) -> Layer:
        """The layer with other folds, and with other flags where it has some. Raises FoldingError for illegal ones."""
        changes: dict[str, Any] = dict(folds)
        return replace(self, **changes)  # type: ignore[type-var]  # every Layer is a dataclass

    def memories(self) -> tuple[Memory, ...]:
        """Read-only memories; each is the file parameter NAME_FILE in SystemVerilog and an argument in C++."""
        return ()

    @property
    def cycles(self) -> int:
        """Steady-state cycles per frame without stalls."""
        return self.schedule().cycles
