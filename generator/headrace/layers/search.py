"""How multi-thresholds are searched: all bits of all counts in a pipeline, or one after the other on one comparator.

A binary search takes S = bits of N comparisons. The pipeline has one comparator per row and bit; where results come
every SF >= PE * S cycles, all rows can share one comparator, whose bounds are one deep memory. In the pipeline every
row and bit has a table of its bounds, or with many row groups one ROM gives all bounds of a group
(headrace_thresholds.sv).
"""

from __future__ import annotations

from headrace import memory
from headrace.area.structures import LUT_INPUTS
from headrace.area.thresholds import MAX_TABLE_GROUPS

#: Most cycles of a serial search: by so many its results come later.
MAX_SEARCH_CYCLES = 32


def is_serial(pe: int, nf: int, sf: int, steps: int, bits: int) -> bool:
    """True if one comparator can search `steps` thresholds of `bits` bits per row for all rows and costs less."""
    stages = steps.bit_length()
    fits = steps > 1 and pe * stages <= min(sf, MAX_SEARCH_CYCLES)
    return fits and serial_cost(pe, nf, steps, bits) < pipeline_cost(pe, nf, steps, bits)


def serial_cost(pe: int, nf: int, steps: int, bits: int) -> int:
    """LUTs of a serial search, about: bounds, choice of the row, comparison, count, control.

    The bounds are in block RAM: in LUTs they cost less in a pipeline, whose comparators take them in.
    """
    stages = steps.bit_length()
    words = nf * pe << stages
    bounds = memory.PRICES.rom_block * memory.bram18(words, bits)
    return bounds + bits * ((pe + 1) // 3) + bits // 2 + 1 + 2 * stages + pe + 2 * words.bit_length() + 8


def pipeline_cost(pe: int, nf: int, steps: int, bits: int) -> int:
    """LUTs of a comparator per row and bit of the count, each with its bounds (headrace_thresholds.sv)."""
    if nf > MAX_TABLE_GROUPS:
        chosen = sum(bits * (((1 << stage) + 1) // 3) + bits // 2 + 1 for stage in range(steps.bit_length()))
        return memory.rom_layout(nf, pe * steps * bits).cost() + pe * chosen
    return sum(pe * _stage_cost(nf << stage, bits) for stage in range(steps.bit_length()))


def _stage_cost(words: int, bits: int) -> int:
    inputs = (words - 1).bit_length()
    if inputs >= LUT_INPUTS:  # bounds in LUTs of their own
        return memory.rom_luts(words, bits) + bits // 2 + 1
    # Two LUTs hold a place of the comparator with its bounds; a place of one bit takes one.
    place = LUT_INPUTS - inputs
    return bits if place == 1 else 2 * -(-bits // place) - 1
