"""LUTs and flip-flops of the compute cores' parts, counted as their SystemVerilog modules are built (rtl_sim/rtl)."""

from __future__ import annotations

from headrace.area.amounts import Cost
from headrace.area.structures import SHIFT_STAGES
from headrace.datatypes import BIPOLAR
from headrace.layers.cores import DSP_WIDE_BITS, Operands, dsp_lanes, ones_count_stages, ternary_levels

#: Bits of an activation that a DSP multiplies; wider ones are multiplied in slices.
DSP_ACTIVATION_BITS = 26
#: Synthesis makes a product of so many bits in a DSP.
DSP_PRODUCT_BITS = 9
#: LUTs that count the ones among so many bits; seven take two with a carry chain (counter7.sv).
_COUNTER_LUTS = (0, 0, 2, 2, 3, 3, 3, 2)


def ones_count(bits: int) -> Cost:
    """Ones among bits: counters of seven, then a tree of adders whose carry inputs count spare bits (ones_count.sv)."""
    groups = (bits + 8) // 8
    spare = max(0, min(bits - 7 * (groups - 1) - 1, groups - 1))
    shares = [min(7, bits - spare - 7 * group) for group in range(groups)]
    lut, ff = float(sum(_COUNTER_LUTS[max(0, share)] for share in shares)), 0.0
    levels = (groups - 1).bit_length()
    nodes = groups
    for level in range(levels + 1):
        if level:
            lut += nodes // 2 * (3 + level)
            spare -= min(spare, nodes // 2)
            nodes = -(-nodes // 2)
        if level % 2 == 0 or level == levels:
            ff += nodes * (3 + level) + spare
    return Cost(lut, ff)


def ternary_tree(leaves: int, bits: int, signed: bool, single_bits: bool = False) -> Cost:
    """Numbers added three to one in registered levels, with a single bit beside each or none (ternary_tree.sv)."""
    lut = ff = 0.0
    below = bits
    for level in range(1, ternary_levels(leaves) + 1):
        threes, rest = divmod(leaves, 3)
        lut += threes * (below + signed) + (below + 2 * signed if rest == 2 else 0)
        leaves = threes + (rest > 0)
        below = bits + (3**level - 1).bit_length()
        ff += leaves * (below + single_bits)
    return Cost(lut, ff)


def plane_sum(terms: int, bits: int, negative: bool, sum_bits: int, split: bool) -> Cost:
    """The weighted sum of bit planes; split: its last term stays apart (plane_sum.sv)."""
    if terms == 1 and not negative:
        return Cost()
    lut = sum_bits * (terms == 1) + (sum_bits + 1) * (terms > 2) + (sum_bits - 2) * (terms % 2 == 0 and not split)
    summed = bits if terms == 2 and split else sum_bits
    return Cost(lut, summed + (bits if split else 0))


def pairs(operands: Operands, sum_bits: int, split: bool) -> tuple[Cost, Cost]:
    """Core pairs: what all rows share, and one row (dot_pairs.sv)."""
    simd, planes = operands.simd, operands.weight.bits
    bipolar, signed = operands.weight == BIPOLAR, operands.input.signed
    x_bits = 2 if operands.input == BIPOLAR else operands.input.bits
    quads, rest = -(-simd // 4), simd % 4
    narrow = 1 if rest in (1, 2) else 0  # the last quad is a pair
    shared = Cost(simd // 2 * (x_bits + signed))
    tree_bits = x_bits + 2 + (quads - 1).bit_length()
    if bipolar:
        shared = shared.plus(Cost(quads * (x_bits + 2), quads * (x_bits + 2))).plus(
            ternary_tree(quads, x_bits + 2, signed))
    plane = Cost(((quads - narrow) * 2 + narrow) * (x_bits + 1), quads * (x_bits + 2)).plus(
        ternary_tree(quads, x_bits + 2, signed))
    dot_bits = min(sum_bits, tree_bits + planes + 1)
    terms = 2 if bipolar else planes
    total = plane_sum(terms, tree_bits, bipolar or operands.weight.signed, dot_bits, split)
    return shared, plane.times(planes).plus(total)


def planes(operands: Operands, sum_bits: int, stages: int) -> tuple[Cost, Cost, int]:
    """Core planes: what all rows share, one row, and its bits of shift registers (dot_planes.sv)."""
    simd, weights, acts = operands.simd, operands.weight.bits, operands.input.bits
    signed_a, signed_w = operands.input.kind == 1, operands.weight.kind == 1
    carries = (simd + 1) // 2
    counting = ones_count_stages(carries)
    d_bits = carries.bit_length() + 1
    v_bits = d_bits + acts
    dot_bits = min(sum_bits, v_bits + weights + 1)
    match = Cost(carries + 1, counting if counting < SHIFT_STAGES else 0).plus(ones_count(carries))
    value = match.times(acts).plus(plane_sum(acts, d_bits, signed_a, v_bits, split=False))
    row = value.times(weights).plus(plane_sum(weights, v_bits, signed_w, dot_bits, split=False))
    waits = stages - counting - (acts > 1 or signed_a) - (weights > 1 or signed_w)
    shifted = 0
    if waits + 1 >= SHIFT_STAGES:  # the register of the sum is the first stage
        row, shifted = row.plus(Cost(0, -dot_bits)), dot_bits
    else:
        row = row.plus(Cost(0, waits * dot_bits))
    if operands.weight.kind == 2:
        return Cost(), row, shifted
    levels = ternary_levels(simd)
    late = acts + (3**levels - 1).bit_length()
    shared = Cost(simd * acts // 2, simd * acts).plus(ternary_tree(simd, acts, signed_a))
    return shared.plus(Cost(late, late * (stages - 1 - levels))), row, shifted


def parity(operands: Operands, stages: int) -> Cost:
    """Core parity: one row without a folded threshold (dot_parity.sv)."""
    carries = (operands.simd + 1) // 2
    return ones_count(carries).plus(Cost(carries + 1, stages if stages < SHIFT_STAGES else 0))


def folded_row(simd: int, sf: int, stages: int, acc_bits: int) -> Cost:
    """A row of core parity whose accumulator starts at its threshold (parity_rows.sv); one of one word has no root."""
    carries = (simd + 1) // 2
    beside = Cost(carries + (3 if sf > 1 else 0), 1 + (stages if stages < SHIFT_STAGES else 0))
    return beside.plus(ones_count(max(1, carries - 1))).plus(Cost(acc_bits - 1, acc_bits - 1))


def dsp(operands: Operands) -> tuple[Cost, Cost, int]:
    """Core dsp: what all rows share, one row, and the number of multipliers (dot_dsp.sv)."""
    pe, simd, width = operands.pe, operands.simd, operands.weight.bits + operands.input.bits
    lanes = dsp_lanes(operands)
    overlaps = lanes > 1 + (DSP_WIDE_BITS - operands.weight.bits) // width
    signed = operands.input.signed
    groups, last = -(-pe // lanes), (pe - 1) % lanes  # rows of the last group beside its first
    last_bits = last * (width - overlaps) + width
    blocks = (groups if last_bits >= DSP_PRODUCT_BITS else groups - 1) * simd
    total = operands.input.bits + (3 ** ternary_levels(simd) - 1).bit_length()
    products = pe * (width - overlaps) + groups * overlaps
    shared = Cost(0, simd * (operands.input.bits + products))
    if operands.weight.signed:
        shared = shared.plus(ternary_tree(simd, operands.input.bits, signed)).plus(Cost(total, 0))
    row = ternary_tree(simd, width, signed, single_bits=overlaps or signed)
    if overlaps:
        row = row.plus(Cost(simd * (pe - groups) / pe, simd * (pe - groups) / pe))
    return shared, row.plus(Cost(1, 0)), blocks


def binary_tree(leaves: int, leaf_bits: int, sum_bits: int) -> tuple[Cost, Cost, Cost]:
    """Numbers added four to one in registered levels: the nodes of two, three and four numbers (adder_tree.sv)."""
    found = {2: Cost(), 3: Cost(), 4: Cost()}
    level = 0
    while leaves > 1:
        level += 1
        bits = min(sum_bits, leaf_bits + 2 * level)
        fours, rest = divmod(leaves, 4)
        found[4] = found[4].plus(Cost(3 * bits, bits).times(fours))
        if rest > 1:
            found[rest] = found[rest].plus(Cost((rest - 1) * bits, bits))
        elif rest:
            found[2] = found[2].plus(Cost(0, bits))
        leaves = fours + (rest > 0)
    return found[2], found[3], found[4]
