"""What a layer will take of the device, before any synthesis: closed formulas of its parameters, one per kind."""

from __future__ import annotations

from collections.abc import Callable

from generator.datatypes import IntArray, signed_bits, unsigned_bits
from generator.layers import (
    AccPool,
    Add,
    Concat,
    Dwc,
    Fifo,
    Fork,
    LabelSelect,
    MaxPool,
    Mvtu,
    ParallelSwu,
    Requant,
    Swu,
    Threshold,
    Upsample,
    Vvtu,
)
from generator.layers.base import Layer, Stream
from generator.layers.cores import dsp_lanes
from generator.layers.pooling import Pooling
from generator.layers.weighted import WeightedLayer
from generator.resources import memory
from generator.resources.usage import Resources

#: Products of operands with more bits together take a DSP.
_MAX_LUT_PRODUCT_BITS = 8
_LUT_INPUTS = 6
#: What a block RAM must save in the buffer of a sliding window (ram.sv).
_SWU_LUTS_PER_BLOCK = 100


def estimate(layer: Layer) -> Resources:
    """Resources of a layer with its memories, as synthesis is expected to count them."""
    return _KINDS[type(layer)](layer)


def _slices(layer: Layer) -> Resources:
    """A register slice of two words at every port."""
    streams: tuple[Stream, ...] = (*layer.inputs, *layer.outputs)
    bits = sum(stream.bits for stream in streams)
    return Resources(lut=bits + 4 * len(streams), ff=2 * bits + 3 * len(streams))


def _counters(*ends: int) -> Resources:
    """A counter up to each number, with the test for its end."""
    bits = sum(max(0, end - 1).bit_length() for end in ends)
    return Resources(lut=bits + len(ends), ff=bits)


def _pipeline(bits: int) -> Resources:
    return Resources(ff=bits)


