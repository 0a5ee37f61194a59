"""Pools, means and borders of a .tflite file: windows whose sums the kernels divide."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.tflite import kernels, products
from headrace.frontend.tflite.build import MAX_POSITIONS, Call, Frame, Value, code_range, quantization
from headrace.frontend.tflite.kernels import Rescale
from headrace.frontend.tflite.steps import thresholds
from headrace.layers.window_geometry import Pair
from headrace.network import integer as ints
from headrace.network.ops import Pad


def max_pool(call: Call) -> Value:
    """MAX_POOL_2D: its border never wins."""
    x = call.value(0)
    kernel, stride = products.pair(call, "FilterHeight", "FilterWidth"), products.pair(call, "StrideH", "StrideW")
    pad = products.border(call, x.frame, kernel, stride)
    source = call.build.padded(x.tensor, pad, call.build.draft.types[x.tensor].dtype.lo)
    made = call.build.draft.add("pool", ints.MaxPool(kernel, stride), source)
    return call.build.made(call.build.clipped(made, call.out, call.option("FusedActivationFunction")), x, call.out)


def average_pool(call: Call) -> Value:
    """AVERAGE_POOL_2D: codes divided as they are, zero point included, by the number of pixels inside the image."""
    x = call.value(0)
    kernel, stride = products.pair(call, "FilterHeight", "FilterWidth"), products.pair(call, "StrideH", "StrideW")
    if (x.scale, x.zero) != quantization(call.out):
        raise UnsupportedError("averages into another scale or zero point, which no kernel does; convert again")
    border = products.border(call, x.frame, kernel, stride)
    if any(border):
        return _bordered_average(call, x, kernel, stride, border)
    rescale = kernels.mean_of(prod(kernel))
    made = call.build.draft.add("pool", ints.AccPool(kernel, stride), x.tensor)
    return _stepped(call, x, made, lambda acc: rescale(acc) - x.zero, np.zeros(x.channels, np.int64))


def _bordered_average(call: Call, x: Value, kernel: Pair, stride: Pair, border: Pad) -> Value:
    """Windows over the border: every element of the result has a divisor of its own, so it becomes a channel."""
    dtype = call.build.draft.types[x.tensor].dtype
    code = min(max(0, dtype.lo), dtype.hi)
    made = call.build.draft.add("pool", ints.AccPool(kernel, stride), call.build.padded(x.tensor, border, code))
    frame = call.build.draft.types[made].shape
    if prod(frame) > MAX_POSITIONS:
        raise UnsupportedError("averages over windows that reach over the border, where it divides by fewer pixels, "
                               f"and has {prod(frame)} results where at most {MAX_POSITIONS} can have divisors of "
                               "their own; use padding VALID, or a PAD in front")
    counts = _inside(x.frame, kernel, stride, border, frame)
    unique, which = np.unique(counts, return_inverse=True)
    missing = code * (prod(kernel) - unique)
    codes = code_range(call.out, call.option("FusedActivationFunction"))
    rescale = kernels.mean_of(unique[:, None])
    lowest, highest = (unique * end + missing for end in (dtype.lo, dtype.hi))
    T = thresholds(lambda acc: rescale(acc - missing[:, None]), lowest, highest, codes)
    step = call.build.draft.add_threshold(ints.Threshold(T[which.reshape(-1)], codes), call.build.flat(made))
    return call.build.made(call.build.framed(step, frame), x, call.out)


def _inside(frame: Frame, kernel: Pair, stride: Pair, border: Pad, out: Frame) -> IntArray:
    """How many pixels of the window of every element lie inside the image, in the order of the stream."""
    rows, columns = (
        np.minimum(first + taps, size) - np.maximum(first, 0) for size, taps, first in (
            (frame[axis], kernel[axis], np.arange(out[axis]) * stride[axis] - border[axis]) for axis in (0, 1)))
    return np.repeat((rows[:, None] * columns).reshape(-1), out[2])


def _stepped(call: Call, x: Value, made: str, rescale: Rescale, bias: IntArray) -> Value:
    codes = call.build.step(made, rescale, bias, call.out, call.option("FusedActivationFunction"), alike=True)
    return call.build.made(codes, x, call.out)


def _moved_axes(x: Value) -> int | None:
    """How many axes of (1, H, W, C) the file's tensor leaves out behind the batch; None if it is not an image."""
    gone = len(x.frame) - len(x.shape)
    return gone if 0 <= gone <= 1 and x.shape == x.frame[gone:] and x.frame[:gone] in ((), (1,)) else None


