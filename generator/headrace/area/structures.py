"""Structures that many layers have: register slices, counters, memories, threshold searches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.usage import Resources
from headrace.datatypes import IntArray, signed_bits
from headrace.layers.search import MAX_TABLE_GROUPS
from headrace.memory import Ram
from headrace.packing import Memory

#: The bits that blocks store of a ROM in so many rows.
StoredBits = Callable[[int], int]

LUT_INPUTS = 6
#: Words of a table of bounds that are read by their whole address (thresholds.sv).
_LATE_WORDS = 512
#: A LUT multiplexes so many inputs.
_MUX_INPUTS = 4
#: Shift registers of so many stages become memories of LUTs.
SHIFT_STAGES = 3


def slices(a: Amounts, *bits: int) -> None:
    """Register slices of two words of so many bits (skid.sv)."""
    a.add("slice", lut=sum(bits), ff=sum(2 * width + 3 for width in bits))
    a.add("slices", lut=5 * len(bits))


def counters(a: Amounts, *ends: int) -> None:
    """Counters up to so many each, with the tests for their ends: carry chains take no LUT per bit. Up to one: none."""
    widths = [(end - 1).bit_length() for end in ends if end > 1]
    a.add("counter", lut=1.25 * sum(1 + -(-width // 4) - (width == 1) for width in widths), ff=sum(widths))


def different(bits: int, depth: int) -> float:
    """How many of `bits` random functions of a memory's address synthesis keeps: no constants, equal ones once.

    >>> [round(different(64, depth)) for depth in (1, 2, 4, 8, 64)]
    [0, 2, 14, 56, 64]
    """
    if depth >= 2 * LUT_INPUTS:
        return float(bits)
    functions = 2**depth
    return float((functions - 2) * (1 - (1 - 1 / functions) ** bits))


def table_luts(depth: int) -> int:
    """LUTs of one bit of a table to synthesis: multiplexers of up to four LUTs are none, three take the room of four.

    >>> [table_luts(depth) for depth in (64, 128, 144, 256, 288, 512)]
    [1, 2, 4, 4, 7, 11]
    """
    blocks = -(-depth // memory.LUT_WORDS)
    return (1, 2, 4, 4)[blocks - 1] if blocks <= 4 else blocks + -(-blocks // 3)


def rom(a: Amounts, depth: int, bits: int, registers: int = 2, stored: StoredBits | None = None,
        kept: float | None = None) -> None:
    """A read-only memory with registers behind it, one of them in a block, or in front of its LUTs (rom.sv).

    stored: how many bits of so many rows its blocks store; None: all of them. kept: how many bits of a word are in LUTs
    where the words are not random.
    """
    if depth <= 1:
        return
    layout = memory.rom_layout(depth, bits)
    if layout.blocks:
        a.take(Resources(bram18=memory.bram18(layout.rows, stored(layout.rows)) if stored else layout.blocks))
        a.add("rom", ff=(registers - 1) * bits)
        if layout.slots > 1:
            a.add("rom slots", lut=bits * multiplexer(layout.slots), ff=(layout.slots - 1).bit_length())
    else:
        kept = different(bits, depth) if kept is None else kept
        a.add("rom", lut=table_luts(depth) * kept)
        a.add("rom address", ff=(depth - 1).bit_length())
        shift(a, "rom", registers - 1, kept)


def ram(a: Amounts, found: Ram, depth: int, bits: int) -> None:
    """A memory with a read register; that of a block RAM is inside it, LUT memories of more than 64 words need more."""
    memories(a, found)
    if not found.bram18:
        a.add("read", ff=bits)
    if found.lutram and depth > memory.LUT_WORDS:
        blocks = -(-depth // memory.LUT_WORDS)
        a.add("ram", lut=bits * ceil(multiplexer(blocks)))
        a.add("write enables", lut=blocks)


def memories(a: Amounts, found: Ram, count: int = 1) -> None:
    """The memories themselves."""
    a.take(Resources(lutram=count * found.lutram, bram18=count * found.bram18))


def multiplexer(inputs: int) -> float:
    """LUTs of a multiplexer for one bit."""
    return max(0, inputs - 1) / (_MUX_INPUTS - 1)


@dataclass(frozen=True)
class Bounds:
    """Thresholds of a search: PE rows at a time, row groups, thresholds per row, bits of one.

    values: all thresholds, (rows, steps). memory: makes their memory, for what depends on its words.
    """

    pe: int
    groups: int
    steps: int
    bits: int
    values: IntArray
    memory: Callable[[], Memory]

    @property
    def stages(self) -> int:
        """Bits of a count."""
        return self.steps.bit_length()

    @property
    def used_bits(self) -> int:
        """Bits of a threshold without copies of its sign."""
        return min(self.bits, signed_bits(int(self.values.min()), int(self.values.max())))

    def stored(self, rows: int) -> int:
        """Bits that so many rows of a block store."""
        words, dtype = self.memory().rtl
        return memory.stored_bits(words.reshape(len(words), -1), dtype.bits, rows)


def search(a: Amounts, bounds: Bounds, bits: int) -> None:
    """A pipelined binary search for values of `bits` bits (thresholds.sv)."""
    group_bits, pe = (bounds.groups - 1).bit_length(), bounds.pe
    a.add("search", ff=(bounds.stages + 1) * group_bits + bounds.stages)
    a.add("search", ff=pe * sum(bits + k for k in range(1, bounds.stages)))
    a.add("search control", lut=group_bits + 1)
    if bounds.groups > MAX_TABLE_GROUPS:
        _search_in_trees(a, bounds)
        return
    for stage in range(bounds.stages):
        words = bounds.groups << stage
        inputs = (words - 1).bit_length()
        if inputs > LUT_INPUTS:  # read ahead; large tables for both values of the bit that is decided last
            a.add("bounds", ff=pe * bounds.bits * (2 if words > _LATE_WORDS else 1))
        if inputs >= LUT_INPUTS:
            a.add("bounds", lut=pe * bounds.used_bits * table_luts(words))
            a.add("comparator", lut=pe * (bounds.bits // 2 + 1))
        else:  # two LUTs hold a place of the comparator with its bounds; a place of one bit takes one
            place = LUT_INPUTS - inputs
            name = "places" if bounds.stages > 1 else "single places"
            a.add(name, lut=pe * (bits if place == 1 else 2 * -(-bits // place) - 1))
    if bounds.groups == 1:  # synthesis moves registers of addresses behind the memory
        moved = 0.5 * pe * bounds.bits * (bounds.stages - 1)
        a.add("shared bounds", lut=moved, ff=moved)


def _search_in_trees(a: Amounts, bounds: Bounds) -> None:
    """All bounds of a group out of one ROM; stage k chooses among 2^k of them, which waited k cycles."""
    number = bounds.pe * bounds.steps
    rom(a, bounds.groups, number * bounds.bits, 1, bounds.stored, number * bounds.used_bits)
    for stage in range(bounds.stages):
        step = 1 << bounds.stages - 1 - stage
        shift(a, "bounds", stage, bounds.pe * bounds.used_bits * ((bounds.steps + step) // (2 * step)))
        a.add("choice", lut=bounds.pe * bounds.used_bits * ceil(multiplexer(1 << stage)))
        a.add("comparator", lut=bounds.pe * (bounds.bits // 2 + 1))


def serial_search(a: Amounts, bounds: Bounds, out_bits: int) -> None:
    """A search of one row and bit after the other on one comparator, its bounds in block RAM (serial_thresholds.sv)."""
    stages, trees, pe, bits = bounds.stages, bounds.groups * bounds.pe, bounds.pe, bounds.bits
    tree_bits, row_bits = (trees - 1).bit_length(), (pe - 1).bit_length()
    a.take(Resources(bram18=memory.bram18(trees << stages, bounds.stored(trees << stages))))
    a.add("serial search", lut=3 * stages + row_bits + tree_bits + 6 + bits // 2,
          ff=2 * stages + row_bits + tree_bits + bits)
    if pe > 1:
        a.add("serial rows", lut=bits * ceil(multiplexer(pe)) + pe, ff=(pe - 1) * (bits + out_bits))


def shift(a: Amounts, structure: str, stages: int, bits: float) -> None:
    """Registers in a row without reset: from three on synthesis takes one LUT memory per bit."""
    if stages >= SHIFT_STAGES:
        a.take(Resources(lutram=round(bits)))
    else:
        a.add(structure, ff=stages * bits)
