"""Structures that many layers have: register slices, counters, memories, threshold searches."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from generator.layers.search import MAX_TABLE_GROUPS
from generator.packing import Memory
from generator.resources import memory
from generator.resources.amounts import Amounts
from generator.resources.usage import Resources

#: The bits that blocks store of a ROM in so many rows.
StoredBits = Callable[[int], int]

_LUT_INPUTS = 6
#: What a block RAM must save in a memory of ram.sv.
RAM_LUTS_PER_BLOCK = 100
#: Words of a LUT memory; more are multiplexed.
LUT_WORDS = 64
#: A LUT multiplexes so many inputs.
_MUX_INPUTS = 4
#: Shift registers of so many stages become memories of LUTs.
SHIFT_STAGES = 3


def slices(a: Amounts, *bits: int) -> None:
    """Register slices of two words of so many bits (skid.sv)."""
    a.add("slice", lut=sum(bits), ff=sum(2 * width + 3 for width in bits))
    a.add("slices", lut=4 * len(bits))


def counters(a: Amounts, *ends: int) -> None:
    """Counters up to so many each, with the tests for their ends: carry chains take no LUT per bit. Up to one: none."""
    widths = [(end - 1).bit_length() for end in ends if end > 1]
    a.add("counter", lut=sum(1 + -(-width // 4) for width in widths), ff=sum(widths))


def different(bits: int, depth: int) -> float:
    """How many of `bits` random functions of a memory's address synthesis keeps: no constants, equal ones once.

    >>> [round(different(64, depth)) for depth in (1, 2, 4, 8, 64)]
    [0, 2, 14, 56, 64]
    """
    if depth >= 2 * _LUT_INPUTS:
        return float(bits)
    functions = 2**depth
    return float((functions - 2) * (1 - (1 - 1 / functions) ** bits))


def table_luts(depth: int) -> int:
    """LUTs of one bit of a table to synthesis: multiplexers of up to four LUTs are none, three take the room of four.

    >>> [table_luts(depth) for depth in (64, 128, 144, 256, 288, 512)]
    [1, 2, 4, 4, 7, 11]
    """
    blocks = -(-depth // LUT_WORDS)
    return (1, 2, 4, 4)[blocks - 1] if blocks <= 4 else blocks + -(-blocks // 3)


def rom(a: Amounts, depth: int, bits: int, registers: int = 2, stored: StoredBits | None = None) -> None:
    """A read-only memory with registers behind it, one of them in a block, or in front of its LUTs (rom.sv).

    stored: how many bits of so many rows its blocks store; None: all of them.
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
        kept = different(bits, depth)
        a.add("rom", lut=table_luts(depth) * kept)
        a.add("rom address", ff=(depth - 1).bit_length())
        shift(a, "rom", registers - 1, kept)


