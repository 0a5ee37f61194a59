"""Amounts of the layers with weights: control, memories, products and sums by compute core, activation."""

from __future__ import annotations

from math import ceil

from headrace import memory
from headrace.area import arithmetic
from headrace.area.amounts import Amounts
from headrace.area.structures import (
    LUT_INPUTS,
    SHIFT_STAGES,
    Bounds,
    counters,
    different,
    multiplexer,
    ram,
    rom,
    search,
    serial_search,
    shift,
    slices,
    table_luts,
)
from headrace.area.usage import Resources
from headrace.datatypes import BIPOLAR, signed_bits, unsigned_bits
from headrace.layers import Mvtu
from headrace.layers.cores import dsp_lanes, sum_stages
from headrace.layers.weighted import RAM, WeightedLayer

_POPCOUNT_BITS = 32
#: Bounds of so many row groups are inside of an adder's LUTs.
_ADDER_WORDS = 16


def weighted(a: Amounts, layer: WeightedLayer) -> None:
    """An mvtu or vvtu."""
    stages = sum_stages(layer.chosen_core, layer.operands, layer.folds_threshold)
    _control(a, layer, stages)
    _read(a, layer)
    if layer.folds_threshold:
        _folded(a, layer, stages)
        return
    {"parity": _parity, "pairs": _pairs, "dsp": _dsp, "planes": _planes, "plain": _plain}[layer.chosen_core](
        a, layer, stages)
    _activate(a, layer)


def _control(a: Amounts, layer: WeightedLayer, stages: int) -> None:
    """Slices, counters and what travels beside the words."""
    source, result = layer.inputs[0].bits, layer.outputs[0].bits
    if isinstance(layer, Mvtu):
        slices(a, source)
    if layer.sf > 1:
        a.add("spaced slice", lut=5, ff=result + 2)
    else:
        slices(a, result)
    counters(a, layer.sf, layer.nf if isinstance(layer, Mvtu) else 1, layer.nf * layer.sf)
    tags = 3 if layer.sf > 1 else 1
    if layer.folds_threshold:
        a.add("weighted", lut=9, ff=4 if layer.sf > 1 else 2)
    else:
        a.add("weighted", lut=9, ff=tags * (2 + stages))


def _read(a: Amounts, layer: WeightedLayer) -> None:
    """The weights and the activations, which other rows read again."""
    words, bits, source = layer.nf * layer.sf, layer.pe * layer.simd * layer.weight.bits, layer.inputs[0].bits
    if layer.writable:
        _port(a, words, bits)
        a.add("read", ff=bits)
        if layer.storage == RAM:
            ram(a, memory.ram(words, bits), words, bits)
        else:
            a.take(Resources(uram=memory.uram(words, bits)))
    elif isinstance(layer, Mvtu) and layer.external:
        slices(a, bits)
        a.add("read", ff=2 * bits)
    else:
        rom(a, words, bits)
    if isinstance(layer, Mvtu) and layer.nf > 1:
        a.add("read", ff=(layer.sf - 1).bit_length())
        if layer.sf > 1:
            ram(a, memory.synthesized_ram(layer.sf, source), layer.sf, source)
        else:
            a.add("read", ff=2 * source)
    else:
        a.add("read", ff=2 * source)
    if layer.chosen_core in ("parity", "planes"):
        a.add("encode", lut=0.75 * layer.input.bits * layer.simd)


