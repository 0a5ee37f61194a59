"""Streamlining: a Network of floats and quantizers becomes an IntegerNetwork, by abstract interpretation.

Nothing is rewritten: every tensor carries the integers that represent it and their exact Meaning in rationals. Scales,
biases, batch norms and activations only change the meaning; a quantizer turns it into integer thresholds with its own
rounding. Follows Umuroglu et al., "Streamlined Deployment for Quantized Neural Networks", in exact arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from generator.datatypes import BIPOLAR, IntArray, Interval
from generator.errors import UnsupportedError
from generator.network import graph, ops
from generator.network import integer as ints
from generator.network.integer import INPUT, HostInput, HostOutput, IntegerNetwork, TensorType
from generator.passes.draft import Draft
from generator.passes.meaning import Meaning, codes_above_lowest, decision_point, fractions

#: Widest integers that a convolution may read.
MAX_INPUT_BITS = 16
#: Widest codes that thresholds produce inside the network.
MAX_ACTIVATION_BITS = 8


@dataclass(frozen=True)
class QuantizerTrace:
    """Where a quantizer of the Network went: its codes are the integers of `tensor`.

    `meaning` is that of what it reads: the integers of `source`, or for the first quantizer (source None) the
    model's own floating-point input. `scales` are the quantizer's, one per channel.
    """

    name: str
    tensor: str
    source: str | None
    meaning: Meaning
    op: ops.Quantize
    scales: tuple[Fraction, ...]


@dataclass(frozen=True, eq=False)
class Streamlined:
    """The integer network and where each quantizer of the source went, in topological order."""

    network: IntegerNetwork
    quantizers: tuple[QuantizerTrace, ...]


@dataclass(frozen=True)
class Value:
    """A tensor of the Network: the integers `tensor` (None: still floats on the host) and what they mean.

    `frame` is (C, H, W) of the integers, `shape` the tensor's own shape; they differ after a flatten.
    """

    tensor: str | None
    frame: tuple[int, int, int]
    shape: ops.Shape
    meaning: Meaning


class Streamliner:
    """State of one run: the nodes made so far, the host's input, and what became of the quantizers."""

    def __init__(self, network: graph.Network) -> None:
        self.input_shape = network.input.shape
        self.draft = Draft()
        self.host_input: HostInput | None = None
        self.quantizers: list[QuantizerTrace] = []


def _channel_values(name: str, x: Value, values: ops.FloatArray) -> tuple[Fraction, ...]:
    """Exact values per channel of the frame; those of a flattened tensor must not differ inside a channel."""
    channels, height, width = x.frame
    if len(values) not in (1, channels):
        rows = values.reshape(channels, height * width)
        if np.any(rows != rows[:, :1]):
            raise UnsupportedError(f"{name}: its parameters differ between the {height}x{width} positions of a "
                                   "channel; place it before the flatten or after the dense layer")
        values = rows[:, 0]
    return fractions(values, channels)


def _affine(run: Streamliner, name: str, op: ops.Affine, x: Value) -> Value:
    meaning = x.meaning.affine(_channel_values(name, x, op.scale), _channel_values(name, x, op.offset))
    return replace(x, meaning=meaning)


def _clip(run: Streamliner, name: str, op: ops.Clip, x: Value) -> Value:
    lo, hi = (None if math.isinf(bound) else Fraction(bound) for bound in (op.lo, op.hi))
    return replace(x, meaning=x.meaning.clip(lo, hi))


def _reshape(run: Streamliner, name: str, op: ops.Reshape, x: Value) -> Value:
    shape = op.infer(x.shape)
    if len(shape) == 1 or shape == x.frame:
        return replace(x, shape=shape)
    if x.tensor is None and len(shape) == 3 and len(set(x.meaning.channels)) == 1:
        frame = (shape[0], shape[1], shape[2])
        return Value(None, frame, shape, Meaning(x.meaning.channels[:1] * shape[0]))
    raise UnsupportedError(f"{name}: a feature map of shape {x.frame} cannot become {shape} in a stream; "
                           "flatten it only in front of a dense layer")