def ram(a: Amounts, found: Resources, depth: int, bits: int) -> None:
    """A memory with a read register; that of a block RAM is inside it, LUT memories of more than 64 words need more."""
    a.take(found)
    if not found.bram18 and not found.uram:
        a.add("read", ff=bits)
    if found.lutram and depth > LUT_WORDS:
        blocks = -(-depth // LUT_WORDS)
        a.add("ram", lut=bits * ceil(multiplexer(blocks)))
        a.add("write enables", lut=blocks)


def chosen_ram(depth: int, bits: int) -> Resources:
    """A memory whose kind synthesis chooses: LUT memories cost by the columns that are used, and are built whole."""
    columns, halves = (14, 1) if depth <= LUT_WORDS // 2 else (7, -(-depth // LUT_WORDS))
    blocks = memory.ram_bram18(depth, bits)
    if 2 * 8 * halves * bits > memory.LUTS_PER_BLOCK * blocks * columns:
        return Resources(bram18=blocks)
    return Resources(lutram=memory.ram_luts(depth, bits))


def multiplexer(inputs: int) -> float:
    """LUTs of a multiplexer for one bit."""
    return max(0, inputs - 1) / (_MUX_INPUTS - 1)


def stored_bounds(bounds: Callable[[], Memory]) -> StoredBits:
    """Bits that blocks store of a memory of thresholds, which is made where there are blocks."""

    def stored(rows: int) -> int:
        words, dtype = bounds().rtl
        return memory.stored_bits(words.reshape(len(words), -1), dtype.bits, rows)

    return stored


def search(a: Amounts, pe: int, groups: int, steps: int, acc_bits: int, bits: int, stored: StoredBits) -> None:
    """A pipelined binary search over thresholds of `acc_bits` for values of `bits` (thresholds.sv)."""
    stages = steps.bit_length()
    group_bits = (groups - 1).bit_length()
    a.add("search", ff=stages * (group_bits + 1) + group_bits + pe * sum(bits + k for k in range(1, stages)))
    a.add("search control", lut=group_bits + 1)
    if groups > MAX_TABLE_GROUPS:
        _search_in_trees(a, pe, groups, steps, acc_bits, stored)
        return
    for stage in range(stages):
        words = groups << stage
        inputs = (words - 1).bit_length()
        if inputs > _LUT_INPUTS:  # read ahead
            a.add("bounds", ff=pe * acc_bits)
        if inputs >= _LUT_INPUTS:
            a.add("bounds", lut=pe * acc_bits * table_luts(words))
            a.add("comparator", lut=pe * (acc_bits // 2 + 1))
        else:  # two LUTs hold a place of the comparator with its bounds; a place of one bit takes one
            place = _LUT_INPUTS - inputs
            name = "places" if stages > 1 else "single places"
            a.add(name, lut=pe * (bits if place == 1 else 2 * -(-bits // place) - 1))
    if groups == 1:  # synthesis moves registers of addresses behind the memory
        a.add("shared bounds", lut=0.5 * pe * acc_bits * (stages - 1), ff=0.5 * pe * acc_bits * (stages - 1))


def _search_in_trees(a: Amounts, pe: int, groups: int, steps: int, acc_bits: int, stored: StoredBits) -> None:
    """All bounds of a group out of one ROM; stage k chooses among 2^k of them, which waited k cycles."""
    rom(a, groups, pe * steps * acc_bits, 1, stored)
    for stage in range(steps.bit_length()):
        step = 1 << steps.bit_length() - 1 - stage
        bounds = pe * acc_bits * ((steps + step) // (2 * step))
        shift(a, "bounds", stage, bounds)
        a.add("choice", lut=pe * acc_bits * ceil(multiplexer(1 << stage)))
        a.add("comparator", lut=pe * (acc_bits // 2 + 1))


def serial_search(a: Amounts, pe: int, groups: int, steps: int, acc_bits: int, out_bits: int,
                  stored: StoredBits) -> None:
    """A search of one row and bit after the other on one comparator, its bounds in block RAM (serial_thresholds.sv)."""
    stages, trees = steps.bit_length(), groups * pe
    tree_bits, row_bits = (trees - 1).bit_length(), (pe - 1).bit_length()
    a.take(Resources(bram18=memory.bram18(trees << stages, stored(trees << stages))))
    a.add("serial search", lut=3 * stages + row_bits + tree_bits + 6 + acc_bits // 2,
          ff=2 * stages + row_bits + tree_bits + acc_bits)  # fmt: skip
    if pe > 1:
        a.add("serial rows", lut=acc_bits * ceil(multiplexer(pe)) + pe, ff=(pe - 1) * (acc_bits + out_bits))


def shift(a: Amounts, structure: str, stages: int, bits: float) -> None:
    """Registers in a row without reset: from three on synthesis takes one LUT memory per bit."""
    if stages >= SHIFT_STAGES:
        a.take(Resources(lutram=round(bits)))
    else:
        a.add(structure, ff=stages * bits)
