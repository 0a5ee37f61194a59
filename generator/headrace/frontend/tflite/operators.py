"""What every operator of TensorFlow Lite becomes, and the table of them that the manual shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.tflite import kernels, products
from headrace.frontend.tflite.build import Call, Value, code_range, quantization
from headrace.frontend.tflite.kernels import Multiplier, Rescale
from headrace.frontend.tflite.sums import Weighted, weighted
from headrace.network import integer as ints
from headrace.network.integer import Head


@dataclass(frozen=True)
class Operation:
    """How an operator is read, and what the manual says of it."""

    read: Callable[[Call], Value]
    says: str


def _max_pool(call: Call) -> Value:
    x = call.value(0)
    kernel, stride = products.pair(call, "FilterHeight", "FilterWidth"), products.pair(call, "StrideH", "StrideW")
    pad = products.border(call, x.frame, kernel, stride)
    source = call.build.padded(x.tensor, pad, call.build.draft.types[x.tensor].dtype.lo)
    made = call.build.draft.add("pool", ints.MaxPool(kernel, stride), source)
    return call.build.made(call.build.clipped(made, call.out, call.option("FusedActivationFunction")), x, call.out)


def _average_pool(call: Call) -> Value:
    x = call.value(0)
    kernel, stride = products.pair(call, "FilterHeight", "FilterWidth"), products.pair(call, "StrideH", "StrideW")
    if any(products.border(call, x.frame, kernel, stride)):
        raise UnsupportedError("averages over windows that reach over the border, where it divides by fewer pixels; "
                               "use padding VALID, or a PAD in front")
    if (x.scale, x.zero) != quantization(call.out):
        raise UnsupportedError("averages into another scale or zero point, which no kernel does; convert again")
    # The kernel divides the codes as they are, zero point included; what it adds belongs to the codes' type alone.
    rescale = kernels.mean_of(prod(kernel))
    made = call.build.draft.add("pool", ints.AccPool(kernel, stride), x.tensor)
    return _stepped(call, x, made, lambda acc: rescale(acc) - x.zero, np.zeros(x.channels, np.int64))


def _stepped(call: Call, x: Value, made: str, rescale: Rescale, bias: IntArray) -> Value:
    codes = call.build.step(made, rescale, bias, call.out, call.option("FusedActivationFunction"), alike=True)
    return call.build.made(codes, x, call.out)


def _mean(call: Call) -> Value:
    x = call.value(0)
    rank = len(x.shape) + 1
    axes = sorted({int(axis) % rank for axis in np.asarray(call.constant(1)).reshape(-1).tolist()})
    if not axes or rank != 4 or x.shape != x.frame or not set(axes) <= {1, 2}:
        raise UnsupportedError(f"averages a tensor of shape {x.shape} along the axes {axes}; average along height, "
                               "width or both of an image")
    kernel = (x.frame[0] if 1 in axes else 1, x.frame[1] if 2 in axes else 1)
    count = prod(kernel)
    made = call.build.draft.add("pool", ints.AccPool(kernel, kernel), x.tensor)
    out, zero = quantization(call.out)
    if call.build.kernels == "xnnpack":
        rescale, bias = kernels.xnnpack_mean(x.scale, x.zero, out, zero, count), 0
    else:
        rescale, bias = kernels.mean_rescale(x.scale, out, count), -count * x.zero
    value = _stepped(call, x, made, rescale, np.full(x.channels, bias))
    left = tuple(size for axis, size in enumerate(value.frame, 1) if axis not in axes)
    return value if call.option("KeepDims") else replace(value, shape=left)


def _sum(call: Call, sign: int) -> Value:
    constants = [place for place in (0, 1) if call.tensor(place).data is not None]
    if constants:
        raise UnsupportedError("adds a constant; let the bias of the layer before it hold it")
    left, right = call.value(0), call.value(1)
    if left.frame != right.frame:
        raise UnsupportedError(f"adds tensors of shapes {left.shape} and {right.shape}; both must have one shape")
    total = _pairs(call, left, right, sign)
    found = _weighted(call, left, right, sign, total)
    if found is None:
        raise UnsupportedError(f"adds codes of scales {left.scale:.9g} and {right.scale:.9g}, whose sum no multipliers "
                               "decide as the kernel does; calibrate the model again")
    draft, channels = call.build.draft, left.channels
    factors = found.multipliers[0], sign * found.multipliers[1]
    sources = [draft.multiplied(value.tensor, np.full(channels, factor))
               for value, factor in zip((left, right), factors, strict=True)]
    made = draft.add("add", ints.Add(), *sources)
    return call.build.made(draft.add_threshold(_spread(call, found, channels), made), left, call.out)


def _pairs(call: Call, left: Value, right: Value, sign: int) -> Callable[[IntArray, IntArray], IntArray]:
    """The kernel's code of two codes, before the clip."""
    out, zero = quantization(call.out)
    if call.build.kernels == "xnnpack":
        total = kernels.xnnpack_sum(left.scale, right.scale, out)
    else:
        total = kernels.reference_sum(float(left.scale), float(right.scale), float(out))
    return lambda a, b: total(a - left.zero, sign * (b - right.zero)) + zero


