"""The multi-threshold activation as several layers apply it: y = base + #{k : acc >= T_ck}."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.thresholds import (
    MAX_TABLE_GROUPS,
    Bounds,
    block_stage,
    loaded_search,
    read_cycles,
    search,
    serial_search,
)
from headrace.array_cache import of_array
from headrace.datatypes import BIPOLAR, DataType, IntArray, int_type
from headrace.errors import InputError
from headrace.layers.threshold_search import SEARCH_BIT_CYCLES, is_serial
from headrace.memory import PRICES, Prices
from headrace.packing import Memory, row_lines, search_steps, search_words, threshold_words

#: Above this number of thresholds the C++ searches, with a memory for every step (thresholds.hpp).
MAX_COMPARATORS = 15
#: Outputs of 9 bits: a function that turns once between 8-bit codes has two intervals for each.
MAX_THRESHOLDS = 511


@dataclass(frozen=True)
class Search:
    """How the kernels search: PE rows at a time, `groups` of them, `words` cycles from result to result.

    output: of the activation. bits: width of the bounds. value_bits: of what is compared. writable: the processor
    writes the bounds. prices: of the device.
    """

    output: DataType
    bits: int
    value_bits: int
    pe: int
    groups: int
    words: int = 1
    writable: bool = False
    prices: Prices = PRICES

    @cached_property
    def in_turn(self) -> bool:
        """True if one comparator searches the thresholds of all rows, one after the other."""
        bounds = Bounds(self.pe, self.groups, self.output.steps, self.bits, self.value_bits)
        return not self.writable and is_serial(bounds, self.words, self.output.bits, self.prices)

    @property
    def in_one_rom(self) -> bool:
        """True if one ROM gives all bounds of a row group."""
        return self.groups > MAX_TABLE_GROUPS and not (self.in_turn or self.writable)

    @property
    def stages(self) -> int:
        """Bits of a count."""
        return self.output.steps.bit_length()

    @property
    def root(self) -> int:
        """The first stage of a pipeline whose bounds are in blocks; all stages if there is none."""
        return self.stages if self.writable else block_stage(self.groups, self.stages, self.bits, self.prices)

    @property
    def stores_differences(self) -> bool:
        """True if bounds are in blocks, which store what differs between their words."""
        return self.in_turn or self.in_one_rom or self.root < self.stages

    @property
    def latency_cycles(self) -> int:
        """Cycles beyond the first comparison, which belongs to the sums."""
        if self.in_turn:
            return SEARCH_BIT_CYCLES * self.stages * self.pe
        waits = read_cycles(self.groups, self.stages, self.value_bits, self.writable, self.root)
        return max(0, self.stages - 1) + sum(waits)


@dataclass(frozen=True, eq=False)
class Activation:
    """The bounds of a search.

    values: (rows, N) what the HLS kernel compares with. stored: the same, as the RTL's accumulators are compared.
    never: (rows,) bounds of the RTL that nothing reaches.
    """

    search: Search
    values: IntArray
    stored: IntArray
    never: IntArray

    def memory(self) -> Memory:
        """The memory THRESHOLDS."""
        search, pe, dtype = self.search, self.search.pe, int_type(self.search.bits)
        words = threshold_words(self.values, pe)
        steps = search_steps(self.values, pe) if search.output.steps > MAX_COMPARATORS else ()
        if search.in_one_rom:
            return Memory("THRESHOLDS", words, dtype, (threshold_words(self.stored, pe), dtype), search.prices, steps)
        if search.in_turn:
            return Memory("THRESHOLDS", words, dtype, (search_words(self.stored, 1, self.never), dtype), steps=steps)
        searched, apart = search_words(self.stored, pe, self.never), 1 << search.stages - search.root
        rows = row_lines(searched, apart)
        return Memory("THRESHOLDS", words, dtype, (searched[::apart], dtype), steps=steps, rows=rows)

    def amounts(self, a: Amounts) -> None:
        """The search."""
        found, steps = self.search, self.search.output.steps
        bounds = Bounds(found.pe, found.groups, steps, found.bits, found.value_bits, self.values, self.memory)
        if found.writable:
            loaded_search(a, bounds)
        elif found.in_turn:
            serial_search(a, bounds, found.output.bits)
        else:
            search(a, bounds)


def base_code(output: DataType) -> int:
    """What a kernel puts out for a count of zero: the lowest value, or the code of -1."""
    return 0 if output == BIPOLAR else output.lo


def multi_threshold(acc: IntArray, thresholds: IntArray, output: DataType) -> IntArray:
    """acc (..., C) and thresholds (C, N) -> values of `output`, (..., C)."""
    count = (acc[..., None] >= thresholds).sum(-1)
    return np.asarray(2 * count - 1 if output == BIPOLAR else output.lo + count, np.int64)


def require_thresholds_fit(layer: str, output: DataType) -> None:
    """Raise InputError if `output` has more values than thresholds are made for."""
    if output.steps > MAX_THRESHOLDS:
        raise InputError(f"{layer}: an output of {output} would need {output.steps} thresholds per row; "
                         "use 9 bits or fewer, or acc")


def require_thresholds(layer: str, thresholds: IntArray, rows: int, output: DataType) -> None:
    """Raise InputError unless `thresholds` are what `output` needs, ascending in each of `rows` rows."""
    require_thresholds_fit(layer, output)
    if thresholds.shape != (rows, output.steps):
        raise InputError(f"{layer}: an output of type {output} needs thresholds of shape "
                         f"({rows}, {output.steps}), not {thresholds.shape}")
    if not _ascend(thresholds):
        raise InputError(f"{layer}: the thresholds of a row do not ascend; sort them")


@of_array
def extent(values: IntArray) -> tuple[int, int]:
    """The least and the largest of all values."""
    return int(values.min()), int(values.max())


@of_array
def _ascend(thresholds: IntArray) -> bool:
    return bool(np.all(np.diff(thresholds, axis=1) >= 0))
