"""Core parity: popcounts of bipolar operands with full adders that cost no more than their carries.

Both operands are recoded so that the sums are there already, the weights in their memory, the activations once for all
rows; accumulators are preset to minus a single threshold.
"""

from __future__ import annotations

import numpy as np

from headrace.area.adders import ones_count, ones_count_stages
from headrace.area.amounts import Amounts
from headrace.area.structures import SHIFT_STAGES, different, shift, table_luts
from headrace.datatypes import DataType, IntArray, uint_type
from headrace.layers.cores.core import Core, Operands, Unit
from headrace.packing import parity_code

#: Bounds of so many row groups are inside of an adder's LUTs.
_ADDER_WORDS = 16


class Parity(Core):
    """Bipolar products, all rows of the same activations (headrace_dot_parity, headrace_parity_rows)."""

    name, number = "parity", 1
    presets_threshold = True

    def refusal(self, operands: Operands) -> str:
        return operands.refusal(scaled=True) or "it takes bipolar weights and inputs" * (not operands.binary)

    def stages(self, operands: Operands, preset: bool) -> int:
        carries = _carries(operands)
        return ones_count_stages(max(1, carries - 1) if preset else carries)

    def recoded(self, words: IntArray, operands: Operands) -> tuple[IntArray, DataType]:
        # Matches are XORs with the complements of the weights.
        return parity_code((words < 0).astype(np.int64)), uint_type(1)

    def amounts(self, a: Amounts, unit: Unit) -> None:
        operands = unit.operands
        encodes(a, operands)
        stages = self.stages(operands, unit.preset)
        if unit.preset:
            _preset(a, unit, stages)
            return
        carries = _carries(operands)
        beside = carries + (carries > 1)  # where one carry is all there is, it joins the accumulator
        a.add("parity", *ones_count(carries).plus_flat(beside, _waits(stages)).times(operands.pe))
        _shift_register(a, operands, stages)


def encodes(a: Amounts, operands: Operands) -> None:
    """What recodes the activations, once for all rows (headrace_parity_encode); one adder recodes nothing."""
    a.add("encode", lut=0.75 * operands.input.bits * operands.simd if _carries(operands) > 1 else 0)


def _carries(operands: Operands) -> int:
    return (operands.simd + 1) // 2


def _waits(stages: int) -> int:
    """Flip-flops of a row's lowest bit while its carries are counted."""
    return stages if stages < SHIFT_STAGES else 0


def _shift_register(a: Amounts, operands: Operands, stages: int) -> None:
    if stages >= SHIFT_STAGES:
        shift(a, "parity", stages, operands.pe)


def _preset(a: Amounts, unit: Unit, stages: int) -> None:
    """Rows whose accumulators start at their thresholds (headrace_parity_rows); one of one word has no root."""
    operands, several, carries = unit.operands, unit.words > 1, _carries(unit.operands)
    beside = carries + (3 if several else 0) + unit.acc_bits - 1
    row = ones_count(max(1, carries - 1)).plus_flat(beside, 1 + _waits(stages) + unit.acc_bits - 1)
    a.add("parity", *row.times(operands.pe))
    group_bits = (unit.groups - 1).bit_length()
    a.add("preset control", lut=1 + group_bits, ff=5 + (2 + stages) * group_bits + stages)
    _shift_register(a, operands, stages)
    if several:  # which word is the first comes from two registers before, which the last one is read at
        shift(a, "preset control", stages + 2, 1)
        shift(a, "preset control", stages, 1)
    if unit.groups > 1:
        bits = operands.pe * unit.acc_bits
        if several or unit.groups > _ADDER_WORDS:
            a.add("row bounds", lut=0.8 * table_luts(unit.groups) * different(bits, unit.groups))
        a.add("row bounds", ff=different(bits, unit.groups))
