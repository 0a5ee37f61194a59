"""Streamlining of products with weights: convolutions of every grouping and dense layers.

sum w*(a*q + b) = a * sum w*q + sum w*b: the scale of the outputs is the inputs' times the weights', the rest is a
constant. Input channels whose scales differ by powers of two or signs have the ratio folded into the weights; those of
other scales have a product of their own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from operator import mul

import numpy as np

from headrace.datatypes import BIPOLAR, IntArray, Interval, hull
from headrace.errors import UnsupportedError
from headrace.network import integer as ints
from headrace.network import ops
from headrace.network.tensor_ops import PadFrame
from headrace.streamline.draft import holding
from headrace.streamline.host_side import as_fixed_point
from headrace.streamline.meaning import Channel, Meaning, distinct, each, fractions
from headrace.streamline.scale_parts import parts_of_one_scale
from headrace.streamline.values import Run, Term, Value, integers, own_frame, plain_integers

#: Widest integers that a product may read, but for an input that the host hands over as fixed point.
MAX_INPUT_BITS = 16


def conv(run: Run, name: str, op: ops.Conv, x: Value) -> Value:
    """A convolution: grouped ones are depthwise or, exactly, dense with zeros between the groups."""
    x = as_fixed_point(run, name, own_frame(run, name, x))
    if op.groups == x.frame[0] == len(op.weight.codes):
        weight = _multiplied(op.weight)
        return _depthwise(run, name, replace(op, weight=weight), x, weight.codes.transpose(0, 2, 3, 1))
    weight = _narrowest(op.weight if op.groups == 1 else _with_zeros(op))
    scales = None if weight.group_scales is None else weight.group_scales[:, 0]
    shape = ints.Conv(weight.codes.transpose(0, 2, 3, 1), weight.dtype, op.stride, op.dilation, op.pad, scales=scales)
    return _product(run, name, x, weight.scale, op.bias, "conv", shape)


def _multiplied(weight: ops.QuantWeight) -> ops.QuantWeight:
    """The same weights without group scales: the codes are multiplied by them."""
    if weight.group_scales is None:
        return weight
    codes = weight.integers
    return ops.QuantWeight(codes, weight.scale, holding(weight.dtype, codes))


def _narrowest(weight: ops.QuantWeight) -> ops.QuantWeight:
    """The same weights, with group scales where these save bits of weights and a group has several columns to sum."""
    multiplied = _multiplied(weight)
    if weight.group_scales is None or multiplied.dtype.bits <= weight.dtype.bits:
        return multiplied
    columns = weight.codes[0].size // weight.group_scales[0].size
    return weight if columns > 1 and weight.group_scales[0].size > 1 else multiplied


def _with_zeros(op: ops.Conv) -> ops.QuantWeight:
    """The weights of a grouped convolution as those of a dense one; its type now holds 0, so bipolar is ternary."""
    c_out, c_in, k_h, k_w = op.weight.codes.shape
    dense = np.zeros((c_out, c_in * op.groups, k_h, k_w), np.int64)
    for o in range(c_out):
        first = o // (c_out // op.groups) * c_in
        dense[o, first : first + c_in] = op.weight.codes[o]
    return replace(op.weight, codes=dense, dtype=hull(op.weight.dtype, Interval(0, 0)))


def linear(run: Run, name: str, op: ops.Linear, x: Value) -> Value:
    """A dense layer: a convolution whose kernel covers the frame."""
    x = as_fixed_point(run, name, x)
    codes = op.weight.codes.reshape(-1, *x.frame).transpose(0, 2, 3, 1)
    made = _product(run, name, x, op.weight.scale, op.bias, "fc", ints.Conv(codes, op.weight.dtype))
    return replace(made, shape=(len(codes),))


def _product(run: Run, name: str, x: Value, weight_scale: ops.FloatArray, bias: ops.FloatArray | None, stem: str,
             op: ints.Conv) -> Value:
    """Append a product whose input channels are brought to one scale by its weights.

    Channels of several scales have a product for each of these; the sum of the products waits for its quantizer.
    """
    tensor = _operand(run, name, x)
    x = _without_zeros(run, x, tensor)
    code = pad_code(run, name, op.pad, x, tensor)
    scales = fractions(weight_scale, len(op.weights))
    moved = exact_products(op.effective_weights.sum((1, 2)), x.meaning.offsets)
    terms = []
    for part in parts_of_one_scale(run, name, x, tensor, code):
        weights = np.ascontiguousarray(op.weights[..., part.columns] * part.multipliers)
        scaled = replace(op, weights=weights, weight=holding(op.weight, weights), pad_value=code)
        steps = tuple(each(partial(mul, part.unit), scales))
        terms.append(Term(run.draft.add(stem, scaled, part.tensor), steps, f"{name} of {part.source}"))
    made = run.made(terms[0].tensor, _line(terms[0].scales, scales, moved, bias))
    if len(terms) == 1:
        return made
    ones = (Fraction(1),) * len(scales)
    return replace(made, tensor=None, meaning=_line(ones, scales, moved, bias), terms=tuple(terms))


def _without_zeros(run: Run, x: Value, tensor: str) -> Value:
    """The channels that are always 0.0 without a scale, so that they get no weights."""
    node = run.draft.nodes.get(tensor)
    if node is None or not isinstance(node.op, ints.ChannelMap):
        return x
    zero, constant = Channel(Fraction(0), Fraction(0)), node.op.constant
    channels = [zero if source < 0 and channel.value(constant) == 0 else channel
                for source, channel in zip(node.op.sources, x.meaning.channels, strict=True)]
    return replace(x, meaning=Meaning(tuple(channels)))


def exact_products(weights: IntArray, offsets: Sequence[Fraction]) -> list[Fraction]:
    """weights (rows, C) times rationals (C,), exactly: their numerators are cut into pieces that int64 sums hold."""
    denominator = math.lcm(*(offset.denominator for offset in distinct(offsets)))
    numerators = each(lambda offset: int(offset * denominator), offsets)
    bits = 62 - int(np.abs(weights).sum(1).max()).bit_length()
    sums = [0] * len(weights)
    for place in range(0, max(abs(n) for n in distinct(numerators)).bit_length(), bits):
        pieces = np.asarray(each(partial(_piece, place, bits), numerators), np.int64)
        sums = [total + (piece << place) for total, piece in zip(sums, (weights @ pieces).tolist(), strict=True)]
    return [Fraction(total, denominator) for total in sums]


def _piece(place: int, bits: int, number: int) -> int:
    """`bits` bits of a number's size from bit `place` on, with its sign."""
    size = abs(number) >> place & ((1 << bits) - 1)
    return size if number > 0 else -size


