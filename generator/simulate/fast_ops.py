"""The operations of an IntegerNetwork on floats that hold integers: (N, height, width, channels) in and out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, singledispatch
from typing import Any

import numpy as np
from numpy.typing import NDArray

from generator.datatypes import BIPOLAR, DataType, IntArray
from generator.layers.requant import rounded_shift
from generator.layers.window import Pair
from generator.network import integer_ops as ops
from generator.network.integer_ops import TensorType, channel_mask

Floats = NDArray[Any]
Kind = type[np.floating[Any]]
#: Up to this many thresholds comparing with each is faster than searching.
COMPARE_UP_TO = 31
#: Windows of a convolution are gathered and multiplied in parts of about this size.
WINDOW_BYTES = 4 << 20


def exact_float(bound: int) -> Kind | None:
    """The smallest float type that holds all integers up to `bound` and half steps of requantizers between them."""
    if bound < 1 << 24:
        return np.float32
    return np.float64 if bound < 1 << 53 else None


def largest(dtype: DataType) -> int:
    """The largest magnitude of a type."""
    return max(abs(dtype.lo), abs(dtype.hi))


def weighted_bound(weights: IntArray, dtype: DataType) -> int:
    """What no partial sum of a row (one per first axis) of weights times inputs of `dtype` exceeds."""
    return int(np.abs(weights).reshape(len(weights), -1).sum(1).max()) * largest(dtype)


def _kind(bound: int) -> Kind:
    kind = exact_float(bound)
    assert kind is not None  # the engine looks before it starts
    return kind


@singledispatch
def apply(op: object, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    """The operation on its inputs x of types `sources`; `out` is the type of the result."""
    raise TypeError(f"{type(op).__name__} is no operation of an IntegerNetwork")


def _padded(x: Floats, op: ops.Conv | ops.DepthwiseConv, kind: Kind) -> Floats:
    top, left, bottom, right = op.pad
    if not any(op.pad):
        return x.astype(kind, copy=False)
    n, height, width, channels = x.shape
    y = np.full((n, top + height + bottom, left + width + right, channels), op.pad_value, kind)
    y[:, top : top + height, left : left + width] = x
    return y


def _tap(x: Floats, i: int, j: int, stride: Pair, out: ops.Shape) -> Floats:
    """The pixels that tap (i, j) of every window sees, (N, out height, out width, C)."""
    rows = slice(i, i + (out[0] - 1) * stride[0] + 1, stride[0])
    return x[:, rows, j : j + (out[1] - 1) * stride[1] + 1 : stride[1]]


@dataclass(frozen=True, eq=False)
class _Columns:
    """The weights of a convolution as a matrix of floats (MW, MH), or (MW, MH/2) with two sums in one and a base."""

    kind: Kind
    matrix: Floats
    base: int | None


@lru_cache(maxsize=128)  # batches of a run share what is made of the weights
def _columns(op: ops.Conv, dtype: DataType) -> _Columns:
    bound = weighted_bound(op.weights, dtype)
    kind = _kind(bound)
    matrix = np.ascontiguousarray(op.weights.reshape(len(op.weights), -1).T, kind)
    base = 1 << (2 * bound).bit_length()
    if len(op.weights) % 2 == 0 and bound * (1 + base) < 1 << 24:
        return _Columns(kind, _two_in_one(matrix, base), base)
    return _Columns(kind, matrix, None)


@apply.register
def _conv(op: ops.Conv, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    columns = _columns(op, sources[0].dtype)
    padded = _padded(x[0], op, columns.kind)
    kernel, n = op.weights.shape[1:3], len(padded)
    y = np.empty((n, out.shape[0] * out.shape[1], len(op.weights)), columns.kind)
    if kernel == padded.shape[1:3] and op.dilation == (1, 1):
        _multiply(padded.reshape(n, -1), columns, y.reshape(n, -1))
        return y.reshape(n, *out.shape)
    step = max(1, WINDOW_BYTES // (y.itemsize * y.shape[1] * len(columns.matrix)))
    buffer = np.empty((min(step, n), *out.shape[:2], *op.weights.shape[1:]), columns.kind)
    for start in range(0, n, step):
        part = slice(start, start + step)
        _multiply(_windows(padded[part], op, out, buffer), columns, y[part].reshape(-1, y.shape[2]))
    return y.reshape(n, *out.shape)


def _multiply(windows: Floats, columns: _Columns, out: Floats) -> None:
    """Products of windows (n, MW) with the weights into `out` (n, MH)."""
    if columns.base is None:
        np.matmul(windows, columns.matrix, out=out)
    else:
        _split_sums(windows @ columns.matrix, columns.base, out)


def _two_in_one(columns: Floats, base: int) -> Floats:
    """Weights (MW, MH/2) that make two small sums at once: that of row r plus `base` times that of row r + MH/2."""
    half = columns.shape[1] // 2
    return np.ascontiguousarray(columns[:, :half] + base * columns[:, half:])


def _split_sums(both: Floats, base: int, out: Floats) -> None:
    """The two sums in one float: as the lower is below base/2, rounding finds the upper."""
    half = both.shape[1]
    upper = out[:, half:]
    np.rint(np.multiply(both, 1 / base, out=upper), out=upper)
    np.subtract(both, upper * base, out=out[:, :half])


def _windows(x: Floats, op: ops.Conv, out: TensorType, buffer: Floats) -> Floats:
    """The windows of n frames (n * out height * out width, MW), in a buffer that the caches hold."""
    windows = buffer[: len(x)]
    for i, j in np.ndindex(op.weights.shape[1:3]):
        windows[:, :, :, i, j] = _tap(x, i * op.dilation[0], j * op.dilation[1], op.stride, out.shape)
    return windows.reshape(-1, int(np.prod(op.weights.shape[1:])))


@apply.register
def _depthwise(op: ops.DepthwiseConv, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    kind = _kind(weighted_bound(op.weights, sources[0].dtype))
    padded, weights = _padded(x[0], op, kind), op.weights.astype(kind)
    y = np.zeros((len(padded), *out.shape), kind)
    for i, j in np.ndindex(op.weights.shape[1:3]):
        y += _tap(padded, i * op.dilation[0], j * op.dilation[1], op.stride, out.shape) * weights[:, i, j, 0]
    return y


@apply.register
def _threshold(op: ops.Threshold, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    # Thresholds beyond the range of the input act like those at its ends, which its float type holds.
    T = np.clip(op.thresholds, sources[0].dtype.lo, sources[0].dtype.hi + 1).astype(x[0].dtype)
    steps = op.output.steps
    count = _compared(x[0], T) if steps <= COMPARE_UP_TO else _searched(x[0], T)
    if op.inverted:
        count = np.where(channel_mask(op.inverted, len(T)), steps - count, count)
    y = count.astype(np.float32)
    if op.output == BIPOLAR:
        y *= 2
        y -= 1
    elif op.output.lo:
        y += op.output.lo
    return y


def _compared(x: Floats, T: Floats) -> NDArray[Any]:
    count = (x >= T[:, 0]).view(np.uint8)
    for k in range(1, T.shape[1]):
        count += (x >= T[:, k]).view(np.uint8)
    return count


def _searched(x: Floats, T: Floats) -> NDArray[Any]:
    channels = np.ascontiguousarray(x.reshape(-1, len(T)).T)
    found = np.empty(channels.shape, np.float32)
    for c, row in enumerate(channels):
        found[c] = np.searchsorted(T[c], row, side="right")
    return np.ascontiguousarray(found.T).reshape(x.shape)


@apply.register
def _requant(op: ops.Requant, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    kind = _kind(largest(out.dtype))
    ends = int(np.abs(op.multiplier).max()) * largest(sources[0].dtype) + int(np.abs(op.offset).max()) + (1 << op.shift)
    if ends >= 1 << 52:
        y = rounded_shift(x[0].astype(np.int64) * op.multiplier + op.offset, op.shift, op.rounding)
        return np.asarray(np.clip(y, op.output.lo, op.output.hi), kind)
    # Below 2^52 neither the sum nor its scaling by a power of two nor the half rounds.
    scale = 2.0**-op.shift
    y = np.multiply(x[0], op.multiplier * scale, dtype=np.float64)
    y += op.offset * scale
    if op.rounding == "half_even":
        np.rint(y, out=y)
    else:
        y += 0.5
        np.floor(y, out=y)
    return np.asarray(np.clip(y, op.output.lo, op.output.hi, out=y), kind)


@apply.register
def _max_pool(op: ops.MaxPool, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    sign = np.where(channel_mask(op.minimum, out.shape[2]), -1, 1).astype(x[0].dtype)
    frames = x[0] * sign if op.minimum else x[0]
    y = _tap(frames, 0, 0, op.stride, out.shape).copy()
    for i, j in np.ndindex(op.kernel):
        np.maximum(y, _tap(frames, i, j, op.stride, out.shape), out=y)
    return np.asarray(y * sign if op.minimum else y)


@apply.register
def _acc_pool(op: ops.AccPool, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    y = np.zeros((len(x[0]), *out.shape), _kind(largest(out.dtype)))
    for i, j in np.ndindex(op.kernel):
        y += _tap(x[0], i, j, op.stride, out.shape)
    return y


@apply.register
def _upsample(op: ops.Upsample, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    return x[0].repeat(op.scale[0], axis=1).repeat(op.scale[1], axis=2)


@apply.register
def _add(op: ops.Add, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    return np.add(x[0], x[1], dtype=_kind(largest(out.dtype)))


@apply.register
def _concat(op: ops.Concat, out: TensorType, sources: tuple[TensorType, ...], *x: Floats) -> Floats:
    return np.concatenate(x, axis=3, dtype=_kind(largest(out.dtype)))
