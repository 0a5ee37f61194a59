"""Multipliers: which products synthesis takes a DSP block for, and what the others are in LUTs."""

from __future__ import annotations

from headrace.area.amounts import Amounts
from headrace.area.usage import Resources
from headrace.datatypes import DataType

#: Bits without sign of an activation that a DSP block multiplies; wider ones are multiplied in slices.
SLICE_BITS = 26
#: Synthesis makes a product of so many bits in a DSP block.
DSP_PRODUCT_BITS = 9
#: Flip-flops around a multiplier that has no register itself: of factors and product, as observed.
_OUTER_BITS = 24
#: Registers of a product in a DSP block (headrace_multiplier): operands, product, sum.
PRODUCT_STAGES = 3


def in_dsp(left: DataType, right: DataType) -> bool:
    """True if synthesis takes a DSP block for a product: where it is wide, and neither factor is one bit.

    The bit without sign of a factor of one bit gets one from a signed factor beside it.
    """
    signed = left.signed or right.signed
    narrowest = min(dtype.bits + (signed and not dtype.signed) for dtype in (left, right))
    return left.bits + right.bits + 1 >= DSP_PRODUCT_BITS and narrowest > 1


def slices(bits: int) -> int:
    """DSP blocks for one product with an activation of so many bits."""
    return -(-bits // SLICE_BITS)


def dsp_blocks(a: Amounts, number: int) -> None:
    """So many DSP blocks; where they come with LUT4s, synthesis leaves their registers outside."""
    a.take(Resources(dsp=number))
    if a.prices.of_lut4 and number:
        a.add("product registers", ff=number * _OUTER_BITS)


def multiplied_in_luts(a: Amounts, bits: tuple[int, int], products: int, registered: bool) -> None:
    """Multipliers of LUTs for factors of so many bits. registered: with a register behind each that belongs to it."""
    narrow, wide = sorted(bits)
    # As observed: a row of gates for a factor of one bit, tables for small ones; else rows are added, whose gates LUT6
    # take in.
    tables = narrow == 1 or sum(bits) <= a.prices.lut_inputs
    luts = narrow * wide if tables else (2.4 if a.prices.of_lut4 else 1) * (narrow - 1) * (wide + 2)
    a.add("product bits", lut=products * luts, ff=products * sum(bits) * registered)
