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
from generator.layers.pooling import Pooling
from generator.layers.weighted import WeightedLayer
from generator.layers.window import SlidingWindow
from generator.resources import memory
from generator.resources.usage import Resources

# Products of wider operands take a DSP.
_MAX_LUT_PRODUCT_BITS = 8


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


def _search(pe: int, groups: int, steps: int, bits: int) -> Resources:
    """Thresholds: a binary search with a comparator per step and PE, and the memory of the thresholds."""
    stages = steps.bit_length()
    bounds = memory.rom(groups, pe * steps * bits)
    compare = Resources(lut=pe * stages * (bits // 2 + 2), ff=pe * stages * (2 * bits + stages))
    return bounds + compare


def _products(layer: WeightedLayer) -> Resources:
    """PE * SIMD products and the sums of each PE's: per product by the compute cores' measured costs."""
    products = layer.pe * layer.simd
    weight, element = layer.weight.bits, layer.input.bits
    if layer.multiplies_bits:
        return Resources(lut=(5 * products) // 4, ff=products // 2 + layer.pe * layer.acc_bits)
    if weight + element > _MAX_LUT_PRODUCT_BITS and min(weight, element) > 2:
        return Resources(lut=products * 6, ff=products * 8, dsp=products)
    luts = products * (element + 2 if weight == 1 else weight * (element + 1))
    return Resources(lut=luts, ff=luts)


def _weighted(layer: WeightedLayer) -> Resources:
    words = layer.nf * layer.sf
    parts = _slices(layer) + _counters(layer.sf, layer.nf, words) + _products(layer)
    parts += memory.rom(words, layer.pe * layer.simd * layer.weight.bits)
    parts += Resources(lut=layer.pe * layer.acc_bits, ff=layer.pe * layer.acc_bits)
    if layer.thresholds is not None:
        parts += _search(layer.pe, layer.nf, layer.thresholds.shape[1], layer.acc_bits)
    if isinstance(layer, Mvtu) and layer.nf > 1:
        parts += memory.ram(layer.sf, layer.inputs[0].bits)
    if isinstance(layer, Mvtu) and layer.scales is not None:
        parts += _scaling(layer, layer.scales)
    return parts + _pipeline(2 * layer.inputs[0].bits)


def _scaling(layer: Mvtu, scales: IntArray) -> Resources:
    """Scales of groups: their memory, and per PE the sum of a group, its copy, a multiplier and its product."""
    scale, sums = unsigned_bits(int(scales.max())), signed_bits(layer.group_sum.lo, layer.group_sum.hi)
    stored = memory.rom(scales.size // layer.pe if len(scales) > 1 else scales.size,
                        (layer.pe if len(scales) > 1 else 1) * scale)
    registers = layer.pe * (2 * sums + layer.acc_bits)
    if min(scale, sums) > 1 and scale + sums > _MAX_LUT_PRODUCT_BITS:
        return stored + Resources(lut=layer.pe * sums, ff=registers, dsp=layer.pe)
    return stored + Resources(lut=layer.pe * sums * (scale + 1), ff=registers)


def _swu(layer: SlidingWindow) -> Resources:
    depth = layer.depth if isinstance(layer, Swu) else 0
    count_bits = (layer.inputs[0].words + depth).bit_length() + 1
    control = _counters(layer.folds, *layer.kernel, *layer.out_shape, layer.height, layer.width)
    control += Resources(lut=8 * count_bits, ff=4 * count_bits)
    if isinstance(layer, ParallelSwu):
        upright = layer.upright
        banks = upright.banks[0] * upright.banks[1]
        per_bank = upright.slots * -(-upright.width // upright.banks[1]) * upright.folds
        stores = [memory.ram(per_bank, layer.inputs[0].bits)] * banks
        # Every tap picks its bank.
        choose = Resources(lut=layer.outputs[0].bits * (1 + banks // 4), ff=2 * layer.outputs[0].bits)
        return sum(stores, _slices(layer) + control + choose)
    return _slices(layer) + control + memory.ram(depth, layer.inputs[0].bits)


def _threshold(layer: Threshold) -> Resources:
    return (_slices(layer) + _counters(layer.folds)
            + _search(layer.pe, layer.folds, layer.thresholds.shape[1], layer.acc_bits))  # fmt: skip


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
    Mvtu: _weighted, Vvtu: _weighted, Swu: _swu, ParallelSwu: _swu, Threshold: _threshold, Requant: _requant,
    MaxPool: _pool, AccPool: _pool, Dwc: _dwc, Fifo: _fifo, Fork: _moves, Add: _moves, Concat: _moves,
    Upsample: _moves, LabelSelect: _moves,
}  # fmt: skip