def _search(pe: int, groups: int, steps: int, acc_bits: int, bits: int) -> Resources:
    """A binary search over thresholds of `acc_bits`: a comparator per step and PE, with its bounds (thresholds.sv)."""
    stages = steps.bit_length()
    parts = [Resources(ff=pe * (stages - 1) * (bits + stages))]
    for stage in range(stages):
        words = groups << stage
        inputs = (words - 1).bit_length()
        if inputs > _LUT_INPUTS:  # read ahead
            parts.append(memory.rom(words, pe * acc_bits) + Resources(lut=pe * (acc_bits // 2 + 1), ff=pe * acc_bits))
        elif inputs == _LUT_INPUTS:
            parts.append(Resources(lut=pe * (acc_bits + acc_bits // 2 + 1)))
        else:  # two LUTs hold a place of the comparator with its bounds; a place of one bit takes one
            place = _LUT_INPUTS - inputs
            parts.append(Resources(lut=pe * (acc_bits if place == 1 else 2 * -(-acc_bits // place) - 1)))
    return sum(parts, Resources())


def _products(layer: WeightedLayer) -> Resources:
    """PE * SIMD products and the sums of each PE's, per product as the compute cores were measured."""
    products = layer.pe * layer.simd
    weight, element, core = layer.weight.bits, layer.input.bits, layer.chosen_core
    if core == "parity":
        return Resources(lut=products * 11 // 10, ff=products // 2)
    if core == "pairs":
        return Resources(lut=products * weight * (element + 1), ff=products * weight * (element + 1) // 2)
    if core == "dsp":
        blocks = -(-layer.pe // dsp_lanes(layer.operands)) * layer.simd
        return Resources(lut=6 * products, ff=8 * products, dsp=blocks)
    if layer.multiplies_bits:
        return Resources(lut=products * 5 // 2, ff=products // 4)
    if min(weight, element) > 1 and weight + element > _MAX_LUT_PRODUCT_BITS:
        return Resources(lut=products * (weight + element) // 2, ff=products * (weight + element) // 2, dsp=products)
    return Resources(lut=products * weight * (element + 3), ff=products * (weight + element))


def _weighted(layer: WeightedLayer) -> Resources:
    words = layer.nf * layer.sf
    source, result = layer.inputs[0].bits, layer.outputs[0].bits
    # The input's slice, the replayed words; results that are spaced need no slice.
    parts = Resources(lut=source + 20, ff=4 * source + 20) + _counters(layer.sf, layer.nf, words)
    parts += Resources(ff=2 * result) if layer.sf > 1 else Resources(lut=result, ff=2 * result)
    weight_bits = layer.pe * layer.simd * layer.weight.bits
    parts += _products(layer)
    if layer.weight_stream is None:
        parts += memory.rom(words, weight_bits)
    else:  # a slice and the two registers of a memory's pipeline
        parts += Resources(lut=weight_bits + 4, ff=4 * weight_bits + 3)
    parts += Resources(lut=layer.pe * layer.acc_bits, ff=layer.pe * layer.acc_bits)
    if layer.thresholds is not None and not layer.folds_threshold:
        parts += _search(layer.pe, layer.nf, layer.thresholds.shape[1], layer.acc_bits, layer.acc_bits)
    if isinstance(layer, Mvtu) and layer.nf > 1:
        parts += memory.ram(layer.sf, source)
    if isinstance(layer, Mvtu) and layer.scales is not None:
        parts += _scaling(layer, layer.scales)
    return parts


def _scaling(layer: Mvtu, scales: IntArray) -> Resources:
    """Scales of groups: their memory, and per PE the sum of a group, its copy, a multiplier and its product."""
    scale, sums = unsigned_bits(int(scales.max())), signed_bits(layer.group_sum.lo, layer.group_sum.hi)
    stored = memory.rom(scales.size // layer.pe if len(scales) > 1 else scales.size,
                        (layer.pe if len(scales) > 1 else 1) * scale)
    registers = layer.pe * (2 * sums + layer.acc_bits)
    if min(scale, sums) > 1 and scale + sums > _MAX_LUT_PRODUCT_BITS:
        return stored + Resources(lut=layer.pe * sums, ff=registers, dsp=layer.pe)
    return stored + Resources(lut=layer.pe * sums * (scale + 1), ff=registers)


def _swu(layer: Swu) -> Resources:
    """Counters of the loops and three of differences, and the buffer with its read register (swu.sv)."""
    address, bits = (layer.depth - 1).bit_length(), layer.inputs[0].bits
    parts = _counters(layer.folds * layer.kernel[1], layer.kernel[0], *layer.out_shape)
    parts += Resources(lut=3 * address + 16, ff=4 * address + 6)
    if any(layer.pad):
        position = layer.height.bit_length() + layer.width.bit_length() + 4
        ahead = (layer.depth + layer.inputs[0].words).bit_length() + 1
        parts += Resources(lut=5 * position + ahead + 2 * address, ff=2 * position + ahead + 4)
    store = memory.ram(layer.depth, bits, _SWU_LUTS_PER_BLOCK)
    return parts + store + Resources(ff=0 if store.bram18 else bits)


def _parallel_swu(layer: ParallelSwu) -> Resources:
    upright = layer.upright
    banks = upright.banks[0] * upright.banks[1]
    per_bank = upright.slots * -(-upright.width // upright.banks[1]) * upright.folds
    count_bits = layer.inputs[0].words.bit_length() + 1
    control = _counters(layer.folds, *layer.kernel, *layer.out_shape, layer.height, layer.width)
    # Every tap picks its bank.
    choose = Resources(lut=layer.outputs[0].bits * (1 + banks // 4) + 8 * count_bits, ff=2 * layer.outputs[0].bits)
    stores = [memory.ram(per_bank, layer.inputs[0].bits)] * banks
    return sum(stores, _slices(layer) + control + choose)


def _threshold(layer: Threshold) -> Resources:
    element, result = layer.input, layer.outputs[0].bits
    bits = element.bits if element.kind == 1 else element.bits + 1
    alike = not layer.inverted and bool((layer.thresholds == layer.thresholds[0]).all())
    groups = 1 if alike else layer.folds
    parts = Resources(lut=result + 16, ff=2 * result + layer.pe * bits + 4) + _counters(groups)
    return parts + _search(layer.pe, groups, layer.output.steps, layer.acc_bits, bits)


def _requant(layer: Requant) -> Resources:
    words = [memory.rom(len(item.words), item.word_bits) for item in layer.memories()]
    bits = layer.sum_bits
    lanes = Resources(lut=layer.pe * (2 * bits + 2 * layer.output.bits), ff=layer.pe * (3 * bits), dsp=layer.pe)
    return sum(words, _slices(layer) + _counters(layer.folds) + lanes)


def _pool(layer: Pooling) -> Resources:
    slots = [-(-kernel // stride) for kernel, stride in zip(layer.kernel, layer.stride, strict=True)]
    bits = layer.outputs[0].bits
    control = _counters(layer.folds, layer.height, layer.width, *layer.kernel, layer.out_shape[1] * layer.folds)
    combine = Resources(lut=sum(slots) * bits * 2, ff=2 * bits)
    rows = memory.ram(layer.out_shape[1] * layer.folds, bits)
    columns = memory.ram(layer.folds, bits)
    return sum([rows] * slots[1] + [columns] * slots[0], _slices(layer) + control + combine)


def _dwc(layer: Dwc) -> Resources:
    bits = layer.inputs[0].bits + layer.outputs[0].bits
    return _slices(layer) + Resources(lut=bits, ff=bits) + _counters(layer.in_lanes + layer.out_lanes)


def _fifo(layer: Fifo) -> Resources:
    bits = layer.outputs[0].bits
    out = Resources(lut=bits + 4, ff=2 * bits + 3)
    if layer.depth <= 2:
        return out
    return out + memory.ram(layer.depth, bits) + _counters(layer.depth, layer.depth, layer.depth) + _pipeline(bits)


def _moves(layer: Layer) -> Resources:
    """Layers that pass words on: fork, concat, add, upsample, label_select."""
    lanes = Resources()
    if isinstance(layer, Add):
        lanes = Resources(lut=layer.outputs[0].bits)
    if isinstance(layer, LabelSelect):
        lanes = Resources(lut=2 * layer.k * layer.inputs[0].bits, ff=2 * layer.k * layer.inputs[0].bits)
    if isinstance(layer, Upsample):
        lanes = memory.ram(layer.width * layer.folds, layer.inputs[0].bits) + _counters(*layer.scale, layer.width)
    return _slices(layer) + _counters(layer.outputs[0].words) + lanes


_KINDS: dict[type[Layer], Callable[..., Resources]] = {
    Mvtu: _weighted, Vvtu: _weighted, Swu: _swu, ParallelSwu: _parallel_swu, Threshold: _threshold, Requant: _requant,
    MaxPool: _pool, AccPool: _pool, Dwc: _dwc, Fifo: _fifo, Fork: _moves, Add: _moves, Concat: _moves,
    Upsample: _moves, LabelSelect: _moves,
}  # fmt: skip
