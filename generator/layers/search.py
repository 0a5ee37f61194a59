"""How multi-thresholds are searched: all bits of all counts in a pipeline, or one after the other on few comparators.

A binary search takes S = bits of N comparisons. The pipeline has one comparator per row and bit; where results come
every SF cycles, R rows with R * S <= SF can share one comparator, whose bounds are one deep memory.
"""

from __future__ import annotations

from generator.resources import memory

#: Cycles of a shared search: its results come later by so many.
MAX_SEARCH_CYCLES = 32
_LUT_INPUTS = 6


def shared_rows(pe: int, nf: int, sf: int, steps: int, bits: int) -> int:
    """Rows that share a comparator, for `steps` thresholds of `bits` bits per row; 0 where a pipeline costs less."""
    stages = steps.bit_length()
    if steps < 2:
        return 0
    most = min(pe, min(sf, MAX_SEARCH_CYCLES) // stages)
    costs = {rows: shared_cost(pe, nf, rows, steps, bits) for rows in range(1, most + 1) if pe % rows == 0}
    costs[0] = pipeline_cost(pe, nf, steps, bits)
    return min(costs, key=lambda rows: (costs[rows], rows))


def shared_cost(pe: int, nf: int, rows: int, steps: int, bits: int) -> int:
    """LUTs of comparators for `rows` rows each, about: bounds, choice of the row, comparison, count; and the control.

    The bounds are in block RAM: in LUTs they cost less in a pipeline, whose comparators take them in.
    """
    stages = steps.bit_length()
    words = nf * rows << stages
    bounds = memory.LUTS_PER_BLOCK * memory.bram18(words, bits)
    each = bounds + bits * ((rows + 1) // 3) + bits // 2 + 1 + 2 * stages
    return pe // rows * each + rows + 2 * words.bit_length() + 8


def pipeline_cost(pe: int, nf: int, steps: int, bits: int) -> int:
    """LUTs of a comparator per row and bit of the count, each with its bounds (thresholds.sv)."""
    return sum(pe * _stage_cost(nf << stage, bits) for stage in range(steps.bit_length()))


def _stage_cost(words: int, bits: int) -> int:
    inputs = (words - 1).bit_length()
    if inputs >= _LUT_INPUTS:  # bounds in LUTs of their own
        return memory.rom_luts(words, bits) + bits // 2 + 1
    # Two LUTs hold a place of the comparator with its bounds; a place of one bit takes one.
    place = _LUT_INPUTS - inputs
    return bits if place == 1 else 2 * -(-bits // place) - 1
