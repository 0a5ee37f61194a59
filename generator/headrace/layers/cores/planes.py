"""Core planes: weights and activations of at most 4 bits in front of thresholds.

XNOR matches of bit planes of weights and activations are counted by free parity; what depends on the weights alone is
part of the thresholds. With w & x = (w + x - 1 + (w XNOR x)) / 2 for single bits, a dot product of weights
w = sum of sigma_i 2^i w_i and activations x = sum of tau_j 2^j x_j, sigma and tau being -1 for a plane of signs and
else +1, is

    factor * dot = sum of sigma_i tau_j 2^(i+j) matches(w_i, x_j) + lambda * sum of x + offset

where the factor is 2 and only the offset depends on the weights alone; the core leaves it out. A bipolar operand is
2 * bit - 1, one plane of bits; its factor is 1.
"""

from __future__ import annotations

import numpy as np

from headrace.area.adders import (
    ones_count,
    ones_count_stages,
    plane_sum,
    plane_sum_stages,
    ternary_levels,
    ternary_tree,
)
from headrace.area.amounts import Amounts, Cost
from headrace.area.structures import SHIFT_STAGES, shift
from headrace.array_cache import of_array
from headrace.datatypes import BIPOLAR, DataType, IntArray, uint_type
from headrace.layers.cores.core import Core, Operands, Unit
from headrace.layers.cores.parity import encodes
from headrace.packing import parity_code

#: Bit planes of either operand that it is built for.
MAX_PLANES = 4


class Planes(Core):
    """Products of narrow operands, all rows of the same activations (headrace_dot_planes)."""

    name, number = "planes", 4
    needs_thresholds = True

    def refusal(self, operands: Operands) -> str:
        if operands.binary:
            return "it takes weights or inputs that are not bipolar"
        widest = max(operands.weight.bits, operands.input.bits)
        return (operands.refusal(thresholded=True)
                or f"it takes weights and inputs of at most {MAX_PLANES} bits, not {widest}" * (widest > MAX_PLANES))

    def stages(self, operands: Operands, preset: bool) -> int:
        # Two sums over planes follow the counts; that of the activations, where there is one, is made beside them.
        matches = ones_count_stages((operands.simd + 1) // 2) + sum(
            _adding(dtype) for dtype in (operands.weight, operands.input))
        return matches if operands.weight == BIPOLAR else max(matches, _summing(operands))

    def recoded(self, words: IntArray, operands: Operands) -> tuple[IntArray, DataType]:
        return plane_words(words, operands.weight), uint_type(1)

    def accumulated(self, weights: IntArray, operands: Operands) -> tuple[int, IntArray]:
        return 1 if operands.has_bipolar else 2, plane_offset(weights, operands.weight, operands.input)

    def amounts(self, a: Amounts, unit: Unit) -> None:
        operands = unit.operands
        encodes(a, operands)
        stages = self.stages(operands, unit.preset)
        row, shifted = _row(operands, unit.acc_bits, stages)
        a.add("planes shared", *_shared(operands, stages))
        a.add("planes", *row.times(operands.pe))
        if shifted:
            shift(a, "planes", SHIFT_STAGES, operands.pe * shifted)

    def adds_two(self, unit: Unit) -> bool:
        return unit.operands.weight != BIPOLAR


@of_array
def plane_offset(weights: IntArray, weight: DataType, element: DataType) -> IntArray:
    """What the core leaves out of every row: weights (MH, MW) -> (MH,).

    alpha * (sum of w) - omega * alpha * MW, where alpha and omega are the sums of the planes' signed powers of two of
    activations and weights; for bipolar weights alpha * (ones - MW), for bipolar activations -omega * MW.
    """
    columns = weights.shape[1]
    omega, alpha = _all_ones(weight), _all_ones(element)
    if weight == BIPOLAR:
        return np.asarray(alpha * ((weights > 0).sum(1) - columns), np.int64)
    if element == BIPOLAR:
        return np.full(len(weights), -omega * columns)
    return np.asarray(alpha * weights.sum(1) - omega * alpha * columns, np.int64)


def plane_words(words: IntArray, weight: DataType) -> IntArray:
    """Memory words (depth, PE, SIMD) -> the complements of their bit planes, recoded: (depth, PE, planes * SIMD)."""
    codes = weight.encode(words).astype(np.int64)
    planes = 1 - (codes[:, :, None, :] >> np.arange(weight.bits)[:, None] & 1)
    return parity_code(planes).reshape(*words.shape[:2], -1)


def _all_ones(dtype: DataType) -> int:
    """The value of a code of all ones: -1 in two's complement; for bipolar its one plane."""
    return 1 if dtype == BIPOLAR else -1 if dtype.signed else 2**dtype.bits - 1


def _adding(dtype: DataType) -> int:
    """Cycles of a sum over the planes of a type."""
    return 0 if dtype == BIPOLAR else plane_sum_stages(dtype.bits, dtype.signed, split=False)


def _summing(operands: Operands) -> int:
    """Cycles until lambda times the sum of the activations is there."""
    times_lambda = not operands.weight.signed and operands.weight.bits > 1
    return 1 + ternary_levels(operands.simd) + times_lambda


def _row(operands: Operands, sum_bits: int, stages: int) -> tuple[Cost, int]:
    """One row, and its bits of shift registers."""
    weights, acts = operands.weight.bits, operands.input.bits
    signed_a, signed_w = operands.input.kind == 1, operands.weight.kind == 1
    carries = (operands.simd + 1) // 2
    counting = ones_count_stages(carries)
    d_bits = carries.bit_length() + 1
    v_bits = d_bits + acts
    dot_bits = min(sum_bits, v_bits + weights + 1)
    match = ones_count(carries).plus_flat(carries + 1, counting if counting < SHIFT_STAGES else 0)
    value = match.times(acts).plus(plane_sum(acts, d_bits, signed_a, v_bits, split=False))
    row = value.times(weights).plus(plane_sum(weights, v_bits, signed_w, dot_bits, split=False))
    waits = stages - counting - _adding(operands.input) - _adding(operands.weight)
    if waits + 1 >= SHIFT_STAGES:  # the register of the sum is the first stage
        return row.plus_flat(0, -dot_bits), dot_bits
    return row.plus_flat(0, waits * dot_bits), 0


def _shared(operands: Operands, stages: int) -> Cost:
    """The sum of the activations, which bipolar weights do not need."""
    if operands.weight == BIPOLAR:
        return Cost()
    simd, acts, levels = operands.simd, operands.input.bits, ternary_levels(operands.simd)
    late = acts + (3**levels - 1).bit_length()
    tree = Cost(simd * acts // 2, simd * acts).plus(ternary_tree(simd, acts, operands.input.kind == 1))
    return tree.plus_flat(late, late * (stages - 1 - levels))
