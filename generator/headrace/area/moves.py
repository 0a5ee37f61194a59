"""Amounts of the layers without weights: windows, pools, activations, and what passes words on."""

from __future__ import annotations

from math import ceil, gcd

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.arithmetic import DSP_ACTIVATION_BITS
from headrace.area.structures import (
    Bounds,
    counters,
    memories,
    multiplexer,
    ram,
    rom,
    search,
    shift,
    slices,
)
from headrace.area.usage import Resources
from headrace.layers import (
    AccPool,
    Add,
    Concat,
    Dwc,
    Fifo,
    Fork,
    LabelSelect,
    Requant,
    Threshold,
    Upsample,
)
from headrace.layers.pooling import Pooling
from headrace.layers.search import MAX_TABLE_GROUPS

#: Synthesis makes memories of so few bits of registers.
_FEW_BITS = 16


def threshold(a: Amounts, layer: Threshold) -> None:
    """Values, the search, a slice behind it (threshold.sv)."""
    bits = layer.input.bits if layer.input.kind == 1 else layer.input.bits + 1
    alike = not layer.inverted and bool((layer.thresholds == layer.thresholds[0]).all())
    groups = 1 if alike else layer.folds
    slices(a, layer.outputs[0].bits)
    counters(a, groups)
    a.add("threshold", lut=4, ff=1)
    a.add("value", lut=layer.pe * layer.input.bits if layer.inverted else 0, ff=layer.pe * layer.input.bits)
    if layer.inverted:
        # A mask of two LUTs or more is joined with every bit that it inverts.
        a.add("inverted", lut=layer.pe * (1 if groups <= MAX_TABLE_GROUPS else 2 * bits))
    search(a, Bounds(layer.pe, groups, layer.output.steps, layer.acc_bits, layer.kernel_thresholds,
                     lambda: layer.memories()[0]), bits)


