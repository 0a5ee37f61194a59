"""The compute cores of matrix-vector units: forms of the same integer arithmetic with different cost.

plain   multipliers, or XNOR popcounts of bipolar operands; the reference
parity  popcounts of bipolar operands with full adders that cost no more than their carries: both operands are recoded
        so that the sums are there already, the weights in their memory, the activations once for all rows; a single
        threshold is folded into the start of the accumulator
pairs   weights of at most 4 bits: the sum of two neighbouring activations is computed once for all rows, and each bit
        plane of two weights selects none, one or both of them
dsp     several rows share the 27 x 18 bit multiplier of a DSP block: their weights, unsigned by an offset, are
        concatenated into one factor
planes  weights and activations of at most 4 bits in front of thresholds: XNOR matches of their bit planes, counted by
        free parity; what depends on the weights alone is part of the thresholds

The HLS back end computes the same integers from unrecoded memories: its compiler chooses the arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

from headrace.datatypes import BIPOLAR, Bipolar, DataType
from headrace.errors import InputError

#: The cores by the number that the parameter CORE has for them.
CORES = ("plain", "parity", "pairs", "dsp", "planes")
#: Bit planes that pair sums (of weights) and compared planes (of both operands) are built for.
MAX_PLANES = 4
#: Bits of the unsigned part of a DSP block's wide factor, and of its narrow one.
DSP_WIDE_BITS, DSP_NARROW_BITS = 26, 17
#: LUTs that are as scarce as one DSP block: UltraScale+ devices have about a hundred for each.
DSP_LUTS = 100
#: A product of so many bits is made in a DSP block by synthesis.
DSP_PRODUCT_BITS = 8
#: The core that is chosen by cost.
AUTO = "auto"


@dataclass(frozen=True)
class Operands:
    """What decides on a core: the types, rows and columns per cycle, and how they come and go.

    shared: all rows multiply the same activations. scaled: the columns stand in groups with scales of their own.
    thresholded: the sums only meet thresholds.
    """

    weight: DataType
    input: DataType
    pe: int
    simd: int
    shared: bool
    scaled: bool
    thresholded: bool

    @property
    def binary(self) -> bool:
        """True if both are bipolar: products are XNOR matches."""
        return isinstance(self.weight, Bipolar) and isinstance(self.input, Bipolar)


def serves(core: str, operands: Operands) -> bool:
    """True if a core computes products of these operands."""
    if core == "plain":
        return True
    if not operands.shared:  # the others pay off by what they compute once for all rows
        return False
    if core == "parity":
        return operands.binary
    if core == "dsp":
        return not operands.scaled and dsp_lanes(operands) > 1
    if operands.binary or operands.weight.bits > MAX_PLANES:
        return False
    if core == "planes":
        return operands.thresholded and not operands.scaled and operands.input.bits <= MAX_PLANES
    return True


def dsp_lanes(operands: Operands) -> int:
    """Rows that share one multiplier; 1 for operands that core dsp does not serve."""
    weight, element = operands.weight, operands.input
    if Bipolar() in (weight, element) or weight.bits < 2 or element.bits > DSP_NARROW_BITS:
        return 1
    field = weight.bits + element.bits
    apart, close = (1 + max(0, DSP_WIDE_BITS - weight.bits) // stride for stride in (field, field - 1))
    overlaps = not element.signed and operands.simd % 2 == 0 and -(-operands.pe // close) < -(-operands.pe // apart)
    return close if overlaps else apart


def cost(core: str, operands: Operands) -> int:
    """LUTs of a core's products and sums for one word, about, with DSP_LUTS for every DSP block."""
    pe, simd, weight, element = operands.pe, operands.simd, operands.weight.bits, operands.input.bits
    if core == "parity":
        return simd // 2 + pe * simd
    if core == "pairs":
        quads = -(-simd // 4)
        shared = simd // 2 * (element + 1)
        if isinstance(operands.weight, Bipolar):  # the sum of all activations
            shared += quads * (element + 3)
        plane = quads * 2 * (element + 1) + (quads - 1) * (element + 4) // 2
        return shared + pe * (weight * plane + (weight - 1) * (element + 4) // 2)
    if core == "dsp":
        groups, field = -(-pe // dsp_lanes(operands)), weight + element
        shared = simd * (element + 2) // 2
        return shared + DSP_LUTS * groups * simd + pe * (simd * (field + 3) // 2)
    if core == "planes":
        shared = simd * element + (0 if operands.weight == BIPOLAR else simd * (element + 2) // 2)
        # The sum over planes ends in the accumulator's adder; that of bipolar weights has no signs.
        sums = 2 * (element - 1) if operands.weight == BIPOLAR else 4 * (weight * element - 1)
        return shared + pe * (weight * element * (simd - simd // 8 + 1) + sums)
    if operands.binary:
        return 2 * pe * simd
    return pe * simd * (_plain_product_cost(operands) + weight + element)


def _plain_product_cost(operands: Operands) -> int:
    weight, element = operands.weight.bits, operands.input.bits
    if Bipolar() in (operands.weight, operands.input):
        return weight * element
    return DSP_LUTS if weight + element >= DSP_PRODUCT_BITS else 2 * weight * element


def choose_core(layer: str, core: str, operands: Operands) -> str:
    """The core that `core` stands for: itself, or for "auto" the cheapest one.

    Raises InputError if it is unknown or does not serve the operands.
    """
    if core not in (AUTO, *CORES):
        raise InputError(f"{layer}: core {core!r} is unknown; choose one of {[AUTO, *CORES]}")
    able = [name for name in CORES if serves(name, operands)]
    if core == AUTO:
        return min(able, key=lambda name: cost(name, operands))
    if core not in able:
        how = (" per channel" * (not operands.shared) + " with scales" * operands.scaled
               + " without thresholds" * (core == "planes" and not operands.thresholded))
        raise InputError(f"{layer}: core {core} cannot multiply weights of type {operands.weight} by inputs of type "
                         f"{operands.input}{how}; choose one of {[AUTO, *able]}")
    return core


def sum_stages(core: str, operands: Operands, folded_threshold: bool) -> int:
    """Registered stages of a core from its operands to the sums of one word."""
    if core == "parity":
        carries = (operands.simd + 1) // 2
        return ones_count_stages(max(1, carries - 1) if folded_threshold else carries)
    if core == "pairs":
        several_planes = operands.weight.bits > 1 or operands.weight.signed
        return 1 + ternary_levels(-(-operands.simd // 4)) + several_planes
    if core == "dsp":
        return 1 + ternary_levels(operands.simd)
    if core == "planes":
        return _plane_stages(operands)
    return 1 + ((_plain_leaves(operands) - 1).bit_length() + 1) // 2


def _plain_leaves(operands: Operands) -> int:
    """Numbers that the adder tree of dot_plain adds up: a wide activation is multiplied in slices of 26 bits."""
    if operands.binary:
        return -(-operands.simd // 32)
    if BIPOLAR in (operands.weight, operands.input):
        return operands.simd
    return operands.simd * -(-operands.input.bits // 26)


def _plane_stages(operands: Operands) -> int:
    """Two sums over planes follow the counts; the sum of the activations, where there is one, is made beside them."""
    operand_types = (operands.weight, operands.input)
    adding = sum(dtype != BIPOLAR and (dtype.bits > 1 or dtype.signed) for dtype in operand_types)
    matches = ones_count_stages((operands.simd + 1) // 2) + adding
    return matches if operands.weight == BIPOLAR else max(matches, 1 + ternary_levels(operands.simd))


def ones_count_stages(bits: int) -> int:
    """Registered stages of the module ones_count."""
    return 1 + (((bits + 8) // 8 - 1).bit_length() + 1) // 2


def ternary_levels(leaves: int) -> int:
    """Levels of three to one that add up `leaves` numbers."""
    levels = 0
    while 3**levels < leaves:
        levels += 1
    return levels
