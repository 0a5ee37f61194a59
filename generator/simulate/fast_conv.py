"""Convolutions of the fast engine: products of gathered windows with the weights, and thresholds on the sums.

Frames pass in blocks that the caches hold. Of a block the windows along rows are gathered, and the products of every
kernel row are added: that copies each pixel K_w times instead of K_h * K_w times.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from generator.datatypes import BIPOLAR, DataType, IntArray
from generator.layers.window import Pair
from generator.network.integer_ops import Conv, DepthwiseConv, TensorType, Threshold, channel_mask

#: Floats or integers of any width that hold the integers of a tensor.
Numbers = NDArray[Any]
Kind = type[np.floating[Any]]
#: Up to this many thresholds comparing with each is faster than searching.
COMPARE_UP_TO = 31
#: The windows of a block of frames take about this much memory.
WINDOW_BYTES = 1 << 20
#: Below this many columns of a kernel row one product of whole windows is faster than one per kernel row.
MIN_COLUMNS = 64


def exact_float(bound: int) -> Kind | None:
    """The smallest float type that holds all integers up to `bound` and half steps of requantizers between them."""
    if bound < 1 << 24:
        return np.float32
    return np.float64 if bound < 1 << 53 else None


def kind_of(bound: int) -> Kind:
    """The float type for integers up to `bound`, of which the engine knows that there is one."""
    kind = exact_float(bound)
    assert kind is not None  # the engine looks before it starts
    return kind


def largest(dtype: DataType) -> int:
    """The largest magnitude of a type."""
    return max(abs(dtype.lo), abs(dtype.hi))


def weighted_bound(weights: IntArray, dtype: DataType) -> int:
    """What no partial sum of a row (one per first axis) of weights times inputs of `dtype` exceeds."""
    return int(np.abs(weights).reshape(len(weights), -1).sum(1).max()) * largest(dtype)


def rows_first(x: Numbers, op: Conv | DepthwiseConv, kind: Kind) -> Numbers:
    """Frames (N, height, width, C), padded and in floats, as (height, N, width, C)."""
    top, left, bottom, right = op.pad
    n, height, width, channels = x.shape
    y = np.empty((top + height + bottom, n, left + width + right, channels), kind)
    if any(op.pad):
        y.fill(op.pad_value)
    y[top : top + height, :, left : left + width] = x.transpose(1, 0, 2, 3)
    return y


@dataclass(frozen=True, eq=False)
class _Columns:
    """The weights of a convolution as floats: one matrix (columns, MH) per product whose sum is wanted.

    With a base, (columns, MH/2) make two small sums at once: that of row r plus `base` times that of row r + MH/2.
    """

    kind: Kind
    bound: int
    matrices: Numbers
    base: int | None


@lru_cache(maxsize=128)  # batches of a run share what is made of the weights
def _columns(op: Conv, dtype: DataType) -> _Columns:
    bound = weighted_bound(op.effective_weights, dtype)
    mh, k_h, k_w, c_in = op.weights.shape
    products = k_h if k_w * c_in >= MIN_COLUMNS else 1
    matrices = op.effective_weights.reshape(mh, products, -1).transpose(1, 2, 0)
    base = 1 << (2 * bound).bit_length()
    # Sums, and cuts one step beyond them, stay exact in both places of a float.
    two = mh % 2 == 0 and base * (bound + 2) <= 1 << 24
    if two:
        matrices = matrices[..., : mh // 2] + base * matrices[..., mh // 2 :]
    kind = kind_of(bound)
    return _Columns(kind, bound, np.ascontiguousarray(matrices, kind), base if two else None)


def _windows(x: Numbers, op: Conv, out: Pair, whole: bool) -> Numbers:
    """Windows of padded frames (height, n, width, C): the whole kernel's (out height, n * out width, K_h * K_w * C),
    or those of single rows (height, n * out width, K_w * C)."""
    _, k_h, k_w, channels = op.weights.shape
    height, n, width, pixel = x.strides
    rows, taps, step = (out[0], k_h, op.stride[0]) if whole else (len(x), 1, 1)
    view = as_strided(x, (rows, x.shape[1], out[1], taps, k_w, channels),
                      (step * height, n, op.stride[1] * width, op.dilation[0] * height, op.dilation[1] * width, pixel))
    return np.ascontiguousarray(view).reshape(rows, x.shape[1] * out[1], -1)


def _sums(x: Numbers, op: Conv, columns: _Columns, out: Pair) -> Numbers:
    """The products of a block (height, n, width, C) with the matrices, summed: (out height, n, out width, MH)."""
    whole = len(columns.matrices) == 1
    windows = _windows(x, op, out, whole)
    stride, dilation = (1, 1) if whole else (op.stride[0], op.dilation[0])
    total: Numbers | None = None
    for i, matrix in enumerate(columns.matrices):
        rows = windows[i * dilation : i * dilation + (out[0] - 1) * stride + 1 : stride]
        product = rows.reshape(-1, len(matrix)) @ matrix
        total = product if total is None else np.add(total, product, out=total)
    assert total is not None
    return total.reshape(out[0], x.shape[1], out[1], -1)


def _upper(both: Numbers, base: int) -> Numbers:
    """`base` times the upper of two sums in one float: next to this magic number floats are multiples of `base`."""
    magic = 1.5 * 2**23 * base
    rounded = both + magic
    return np.subtract(rounded, magic, out=rounded)


def _write_sums(both: Numbers, columns: _Columns, y: Numbers) -> None:
    if columns.base is None:
        y[...] = both
    else:
        half, upper = both.shape[-1], _upper(both, columns.base)
        np.subtract(both, upper, out=y[..., :half])
        np.multiply(upper, 1 / columns.base, out=y[..., half:])


def _write_counts(both: Numbers, columns: _Columns, T: Numbers, y: Numbers) -> None:
    """Thresholds T (MH, N) <= their sums, counted into y (..., MH)."""
    if columns.base is None:
        count_compared(both, T, y)
    else:
        half = both.shape[-1]
        # upper >= T decides as both >= base * T - bound: |lower| <= bound < base / 2.
        count_compared(both, columns.base * T[half:] - columns.bound, y[..., half:])
        count_compared(both - _upper(both, columns.base), T[:half], y[..., :half])


def count_compared(x: Numbers, T: Numbers, count: NDArray[np.uint8]) -> None:
    """Count the thresholds T (C, N) <= x (..., C)."""
    np.greater_equal(x, T[:, 0], out=count.view(np.bool_))
    for k in range(1, T.shape[1]):
        count += (x >= T[:, k]).view(np.uint8)


def clipped_thresholds(op: Threshold, dtype: DataType, kind: Kind) -> Numbers:
    """Thresholds beyond the range of the input act like those at its ends, which its float type holds."""
    return np.clip(op.thresholds, dtype.lo, dtype.hi + 1).astype(kind)


def decoded(op: Threshold, count: NDArray[Any]) -> Numbers:
    """The values for counts (..., C) of integers, in the smallest integers that hold them."""
    if op.inverted:
        count = np.where(channel_mask(op.inverted, len(op.thresholds)), op.output.steps - count, count)
    # Integers wrap: a count beyond the type comes back with the offset.
    y = count.astype(_storage(op.output), copy=False)
    if op.output == BIPOLAR:
        np.multiply(y, 2, out=y)
    return np.add(y, op.output.lo, out=y) if op.output.lo else y


def _storage(dtype: DataType) -> type[np.integer[Any]]:
    """The smallest NumPy integers that hold a type."""
    fitting: list[type[np.integer[Any]]] = [np.uint8, np.int8, np.int16, np.int32, np.int64]
    return next(kind for kind in fitting if np.iinfo(kind).min <= dtype.lo and dtype.hi <= np.iinfo(kind).max)


def _blocks(frames: int, frame_bytes: int) -> Iterator[slice]:
    step = max(1, WINDOW_BYTES // frame_bytes)
    return (slice(start, start + step) for start in range(0, frames, step))


def convolve(op: Conv, source: TensorType, out: TensorType, threshold: Threshold | None, x: Numbers) -> Numbers:
    """The sums of a convolution (N, height, width, MH) in floats, or with `threshold` its values in integers.

    x: (N, height, width, C) of type `source`; out: the type of the sums.
    """
    columns = _columns(op, source.dtype)
    shape = (len(x), *out.shape)
    y = np.empty(shape, columns.kind if threshold is None else np.uint8)
    T = None if threshold is None else clipped_thresholds(threshold, out.dtype, columns.kind)
    windows = (out.shape[0] if len(columns.matrices) == 1 else source.shape[0]) * out.shape[1]
    for block in _blocks(len(x), windows * columns.matrices[0].shape[0] * np.dtype(columns.kind).itemsize):
        sums = _sums(rows_first(x[block], op, columns.kind), op, columns, out.shape[:2])
        place = y[block].transpose(1, 0, 2, 3)
        if T is None:
            _write_sums(sums, columns, place)
        else:
            _write_counts(sums, columns, T, place)
    return y if threshold is None else decoded(threshold, y)
