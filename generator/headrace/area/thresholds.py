"""Searches of thresholds: in a pipeline, one row after the other, in bounds that the processor writes.

Amounts by construction; area/amounts.py multiplies them by the fitted factors. What surrounds a search is counted by
the layer that has one, in its `amounts`: layers/threshold.py, layers/weighted.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
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
    """Thresholds of a search: PE rows at a time, row groups, thresholds per row, bits of one, and of what is compared.

    values: all thresholds, (rows, steps). memory: makes their memory, for what depends on its words. Without them all
    bits are counted.
    """

    pe: int
    groups: int
    steps: int
    bits: int
    value_bits: int
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

    def line_bits(self, number: int) -> list[int]:
        """Bits that the blocks of every row at a time store of lines of so many bounds."""
        if self.memory is None:
            return self.pe * [number * self.bits]
        found = self.memory()
        return [memory.stored_bits(lines[:, 0], found.rtl[1].bits, len(lines)) for lines in found.rows]


def bound_words(value_bits: int) -> int:
    """Most words of a table of bounds that a comparator of so many bits reads at once."""
    return memory.LUT_WORDS // 2 if value_bits > _CARRIES_BITS else memory.LUT_WORDS


@lru_cache(maxsize=1 << 12)
def block_stage(groups: int, stages: int, bits: int, prices: Prices) -> int:
    """The first of the stages whose bounds come out of block RAM, where that costs less; `stages` if none does.

    block_stage() in headrace_pkg.sv is the same.

    >>> [block_stage(groups, 8, 19, memory.PRICES) for groups in (16, 4, 2)]
    [5, 7, 8]
    """
    found, saved, tables, waits = stages, 0, 0, 0
    for root in range(stages - 1, 0, -1) if groups <= MAX_TABLE_GROUPS else ():
        tables += memory.rom_luts(groups << root, bits)
        number = (1 << stages - root) - 1
        if number > 1:
            waits += bits * (number // 2 + 1 + ceil(multiplexer(number // 2 + 1)))
        columns = next((columns for rows, columns in memory.BRAM18_SHAPES if groups << root <= rows), 0)
        if columns:
            cost = waits + prices.block * -(-number * bits // columns)
            if tables - cost > saved:
                found, saved = root, tables - cost
    return found


def read_cycles(groups: int, stages: int, value_bits: int, writable: bool, root: int) -> list[int]:
    """Cycles that each stage of a pipelined search waits for its bounds: with large tables, the first with a ROM.

    root: the first stage with bounds out of block RAM.

    >>> read_cycles(16, 4, 16, False, 4), read_cycles(16, 4, 16, True, 4), read_cycles(65, 4, 16, False, 4)
    ([0, 0, 0, 1], [0, 1, 1, 1], [1, 0, 0, 0])
    >>> read_cycles(16, 4, 17, False, 4), read_cycles(16, 8, 19, False, 5)
    ([0, 0, 1, 1], [0, 0, 1, 1, 1, 2, 0, 0])
    """
    if groups > MAX_TABLE_GROUPS and not writable:
        return [1, *(stages - 1) * [0]]
    words, depth = (memory.LUT_WORDS, stages) if writable else (bound_words(value_bits), 0)
    tables = [int(stage > 0 and groups << (depth or stage) > words) for stage in range(root)]
    return [*tables, *([2, *(stages - root - 1) * [0]] if root < stages else [])]


def search(a: Amounts, bounds: Bounds) -> None:
    """A pipelined binary search (headrace_thresholds)."""
    group_bits, pe, bits = (bounds.groups - 1).bit_length(), bounds.pe, bounds.value_bits
    root = block_stage(bounds.groups, bounds.stages, bounds.bits, a.prices)
    a.add("search", ff=(root + 1) * group_bits + bounds.stages)
    for stage, cycles in enumerate(read_cycles(bounds.groups, bounds.stages, bits, False, root)):
        registers = cycles + min(stage, 1)
        shift(a, "search", registers, pe * bits)
        a.add("search", ff=registers * pe * stage + cycles + min(cycles, 1) * group_bits)
    a.add("search control", lut=group_bits + 1)
    if bounds.groups > MAX_TABLE_GROUPS:
        _search_in_trees(a, bounds)
        return
    if root < bounds.stages:
        _search_in_blocks(a, bounds, root)
    for stage in range(root):
        words = bounds.groups << stage
        inputs = (words - 1).bit_length()
        if words > bound_words(bits):  # read ahead
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
        _tree_stage(a, bounds, stage, (bounds.steps + step) // (2 * step))


def _tree_stage(a: Amounts, bounds: Bounds, waits: int, number: int) -> None:
    """A stage that chooses among so many bounds, which waited for so many stages."""
    shift(a, "bounds", waits + 1, bounds.pe * bounds.used_bits * number)
    a.add("choice", lut=bounds.pe * bounds.used_bits * ceil(multiplexer(1 << waits)))
    a.add("comparator", lut=bounds.pe * (bounds.bits // 2 + 1))


def _search_in_blocks(a: Amounts, bounds: Bounds, root: int) -> None:
    """The stages from `root` on: every row has a block with lines of all their bounds."""
    lines, stored = bounds.groups << root, bounds.line_bits((1 << bounds.stages - root) - 1)
    a.take(Resources(bram18=sum(memory.bram18(lines, bits) for bits in stored)))
    for waits in range(bounds.stages - root):
        _tree_stage(a, bounds, waits, 1 << waits)


def serial_search(a: Amounts, bounds: Bounds, out_bits: int) -> None:
    """A search of one row and bit after the other on one comparator, its bounds in block RAM."""
    stages, trees, pe, bits = bounds.stages, bounds.groups * bounds.pe, bounds.pe, bounds.bits
    tree_bits, row_bits = (trees - 1).bit_length(), (pe - 1).bit_length()
    a.take(Resources(bram18=memory.bram18(trees << stages, bounds.stored(trees << stages))))
    a.add("serial search", lut=3 * stages + row_bits + tree_bits + 6 + bits // 2,
          ff=2 * stages + row_bits + tree_bits + 2 * bits + 1)
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
