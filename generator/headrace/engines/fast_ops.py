"""The operations of an IntegerNetwork on floats or integers that hold integers: (height, width, N, C)."""

from __future__ import annotations

import math
from functools import reduce, singledispatch

import numpy as np
from numpy.typing import NDArray

from headrace.engines.fast_conv import (
    COMPARE_UP_TO,
    Kind,
    Numbers,
    clipped_thresholds,
    convolve,
    count_compared,
    decoded,
    kind_of,
    largest,
    padded,
    tap,
    weighted_bound,
)
from headrace.layers.requant import kinked, rounded_shift
from headrace.network import integer_blocks, integer_moves
from headrace.network import integer_ops as ops
from headrace.network.frame_ops import Part, Sequence
from headrace.network.integer_ops import TensorType
from headrace.network.integer_table import Lookup


@singledispatch
def apply(op: object, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    """The operation on its inputs x of types `sources`; `out` is the type of the result."""
    raise TypeError(f"{type(op).__name__} is not an operation of an IntegerNetwork")


@apply.register
def _conv(op: ops.Conv, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    return convolve(op, sources[0], out, None, x[0])


def _zeros(out: TensorType, x: Numbers, kind: Kind) -> Numbers:
    height, width, channels = out.shape
    return np.zeros((height, width, x.shape[2], channels), kind)


@apply.register
def _depthwise(op: ops.DepthwiseConv, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    kind = kind_of(weighted_bound(op.weights, sources[0].dtype))
    frames, weights = padded(x[0], op, kind), op.weights.astype(kind)
    y = _zeros(out, x[0], kind)
    for i, j in np.ndindex(op.weights.shape[1:3]):
        y += tap(frames, i * op.dilation[0], j * op.dilation[1], op.stride, out.shape) * weights[:, i, j, 0]
    return y


@apply.register
def _threshold(op: ops.Threshold, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    kind = kind_of(largest(sources[0].dtype))
    frames, T = x[0].astype(kind, copy=False), clipped_thresholds(op, sources[0].dtype, kind)
    return decoded(op, (_searched if op.output.steps > COMPARE_UP_TO else count_compared)(frames, T))


def _searched(x: Numbers, T: Numbers) -> NDArray[np.int32]:
    channels = np.ascontiguousarray(x.reshape(-1, len(T)).T)
    found = np.empty(channels.shape, np.int32)
    for c, row in enumerate(channels):
        found[c] = np.searchsorted(T[c], row, side="right")
    return np.ascontiguousarray(found.T).reshape(x.shape)


@apply.register
def _lookup(op: Lookup, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    return op.found(x[0].astype(np.int64)).astype(kind_of(largest(out.dtype)))


@apply.register
def _requant(op: ops.Requant, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    kind = kind_of(largest(out.dtype))
    ends = int(np.abs(op.multiplier).max()) * largest(sources[0].dtype) + int(np.abs(op.offset).max()) + (1 << op.shift)
    if ends + (0 if op.kink is None else int(op.kink.max())) >= 1 << 52:
        sums = kinked(x[0].astype(np.int64) * op.multiplier + op.offset, op.kink)
        y = rounded_shift(sums, op.shift, op.rounding) + op.zero
        return np.asarray(np.clip(y, op.output.lo, op.output.hi), kind)
    # Below 2^52 neither the sum nor its scaling by a power of two nor the half rounds.
    scale = 2.0**-op.shift
    y = np.multiply(x[0], op.multiplier * scale, dtype=np.float64)
    y += op.offset * scale
    if op.kink is not None:
        y -= (y < 0) * (op.kink * scale)
    if op.rounding == "half_even":
        np.rint(y, out=y)
    else:
        y += 0.5
        np.floor(y, out=y)
    y += op.zero
    return np.asarray(np.clip(y, op.output.lo, op.output.hi, out=y), kind)


@apply.register
def _max_pool(op: ops.MaxPool, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    y = _pooled(np.maximum, x[0], op, out.shape)
    if op.minimum:
        y = np.where(np.isin(np.arange(out.shape[2]), list(op.minimum)), _pooled(np.minimum, x[0], op, out.shape), y)
    return y


def _pooled(extreme: np.ufunc, x: Numbers, op: ops.MaxPool, out: ops.Shape) -> Numbers:
    """Rows before columns: that compares long runs, and columns only of the rows that are left."""
    rows = (out[0], x.shape[1])
    x = reduce(extreme, [tap(x, i, 0, (op.stride[0], 1), rows) for i in range(op.kernel[0])])
    return reduce(extreme, [tap(x, 0, j, (1, op.stride[1]), out) for j in range(op.kernel[1])])


@apply.register
def _acc_pool(op: ops.AccPool, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    y = _zeros(out, x[0], kind_of(largest(out.dtype)))
    for i, j in np.ndindex(op.kernel):
        y += tap(x[0], i, j, op.stride, out.shape)
    return y


@apply.register
def _upsample(op: ops.Upsample, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    return x[0].repeat(op.scale[0], axis=0).repeat(op.scale[1], axis=1)


@apply.register
def _reframe(op: ops.Reframe, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    return x[0].reshape(*out.shape[:2], *x[0].shape[2:])


@apply.register
def _add(op: ops.Add, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    return np.add(x[0], x[1], dtype=kind_of(largest(out.dtype)))


@apply.register
def _concat(op: ops.Concat, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    return np.concatenate(x, axis=3, dtype=kind_of(largest(out.dtype)))


@apply.register
def _channel_map(op: integer_moves.ChannelMap, out: TensorType, sources: tuple[TensorType, ...],
                 *x: Numbers) -> Numbers:
    y = x[0].take(np.maximum(op.sources, 0), axis=3)
    y[..., np.asarray(op.sources) < 0] = op.constant
    return y


@apply.register
def _crop(op: integer_moves.Crop, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    return x[0][op.start[0] : op.stop[0] : op.step[0], op.start[1] : op.stop[1] : op.step[1]]


@apply.register
def _depth_to_space(op: integer_blocks.DepthToSpace, out: TensorType, sources: tuple[TensorType, ...],
                    *x: Numbers) -> Numbers:
    height, width, frames, _ = x[0].shape
    blocks = x[0].reshape(height, width, frames, *op.block, -1).transpose(0, 3, 1, 4, 2, 5)
    return blocks.reshape(*out.shape[:2], frames, -1)


@apply.register
def _space_to_depth(op: integer_blocks.SpaceToDepth, out: TensorType, sources: tuple[TensorType, ...],
                    *x: Numbers) -> Numbers:
    height, width, frames = *out.shape[:2], x[0].shape[2]
    blocks = x[0].reshape(height, op.block[0], width, op.block[1], frames, -1).transpose(0, 2, 4, 1, 3, 5)
    return blocks.reshape(height, width, frames, -1)


@apply.register
def _sequence(op: Sequence, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    frames = np.concatenate([_frames(part) for part in x], axis=1, dtype=kind_of(largest(out.dtype)))
    return frames.reshape(-1, *out.shape).transpose(1, 2, 0, 3)


@apply.register
def _part(op: Part, out: TensorType, sources: tuple[TensorType, ...], *x: Numbers) -> Numbers:
    frames = _frames(x[0])[:, op.first : op.first + math.prod(out.shape)]
    return np.ascontiguousarray(frames.reshape(-1, *out.shape).transpose(1, 2, 0, 3), kind_of(largest(out.dtype)))


def _frames(x: Numbers) -> Numbers:
    """(N, elements) in stream order of a tensor (height, width, N, C)."""
    return x.transpose(2, 0, 1, 3).reshape(x.shape[2], -1)
