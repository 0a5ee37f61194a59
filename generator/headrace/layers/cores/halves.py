"""Core halves: for weights of 5 to 8 bits without multipliers, where DSP blocks are scarcer than LUTs.

A weight is 16 times its high bits plus its low four; both are weights of core pairs, and the accumulator adds two sums.
"""

from __future__ import annotations

from dataclasses import replace

from headrace.area.adders import plane_sum_stages
from headrace.area.amounts import Amounts
from headrace.datatypes import int_type, uint_type
from headrace.layers.cores.core import Core, Operands, Unit
from headrace.layers.cores.pairs import MAX_PLANES, Pairs, pair_costs

_LOW = uint_type(MAX_PLANES)
#: Of the widest weights.
MAX_BITS = 2 * MAX_PLANES


class Halves(Core):
    """Products of wider weights, all rows of the same activations (headrace_dot_halves)."""

    name, number = "halves", 5
    on_request = True

    def refusal(self, operands: Operands) -> str:
        if operands.has_bipolar:
            return "it takes no bipolar weights or inputs"
        bits = operands.weight.bits
        return operands.refusal() or (f"it takes weights of {MAX_PLANES + 1} to {MAX_BITS} bits, not {bits}"
                                      * (not MAX_PLANES < bits <= MAX_BITS))

    def stages(self, operands: Operands, preset: bool) -> int:
        return Pairs().stages(replace(operands, weight=_LOW, scaled=True), preset)

    def amounts(self, a: Amounts, unit: Unit) -> None:
        operands = unit.operands
        high = (int_type if operands.weight.signed else uint_type)(operands.weight.bits - MAX_PLANES)
        shared, low_row = pair_costs(replace(operands, weight=_LOW), unit.sum_bits, split=False)
        _, high_row = pair_costs(replace(operands, weight=high), unit.sum_bits, split=False)
        waits = plane_sum_stages(MAX_PLANES, False, False) - plane_sum_stages(high.bits, high.signed, False)
        a.add("pairs shared", *shared)
        a.add("pairs", *low_row.plus(high_row).plus_flat(0, waits * unit.sum_bits).times(operands.pe))

    def adds_two(self, unit: Unit) -> bool:
        return True