def _max_pool(run: Streamliner, name: str, op: ops.MaxPool, x: Value) -> Value:
    tensor = _integers(run, name, x)
    pool = ints.MaxPool(op.kernel, op.stride, minimum=x.meaning.falling)
    return _made(run, run.draft.add("pool", pool, tensor), x.meaning)


def _conv(run: Streamliner, name: str, op: ops.Conv, x: Value) -> Value:
    if op.groups != 1:
        raise UnsupportedError(f"{name}: a convolution with {op.groups} groups has no layer yet; use groups=1")
    return _dense(run, name, x, op.weight, op.bias, "conv",
                  ints.Conv(op.weight.codes.transpose(0, 2, 3, 1).copy(), op.weight.dtype, op.stride, op.dilation,
                            op.pad, _pad_code(run, name, op, x)))


def _linear(run: Streamliner, name: str, op: ops.Linear, x: Value) -> Value:
    _integers(run, name, x)
    codes = op.weight.codes.reshape(-1, *x.frame).transpose(0, 2, 3, 1).copy()
    made = _dense(run, name, x, op.weight, op.bias, "fc", ints.Conv(codes, op.weight.dtype))
    return replace(made, shape=(len(codes),))


def _dense(run: Streamliner, name: str, x: Value, weight: ops.QuantWeight, bias: ops.FloatArray | None, stem: str,
           op: ints.Conv) -> Value:
    """Append a product with weights: sum w*(a*q + b) = a * sum w*q + sum w*b, the last being a constant."""
    tensor = _integers(run, name, x)
    scale = _common_scale(run, name, x, tensor)
    made = run.draft.add(stem, op, tensor)
    count = len(op.weights)
    per_input = op.weights.sum((1, 2))
    offsets = [channel.offset for channel in x.meaning.channels]
    moved = [sum((int(w) * b for w, b in zip(row, offsets, strict=True) if b), Fraction(0)) for row in per_input]
    weight_scales = fractions(weight.scale, count)
    biases = (Fraction(0),) * count if bias is None else fractions(bias, count)
    constants = [s * m + b for s, m, b in zip(weight_scales, moved, biases, strict=True)]
    return _made(run, made, Meaning.lines([scale * s for s in weight_scales], constants))


def _integers(run: Streamliner, name: str, x: Value) -> str:
    """The tensor of integers behind a value, or an error where it is not quantized yet."""
    if x.tensor is None:
        raise UnsupportedError(f"{name}: its input is not quantized; put a quantizer (QuantIdentity) at the start "
                               "of the network")
    return x.tensor


def _common_scale(run: Streamliner, name: str, x: Value, tensor: str) -> Fraction:
    """The one scale of all channels that a product needs, where the values are plain scaled integers."""
    dtype = run.draft.types[tensor].dtype
    if not _clips_nothing(run, x, tensor) or dtype.bits > MAX_INPUT_BITS:
        raise UnsupportedError(f"{name}: its input is not quantized after {tensor}; put a quantizer "
                               "(QuantReLU, QuantIdentity) before it")
    scales = sorted({channel.scale for channel in x.meaning.channels})
    if len(scales) != 1:
        raise UnsupportedError(f"{name}: its input channels have {len(scales)} different scales from "
                               f"{float(scales[0]):g} to {float(scales[-1]):g}; quantize its input per tensor")
    if scales[0] == 0:
        raise UnsupportedError(f"{name}: its input is constant; remove the layer")
    return scales[0]


def _clips_nothing(run: Streamliner, x: Value, tensor: str) -> bool:
    ranges = zip(x.meaning.channels, *run.draft.channel_range(tensor), strict=True)
    return all(channel.clips_nothing(int(lo), int(hi)) for channel, lo, hi in ranges)


