"""Searches of thresholds: in a pipeline, one row after the other, in bounds that the processor writes.

Amounts by construction; area/amounts.py multiplies them by the fitted factors. What surrounds a search is counted by
the layer that has one, in its `amounts`: layers/threshold.py, layers/weighted.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.structures import LUT_INPUTS, multiplexer, rom, shift, table_luts, write_port
from headrace.area.usage import Resources
from headrace.datatypes import IntArray, signed_bits
from headrace.memory import Prices
from headrace.packing import Memory

#: Most row groups with tables per row and bit; with more, one ROM gives all bounds of a group (headrace_thresholds).
MAX_TABLE_GROUPS = 64
#: Bits of which a comparator has its carries in one level, two bits for a carry.
_CARRIES_BITS = 16


@dataclass(frozen=True)
class Bounds:
    """Thresholds of a search: PE rows at a time, row groups, thresholds per row, bits of one.

    values: all thresholds, (rows, steps). memory: makes their memory, for what depends on its words. Without them all
    bits are counted.
    """

    pe: int
    groups: int
    steps: int
    bits: int
    values: IntArray | None = None
    memory: Callable[[], Memory] | None = None

    @property
    def stages(self) -> int:
        """Bits of a count."""
        return self.steps.bit_length()

    @property
    def used_bits(self) -> int:
        """Bits of a threshold without copies of its sign."""
        if self.values is None:
            return self.bits
        return min(self.bits, signed_bits(int(self.values.min()), int(self.values.max())))

    def stored(self, rows: int) -> int:
        """Bits that so many rows of a block store, all of them if the words are not known."""
        if self.memory is None:
            return self.bits
        words, dtype = self.memory().rtl
        return memory.stored_bits(words.reshape(len(words), -1), dtype.bits, rows)


def bound_words(bits: int) -> int:
    """Most words of a table of bounds that a comparator of so many bits reads at once."""
    return memory.LUT_WORDS // 2 if bits > _CARRIES_BITS else memory.LUT_WORDS


def read_stages(groups: int, stages: int, bits: int, writable: bool) -> list[int]:
    """The stages of a pipelined search that wait a cycle for their bounds: with large tables, the first with a ROM.

    >>> read_stages(16, 4, 16, False), read_stages(16, 4, 16, True), read_stages(65, 4, 16, False)
    ([3], [1, 2, 3], [0])
    >>> read_stages(16, 4, 17, False)
    [2, 3]
    """
    if groups > MAX_TABLE_GROUPS and not writable:
        return [0]
    words, depth = (memory.LUT_WORDS, stages) if writable else (bound_words(bits), 0)
    return [stage for stage in range(1, stages) if groups << (depth or stage) > words]


def search(a: Amounts, bounds: Bounds, bits: int) -> None:
    """A pipelined binary search for values of `bits` bits (headrace_thresholds)."""
    group_bits, pe = (bounds.groups - 1).bit_length(), bounds.pe
    a.add("search", ff=(bounds.stages + 1) * group_bits + bounds.stages)
    a.add("search", ff=pe * sum(bits + k for k in range(1, bounds.stages)))
    for stage in read_stages(bounds.groups, bounds.stages, bounds.bits, writable=False):
        a.add("search", ff=pe * (bits + stage) + group_bits + 1)
    a.add("search control", lut=group_bits + 1)
    if bounds.groups > MAX_TABLE_GROUPS:
        _search_in_trees(a, bounds)
        return
    for stage in range(bounds.stages):
        words = bounds.groups << stage
        inputs = (words - 1).bit_length()
        if words > bound_words(bounds.bits):  # read ahead
            a.add("bounds", ff=pe * bounds.bits)
        if inputs >= LUT_INPUTS:
            a.add("bounds", lut=pe * bounds.used_bits * table_luts(words))
            a.add("comparator", lut=pe * (bounds.bits // 2 + 1))
        else:  # two LUTs hold a place of the comparator with its bounds; a place of one bit takes one
            place = LUT_INPUTS - inputs
            name = "places" if bounds.stages > 1 else "single places"
            a.add(name, lut=pe * (bits if place == 1 else 2 * -(-bits // place) - 1))
    if bounds.groups == 1 < bounds.stages:  # no address to merge the end of a comparator with
        a.add("ends of comparators", lut=1.5 * pe * bounds.stages)


def _search_in_trees(a: Amounts, bounds: Bounds) -> None:
    """All bounds of a group out of one ROM; stage k chooses among 2^k of them, which waited k + 1 cycles."""
    number = bounds.pe * bounds.steps
    rom(a, bounds.groups, number * bounds.bits, 1, bounds.stored if bounds.memory else None,
        number * bounds.used_bits)
    for stage in range(bounds.stages):
        step = 1 << bounds.stages - 1 - stage
        shift(a, "bounds", stage + 1, bounds.pe * bounds.used_bits * ((bounds.steps + step) // (2 * step)))
        a.add("choice", lut=bounds.pe * bounds.used_bits * ceil(multiplexer(1 << stage)))
        a.add("comparator", lut=bounds.pe * (bounds.bits // 2 + 1))


def serial_cycles(bits: int, words: int, prices: Prices) -> int:
    """Cycles of a serial search for `bits` bits in all; words: cycles from result to result (headrace_rows.sv)."""
    return 2 * bits if prices.late_blocks and 2 * bits <= words else bits


def serial_search(a: Amounts, bounds: Bounds, out_bits: int, words: int) -> None:
    """A search of one row and bit after the other on one comparator, its bounds in block RAM.

    words: cycles from result to result.
    """
    stages, trees, pe, bits = bounds.stages, bounds.groups * bounds.pe, bounds.pe, bounds.bits
    tree_bits, row_bits = (trees - 1).bit_length(), (pe - 1).bit_length()
    a.take(Resources(bram18=memory.bram18(trees << stages, bounds.stored(trees << stages))))
    a.add("serial search", lut=3 * stages + row_bits + tree_bits + 6 + bits // 2,
          ff=2 * stages + row_bits + tree_bits + bits)
    if serial_cycles(pe * stages, words, a.prices) > pe * stages:
        a.add("serial search", ff=bits + 1)
    if pe > 1:
        a.add("serial rows", lut=bits * ceil(multiplexer(pe)) + pe, ff=(pe - 1) * (bits + out_bits))


def loaded_search(a: Amounts, bounds: Bounds) -> None:
    """A pipelined search in bounds that the processor writes."""
    words, bits = bounds.groups << bounds.stages, bounds.pe * bounds.bits
    write_port(a, words, bits)
    columns, blocks, luts = (4, -(-words // 16), 6) if a.prices.of_lut4 else _columns(words)
    a.take(Resources(lutram=luts * blocks * _loaded_copies(columns, bounds.pe, bounds.bits, bounds.stages)))
    blocks = -(-words // a.prices.ram_words)
    compared = bounds.pe * (bounds.bits // 2 + 1)
    a.add("loaded bounds", lut=bounds.stages * (compared + bits * ceil(multiplexer(blocks))))
    a.add("write enables", lut=blocks if blocks > 1 else 0)


def _columns(words: int) -> tuple[int, int, int]:
    """Columns and blocks of a memory of LUT6s for so many words, and the LUTs of a block."""
    return (14, 1, 8) if words <= memory.LUT_WORDS // 2 else (7, -(-words // memory.LUT_WORDS), 8)


def _loaded_copies(columns: int, pe: int, acc_bits: int, stages: int) -> int:
    """Memories of so many columns for bounds that can be written: every row reads a copy in each stage but the first.

    A copy has the columns of the memory that hold the row's bound.
    """
    copies = sum((acc_bits * (row + 1) - 1) // columns - acc_bits * row // columns + 1 for row in range(pe))
    return -(-pe * acc_bits // columns) + (stages - 1) * copies
