"""CONV_2D, DEPTHWISE_CONV_2D and FULLY_CONNECTED: an integer convolution and the kernel's step function behind it.

sum w (x - zero) + bias = sum w x + (bias - zero * sum w): streams carry the codes themselves, the zero point goes into
the constant, and borders are padded with its code.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headrace.datatypes import DataType, IntArray, Interval, int_type
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.tflite import kernels
from headrace.frontend.tflite.build import Call, Value, positive, quantization
from headrace.frontend.tflite.kernels import Rescale
from headrace.frontend.tflite.schema import Tensor
from headrace.layers.window_geometry import Pair
from headrace.network import integer as ints
from headrace.network.ops import Pad

SAME, VALID = 0, 1
_NARROW = Interval(-127, 127)


def pair(call: Call, rows: str, columns: str) -> Pair:
    """Two options that count pixels. Raises InputError for 0 and less."""
    sizes = call.option(rows, 1), call.option(columns, 1)
    if min(sizes) < 1:
        raise InputError(f"has {rows}={sizes[0]} and {columns}={sizes[1]}, which must be 1 or more; convert the model "
                         "again")
    return sizes


def border(call: Call, frame: tuple[int, int, int], kernel: Pair, stride: Pair, dilation: Pair = (1, 1)) -> Pad:
    """(top, left, bottom, right): none, or with SAME what ceil(size / stride) outputs need, the smaller half first."""
    if call.option("Padding") == VALID:
        return (0, 0, 0, 0)
    ends = []
    for size, taps, step, apart in zip(frame[:2], kernel, stride, dilation, strict=True):
        missing = max((-(-size // step) - 1) * step + (taps - 1) * apart + 1 - size, 0)
        ends.append((missing // 2, missing - missing // 2))
    (top, bottom), (left, right) = ends
    return (top, left, bottom, right)


def _weights(call: Call) -> tuple[IntArray, DataType, Tensor]:
    """Weights without their zero point, their type, and the file's tensor."""
    tensor = call.tensor(1)
    if tensor.type not in ("int8", "uint8", "int4"):
        raise UnsupportedError(f"its weights {tensor.name!r} are {tensor.type}; convert the model to int8")
    codes = np.asarray(call.constant(1), np.int64)
    zeros = set(tensor.zero_points.tolist())
    if tensor.type != "uint8":
        if zeros - {0}:
            raise UnsupportedError(f"its weights {tensor.name!r} have a zero point other than 0, which the kernels "
                                   "ignore; convert the model again")
        dtype = int_type(4) if tensor.type == "int4" else _NARROW if _NARROW.contains(codes) else int_type(8)
        return codes, dtype, tensor
    if len(zeros) != 1:
        raise UnsupportedError(f"its weights {tensor.name!r} have {len(zeros)} zero points; use one")
    codes -= zeros.pop()
    return codes, Interval(min(int(codes.min()), 0), max(int(codes.max()), 0)), tensor


def _scales(tensor: Tensor, rows: int) -> np.ndarray:
    """A float32 scale per output channel."""
    if len(tensor.scales) not in (1, rows):
        raise InputError(f"its weights {tensor.name!r} have {len(tensor.scales)} scales for {rows} output channels; "
                         "convert the model again")
    return np.broadcast_to(positive(tensor.scales), (rows,))


def _bias(call: Call, rows: int) -> IntArray:
    if not call.has(2):
        return np.zeros(rows, np.int64)
    tensor = call.tensor(2)
    if tensor.type != "int32" or tensor.shape != (rows,):
        raise UnsupportedError(f"its bias {tensor.name!r} is {tensor.type} of shape {tensor.shape}; it must be int32 "
                               f"of shape ({rows},)")
    return np.asarray(call.constant(2), np.int64)


def _rescale(call: Call, x: Value, scales: np.ndarray, once: bool) -> Rescale:
    """The requantizer of a product by the kernel set, from accumulators (C, N)."""
    out = quantization(call.out)[0]
    if call.build.kernels == "xnnpack" and (once or call.tensor(1).type != "int4"):
        return kernels.float32_rescale(list(x.scale * scales / out))
    real = [float(x.scale) * scale / float(out) for scale in scales.astype(np.float64).tolist()]
    return kernels.per_channel(_rounding(call, once), real)


def _rounding(call: Call, once: bool) -> kernels.Rounded:
    """How LiteRT's own kernels round; XNNPACK leaves them the convolutions of int4."""
    if once:
        return kernels.rounded_once
    fast = call.build.kernels == "xnnpack" and call.operator.name == "CONV_2D"
    return kernels.rounded_twice_up if fast else kernels.rounded_twice