def _pad_code(run: Streamliner, name: str, op: ops.Conv, x: Value) -> int:
    """The code that means 0.0, with which a padded convolution pads."""
    tensor = _integers(run, name, x)
    if not any(op.pad):
        return 0
    dtype = run.draft.types[tensor].dtype
    if dtype == BIPOLAR:
        raise UnsupportedError(f"{name}: pads a bipolar tensor with 0, which is neither -1 nor +1; use padding=0 "
                               "or an activation that has 0 (2 bits or ternary)")
    scale = _common_scale(run, name, x, tensor)
    codes = {-channel.offset / scale for channel in x.meaning.channels}
    code = codes.pop()
    if codes or code.denominator != 1 or not dtype.contains(np.asarray([int(code)])):
        raise UnsupportedError(f"{name}: pads with 0.0, for which its input of type {dtype} has no common code; "
                               "use padding=0 or a quantizer that represents 0.0 exactly")
    return int(code)


def _made(run: Streamliner, tensor: str, meaning: Meaning) -> Value:
    """The value of a new tensor."""
    height, width, channels = run.draft.types[tensor].shape
    return Value(tensor, (channels, height, width), (channels, height, width), meaning)


def _quantize(run: Streamliner, name: str, op: ops.Quantize, x: Value) -> Value:
    scales = _channel_values(name, x, op.scale)
    if x.tensor is None:
        tensor, meaning = _quantize_on_host(run, name, op, x, scales), x.meaning
    elif op.dtype.bits > MAX_ACTIVATION_BITS:
        raise UnsupportedError(f"{name}: quantizes to {op.dtype.bits} bits but activations inside the network have at "
                               f"most {MAX_ACTIVATION_BITS}; use fewer bits")
    else:
        source = run.draft.negate(x.tensor, x.meaning.falling)
        meaning = x.meaning.negated(x.meaning.falling)
        T = _thresholds(op, meaning, scales, *run.draft.channel_range(source))
        tensor = source if _is_identity(run, source, op, T) else run.draft.add_threshold(
            ints.Threshold(T, op.dtype), source)
    source_name = None if x.tensor is None else source
    run.quantizers.append(QuantizerTrace(name, tensor, source_name, meaning, op, scales))
    return replace(x, tensor=tensor, meaning=Meaning.lines(scales, [-op.zero_point * scale for scale in scales]))


def _thresholds(op: ops.Quantize, meaning: Meaning, scales: tuple[Fraction, ...], lowest: IntArray,
                highest: IntArray) -> IntArray:
    """Thresholds (C, N): the smallest integer that reaches each code, between lowest and highest + 1 of its channel."""
    T = np.empty((len(meaning), op.dtype.steps), np.int64)
    for c, (channel, scale) in enumerate(zip(meaning.channels, scales, strict=True)):
        lo, never = int(lowest[c]), int(highest[c]) + 1
        for k, code in enumerate(codes_above_lowest(op)):
            first = channel.first_reaching(*decision_point(op, scale, code))
            T[c, k] = (lo if first else never) if isinstance(first, bool) else min(max(first, lo), never)
    return T


def _is_identity(run: Streamliner, source: str, op: ops.Quantize, T: IntArray) -> bool:
    """True if the thresholds map every code of their source to itself, as a quantizer repeated does."""
    if run.draft.types[source].dtype != op.dtype:
        return False
    if op.dtype == BIPOLAR:
        return bool(np.all(T >= 0) and np.all(T <= 1))
    return np.array_equal(T, np.broadcast_to(codes_above_lowest(op), T.shape))


