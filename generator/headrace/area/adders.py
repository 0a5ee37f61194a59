"""LUTs, flip-flops and register stages of adders, counted as their SystemVerilog modules are built (rtl/cores)."""

from __future__ import annotations

from headrace.area.amounts import Cost

#: LUTs that count the ones among so many bits; seven take two with a carry chain (headrace_counter7).
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


def ones_count_stages(bits: int) -> int:
    """Registered stages of the module ones_count."""
    return 1 + (((bits + 8) // 8 - 1).bit_length() + 1) // 2


def ternary_levels(leaves: int) -> int:
    """Levels of three to one that add up `leaves` numbers."""
    levels = 0
    while 3**levels < leaves:
        levels += 1
    return levels


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


def plane_sum_stages(planes: int, negative: bool, split: bool) -> int:
    """Cycles of the weighted sum of bit planes: two for the two sums of four planes (plane_sum.sv)."""
    if planes == 1 and not negative:
        return 0
    return 2 if planes == 4 and not split else 1


def plane_sum(terms: int, bits: int, negative: bool, sum_bits: int, split: bool) -> Cost:
    """The weighted sum of bit planes; split: its last term stays apart (plane_sum.sv)."""
    if terms == 1 and not negative:
        return Cost()
    lut = sum_bits * (terms == 1) + (sum_bits + 1) * (terms > 2) + (sum_bits - 2) * (terms % 2 == 0 and not split)
    summed = bits if terms == 2 and split else sum_bits
    return Cost(lut, summed + (bits if split else 0) + 2 * sum_bits * (terms == 4 and not split))


def adder_radix(leaves: int, leaf_bits: int) -> int:
    """The logarithm of how many numbers a level of an adder tree adds: wide sums take their time (adder_tree.sv)."""
    return 1 if leaves > 3 and leaf_bits + 2 * (((leaves - 1).bit_length() + 1) // 2) > 17 else 2


def adder_levels(leaves: int, leaf_bits: int) -> int:
    """Registered levels of the module adder_tree."""
    return -(-(leaves - 1).bit_length() // adder_radix(leaves, leaf_bits))


def adder_tree(leaves: int, leaf_bits: int, sum_bits: int) -> tuple[Cost, Cost, Cost]:
    """Numbers added in registered levels: the nodes of two, three and four numbers (adder_tree.sv).

    The last number may have none to be added to: see `waiting_leaf`.
    """
    found = {2: Cost(), 3: Cost(), 4: Cost()}
    radix, level, waiting = adder_radix(leaves, leaf_bits), 0, waiting_leaf(leaves, leaf_bits)
    while leaves > 1:
        level += 1
        bits = min(sum_bits, leaf_bits + radix * level)
        full, rest = divmod(leaves, 2**radix)
        found[2**radix] = found[2**radix].plus(Cost((2**radix - 1) * bits, bits).times(full))
        if rest > 1:
            found[rest] = found[rest].plus(Cost((rest - 1) * bits, bits))
        elif rest and level > waiting:
            found[2] = found[2].plus(Cost(0, bits))
        leaves = full + (rest > 0)
    return found[2], found[3], found[4]


def waiting_leaf(leaves: int, leaf_bits: int) -> int:
    """Levels of an adder tree that the last of its leaves passes before there is something to add."""
    share, levels = 2 ** adder_radix(leaves, leaf_bits), 0
    while leaves > 1 and leaves % share == 1:
        leaves, levels = leaves // share + 1, levels + 1
    return levels
