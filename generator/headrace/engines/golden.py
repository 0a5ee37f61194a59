"""The integer network, written naively from the formulas of its operations: what every engine is compared with."""

from __future__ import annotations

import math
from functools import singledispatch

import numpy as np

from headrace.datatypes import IntArray, Interval, as_int
from headrace.layers.requant import kinked, rounded_shift
from headrace.network import integer_blocks, integer_moves
from headrace.network import integer_ops as ops
from headrace.network.integer import INPUT, IntegerNetwork, Part, PixelMove, Sequence
from headrace.network.integer_ops import TensorType
from headrace.network.integer_table import Lookup


def run(net: IntegerNetwork, x: IntArray) -> dict[str, IntArray]:
    """The integers of every tensor: x (N, H, W, C) or (N, H*W*C) -> tensor name: (N, height, width, channels)."""
    values = {INPUT: np.asarray(x, np.int64).reshape(-1, *net.types[INPUT].shape)}
    for node in net.nodes:
        values[node.name] = apply(node.op, net.types[node.name], *(values[source] for source in node.inputs))
    return values


def moved(op: PixelMove, x: IntArray) -> IntArray:
    """An operation that only moves elements, on x (N, height, width, channels)."""
    kind = Interval(int(x.min()), int(x.max()))
    height, width, channels = x.shape[1:]
    return apply(op, op.infer(TensorType((height, width, channels), kind)), x)


@singledispatch
def apply(op: object, out: TensorType, *x: IntArray) -> IntArray:
    """The operation on its inputs (N, height, width, channels); `out` is the type of the result."""
    raise TypeError(f"{type(op).__name__} is not an operation of an IntegerNetwork")


def _pad(x: IntArray, op: ops.Conv | ops.DepthwiseConv) -> IntArray:
    top, left, bottom, right = op.pad
    return np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=op.pad_value)


def _window(x: IntArray, op: ops.Conv | ops.DepthwiseConv, row: int, column: int) -> IntArray:
    """The taps of one output pixel, (N, K_h, K_w, C)."""
    k_h, k_w = op.weights.shape[1:3]
    rows = row * op.stride[0] + np.arange(k_h) * op.dilation[0]
    columns = column * op.stride[1] + np.arange(k_w) * op.dilation[1]
    return x[:, rows][:, :, columns]


@apply.register
def _conv(op: ops.Conv, out: TensorType, *x: IntArray) -> IntArray:
    padded = _pad(x[0], op)
    y, weights = np.empty((len(padded), *out.shape), np.int64), as_int(op.weights)
    for row, column in np.ndindex(out.shape[:2]):
        window = _window(padded, op, row, column)
        if op.scales is not None:
            # sum over the pixels (i, j) of scale_oij * (sum over c of W_oijc x_ijc)
            pixels = np.einsum("nijc,oijc->noij", window, weights)
            y[:, row, column] = (pixels * op.scales).sum((2, 3))
        else:
            y[:, row, column] = window.reshape(len(padded), -1) @ weights.reshape(len(weights), -1).T
    return y


@apply.register
def _depthwise(op: ops.DepthwiseConv, out: TensorType, *x: IntArray) -> IntArray:
    padded = _pad(x[0], op)
    y, weights = np.empty((len(padded), *out.shape), np.int64), as_int(op.weights)
    for row, column in np.ndindex(out.shape[:2]):
        y[:, row, column] = (_window(padded, op, row, column) * weights[..., 0].transpose(1, 2, 0)).sum((1, 2))
    return y


@apply.register
def _threshold(op: ops.Threshold, out: TensorType, *x: IntArray) -> IntArray:
    return np.stack([op.count(frame) for frame in x[0]])


@apply.register
def _lookup(op: Lookup, out: TensorType, *x: IntArray) -> IntArray:
    return op.found(x[0])


