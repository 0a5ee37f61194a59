"""Core dsp: several rows share the 27 x 18 bit multiplier of a DSP block.

Their weights, unsigned by an offset, are concatenated into one factor.
"""

from __future__ import annotations

from headrace.area.adders import ternary_levels, ternary_tree
from headrace.area.amounts import Amounts, Cost
from headrace.area.multipliers import DSP_PRODUCT_BITS, PRODUCT_STAGES, dsp_blocks, multiplied_in_luts
from headrace.datatypes import DataType, IntArray, uint_type
from headrace.layers.cores.core import Core, Operands, Unit

#: Bits of the unsigned part of a DSP block's wide factor, and of its narrow one.
_WIDE_BITS, _NARROW_BITS = 26, 17


class Dsp(Core):
    """Products of several rows in one multiplier (headrace_dot_dsp)."""

    name, number = "dsp", 3

    def refusal(self, operands: Operands) -> str:
        if operands.has_bipolar:
            return "it takes no bipolar weights or inputs"
        return operands.refusal() or (_too_wide(operands) if lanes(operands) < 2 else "")

    def stages(self, operands: Operands, preset: bool) -> int:
        in_blocks = _in_blocks(operands, lanes(operands))
        return (PRODUCT_STAGES if in_blocks else 1) + ternary_levels(operands.simd)

    def recoded(self, words: IntArray, operands: Operands) -> tuple[IntArray, DataType] | None:
        weight = operands.weight
        if not weight.signed:
            return None
        return words + 2 ** (weight.bits - 1), uint_type(weight.bits)  # unsigned lanes leave no borrows to each other

    def amounts(self, a: Amounts, unit: Unit) -> None:
        operands, shares = unit.operands, lanes(unit.operands)
        shared, row = _costs(operands, shares)
        a.add("dsp shared", *shared)
        a.add("dsp", *row.times(operands.pe))
        if operands.input.bits == 1:  # an activation selects weights
            a.add("product bits", lut=operands.pe * operands.simd * operands.weight.bits)
            return
        blocks = _blocks(operands, shares)
        # Only a DSP48E2 takes 27 bits of a factor; where several groups of rows share the other one they stay.
        shared_factor = a.prices.cells == "xc7" and operands.pe > shares
        split = shared_factor or _wide_bits(operands, shares) > a.prices.factor_bits
        dsp_blocks(a, 2 * blocks if split else blocks)
        multiplied_in_luts(a, (operands.weight.bits, operands.input.bits),
                           operands.simd * -(-operands.pe // shares) - blocks, registered=False)

    def adds_two(self, unit: Unit) -> bool:
        return True


def _too_wide(operands: Operands) -> str:
    """Why two rows do not share a multiplier."""
    weight, element = operands.weight.bits, operands.input.bits
    if weight < 2:
        return f"it takes weights of 2 bits or more, not {weight}"
    if element > _NARROW_BITS:
        return f"it takes inputs of at most {_NARROW_BITS} bits, not {element}"
    return (f"two rows share a multiplier where twice the bits of a weight and those of an input are at most "
            f"{_WIDE_BITS} together, not {2 * weight + element}")


def lanes(operands: Operands) -> int:
    """Rows that share one multiplier; 1 for operands that the core does not serve."""
    apart, close = _apart_and_close(operands)
    return close if -(-operands.pe // close) < -(-operands.pe // apart) else apart


def most_lanes(operands: Operands) -> int:
    """The most rows that could share one multiplier, of any number of them."""
    return max(_apart_and_close(operands))


def _apart_and_close(operands: Operands) -> tuple[int, int]:
    """Lanes of a multiplier side by side, and where neighbours overlap by a bit; the former twice where they cannot."""
    weight, element = operands.weight, operands.input
    if operands.has_bipolar or weight.bits < 2 or element.bits > _NARROW_BITS:
        return 1, 1
    field = weight.bits + element.bits
    apart, close = (1 + max(0, _WIDE_BITS - weight.bits) // stride for stride in (field, field - 1))
    return apart, close if not element.signed and operands.simd % 2 == 0 else apart


def _overlaps(operands: Operands, shares: int) -> bool:
    """True if neighbouring lanes overlap by one bit."""
    return shares > 1 + (_WIDE_BITS - operands.weight.bits) // (operands.weight.bits + operands.input.bits)


def _in_blocks(operands: Operands, shares: int) -> bool:
    """True if the products of the first rows are in DSP blocks, so that all products take their registers."""
    return operands.input.bits > 1 and _blocks(operands, shares) > 0


def _blocks(operands: Operands, shares: int) -> int:
    """Multipliers in DSP blocks: the last group of rows may be too narrow for one."""
    width = operands.weight.bits + operands.input.bits
    groups, last = -(-operands.pe // shares), (operands.pe - 1) % shares  # rows of the last group beside its first
    last_bits = last * (width - _overlaps(operands, shares)) + width
    return (groups if last_bits >= DSP_PRODUCT_BITS else groups - 1) * operands.simd


def _wide_bits(operands: Operands, shares: int) -> int:
    """Bits of the factor that holds the weights of rows."""
    apart = operands.weight.bits + operands.input.bits - _overlaps(operands, shares)
    return (min(shares, operands.pe) - 1) * apart + operands.weight.bits


def _costs(operands: Operands, shares: int) -> tuple[Cost, Cost]:
    """What all rows share, and one row."""
    pe, simd, width = operands.pe, operands.simd, operands.weight.bits + operands.input.bits
    overlaps, signed, in_blocks = _overlaps(operands, shares), operands.input.signed, _in_blocks(operands, shares)
    groups = -(-pe // shares)
    total = operands.input.bits + (3 ** ternary_levels(simd) - 1).bit_length()
    products = pe * (width - overlaps) + groups * overlaps
    shared = Cost(0, simd * (operands.input.bits + (0 if in_blocks else products)))
    if overlaps:
        shared = shared.plus(Cost(0, simd * (PRODUCT_STAGES - 1) * in_blocks))
    if operands.weight.signed:
        shared = shared.plus(ternary_tree(simd, operands.input.bits, signed)).plus(Cost(total, 2 * total * in_blocks))
    row = ternary_tree(simd, width, signed, single_bits=overlaps or signed)
    if overlaps:
        carries = simd * (pe - groups) / pe
        row = row.plus(Cost(carries, carries * (PRODUCT_STAGES if in_blocks else 1)))
    return shared, row.plus(Cost(1, 0))
