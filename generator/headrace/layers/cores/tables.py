"""Core tables: for few words of weights that stay, in front of thresholds; no memory holds them.

Distributed arithmetic (Croisier et al., 1973; White, IEEE ASSP Magazine 1989): a few bits of the activations and the
number of the weight word are the inputs of a LUT, and what these bits add up to, the weights being constants, is a
table of it. With w = sign * |w| and single bits b,

    w * b = |w| * (b XOR (w < 0)) - |w| * (w < 0)

so that a table holds the sum of the first terms over its columns, which is never negative; the second ones depend on
the weights alone and belong to the thresholds. A plane of signs counts with the signs of the weights reversed, and a
bipolar activation is 2 * bit - 1.
"""

from __future__ import annotations

import numpy as np

from headrace.area.adders import plane_sum, plane_sum_stages, ternary_levels, ternary_tree
from headrace.area.amounts import Amounts, Cost
from headrace.array_cache import of_array
from headrace.datatypes import BIPOLAR, DataType, IntArray, uint_type
from headrace.layers.cores.core import Core, Operands, Unit

#: Bits of an activation that it is built for, and how many of their planes are added up at a time.
MAX_PLANES, _PLANES = 8, 4
#: Of more words synthesis makes the weights first, which several tables share, although a LUT would hold a table.
_SHARED_WORDS = 16
#: Inputs of a table: bits of activations and of the word's number.
_INPUTS = 6


class Tables(Core):
    """Products of constants, all rows of the same activations (headrace_dot_tables)."""

    name, number = "tables", 6
    needs_thresholds = True
    most_words = 32

    def refusal(self, operands: Operands) -> str:
        bits, words = operands.input.bits, operands.words
        return (operands.refusal(thresholded=True)
                or f"it takes inputs of at most {MAX_PLANES} bits, not {bits}" * (bits > MAX_PLANES)
                or (f"it takes at most {self.most_words} words of weights, and {words} at PE={operands.pe} and "
                    f"SIMD={operands.simd} are more") * (words > self.most_words))

    def stages(self, operands: Operands, preset: bool) -> int:
        tables = -(-operands.simd // _columns(operands))
        return 1 + ternary_levels(tables) + _summing(operands)

    def recoded(self, words: IntArray, operands: Operands) -> tuple[IntArray, DataType]:
        return table_words(words, operands.weight), uint_type(1)

    def accumulated(self, weights: IntArray, operands: Operands) -> tuple[int, IntArray]:
        return 1, table_offset(weights, operands.weight, operands.input)

    def amounts(self, a: Amounts, unit: Unit) -> None:
        operands = unit.operands
        planes, columns = operands.input.bits, _columns(operands)
        full, rest = divmod(operands.simd, columns)
        largest = largest_weight(operands.weight)
        bits = [(count * largest).bit_length() for count in (columns, rest)]
        outputs = full * bits[0] + (bits[1] if rest else 0)
        leaf_bits, leaves = bits[0], full + (rest > 0)
        tree_bits = leaf_bits + (3 ** ternary_levels(leaves) - 1).bit_length()
        dot_bits = min(unit.sum_bits, tree_bits + planes + 1)
        low, high = min(planes, _PLANES), max(0, planes - _PLANES)
        row = ternary_tree(leaves, leaf_bits, signed=False).times(planes).plus(
            plane_sum(low, tree_bits, False, dot_bits, _splits(operands)))
        if high:
            waits = _summing(operands) - plane_sum_stages(high, False, False)
            row = row.plus(plane_sum(high, tree_bits, False, dot_bits, False)).plus_flat(0, waits * dot_bits)
        name = "tables" if largest == 1 else "tables of wide weights"  # which rarely need all outputs
        shared = operands.words > _SHARED_WORDS
        luts = 4 if a.prices.of_lut4 and not shared else 1  # of six inputs, or of a bit and its weight
        a.add(name, *Cost(luts * outputs, outputs).times(planes * operands.pe))
        if shared:
            luts = 2 if a.prices.of_lut4 else 1  # of five inputs
            a.add("weights of tables", lut=luts * operands.pe * operands.simd * (1 + largest.bit_length()))
        a.add("table sums", *row.times(operands.pe))

    def adds_two(self, unit: Unit) -> bool:
        return _splits(unit.operands) or unit.operands.input.bits > _PLANES


def largest_weight(weight: DataType) -> int:
    """The largest weight of a type without its sign, at least 1."""
    return max(1, abs(weight.lo), abs(weight.hi))


def table_words(words: IntArray, weight: DataType) -> IntArray:
    """Memory words (depth, PE, SIMD) -> signs and bits of magnitudes, (depth, PE, planes * SIMD)."""
    magnitudes = np.abs(words)[:, :, None, :] >> np.arange(largest_weight(weight).bit_length())[:, None] & 1
    return np.concatenate(((words < 0)[:, :, None, :], magnitudes), axis=2).reshape(*words.shape[:2], -1)


@of_array
def table_offset(weights: IntArray, weight: DataType, element: DataType) -> IntArray:
    """What the core leaves out of every row, the second terms with the powers of two: weights (MH, MW) -> (MH,)."""
    if BIPOLAR == weight == element:
        return np.zeros(len(weights), np.int64)
    negative, positive = -np.minimum(weights, 0).sum(1), np.maximum(weights, 0).sum(1)
    if element == BIPOLAR:
        return np.asarray(-(negative + positive), np.int64)
    signs = 2 ** (element.bits - 1) if element.signed else 0
    return np.asarray(-((2**element.bits - 1 - signs) * negative + signs * positive), np.int64)


def _columns(operands: Operands) -> int:
    """Of a table: with the word's number, the inputs of a LUT."""
    return _INPUTS - (operands.words - 1).bit_length()


def _splits(operands: Operands) -> bool:
    """The sum of few planes comes as two numbers where they are even; that of more does by fours."""
    return operands.input.bits <= _PLANES and operands.input.bits % 2 == 0


def _summing(operands: Operands) -> int:
    """Cycles of the sums of planes."""
    return plane_sum_stages(min(operands.input.bits, _PLANES), False, _splits(operands))
