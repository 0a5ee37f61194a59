"""What matrix-vector units have in common: words of weights, exact accumulators, thresholds or none, the pipeline.

acc_i = sum over j of W_ij * x_j, then y_i = base + #{k : acc_i >= T_ik}, or acc_i itself.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.structures import counters, ram, slices
from headrace.area.usage import Resources
from headrace.datatypes import IntArray, int_type, signed_bits
from headrace.errors import InputError
from headrace.layers.activation import Activation, Search, base_code, extent, multi_threshold, require_thresholds
from headrace.layers.base import Parameters
from headrace.layers.cores import Core, Unit
from headrace.layers.cores.choice import accumulators
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Phases, Schedule, Step
from headrace.layers.products import Products
from headrace.layers.stream import Stream
from headrace.layers.weight_store import EXTERNAL, store_amounts
from headrace.memory import Ram
from headrace.packing import Memory, threshold_words

#: Rows whose products take at most so many bits of weights times bits of activations have the same copy of an enable.
_COPY_BITS = 512


@dataclass(frozen=True, eq=False)
class WeightedLayer(Products):
    """Products that meet thresholds, or leave as they are, in a pipeline: what mvtu and vvtu are."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.thresholds is not None:
            require_thresholds(self.name, self.thresholds, self.mh, self.output)
        elif self.output.lo > self.accumulator.lo or self.output.hi < self.accumulator.hi:
            raise InputError(f"{self.name}: the accumulator reaches from {self.accumulator.lo} to "
                             f"{self.accumulator.hi} but the output type is {self.output}; "
                             f"write {self.accumulator} or acc")

    @cached_property
    def search(self) -> Search | None:
        """How thresholds are searched."""
        if self.thresholds is None:
            return None
        return self._search_of(self.acc_bits)

    def _search_of(self, acc_bits: int) -> Search:
        return Search(self.output, acc_bits, acc_bits, self.pe, self.nf, self.sf, self.writable, self.prices)

    @property
    def searches_in_turn(self) -> bool:
        """True if one comparator searches the thresholds of all rows, one after the other."""
        return self.search is not None and self.search.in_turn

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.output, self.pe, self.vectors * self.nf),)

    def activate(self, acc: IntArray) -> IntArray:
        """Accumulators (frames, vectors, MH) -> outputs (frames, elements)."""
        y = acc if self.thresholds is None else multi_threshold(acc, self.thresholds, self.output)
        return y.reshape(len(acc), -1)

    @property
    def latency_cycles(self) -> int:
        """Depth of the pipeline: two slices, two reads or three, the core, the accumulator, the binary search."""
        return self._pipeline_cycles

    @cached_property
    def _pipeline_cycles(self) -> int:
        stages = self.arithmetic.stages(self.operands, self.presets_threshold)
        return 5 + self.replays_late + stages + (self.search.latency_cycles if self.search else 0)

    @cached_property
    def _replay_memory(self) -> Ram:
        """What activations take that other rows read again; one word is a register."""
        if not self.shares_activations or self.nf == 1 or self.sf == 1:
            return Ram()
        return memory.ram(self.sf, self.inputs[0].bits, self.prices)

    @property
    def replays_late(self) -> bool:
        """True if these are in block RAM with its output register: they come a cycle later, and all else with them."""
        return self._replay_memory.bram18 > 0

    @property
    @abstractmethod
    def phases(self) -> Phases:
        """Those of the schedule, which no core changes."""

    def schedule(self) -> Schedule:
        return Schedule(self.phases, self.latency_cycles, flow=self.flow)

    @property
    def cycles(self) -> int:
        return Schedule(self.phases, 0).cycles  # the latency takes a core to be chosen

    @property
    def flow(self) -> Pipeline:
        """How words are held: two slices are part of the latency; results of several words are spaced."""
        return Pipeline(self.latency_cycles - 2, spaced=self.sf > 1)

    @property
    def arithmetic_parameters(self) -> Parameters:
        """The parameters that follow those of the shape."""
        return (
            ("W_BITS", self.weight.bits), ("W_KIND", self.weight.kind),
            ("A_BITS", self.input.bits), ("A_KIND", self.input.kind),
            ("ACC_BITS", self.acc_bits), ("N", 0 if self.thresholds is None else self.thresholds.shape[1]),
            ("O_BITS", self.output.bits), ("BASE", 0 if self.thresholds is None else base_code(self.output)),
            ("SERIAL", int(self.searches_in_turn)), ("CORE", self.arithmetic.number),
        )

    def memories(self) -> tuple[Memory, ...]:
        return (self.weight_memory(), *self._threshold_memory())

    @property
    def kernel_thresholds(self) -> IntArray:
        """(MH, N) what the kernel's accumulators are compared with; the layer must have thresholds.

        Thresholds beyond the reachable range act like those at its ends; clipping keeps them in ACC_BITS.
        acc = 2*matches - MW, so acc >= T becomes matches >= ceil((T + MW)/2).
        """
        assert self.thresholds is not None
        return self._compared(self.thresholds)

    def _compared(self, thresholds: IntArray) -> IntArray:
        T = -(-(thresholds + self.mw) // 2) if self.counts_matches else thresholds
        return np.clip(T, self.kernel_accumulator.lo, self.kernel_accumulator.hi)

    @cached_property
    def _compared_bits(self) -> int:
        """Of the kernel's thresholds."""
        assert self.thresholds is not None
        lo, hi = self._compared(np.array(extent(self.thresholds))).tolist()
        return signed_bits(lo, hi)

    @cached_property
    def activation(self) -> Activation | None:
        """The bounds of the search, as the accumulators of the core are compared."""
        if self.search is None:
            return None
        T, never = self.kernel_thresholds, np.full(self.mh, self.kernel_accumulator.hi)
        factor, offset = self.arithmetic.accumulated(self.weights, self.operands)
        return Activation(self.search, T, factor * T - offset[:, None], factor * never - offset)

    def _threshold_memory(self) -> tuple[Memory, ...]:
        if self.activation is None:
            return ()
        if self.presets_threshold:
            words, dtype = threshold_words(self.kernel_thresholds, self.pe), int_type(self.acc_bits)
            return (Memory("THRESHOLDS", words, dtype, (-words, dtype)),)
        return (self.activation.memory(),)

    def area_facts_with(self, core: Core) -> Hashable | None:
        unit, bounds = self.unit(core), None
        if self.has_scales:
            return None
        if self.thresholds is not None and not unit.preset:
            search = self._search_of(unit.acc_bits)
            if search.stores_differences:
                return None
            bounds = search, self._compared_bits
        return self.kind, core.full_name, unit, bounds, self.output, self.mw, self.storage, self.prices

    def amounts(self, a: Amounts) -> None:
        unit = self.unit(self.arithmetic)
        self._control(a, self.arithmetic.stages(self.operands, unit.preset))
        if self.arithmetic.stores_weights:
            store_amounts(a, self.storage, self.nf * self.sf, self.pe * self.simd * self.weight.bits)
        else:
            a.add("read", ff=(1 + self.pe) * (self.nf * self.sf - 1).bit_length())
        self._replay(a)
        self.arithmetic.amounts(a, unit)
        self._accumulate(a, unit)
        if not unit.preset:
            self._activate(a)

    def _control(self, a: Amounts, stages: int) -> None:
        """Slices, counters and what travels beside the words."""
        result = self.outputs[0].bits
        if self.shares_activations:
            slices(a, self.inputs[0].bits)
        if self.sf > 1:
            a.add("spaced slice", lut=5, ff=result + 2)
        else:
            slices(a, result)
        counters(a, self.sf, self.nf if self.shares_activations else 1, self.nf * self.sf)
        a.add("weight address", lut=(self.nf * self.sf - 1).bit_length())  # returns to 0 by a gate per bit
        tags = 3 if self.sf > 1 else 1
        a.add("weighted", lut=9, ff=1 + tags if self.presets_threshold else tags * (2 + stages))
        if not a.prices.of_lut4:  # where no cells keep them, they become one
            a.take(Resources(ff=enable_copies(self.pe, self.simd * self.weight.bits * self.input.bits)))

    def _replay(self, a: Amounts) -> None:
        """The activations, which other rows read again."""
        source = self.inputs[0].bits
        if self._replay_memory == Ram():
            a.add("read", ff=2 * source)
            return
        a.add("read", ff=(self.sf - 1).bit_length())
        ram(a, self._replay_memory, self.sf, source)
        if self.replays_late:
            weights = self.pe * self.simd * self.weight.bits if self.storage == EXTERNAL else 0
            a.add("read", ff=source + 4 + weights)

    def _accumulate(self, a: Amounts, unit: Unit) -> None:
        accumulators(a, self.arithmetic, unit)

    def _activate(self, a: Amounts) -> None:
        """Thresholds, or the sums as they are; matches become sums."""
        a.add("accumulate", lut=2, ff=1)
        if self.activation is None:
            if self.counts_matches:
                zeros = (self.mw & -self.mw).bit_length() - 1  # of what is subtracted
                a.add("matches", lut=0.5 * self.pe * max(1, self.acc_bits + 1 - zeros))
            return
        self.activation.amounts(a)
        if not self.searches_in_turn:
            a.add("search", ff=(self.nf - 1).bit_length() + self.output.steps.bit_length() - 1)


def enable_copies(rows: int, product_bits: int) -> int:
    """Copies of a pipeline's enable for its rows, of so many bits of products each (headrace_rows).

    >>> [enable_copies(rows, bits) for rows, bits in ((16, 32), (17, 32), (4, 512), (4, 2000))]
    [0, 2, 4, 4]
    """
    together = max(1, _COPY_BITS // product_bits)
    return -(-rows // together) if rows > together else 0


def row_group(sf: int, reads: int) -> tuple[Step, ...]:
    """The SF cycles of one row group; the last one puts the result out."""
    head = (Step(sf - 1, reads, 0),) if sf > 1 else ()
    return (*head, Step(1, reads, 1))