def mean(call: Call) -> Value:
    """MEAN along rows and columns."""
    x = call.value(0)
    gone, rank = _moved_axes(x), len(x.shape) + 1
    axes = sorted({int(axis) % rank for axis in np.asarray(call.constant(1)).reshape(-1).tolist()})
    if not axes or gone is None or axes[0] == 0 or axes[-1] == rank - 1:
        raise UnsupportedError(f"averages a tensor of shape {x.shape} along the axes {axes}; average along height, "
                               "width or both of an image")
    kernel = tuple(x.frame[axis - 1] if axis - gone in axes else 1 for axis in (1, 2))
    count = prod(kernel)
    made = call.build.draft.add("pool", ints.AccPool((kernel[0], kernel[1]), (kernel[0], kernel[1])), x.tensor)
    out, zero = quantization(call.out)
    if call.build.kernels == "xnnpack":
        rescale, bias = kernels.xnnpack_mean(x.scale, x.zero, out, zero, count), 0
    else:
        rescale, bias = kernels.mean_rescale(x.scale, out, count), -count * x.zero
    value = _stepped(call, x, made, rescale, np.full(x.channels, bias))
    sizes = [(axis, 1 if axis in axes else size) for axis, size in enumerate(x.shape, 1)]
    return replace(value, shape=tuple(size for axis, size in sizes if call.option("KeepDims") or axis not in axes))


def pad(call: Call) -> Value:
    """PAD and PADV2: a border that the convolution behind it takes over where its code is the zero point."""
    x = call.value(0)
    ends = np.asarray(call.constant(1), np.int64)
    if ends.shape != (len(x.shape) + 1, 2) or ends.min() < 0:
        raise InputError(f"has paddings of shape {ends.shape} for a tensor of shape {x.shape}; convert the model again")
    gone = _moved_axes(x)
    if gone is None or ends[0].any():
        raise UnsupportedError(f"pads a tensor of shape {x.shape} by {ends.tolist()}; pad height, width and channels "
                               "of an image")
    if (x.scale, x.zero) != quantization(call.out):
        raise UnsupportedError("pads into another scale or zero point, which no kernel does; convert again")
    code = int(call.constant(2).reshape(-1)[0]) if call.operator.name == "PADV2" else x.zero
    (top, bottom), (left, right), channels = np.concatenate([np.zeros((gone, 2), np.int64), ends[1:]]).tolist()
    x = _more_channels(call, x, channels, code)
    height, width, count = x.frame
    frame = (height + top + bottom, width + left + right, count)
    ints.TensorType(frame, call.build.draft.types[x.tensor].dtype)  # raises where it is too large
    edge = (top, left, bottom, right)
    if code == x.zero:
        return replace(x, pad=edge, shape=frame[gone:])
    return call.build.made(call.build.padded(x.tensor, edge, code), x, shape=frame[gone:])


def _more_channels(call: Call, x: Value, ends: list[int], code: int) -> Value:
    """The value with channels of a code in front of its own and behind them."""
    if not any(ends):
        return x
    sources = (-1,) * ends[0] + tuple(range(x.channels)) + (-1,) * ends[1]
    return call.build.made(call.build.draft.add("channels", ints.ChannelMap(sources, code), x.tensor), x)
