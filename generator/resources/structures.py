"""Structures that many layers have: register slices, counters, memories, threshold searches."""

from __future__ import annotations

from generator.resources import memory
from generator.resources.amounts import Amounts
from generator.resources.usage import Resources

_LUT_INPUTS = 6


def slices(a: Amounts, *bits: int) -> None:
    """Register slices of two words of so many bits (skid.sv)."""
    a.add("slice", lut=sum(bits), ff=sum(2 * width + 3 for width in bits))
    a.add("slices", lut=len(bits))


def counters(a: Amounts, *ends: int) -> None:
    """A counter up to each number, with the test for its end; up to one there is none."""
    widths = [(end - 1).bit_length() for end in ends if end > 1]
    a.add("counter", lut=sum(widths), ff=sum(widths))
    a.add("counters", lut=len(widths))


def different(bits: int, depth: int) -> float:
    """How many of `bits` random functions of a memory's address synthesis keeps: no constants, equal ones once.

    >>> [round(different(64, depth)) for depth in (1, 2, 4, 8, 64)]
    [0, 2, 14, 56, 64]
    """
    if depth >= 2 * _LUT_INPUTS:
        return float(bits)
    functions = 2**depth
    return (functions - 2) * (1 - (1 - 1 / functions) ** bits)


def rom(a: Amounts, depth: int, bits: int, name: str = "rom") -> None:
    """A read-only memory with two registers behind it (rom.sv)."""
    found = memory.rom(depth, bits)
    if found.lut:
        kept = different(bits, depth)
        a.add(name, lut=found.lut * kept / bits, ff=2 * kept)
    elif depth > 1:
        a.add(name, ff=bits)
        a.take(found)


def ram(a: Amounts, found: Resources, bits: int) -> None:
    """A memory with a read register of so many bits; that of a block RAM is inside it."""
    a.take(found)
    a.add("read", ff=0 if found.bram18 else bits)


def search(a: Amounts, pe: int, groups: int, steps: int, acc_bits: int, bits: int) -> None:
    """A pipelined binary search over thresholds of `acc_bits` for values of `bits` (thresholds.sv)."""
    stages = steps.bit_length()
    group_bits = (groups - 1).bit_length()
    a.add("search", ff=stages * (group_bits + 1) + group_bits + pe * sum(bits + k for k in range(1, stages)))
    for stage in range(stages):
        words = groups << stage
        inputs = (words - 1).bit_length()
        if inputs > _LUT_INPUTS:  # read ahead
            stored = memory.rom(words, acc_bits)
            a.add("threshold rom", lut=pe * stored.lut, ff=0 if stored.bram18 else pe * acc_bits)
            a.take(Resources(bram18=pe * stored.bram18))
            a.add("comparator", lut=pe * (acc_bits // 2 + 1))
        elif inputs == _LUT_INPUTS:
            a.add("threshold rom", lut=pe * acc_bits)
            a.add("comparator", lut=pe * (acc_bits // 2 + 1))
        else:  # two LUTs hold a place of the comparator with its bounds; a place of one bit takes one
            place = _LUT_INPUTS - inputs
            a.add("places", lut=pe * (acc_bits if place == 1 else 2 * -(-acc_bits // place) - 1))
    a.add("search control", lut=group_bits + 1)
