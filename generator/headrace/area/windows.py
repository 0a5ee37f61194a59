"""Amounts of the sliding windows, from the widths that swu.sv and parallel_swu.sv compute."""

from __future__ import annotations

from math import ceil

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.structures import counters, memories, multiplexer, ram, slices
from headrace.layers import ParallelSwu, Swu


def swu(a: Amounts, layer: Swu) -> None:
    """Counters of the loops, three counters of differences, the tap's place in the padding, the buffer (swu.sv)."""
    top, left, bottom, right = layer.pad
    joined = not (left or right) and layer.dilation[1] == 1 and not layer.depthwise
    loops = (layer.kernel[1] * layer.folds if joined else layer.folds, 1 if joined else layer.kernel[1],
             layer.kernel[0], *layer.out_shape)
    counters(a, *loops)
    a.add("loops", lut=8 * sum(end > 1 for end in loops) - 16)
    words, row = layer.inputs[0].words, layer.width * layer.folds
    reach = layer.reach[0] * row + layer.reach[1] * layer.folds + layer.folds - 1
    skipped = (layer.stride[0] + layer.dilation[0] + 1) * row + layer.stride[1] * layer.folds
    early = min(skipped, words) if any(layer.pad) else 0
    outside = (top + bottom) * row + (left + right + layer.stride[1]) * layer.folds
    address = (layer.depth - 1).bit_length()
    lead = (layer.depth + early + reach + outside + 1).bit_length() + 1
    space = (layer.depth + early).bit_length() + 1
    a.add("swu", lut=4, ff=2)
    a.add("address", lut=address, ff=2 * address)
    a.add("differences", lut=0.8 * (lead + space), ff=lead + space)
    if left or right:
        _place(a, max(left, layer.width + right) + layer.stride[1])
    if top or bottom:
        _place(a, max(top, layer.height + bottom) + layer.stride[0])
    ahead = (layer.depth + words).bit_length() + 1 if any(layer.pad) else 0
    opened = (2 * words).bit_length() + 1 if layer.buffer == "minimal" else 0
    a.add("ahead", lut=0.6 * (ahead + opened), ff=ahead + opened)
    bits = layer.inputs[0].bits
    ram(a, memory.ram(layer.depth, bits), layer.depth, bits)
    if any(layer.pad):
        a.add("pads", lut=10)
        a.add("depthwise pads", lut=8 * layer.depthwise)


def _place(a: Amounts, end: int) -> None:
    """The place of the tap and of the window's first one along an axis."""
    bits = end.bit_length() + 1
    a.add("place", lut=bits, ff=2 * bits)


def parallel_swu(a: Amounts, layer: ParallelSwu) -> None:
    """Counters of both sides, places of the last tap, banks and two multiplexers behind them (parallel_swu.sv)."""
    upright = layer.upright
    (top, left, bottom, right), (banks_h, banks_w) = upright.pad, upright.banks
    bits, folds, words = upright.inputs[0].bits, upright.folds, upright.inputs[0].words
    row, rows = upright.width * folds, upright.slots * banks_h
    slices(a, bits, upright.taps * bits)
    counters(a, folds, upright.width, banks_w, banks_h, upright.slots)
    counters(a, folds, *upright.out_shape)
    bank_address = max(1, (-(-upright.width // banks_w) * folds - 1).bit_length())
    count = (words + (rows + 2) * row).bit_length() + 1
    lines = (upright.height + rows + 1).bit_length() + 1
    x = (max(left, upright.width + right) + upright.reach[1] + upright.stride[1] - 1).bit_length() + 1
    y = (max(top, upright.height + bottom) + upright.reach[0] + upright.stride[0] - 1).bit_length() + 1
    place = (words - 1).bit_length()
    far_x = max(left, upright.width + right) + upright.reach[1] + 2 * upright.stride[1]
    far_y = max(top, upright.height + bottom) + upright.reach[0] + 2 * upright.stride[0]
    wide_x, wide_y = (far_x * folds - 1).bit_length() + 1, (far_y * row - 1).bit_length() + 1
    a.add("parallel swu", lut=10, ff=2)
    a.add("counts", lut=2 * count + 2.5 * lines, ff=count + 3 * lines)
    a.add("places", lut=x + y + 4 * place + wide_x + wide_y, ff=x + y + 4 * place + wide_x + wide_y)
    a.add("banks", lut=0.75 * (banks_h + banks_w) * bank_address,
          ff=3 * bank_address + 2 * (banks_h - 1).bit_length() + 3 * (banks_w - 1).bit_length())
    a.add("inside", lut=upright.taps + upright.kernel[0] + upright.kernel[1],
          ff=upright.taps + upright.kernel[0] + upright.kernel[1])
    turned = upright.kernel[0] * banks_w * bits
    a.add("turned", lut=turned * (banks_h > 1), ff=turned)
    a.add("taps", lut=upright.taps * bits)
    found = memory.ram(upright.slots << bank_address, bits)
    number = banks_h * banks_w
    memories(a, found, number)
    if found.lutram:
        blocks = -(-(upright.slots << bank_address) // memory.LUT_WORDS)
        a.add("read", ff=number * bits)
        a.add("ram", lut=number * bits * ceil(multiplexer(blocks)))
        a.add("write enables", lut=number * blocks)