def _line(slopes: Sequence[Fraction], weight_scales: Sequence[Fraction], moved: Sequence[Fraction],
          bias: ops.FloatArray | None) -> Meaning:
    """The meaning of a product: slope * q + weight scale * moved offsets + bias."""
    biases = (Fraction(0),) * len(slopes) if bias is None else fractions(bias, len(slopes))
    return Meaning.lines(slopes, each(lambda s, m, b: s * m + b, weight_scales, moved, biases))


def _depthwise(run: Run, name: str, op: ops.Conv, x: Value, codes: IntArray) -> Value:
    """One kernel per channel: every channel keeps its own scale."""
    tensor = _operand(run, name, x)
    made = run.draft.add("depthwise", ints.DepthwiseConv(
        codes.copy(), op.weight.dtype, op.stride, op.dilation, op.pad, pad_code(run, name, op.pad, x, tensor)), tensor)
    channels = x.meaning.channels
    scales = fractions(op.weight.scale, len(codes))
    moved = each(lambda total, channel: total * channel.offset, codes.sum((1, 2, 3)), channels)
    slopes = each(lambda s, channel: s * channel.scale, scales, channels)
    return run.made(made, _line(slopes, scales, moved, op.bias))


def pad_frame(run: Run, name: str, op: PadFrame, x: Value) -> Value:
    """A border of a value that has a code, by a depthwise convolution of one tap; -inf is the lowest code."""
    x = own_frame(run, name, x)
    tensor = integers(name, x) if op.value == -math.inf else plain_integers(run, name, x)
    meaning = x.meaning
    if op.value == -math.inf:
        tensor = run.draft.scaled(tensor, np.asarray([-1 if c in meaning.falling else 1 for c in range(len(meaning))]))
        meaning = meaning.negated(meaning.falling)
        code = run.draft.types[tensor].dtype.lo
    else:
        code = pad_code(run, name, op.pad, x, tensor, Fraction(op.value))
    ones = np.ones((x.frame[0], 1, 1, 1), np.int64)
    return run.made(run.draft.add("pad", ints.DepthwiseConv(ones, Interval(1, 1), pad=op.pad, pad_value=code), tensor),
                    meaning)


def _operand(run: Run, name: str, x: Value) -> str:
    """The tensor that a product reads: plain integers, not too wide."""
    tensor = plain_integers(run, name, x)
    bits = run.draft.types[tensor].dtype.bits
    if bits > MAX_INPUT_BITS and not run.is_input(tensor):
        raise UnsupportedError(f"{name}: its input is not quantized after {tensor}; put a quantizer "
                               "(QuantReLU, QuantIdentity) before it")
    return tensor


def pad_code(run: Run, name: str, pad: ops.Pad, x: Value, tensor: str, value: Fraction = Fraction(0)) -> int:
    """The code that means `value` in every channel, with which a convolution pads; 0 where nothing is padded."""
    if not any(pad):
        return 0
    dtype = run.draft.types[tensor].dtype
    if dtype == BIPOLAR and value == 0:
        raise UnsupportedError(f"{name}: pads a bipolar tensor with 0, which is neither -1 nor +1; use padding=0 "
                               "or an activation that has 0 (2 bits or ternary)")
    channels = distinct(x.meaning.channels)
    codes = {(value - channel.offset) / channel.scale for channel in channels if channel.scale}
    constant = any(channel.scale == 0 and channel.offset != value for channel in channels)
    exact = not constant and all(code.denominator == 1 and dtype.contains(np.asarray([int(code)])) for code in codes)
    if not exact or len(codes) > 1:
        number = float(value)
        way_out = "one zero point for all of its channels" if exact else f"a quantizer that represents {number} exactly"
        raise UnsupportedError(f"{name}: pads with {number}, for which its input of type {dtype} has no common "
                               f"code; use padding=0 or {way_out}")
    return int(codes.pop()) if codes else dtype.lo
