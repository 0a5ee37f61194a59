"""Convolutions of the fast engine: products of pixels with the weights, and thresholds on their sums.

Tensors are (height, width, N, channels): the pixels that one tap of the kernel meets in a row of windows of all frames
lie side by side, and no window needs to be gathered. Frames and rows pass in blocks that the caches hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from headrace.datatypes import BIPOLAR, DataType, IntArray, as_int
from headrace.layers.window_geometry import Pair
from headrace.network.integer_ops import Conv, DepthwiseConv, TensorType, Threshold

#: Floats or integers of any width that hold the integers of a tensor.
Numbers = NDArray[Any]
Kind = type[np.floating[Any]]
#: Up to this many thresholds comparing with each is faster than searching.
COMPARE_UP_TO = 31
#: Products of matrices are fastest up to this many multiplications: OpenBLAS takes small matrices as they lie.
PRODUCT_SIZE = 1_000_000
#: The sums of a block of rows, with the windows where these are gathered, take about this much memory.
BLOCK_BYTES = 1 << 19
#: Windows of fewer channels are gathered: one product per tap would be too thin.
MIN_CHANNELS = 32


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
    return int(np.abs(as_int(weights)).reshape(len(weights), -1).sum(1).max()) * largest(dtype)


def tap(x: Numbers, i: int, j: int, stride: Pair, out: tuple[int, ...]) -> Numbers:
    """The pixels that tap (i, j) of every window sees, (out height, out width, N, C)."""
    rows = slice(i, i + (out[0] - 1) * stride[0] + 1, stride[0])
    return x[rows, j : j + (out[1] - 1) * stride[1] + 1 : stride[1]]


def padded(x: Numbers, op: Conv | DepthwiseConv, kind: Kind) -> Numbers:
    """Frames (height, width, N, C) in floats with the convolution's padding."""
    top, left, bottom, right = op.pad
    height, width, n, channels = x.shape
    if not any(op.pad):
        return x.astype(kind)
    y = np.full((top + height + bottom, left + width + right, n, channels), op.pad_value, kind)
    y[top : top + height, left : left + width] = x
    return y


@dataclass(frozen=True, eq=False)
class _Columns:
    """The weights of a convolution as floats: one matrix (columns, MH) per tap, or one for whole windows.

    With a base, (columns, MH/2) make two small sums at once: that of row r plus `base` times that of row r + MH/2.
    """

    kind: Kind
    bound: int
    matrices: Numbers
    base: int | None

    @property
    def window_bytes(self) -> int:
        """The memory that the sums of a window take, and the window where it is gathered."""
        products, columns, mh = self.matrices.shape
        return int(np.dtype(self.kind).itemsize * (mh + (columns if products == 1 else mh)))