def _product(call: Call, x: Value, name: str, op: ints.Conv | ints.DepthwiseConv, weights: Tensor,
             once: bool = False) -> str:
    """The convolution and the codes behind it."""
    rows = len(op.weights)
    made = call.build.draft.add(name, op, x.tensor)
    bias = _bias(call, rows) - x.zero * op.weights.reshape(rows, -1).sum(1)
    rescale = _rescale(call, x, _scales(weights, rows), once)
    return call.build.step(made, rescale, bias, call.out, call.option("FusedActivationFunction"))


def _window(call: Call, x: Value, kernel: Pair) -> tuple[Pair, Pair, Pad]:
    """Stride, dilation and border of a convolution; a border that waits becomes part of it."""
    stride, dilation = pair(call, "StrideH", "StrideW"), pair(call, "DilationHFactor", "DilationWFactor")
    top, left, bottom, right = x.pad
    height, width, channels = x.frame
    own = border(call, (height + top + bottom, width + left + right, channels), kernel, stride, dilation)
    a, b, c, d = own
    return stride, dilation, (top + a, left + b, bottom + c, right + d)


def conv(call: Call) -> Value:
    """CONV_2D: weights (C_out, K_h, K_w, C_in / groups)."""
    x = call.value(0, bordered=True)
    codes, dtype, tensor = _weights(call)
    _require_rank(tensor, 4)
    rows, k_h, k_w, columns = codes.shape
    if x.channels % columns or rows % (x.channels // columns):
        raise InputError(f"has weights of shape {codes.shape} for {x.channels} input channels; convert the model again")
    stride, dilation, pad = _window(call, x, (k_h, k_w))
    op = ints.Conv(_with_zeros(codes, x.channels), dtype, stride, dilation, pad, x.zero)
    return call.build.made(_product(call, x, "conv", op, tensor), x, call.out)


def _with_zeros(codes: IntArray, channels: int) -> IntArray:
    """The weights of a grouped convolution as those of a dense one."""
    rows, k_h, k_w, columns = codes.shape
    if columns == channels:
        return codes
    dense = np.zeros((rows, k_h, k_w, channels), np.int64)
    for row in range(rows):
        first = row // (rows // (channels // columns)) * columns
        dense[row, ..., first : first + columns] = codes[row]
    return dense


def depthwise(call: Call) -> Value:
    """DEPTHWISE_CONV_2D: weights (1, K_h, K_w, C * multiplier); with a multiplier, a convolution with zeros."""
    x = call.value(0, bordered=True)
    codes, dtype, tensor = _weights(call)
    _require_rank(tensor, 4)
    one, k_h, k_w, rows = codes.shape
    if one != 1 or rows % x.channels:
        raise InputError(f"has weights of shape {codes.shape} for {x.channels} input channels; convert the model again")
    stride, dilation, pad = _window(call, x, (k_h, k_w))
    kernels_of_rows = np.ascontiguousarray(codes[0].transpose(2, 0, 1)[..., None])
    if rows == x.channels:
        op: ints.Conv | ints.DepthwiseConv = ints.DepthwiseConv(kernels_of_rows, dtype, stride, dilation, pad, x.zero)
        return call.build.made(_product(call, x, "depthwise", op, tensor), x, call.out)
    op = ints.Conv(_with_zeros(kernels_of_rows, x.channels), dtype, stride, dilation, pad, x.zero)
    return call.build.made(_product(call, x, "conv", op, tensor), x, call.out)


def fully_connected(call: Call) -> Value:
    """FULLY_CONNECTED: weights (C_out, elements), a kernel that covers the frame, or one pixel."""
    x = call.value(0)
    codes, dtype, tensor = _weights(call)
    _require_rank(tensor, 2)
    if call.option("WeightsFormat"):
        raise UnsupportedError("stores its weights shuffled; convert the model without it")
    rows, columns = codes.shape
    height, width, channels = x.frame
    if columns == height * width * channels:
        kernel, shape = x.frame, (rows,)
    elif columns == channels and x.shape[-1] == channels:
        kernel, shape = (1, 1, channels), (*x.shape[:-1], rows)
    else:
        raise UnsupportedError(f"has {columns} columns of weights for a tensor of shape {x.shape}; reshape it to "
                               f"({columns},)")
    made = _product(call, x, "fc", ints.Conv(codes.reshape(rows, *kernel), dtype), tensor, once=True)
    kept = call.option("KeepNumDims") and len(shape) == 1
    return replace(call.build.made(made, x, call.out), shape=(1,) * (len(x.shape) - 1) + shape if kept else shape)


def _require_rank(tensor: Tensor, rank: int) -> None:
    if len(tensor.shape) != rank:
        raise InputError(f"has weights {tensor.name!r} of shape {tensor.shape}, which need {rank} axes; convert the "
                         "model again")