def requant(a: Amounts, layer: Requant) -> None:
    """Multiplier, offset, rounding and clipping per PE (requant.sv)."""
    slices(a, layer.outputs[0].bits)
    multipliers, offsets = layer.memories()
    counters(a, len(multipliers.words))
    rom(a, len(multipliers.words), multipliers.word_bits)
    rom(a, len(offsets.words), offsets.word_bits, registers=3)
    product = min(layer.sum_bits, layer.input.bits + 1 + multipliers.word_bits // layer.pe)
    a.add("requant", lut=6, ff=5)
    a.add("elements", ff=layer.pe * (2 * layer.input.bits + product))
    constant = len(offsets.words) == 1  # and added in the DSP block
    a.add("sum", lut=0 if constant else layer.pe * layer.sum_bits, ff=layer.pe * layer.sum_bits)
    a.add("clip", lut=1.25 * layer.pe * layer.output.bits, ff=layer.pe * layer.output.bits)
    a.add("ties", lut=layer.pe * ceil(layer.shift / 3) if layer.rounding == "half_even" else 0)
    a.take(Resources(dsp=layer.pe * -(-layer.input.bits // DSP_ACTIVATION_BITS)))


def pool(a: Amounts, layer: Pooling) -> None:
    """Columns, then rows, each with a memory of running results per window that overlaps (pooling.sv)."""
    summed = isinstance(layer, AccPool)
    bits = layer.outputs[0].bits
    opened = [-(-kernel // stride) for kernel, stride in zip(layer.kernel, layer.stride, strict=True)]
    slots = [min(count, windows) for count, windows in zip(opened, layer.out_shape, strict=True)]
    periods = [count * stride if count == all_open else size for count, all_open, stride, size in zip(
        slots, opened, layer.stride, (layer.height, layer.width), strict=True)]
    row_words = layer.out_shape[1] * layer.folds
    slices(a, layer.inputs[0].bits)
    a.add("single slice", lut=2, ff=bits + 1)
    phases = [period for period, size in zip(periods, (layer.height, layer.width), strict=True) if period < size]
    counters(a, layer.folds, layer.width, layer.height, *phases, row_words)
    if summed or layer.element.bits == 1:
        given = layer.element.bits * layer.pe if layer.element.kind == 0 else bits  # else with copies of a sign
        a.add("sums" if summed else "ors", lut=sum(slots) * (1.5 * bits + 0.3 * given if summed else 1.2 * bits))
    else:
        a.add("maxima", lut=2.1 * sum(slots) * (bits - layer.pe))
    a.add("overlap", lut=0.5 * sum(count for count in slots if count > 1) * bits)
    a.add("pool", lut=3 + 3 * sum((period - 1).bit_length() for period in periods), ff=bits + 1 + 2 * slots[0])
    for depth, count in ((layer.folds, slots[1]), (row_words, slots[0])):
        if depth * bits <= _FEW_BITS or depth == 1:
            a.add("running", lut=1.5 * count * (depth - 1) * bits, ff=count * depth * bits)
        else:
            found = memory.synthesized_ram(depth, bits)
            memories(a, found, count)
            a.add("ram", lut=count * bits * ceil(multiplexer(-(-depth // memory.LUT_WORDS))) if found.lutram else 0)


def dwc(a: Amounts, layer: Dwc) -> None:
    """Whole ratios shift words out or in; others multiplex what is left over with the word in (dwc.sv)."""
    lanes = gcd(layer.in_lanes, layer.out_lanes)
    unit, into, out = lanes * layer.element.bits, layer.in_lanes // lanes, layer.out_lanes // lanes
    a.add("dwc", lut=3)
    if out == 1:
        a.add("narrowing", lut=(into + 1) * unit, ff=(into + 1) * unit)
        a.add("dwc control", lut=2 * into.bit_length(), ff=into.bit_length() + 2)
    elif into == 1:
        a.add("widening", ff=(2 * out - 1) * unit)
        a.add("dwc control", lut=2 * (out - 1).bit_length(), ff=(out - 1).bit_length() + 2)
    else:
        slices(a, into * unit)
        a.add("single slice", lut=2, ff=out * unit + 1)
        level = (into + out - 1).bit_length()
        a.add("dwc control", lut=3 * level, ff=level)
        _ratio(a, into, out, unit)


def _ratio(a: Amounts, into: int, out: int, unit: int) -> None:
    """Every unit put is one that was left over or one of the word in, by the number left over; so are those left."""
    left = max(into, out) - 1
    choices = [(place < left) + min(place, out - 1) - max(0, place - into + 1) + 1 for place in range(into + out - 1)]
    behind = choices[out:] + [0] * left
    # A word in that does not fill a word out stays where it is.
    kept = [behind[place] + (choices[place] if into < out else 0) for place in range(left)]
    a.add("units put", lut=unit * sum(_choice(count) for count in choices[:out]))
    a.add("units left", lut=unit * sum(_choice(count) for count in kept), ff=left * unit)


def _choice(count: int) -> float:
    """LUTs of one bit that is chosen by the number of units left over."""
    return (0.0, 0.0, 1.0, 1.0, 1.3)[count] if count <= 4 else 0.9 * (count - 1)


def fifo(a: Amounts, layer: Fifo) -> None:
    """A slice, or a memory with two addresses and a level (fifo.sv)."""
    bits = layer.outputs[0].bits
    if layer.depth <= 2:
        slices(a, bits)
        return
    if layer.depth & layer.depth - 1:
        counters(a, layer.depth, layer.depth)
    else:  # addresses that wrap by themselves
        a.add("counter", ff=2 * (layer.depth - 1).bit_length())
    a.add("level", lut=1.4 * layer.depth.bit_length(), ff=layer.depth.bit_length() + 2)
    a.add("fifo", lut=7)
    ram(a, memory.ram(layer.depth, bits), layer.depth, bits)


def fork(a: Amounts, layer: Fork) -> None:
    """One slice whose word out every branch takes by itself (fork.sv)."""
    slices(a, layer.inputs[0].bits)
    a.add("fork", lut=layer.branches, ff=layer.branches - 1)


def add(a: Amounts, layer: Add) -> None:
    """Two slices and an adder (add.sv)."""
    slices(a, *(stream.bits for stream in layer.inputs))
    narrow, wide = sorted((layer.left, layer.right), key=lambda element: element.bits)
    carried = wide.bits if narrow.kind else narrow.bits  # signs reach up to the highest bit
    a.add("single slice", lut=2, ff=layer.outputs[0].bits + 1)
    a.add("add", lut=layer.pe * (carried + 0.5))


def concat(a: Amounts, layer: Concat) -> None:
    """Slices and a multiplexer (concat.sv)."""
    inputs, bits = len(layer.inputs), layer.outputs[0].bits
    slices(a, *(stream.bits for stream in layer.inputs))
    a.add("single slice", lut=2, ff=bits + 1)
    a.add("multiplexer", lut=bits * ceil(multiplexer(inputs)))
    counters(a, sum(layer.folds), inputs)


def upsample(a: Amounts, layer: Upsample) -> None:
    """A row, or a pixel, that is written while its first copy passes (upsample.sv)."""
    bits, (vertical, horizontal) = layer.inputs[0].bits, layer.scale
    depth = layer.width * layer.folds if vertical > 1 else layer.folds
    address = (depth - 1).bit_length()
    slices(a, bits)
    a.add("single slice", lut=2, ff=bits + 1)
    a.add("upsample", lut=bits, ff=bits + 2)
    a.add("pixel", lut=address if vertical > 1 else 0, ff=address if vertical > 1 else 0)
    counters(a, layer.folds, horizontal, layer.width, vertical)
    stored = memory.one_port_ram(depth, bits)
    memories(a, stored)
    a.add("read", ff=0 if stored.bram18 else bits * (1 + (depth == 1)))


def label_select(a: Amounts, layer: LabelSelect) -> None:
    """A place per index put, each of which keeps the best and passes the others on, sorted (label_select.sv)."""
    k, pe, element = layer.k, layer.pe, layer.element.bits
    label = layer.outputs[0].element.bits
    entry = element + label
    slices(a, layer.inputs[0].bits, label)
    counters(a, layer.inputs[0].words, layer.labels)
    a.add("label select", lut=6, ff=k.bit_length())
    a.add("compare", lut=0.7 * (k * pe + pe * (pe - 1) // 2) * element)
    if pe > 1:
        ranks = (pe - 1).bit_length()
        a.add("sort", lut=0.5 * pe * (entry * ceil(multiplexer(pe)) + ranks), ff=pe * (2 * entry + ranks) + 4)
    a.add("places of labels", lut=1.2 * k * entry, ff=k * (entry + 1))
    a.add("passed on", lut=0.75 * (k - 1) * pe * entry, ff=(k - 1) * (pe * (entry + 2) + 2))
    a.add("labels", lut=k * label, ff=k * label)
    for wait in range(1, k):
        shift(a, "labels", wait, label)
    shift(a, "passed on", k - 1 + 2 * (pe > 1), 1)  # which element is the last is read at the end alone
