"""Core pairs: for weights of at most 4 bits.

The sum of two neighbouring activations is computed once for all rows, and each bit plane of two weights selects none,
one or both of them.
"""

from __future__ import annotations

from headrace.area.adders import plane_sum, plane_sum_stages, ternary_levels, ternary_tree
from headrace.area.amounts import Amounts, Cost
from headrace.datatypes import BIPOLAR
from headrace.layers.cores.core import Core, Operands, Unit

#: Bit planes of weights that it is built for.
MAX_PLANES = 4


class Pairs(Core):
    """Products of narrow weights, all rows of the same activations (headrace_dot_pairs)."""

    name, number = "pairs", 2
    takes_any_weights = True

    def refusal(self, operands: Operands) -> str:
        if operands.binary:
            return "it takes weights or inputs that are not bipolar"
        wide = operands.weight.bits > MAX_PLANES
        return (operands.refusal(scaled=True)
                or f"it takes weights of at most {MAX_PLANES} bits, not {operands.weight.bits}" * wide)

    def stages(self, operands: Operands, preset: bool) -> int:
        weight = operands.weight
        adding = plane_sum_stages(weight.bits, weight.signed, _adds_two(operands))
        return 1 + _wide(operands) + ternary_levels(-(-operands.simd // 4)) + adding

    def amounts(self, a: Amounts, unit: Unit) -> None:
        shared, row = pair_costs(unit.operands, unit.sum_bits, self.adds_two(unit))
        a.add("pairs shared", *shared)
        a.add("pairs", *row.times(unit.operands.pe))

    def adds_two(self, unit: Unit) -> bool:
        return _adds_two(unit.operands)


def _adds_two(operands: Operands) -> bool:
    return not operands.scaled and (operands.weight == BIPOLAR or operands.weight.bits % 2 == 0)


def _wide(operands: Operands) -> bool:
    """Sums of pairs have a register of their own: carry chains of pairs and of quads would be too long."""
    return operands.simd > 2 and operands.input.bits >= 7


def pair_sum_bits(operands: Operands, sum_bits: int) -> int:
    """Bits of the sum of a row, with those of the addend beside it."""
    planes, tree_bits = operands.weight.bits, _tree_bits(operands)
    dot_bits = min(sum_bits, tree_bits + planes + 1)
    if not _adds_two(operands):
        return dot_bits
    return (tree_bits if planes <= 2 else dot_bits) + tree_bits


def _tree_bits(operands: Operands) -> int:
    """Of the sum of a bit plane."""
    x_bits = 2 if operands.input == BIPOLAR else operands.input.bits
    return x_bits + 2 + (-(-operands.simd // 4) - 1).bit_length()


def pair_costs(operands: Operands, sum_bits: int, split: bool) -> tuple[Cost, Cost]:
    """What all rows share, and one row. split: the last plane stays apart up to the accumulator."""
    simd, planes = operands.simd, operands.weight.bits
    bipolar, signed = operands.weight == BIPOLAR, operands.input.signed
    x_bits = 2 if operands.input == BIPOLAR else operands.input.bits
    quads, rest = -(-simd // 4), simd % 4
    narrow = 1 if rest in (1, 2) else 0  # the last quad is a pair
    shared = Cost(simd // 2 * (x_bits + signed))
    if _wide(operands):
        shared = shared.plus(Cost(0, (simd + simd // 2) * (x_bits + 1)))
    tree_bits = _tree_bits(operands)
    if bipolar:
        shared = shared.plus(Cost(quads * (x_bits + 2), quads * (x_bits + 2))).plus(
            ternary_tree(quads, x_bits + 2, signed))
    plane = Cost(((quads - narrow) * 2 + narrow) * (x_bits + 1), quads * (x_bits + 2)).plus(
        ternary_tree(quads, x_bits + 2, signed))
    dot_bits = min(sum_bits, tree_bits + planes + 1)
    total = plane_sum(2 if bipolar else planes, tree_bits, bipolar or operands.weight.signed, dot_bits, split)
    words = Cost(0, simd * planes * _wide(operands))
    return shared, plane.times(planes).plus(total).plus(words)
