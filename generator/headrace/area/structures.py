"""Structures that many layers have: register slices, counters, memories, shift registers."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.usage import Resources
from headrace.memory import Ram

#: The bits that blocks store of a ROM in so many rows.
StoredBits = Callable[[int], int]

LUT_INPUTS = 6
#: A LUT multiplexes so many inputs.
_MUX_INPUTS = 4
#: Shift registers of so many stages become memories of LUTs.
SHIFT_STAGES = 3


def slices(a: Amounts, *bits: int) -> None:
    """Register slices of two words of so many bits (headrace_skid.sv)."""
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
        kept: float | None = None, in_order: bool = False) -> None:
    """A read-only memory with registers behind it, one of them in a block, or in front of its LUTs (headrace_rom.sv).

    stored: how many bits of so many rows its blocks store; None: all of them. kept: how many bits of a word are in LUTs
    where the words are not random. in_order: its words are read in their order.
    """
    if depth <= 1:
        return
    layout = memory.rom_layout(depth, bits, a.prices)
    if layout.blocks:
        a.take(Resources(bram18=memory.bram18(layout.rows, stored(layout.rows)) if stored else layout.blocks))
        a.add("rom", ff=(registers - 1) * bits)
        if layout.slots > 1:
            a.add("rom slots", lut=bits * multiplexer(layout.slots), ff=(layout.slots - 1).bit_length())
            if in_order and a.prices.late_blocks:  # read a word ahead, by an address of its own
                a.add("rom slots", ff=layout.slots * bits)
                counters(a, depth)
                a.add("rom slots", lut=(layout.rows - 1).bit_length())
    else:
        kept = different(bits, depth) if kept is None else kept
        tail = 128 < depth <= 144 and not a.prices.of_lut4
        a.add("rom", lut=(3 if tail else table_luts(depth)) * kept)
        a.add("rom address", ff=(depth - 1).bit_length())
        shift(a, "rom", registers - 1, kept)


def ram(a: Amounts, found: Ram, depth: int, bits: int) -> None:
    """A memory with a read register; that of a block is inside it, LUT memories of more than 64 words need more."""
    memories(a, found)
    if found.bram18 and a.prices.of_lut4:  # words are written a cycle late, and passed by where they are read at once
        a.add("late write", lut=bits, ff=2 * bits + 2 * (depth - 1).bit_length())
    if not found.bram18 and not found.uram:
        a.add("read", ff=bits)
    if found.lutram and depth > a.prices.ram_words:
        blocks = -(-depth // a.prices.ram_words)
        a.add("ram", lut=bits * ceil(multiplexer(blocks)))
        a.add("write enables", lut=blocks)


def memories(a: Amounts, found: Ram, count: int = 1) -> None:
    """The memories themselves."""
    a.take(Resources(lutram=count * found.lutram, bram18=count * found.bram18, uram=count * found.uram))


def multiplexer(inputs: int) -> float:
    """LUTs of a multiplexer for one bit."""
    return max(0, inputs - 1) / (_MUX_INPUTS - 1)


def shift(a: Amounts, structure: str, stages: int, bits: float) -> None:
    """Registers in a row without reset: from three on synthesis takes one LUT memory per bit, where there is one."""
    if stages >= SHIFT_STAGES and not a.prices.of_lut4:
        a.take(Resources(lutram=round(bits)))
    else:
        a.add(structure, ff=stages * bits)


def write_port(a: Amounts, words: int, bits: int) -> None:
    """The port by which the processor writes a memory (headrace_memory_port)."""
    address, parts = (words - 1).bit_length(), -(-bits // 32)
    counters(a, parts)
    a.add("port", lut=6)
    a.add("port address", lut=address, ff=address)
    a.add("port word", ff=min(bits, 32) + 32 * parts + 11)
