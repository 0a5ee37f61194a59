"""Core plain: multipliers, or XNOR popcounts of bipolar operands; the reference, and for weights that may change."""

from __future__ import annotations

from typing import NamedTuple

from headrace.area.adders import adder_levels, adder_tree, waiting_leaf
from headrace.area.amounts import Amounts
from headrace.area.multipliers import PRODUCT_STAGES, dsp_blocks, in_dsp, multiplied_in_luts, slices
from headrace.area.structures import shift
from headrace.datatypes import BIPOLAR, SIGNED
from headrace.layers.cores.core import Core, Operands, Unit

#: Bits of which a popcount is made, three by three.
_POPCOUNT_BITS = 18


class _Leaves(NamedTuple):
    """Numbers that the adder tree adds up, and their bits."""

    number: int
    bits: int


class Plain(Core):
    """Products of any operands (headrace_dot_plain)."""

    name, number = "plain", 0
    takes_any_weights = True

    def refusal(self, operands: Operands) -> str:
        return ""

    def stages(self, operands: Operands, preset: bool) -> int:
        in_blocks = not operands.has_bipolar and in_dsp(operands.weight, operands.input)
        return (PRODUCT_STAGES if in_blocks else 2 if operands.binary else 1) + adder_levels(*_leaves(operands))

    def amounts(self, a: Amounts, unit: Unit) -> None:
        operands = unit.operands
        weight, element = operands.weight.bits, operands.input.bits
        products = operands.pe * operands.simd
        if operands.binary:
            _popcounts(a, operands)
        elif operands.has_bipolar:
            _signs(a, operands)
        elif in_dsp(operands.weight, operands.input):
            dsp_blocks(a, products * slices(element))
        else:
            multiplied_in_luts(a, (weight, element), products, registered=True)
        # The slices of a product hardly overlap: together they cost what one number does.
        leaves = _leaves(operands)
        number = leaves.number if operands.binary else operands.simd
        for name, cost in zip(("sums of two", "sums of three", "sums of four"),
                              adder_tree(number, leaves.bits, unit.sum_bits), strict=True):
            a.add(name, *cost.times(operands.pe))
        shift(a, "sums of two", waiting_leaf(number, leaves.bits), operands.pe * leaves.bits)


def _leaves(operands: Operands) -> _Leaves:
    if operands.binary:
        return _Leaves(-(-operands.simd // _POPCOUNT_BITS), 6)
    parts = 1 if operands.has_bipolar else slices(operands.input.bits)
    return _Leaves(operands.simd * parts, operands.weight.bits + operands.input.bits + 1)


def _signs(a: Amounts, operands: Operands) -> None:
    """A number or its negative, about a LUT a bit for either; rows share the negatives of what all of them multiply."""
    products, bits = operands.pe * operands.simd, operands.weight.bits + operands.input.bits - 1
    negatives = operands.simd if operands.shared and operands.weight == BIPOLAR else products
    signed = SIGNED in (operands.weight.kind, operands.input.kind)
    few = bits - signed == 1  # magnitudes of one bit have tables
    luts = products * bits if few else (products + negatives) * (bits - signed / 2)
    a.add("signs", lut=luts, ff=products * (bits + 2))


def _popcounts(a: Amounts, operands: Operands) -> None:
    """Numbers of two bits by three XNORs, sums of four bits by three of these, and counts (headrace_popcount)."""
    for first in range(0, operands.simd, _POPCOUNT_BITS):
        chunk = min(operands.simd - first, _POPCOUNT_BITS)
        threes, ones = divmod(chunk, 3)
        halves = min(4, chunk) * (chunk > 3) + 4 * (chunk > 12) + 5 * (chunk > 9)
        a.add("popcount", lut=operands.pe * (2 * threes + ones + halves),
              ff=operands.pe * (2 * threes + ones + chunk.bit_length()))