@apply.register
def _requant(op: ops.Requant, out: TensorType, *x: IntArray) -> IntArray:
    sums = kinked(x[0] * op.multiplier + op.offset, op.kink)
    y = rounded_shift(sums, op.shift, op.rounding) + op.zero
    return np.asarray(np.clip(y, op.output.lo, op.output.hi), np.int64)


def _pool_windows(x: IntArray, op: ops.MaxPool | ops.AccPool, out: TensorType) -> list[IntArray]:
    """The windows (N, K_h, K_w, C) of all output pixels, row by row."""
    return [x[:, i * op.stride[0] : i * op.stride[0] + op.kernel[0], j * op.stride[1] : j * op.stride[1] + op.kernel[1]]
            for i, j in np.ndindex(out.shape[:2])]


@apply.register
def _max_pool(op: ops.MaxPool, out: TensorType, *x: IntArray) -> IntArray:
    minimum = np.isin(np.arange(out.shape[2]), list(op.minimum))
    pixels = [np.where(minimum, window.min((1, 2)), window.max((1, 2))) for window in _pool_windows(x[0], op, out)]
    return np.stack(pixels, 1).reshape(-1, *out.shape)


@apply.register
def _acc_pool(op: ops.AccPool, out: TensorType, *x: IntArray) -> IntArray:
    return np.stack([window.sum((1, 2)) for window in _pool_windows(x[0], op, out)], 1).reshape(-1, *out.shape)


@apply.register
def _upsample(op: ops.Upsample, out: TensorType, *x: IntArray) -> IntArray:
    rows, columns = (np.arange(size) // scale for size, scale in zip(out.shape[:2], op.scale, strict=True))
    return x[0][:, rows][:, :, columns]


@apply.register
def _reframe(op: ops.Reframe, out: TensorType, *x: IntArray) -> IntArray:
    return x[0].reshape(-1, *out.shape)


@apply.register
def _add(op: ops.Add, out: TensorType, *x: IntArray) -> IntArray:
    return x[0] + x[1]


@apply.register
def _concat(op: ops.Concat, out: TensorType, *x: IntArray) -> IntArray:
    return np.concatenate(x, axis=3)


@apply.register
def _channel_map(op: integer_moves.ChannelMap, out: TensorType, *x: IntArray) -> IntArray:
    channels = [np.full(x[0].shape[:3], op.constant) if source < 0 else x[0][..., source] for source in op.sources]
    return np.stack(channels, axis=3)


@apply.register
def _crop(op: integer_moves.Crop, out: TensorType, *x: IntArray) -> IntArray:
    return x[0][:, op.start[0] : op.stop[0] : op.step[0], op.start[1] : op.stop[1] : op.step[1]]


@apply.register
def _depth_to_space(op: integer_blocks.DepthToSpace, out: TensorType, *x: IntArray) -> IntArray:
    height, width, channels = out.shape
    y = np.empty((len(x[0]), *out.shape), np.int64)
    for row, column in np.ndindex(height, width):
        pixel = x[0][:, row // op.block[0], column // op.block[1]]
        place = (row % op.block[0]) * op.block[1] + column % op.block[1]
        y[:, row, column] = pixel[:, place * channels : (place + 1) * channels]
    return y


@apply.register
def _space_to_depth(op: integer_blocks.SpaceToDepth, out: TensorType, *x: IntArray) -> IntArray:
    parts = [x[0][:, i :: op.block[0], j :: op.block[1]] for i, j in np.ndindex(op.block)]
    return np.concatenate(parts, axis=3)


@apply.register
def _sequence(op: Sequence, out: TensorType, *x: IntArray) -> IntArray:
    return np.concatenate([part.reshape(len(part), -1) for part in x], axis=1).reshape(-1, *out.shape)


@apply.register
def _part(op: Part, out: TensorType, *x: IntArray) -> IntArray:
    count = math.prod(out.shape)
    return x[0].reshape(len(x[0]), -1)[:, op.first : op.first + count].reshape(-1, *out.shape)