def _port(a: Amounts, words: int, bits: int) -> None:
    """The write port of a memory (memory_port.sv)."""
    address, parts = (words - 1).bit_length(), -(-bits // 32)
    counters(a, parts)
    a.add("port", lut=6)
    a.add("port address", lut=address, ff=address)
    a.add("port word", ff=min(bits, 32) + 32 * parts + 11)


def _folded(a: Amounts, layer: WeightedLayer, stages: int) -> None:
    """Core parity with its threshold in the accumulator (parity_rows.sv)."""
    row = arithmetic.folded_row(layer.simd, layer.sf, stages, layer.acc_bits)
    a.add("parity", *row.times(layer.pe))
    group_bits = (layer.nf - 1).bit_length()
    a.add("folded control", lut=1 + group_bits, ff=4 + (1 + stages) * group_bits + stages)
    if stages >= SHIFT_STAGES:
        a.take(Resources(lutram=layer.pe))
    if layer.sf > 1:  # which word is the first comes from two registers before, which the last one is read at
        shift(a, "folded control", stages + 2, 1)
        shift(a, "folded control", stages, 1)
    if layer.nf > 1:
        if layer.sf > 1 or layer.nf > _ADDER_WORDS:
            a.add("row bounds", lut=0.8 * table_luts(layer.nf) * different(layer.pe * layer.acc_bits, layer.nf))
        a.add("row bounds", ff=different(layer.pe * (layer.acc_bits - 1), layer.nf))


def _parity(a: Amounts, layer: WeightedLayer, stages: int) -> None:
    a.add("parity", *arithmetic.parity(layer.operands, stages).times(layer.pe))
    if stages >= SHIFT_STAGES:
        a.take(Resources(lutram=layer.pe))
    _accumulate(a, layer, two=False)


def _pairs(a: Amounts, layer: WeightedLayer, stages: int) -> None:
    scaled = isinstance(layer, Mvtu) and layer.scales is not None
    split = not scaled and (layer.weight == BIPOLAR or layer.weight.bits % 2 == 0)
    sum_bits = _sum_bits(layer)
    shared, row = arithmetic.pairs(layer.operands, sum_bits, split)
    a.add("pairs shared", *shared)
    a.add("pairs", *row.times(layer.pe))
    _accumulate(a, layer, split)


def _dsp(a: Amounts, layer: WeightedLayer, stages: int) -> None:
    shared, row, blocks = arithmetic.dsp(layer.operands)
    a.add("dsp shared", *shared)
    a.add("dsp", *row.times(layer.pe))
    a.take(Resources(dsp=blocks))
    _products(a, layer, layer.simd * -(-layer.pe // dsp_lanes(layer.operands)) - blocks)
    _accumulate(a, layer, two=True)


def _planes(a: Amounts, layer: WeightedLayer, stages: int) -> None:
    shared, row, shifted = arithmetic.planes(layer.operands, layer.acc_bits, stages)
    a.add("planes shared", *shared)
    a.add("planes", *row.times(layer.pe))
    a.take(Resources(lutram=layer.pe * shifted))
    _accumulate(a, layer, two=layer.weight != BIPOLAR)


def _plain(a: Amounts, layer: WeightedLayer, stages: int) -> None:
    """Multipliers and a tree of sums of four."""
    weight, element, products = layer.weight.bits, layer.input.bits, layer.pe * layer.simd
    leaves, leaf_bits = layer.simd, weight + element + 1
    if layer.multiplies_bits:
        leaves, leaf_bits = -(-layer.simd // _POPCOUNT_BITS), 7
        chunk = min(layer.simd, _POPCOUNT_BITS)
        adders = chunk - chunk.bit_length()  # of one bit, two LUTs each
        a.add("popcount", lut=layer.pe * leaves * (2 * adders + 0.5 * chunk), ff=layer.pe * leaves * chunk.bit_length())
    elif BIPOLAR in (layer.weight, layer.input):
        a.add("signs", lut=1.4 * products * (weight + element), ff=products * (weight + element))
    elif weight + element + 1 >= arithmetic.DSP_PRODUCT_BITS and min(weight, element) > 1:
        a.take(Resources(dsp=products * -(-element // arithmetic.DSP_ACTIVATION_BITS)))
        a.add("multipliers", ff=products * (weight + element))
    else:
        _products(a, layer, products)
    for name, cost in zip(("sums of two", "sums of three", "sums of four"),
                          arithmetic.binary_tree(leaves, leaf_bits, _sum_bits(layer)), strict=True):
        a.add(name, *cost.times(layer.pe))
    _accumulate(a, layer, two=False)


def _products(a: Amounts, layer: WeightedLayer, products: int) -> None:
    """Multipliers of LUTs with a register behind each."""
    weight, element = layer.weight.bits, layer.input.bits
    registers = 0 if layer.chosen_core == "dsp" else weight + element  # those of the core are counted with its blocks
    narrow, wide = sorted((weight, element))
    # Small ones are tables, the lowest bits of which their sums take in.
    luts = weight + element - 2 if weight + element <= LUT_INPUTS else (narrow - 1) * (wide + 2)
    a.add("product bits", lut=products * luts, ff=products * registers)


def _sum_bits(layer: WeightedLayer) -> int:
    """Width of a word's sums."""
    if isinstance(layer, Mvtu) and layer.scales is not None:
        return signed_bits(layer.group_sum.lo, layer.group_sum.hi)
    return layer.acc_bits


def _accumulate(a: Amounts, layer: WeightedLayer, two: bool) -> None:
    bits = layer.pe * layer.acc_bits
    if isinstance(layer, Mvtu) and layer.scales is not None:
        _scaled(a, layer)
    else:
        a.add("accumulator", lut=bits if layer.sf > 1 or two else 0, ff=bits)


def _scaled(a: Amounts, layer: Mvtu) -> None:
    """Scales of groups: their memory, and per PE the sum of a group, its copy, a multiplier and the total."""
    scales = layer.scales
    if scales is None:
        return
    scale, sums, lanes = unsigned_bits(int(scales.max())), _sum_bits(layer), layer.pe if len(scales) > 1 else 1
    rom(a, scales.size // lanes, lanes * scale)
    counters(a, layer.sf // layer.groups, layer.groups, scales.size // lanes)
    shift(a, "scaled", 3, 2)
    summed = sums if layer.sf > layer.groups else 0
    a.add("scaled", lut=1.4 * layer.pe * (summed + layer.acc_bits), ff=2 * layer.pe * (sums + layer.acc_bits))
    if scale + 1 + sums >= arithmetic.DSP_PRODUCT_BITS:
        a.take(Resources(dsp=layer.pe))
    else:
        a.add("product bits", lut=layer.pe * scale * sums)


def _activate(a: Amounts, layer: WeightedLayer) -> None:
    """Thresholds, or the sums as they are; matches become sums."""
    a.add("accumulate", lut=2, ff=1)
    if layer.thresholds is None:
        if layer.counts_matches:
            zeros = (layer.mw & -layer.mw).bit_length() - 1  # of what is subtracted
            a.add("matches", lut=0.5 * layer.pe * max(1, layer.acc_bits + 1 - zeros))
        return
    steps = layer.output.steps
    if layer.writable:
        stages = steps.bit_length()
        _port(a, layer.nf << stages, layer.pe * layer.acc_bits)
        a.take(Resources(lutram=_loaded_bounds(layer.nf << stages, layer.pe, layer.acc_bits, stages)))
        blocks = -(-(layer.nf << stages) // memory.LUT_WORDS)
        a.add("loaded bounds", lut=layer.pe * layer.acc_bits * stages * (1 + ceil(multiplexer(blocks))))
        a.add("write enables", lut=blocks if blocks > 1 else 0)
    else:
        bounds = Bounds(layer.pe, layer.nf, steps, layer.acc_bits, layer.kernel_thresholds, layer.threshold_memory)
        if layer.searches_in_turn:
            serial_search(a, bounds, layer.output.bits)
            return
        search(a, bounds, layer.acc_bits)
    a.add("search", ff=(layer.nf - 1).bit_length() + steps.bit_length() - 1)


def _loaded_bounds(words: int, pe: int, acc_bits: int, stages: int) -> int:
    """LUTs of a memory of bounds that can be written: every row reads a copy in each stage but the first.

    A copy has the columns of the memory that hold the row's bound.
    """
    columns, blocks = (14, 1) if words <= memory.LUT_WORDS // 2 else (7, -(-words // memory.LUT_WORDS))
    copies = sum((acc_bits * (row + 1) - 1) // columns - acc_bits * row // columns + 1 for row in range(pe))
    return 8 * blocks * (-(-pe * acc_bits // columns) + (stages - 1) * copies)