def _weighted(call: Call, left: Value, right: Value, sign: int,
              total: Callable[[IntArray, IntArray], IntArray]) -> Weighted | None:
    types = [call.build.draft.types[value.tensor].dtype for value in (left, right)]
    a = np.arange(types[0].lo, types[0].hi + 1)
    b = np.arange(types[1].lo, types[1].hi + 1)[::sign]  # so that the table rises
    spans = ((types[0].lo, types[0].hi), (min(sign * types[1].lo, sign * types[1].hi),
                                          max(sign * types[1].lo, sign * types[1].hi)))
    sizes = [Fraction(float(value.scale)) for value in (left, right)]
    codes = code_range(call.out, call.option("FusedActivationFunction"))
    return weighted(total(a[:, None], b[None, :]), spans, sizes, codes)


def _spread(call: Call, found: Weighted, channels: int) -> ints.Requant | ints.Threshold:
    """The step of a sum, alike in all channels."""
    if isinstance(found.step, ints.Requant):
        step, kink = found.step, found.step.kink
        return replace(step, multiplier=np.repeat(step.multiplier, channels), offset=np.repeat(step.offset, channels),
                       kink=None if kink is None else np.repeat(kink, channels))
    codes = code_range(call.out, call.option("FusedActivationFunction"))
    return ints.Threshold(np.repeat(found.step[None], channels, axis=0), codes)


def _pad(call: Call) -> Value:
    x = call.value(0)
    ends = np.asarray(call.constant(1), np.int64)
    if ends.shape != (len(x.shape) + 1, 2) or ends.min() < 0:
        raise InputError(f"has paddings of shape {ends.shape} for a tensor of shape {x.shape}; convert the model again")
    if len(x.shape) != 3 or x.shape != x.frame or ends[0].any() or ends[3].any():
        raise UnsupportedError(f"pads a tensor of shape {x.shape} by {ends.tolist()}; pad height and width of an image")
    (top, bottom), (left, right) = ends[1:3].tolist()
    height, width, channels = x.frame
    ints.TensorType((height + top + bottom, width + left + right, channels), call.build.draft.types[x.tensor].dtype)
    return replace(x, pad=(top, left, bottom, right), shape=(height + top + bottom, width + left + right, channels))


def _reshape(call: Call) -> Value:
    x = call.value(0)
    shape = call.out.shape[1:] if call.out.shape[:1] == (1,) else call.out.shape
    channels = x.channels
    if prod(shape) != prod(x.frame):
        raise InputError(f"turns a tensor of shape {x.shape} into {shape}; convert the model again")
    if len(shape) < 2 or shape == x.frame or x.head != "none":
        return replace(x, shape=shape)
    if shape[-1] != channels:
        raise UnsupportedError(f"turns a tensor of shape {x.shape} into {shape}, but a stream carries {channels} "
                               "channels per pixel; reshape it only in front of a dense layer or at the input")
    rows = prod(shape[:-2])
    made = call.build.draft.add("reframe", ints.Reframe(rows, shape[-2]), x.tensor)
    return call.build.made(made, x, shape=shape)


def _concatenation(call: Call) -> Value:
    parts = [call.value(place) for place in range(max(1, len(call.operator.inputs)))]
    rank = len(parts[0].shape) + 1
    if call.option("Axis") % rank != rank - 1 or any(x.shape[-1] != x.channels for x in parts):
        raise UnsupportedError("joins tensors along another axis than the channels, the last; join channels")
    for x in parts:
        if (x.scale, x.zero) != quantization(call.out):
            raise UnsupportedError("joins tensors whose scales or zero points differ from the result's; convert the "
                                   "model to int8, which makes them equal")
    made = call.build.draft.add("concat", ints.Concat(), *(x.tensor for x in parts)) if len(parts) > 1 else (
        parts[0].tensor)
    codes = call.build.clipped(made, call.out, call.option("FusedActivationFunction"))
    return call.build.made(codes, parts[0], call.out, (*parts[0].shape[:-1], sum(x.channels for x in parts)))