@lru_cache(maxsize=128)  # batches of a run share what is made of the weights
def _columns(op: Conv, dtype: DataType) -> _Columns:
    bound = weighted_bound(op.effective_weights, dtype)
    mh, k_h, k_w, c_in = op.weights.shape
    products = k_h * k_w if c_in >= MIN_CHANNELS else 1
    matrices = as_int(op.effective_weights).reshape(mh, products, -1).transpose(1, 2, 0)
    base = 1 << (2 * bound).bit_length()
    # Sums, and cuts one step beyond them, stay exact in both places of a float.
    two = mh % 2 == 0 and base * (bound + 2) <= 1 << 24
    if two:
        matrices = matrices[..., : mh // 2] + base * matrices[..., mh // 2 :]
    kind = kind_of(bound)
    return _Columns(kind, bound, np.ascontiguousarray(matrices, kind), base if two else None)


def _windows(x: Numbers, op: Conv, out: Pair) -> Numbers:
    """Whole windows (out height, out width, n, K_h * K_w * C) of padded frames (height, width, n, C)."""
    _, k_h, k_w, channels = op.weights.shape
    height, width, frame, channel = x.strides
    view = as_strided(x, (*out, x.shape[2], k_h, k_w, channels),
                      (op.stride[0] * height, op.stride[1] * width, frame,
                       op.dilation[0] * height, op.dilation[1] * width, channel))
    return view.reshape(*out, x.shape[2], -1)


def _sums(x: Numbers, op: Conv, columns: _Columns, out: Pair) -> Numbers:
    """Sums (out height, out width, n, matrix columns) of the first windows of padded frames (height, width, n, C)."""
    if len(columns.matrices) == 1:
        operands = [_windows(x, op, out)]
    else:
        operands = [tap(x, i * op.dilation[0], j * op.dilation[1], op.stride, out)
                    for i, j in np.ndindex(op.weights.shape[1:3])]
    total: Numbers | None = None
    for operand, matrix in zip(operands, columns.matrices, strict=True):
        product = operand.reshape(out[0], -1, len(matrix)) @ matrix
        total = product if total is None else np.add(total, product, out=total)
    assert total is not None
    return total.reshape(*out, x.shape[2], -1)


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
        y[...] = count_compared(both, T)
    else:
        half = both.shape[-1]
        # upper >= T decides as both >= base * T - bound: |lower| <= bound < base / 2.
        y[..., half:] = count_compared(both, columns.base * T[half:] - columns.bound)
        y[..., :half] = count_compared(both - _upper(both, columns.base), T[:half])


def count_compared(x: Numbers, T: Numbers) -> NDArray[np.uint8]:
    """The number of thresholds T (C, K) <= x (height, width, N, C)."""
    frames = np.repeat(T.T[:, None], x.shape[2], axis=1)  # comparing with as many values is faster than broadcasting
    count: NDArray[np.uint8] = (x >= frames[0]).view(np.uint8)
    for values in frames[1:]:
        count += (x >= values).view(np.uint8)
    return count


def clipped_thresholds(op: Threshold, dtype: DataType, kind: Kind) -> Numbers:
    """Thresholds beyond the range of the input act like those at its ends, which its float type holds."""
    return np.clip(op.thresholds, dtype.lo, dtype.hi + 1).astype(kind)


def decoded(op: Threshold, count: NDArray[Any]) -> Numbers:
    """The values for counts (..., C) of integers, in the smallest integers that hold them."""
    if op.inverted:
        count = np.where(np.isin(np.arange(len(op.thresholds)), list(op.inverted)), op.output.steps - count, count)
    # Integers wrap: a count beyond the type comes back with the offset.
    y = count.astype(_storage(op.output), copy=False)
    if op.output == BIPOLAR:
        np.multiply(y, 2, out=y)
    return np.add(y, op.output.lo, out=y) if op.output.lo else y


def _storage(dtype: DataType) -> type[np.integer[Any]]:
    """The smallest NumPy integers that hold a type."""
    fitting: list[type[np.integer[Any]]] = [np.uint8, np.int8, np.int16, np.int32, np.int64]
    return next(kind for kind in fitting if np.iinfo(kind).min <= dtype.lo and dtype.hi <= np.iinfo(kind).max)


def _blocks(size: int, step: int) -> Iterator[slice]:
    step = max(1, step)
    return (slice(start, min(start + step, size)) for start in range(0, size, step))


def convolve(op: Conv, source: TensorType, out: TensorType, threshold: Threshold | None, x: Numbers) -> Numbers:
    """The sums of a convolution (height, width, N, MH) in floats, or with `threshold` its values in integers.

    x: (height, width, N, C) of type `source`; out: the type of the sums.
    """
    columns = _columns(op, source.dtype)
    height, width, mh = out.shape
    y = np.empty((height, width, x.shape[2], mh), columns.kind if threshold is None else np.uint8)
    T = None if threshold is None else clipped_thresholds(threshold, out.dtype, columns.kind)
    taps = len(columns.matrices)
    at_once = x.shape[2] if taps == 1 else PRODUCT_SIZE // (width * columns.matrices[0].size)
    for frames in _blocks(x.shape[2], at_once):
        block = padded(x[:, :, frames], op, columns.kind)
        for rows in _blocks(height, BLOCK_BYTES // (width * block.shape[2] * columns.window_bytes)):
            sums = _sums(block[rows.start * op.stride[0] :], op, columns, (rows.stop - rows.start, width))
            if T is None:
                _write_sums(sums, columns, y[rows, :, frames])
            else:
                _write_counts(sums, columns, T, y[rows, :, frames])
    return y if threshold is None else decoded(threshold, y)