def _quantize_on_host(run: Streamliner, name: str, op: ops.Quantize, x: Value, scales: tuple[Fraction, ...]) -> str:
    """The first quantizer, with the affine maps and clips before it, is the host's."""
    channels, height, width = x.frame
    lines = [(c.scale / s, c.offset / s + op.zero_point) for c, s in zip(x.meaning.channels, scales, strict=True)]
    bounds = {_host_codes(op, channel, scale) for channel, scale in zip(x.meaning.channels, scales, strict=True)}
    if len(bounds) != 1 or (op.dtype == BIPOLAR and bounds != {(-1, 1)}):
        raise UnsupportedError(f"{name}: the clips before the first quantizer leave the code ranges {sorted(bounds)} "
                               "where one for all channels is needed; quantize the input before clipping it")
    dtype = op.dtype if op.dtype == BIPOLAR else Interval(*bounds.pop())
    scale, offset = (np.asarray([float(line[i]) for line in lines], np.float64) for i in (0, 1))
    tensor_type = TensorType((height, width, channels), dtype)
    run.host_input = HostInput(run.input_shape, tensor_type, scale, offset, op.rounding)
    run.draft.types[INPUT] = tensor_type
    return INPUT


def _host_codes(op: ops.Quantize, channel: Any, scale: Fraction) -> tuple[int, int]:
    """The lowest and highest code that the clips of a channel let through."""
    codes = [op.dtype.lo, op.dtype.hi]
    for code in codes_above_lowest(op):
        at, closed = decision_point(op, scale, code)
        crossing = channel._replace(scale=Fraction(1), offset=Fraction(0)).crossing(at, closed)
        if crossing is True:
            codes[0] = code
        elif crossing is False:
            previous = -1 if op.dtype == BIPOLAR else code - 1
            codes[1] = min(codes[1], previous)
    return codes[0], codes[1]


Handler = Callable[[Streamliner, str, Any, Value], Value]

#: What each operation does to the integers and their meaning.
HANDLERS: dict[type, Handler] = {
    ops.Quantize: _quantize,
    ops.Conv: _conv,
    ops.Linear: _linear,
    ops.Affine: _affine,
    ops.Clip: _clip,
    ops.MaxPool: _max_pool,
    ops.Reshape: _reshape,
}


def _require_supported(network: graph.Network) -> None:
    """Raise UnsupportedError for operations without a handler, all at once, and for forks."""
    foreign = [f"{node.name} ({type(node.op).__name__})" for node in network.nodes if type(node.op) not in HANDLERS]
    if foreign:
        raise UnsupportedError(f"{', '.join(foreign)}: no streaming layer does this; replace it in the model")
    read = [source for node in network.nodes for source in node.inputs] + [network.output]
    for tensor in network.shapes:
        if read.count(tensor) != 1:
            raise UnsupportedError(f"{tensor}: is read {read.count(tensor)} times but this version builds chains, "
                                   "where every tensor is read once; remove the branch")


def _host_output(run: Streamliner, network: graph.Network, x: Value) -> HostOutput:
    tensor = _integers(run, network.output, x)
    if not _clips_nothing(run, x, tensor):
        raise UnsupportedError(f"{network.output}: the network ends with an activation that no quantizer follows; "
                               "add a quantizer (QuantReLU) or remove the activation")
    scale = np.asarray([float(channel.scale) for channel in x.meaning.channels], np.float64)
    offset = np.asarray([float(channel.offset) for channel in x.meaning.channels], np.float64)
    return HostOutput(network.shapes[network.output], scale, offset)


def streamline_traced(network: graph.Network) -> Streamlined:
    """`streamline`, and where each quantizer went."""
    _require_supported(network)
    run = Streamliner(network)
    shape = network.input.shape
    frame = (shape[0], shape[1], shape[2]) if len(shape) == 3 else (math.prod(shape), 1, 1)
    x = Value(None, frame, shape, Meaning.identity(frame[0]))
    for node in network.nodes:
        x = HANDLERS[type(node.op)](run, node.name, node.op, x)
    host_output = _host_output(run, network, x)
    assert run.host_input is not None  # a value of integers exists, so a quantizer made the input
    integer = IntegerNetwork(run.host_input, tuple(run.draft.nodes.values()), host_output)
    return Streamlined(integer, tuple(run.quantizers))


def streamline(network: graph.Network) -> IntegerNetwork:
    """The exact integer network of a Network.

    Raises UnsupportedError, naming the node and the way out, for what has no exact integer form.
    """
    return streamline_traced(network).network