def _head(head: Head) -> Callable[[Call], Value]:
    def read(call: Call) -> Value:
        return replace(call.value(0), head=head, beta=float(call.operator.options.get("Beta", 1.0)))
    return read


def _requantized(call: Call, fused: int = 0) -> Value:
    """Codes of another scale and zero point: QUANTIZE of codes, and activations that stand alone."""
    x = call.value(0)
    if x.head != "none":
        return x
    real = float(x.scale) / float(quantization(call.out)[0])
    rescale = kernels.alike(kernels.rounded_twice, real)
    if call.build.kernels == "xnnpack":
        rescale = kernels.xnnpack_convert(x.scale / quantization(call.out)[0])
    codes = call.build.step(x.tensor, rescale, np.full(x.channels, -x.zero), call.out, fused, alike=True)
    return call.build.made(codes, x, call.out, x.shape)


def _leaky_relu(call: Call) -> Value:
    x = call.value(0)
    alpha = np.float32(call.operator.options.get("Alpha", 0.0))
    out = quantization(call.out)[0]
    if alpha < 0:
        raise UnsupportedError(f"has the slope {alpha:g}, so it falls and rises again; use a slope of 0 or more")
    rescale = (kernels.xnnpack_convert(x.scale / out, x.scale / out * alpha) if call.build.kernels == "xnnpack" else
               kernels.bent(Multiplier.of(float(x.scale / out)), Multiplier.of(float(x.scale * alpha / out))))
    codes = call.build.step(x.tensor, rescale, np.full(x.channels, -x.zero), call.out, alike=True)
    return call.build.made(codes, x, call.out, x.shape)


def _resize(call: Call) -> Value:
    x = call.value(0)
    size = np.asarray(call.constant(1), np.int64).reshape(-1)
    height, width, _ = x.frame
    whole = size.size == 2 and size.min() > 0 and not (size[0] % height or size[1] % width)
    if not whole or x.shape != x.frame or call.option("AlignCorners"):
        raise UnsupportedError(f"resizes {height}x{width} pixels to {size.tolist()}; use whole multiples of both and "
                               "no aligned corners")
    scale = (int(size[0]) // height, int(size[1]) // width)
    return call.build.made(call.build.draft.add("upsample", ints.Upsample(scale), x.tensor), x, call.out)


def _same(call: Call) -> Value:
    return call.value(0)


#: Every operator that is read.
OPERATIONS: dict[str, Operation] = {
    "ADD": Operation(lambda call: _sum(call, 1), "two tensors of one shape, any scales; a weighted sum that decides "
                                                 "every pair of codes as the kernel does"),
    "AVERAGE_POOL_2D": Operation(_average_pool, "windows inside the image; codes are divided with ties away from 0"),
    "CONCATENATION": Operation(_concatenation, "along the channels, of tensors with one scale and zero point"),
    "CONV_2D": Operation(products.conv, "any kernel, stride, dilation and groups; SAME pads with the zero point"),
    "DEPTHWISE_CONV_2D": Operation(products.depthwise, "as CONV_2D; with a depth multiplier, dense with zeros"),
    "DEQUANTIZE": Operation(_same, "at the end of the model"),
    "FULLY_CONNECTED": Operation(products.fully_connected, "of a whole tensor, or of every pixel"),
    "LEAKY_RELU": Operation(_leaky_relu, "slopes of 0 or more"),
    "LOGISTIC": Operation(_head("sigmoid"), "at the end of the model, by the host"),
    "MAX_POOL_2D": Operation(_max_pool, "with any border"),
    "MEAN": Operation(_mean, "along height, width or both"),
    "PAD": Operation(_pad, "height and width, with the zero point; part of the convolution that reads it"),
    "QUANTIZE": Operation(_requantized, "of the model's input, or between two scales"),
    "RELU": Operation(lambda call: _requantized(call, 1), "fused, or alone with scales of its own"),
    "RELU6": Operation(lambda call: _requantized(call, 3), "as RELU"),
    "RELU_N1_TO_1": Operation(lambda call: _requantized(call, 2), "as RELU"),
    "RESHAPE": Operation(_reshape, "of the input, of rows and columns, and to a vector"),
    "RESIZE_NEAREST_NEIGHBOR": Operation(_resize, "by whole factors"),
    "SOFTMAX": Operation(_head("softmax"), "at the end of the model, by the host"),
    "SQUEEZE": Operation(_reshape, "as RESHAPE"),
    "EXPAND_DIMS": Operation(_reshape, "as RESHAPE"),
    "SUB": Operation(lambda call: _sum(call, -1), "as ADD"),
}
