"""Exact integers through BLAS, for accuracy runs: floats hold the integers, and no product or sum can round."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from generator.datatypes import BIPOLAR, DataType, IntArray
from generator.errors import UnsupportedError
from generator.network.integer import INPUT, Conv, IntegerNetwork, MaxPool, Threshold

#: Up to this many thresholds comparing with each is faster than searching.
COMPARE_UP_TO = 15
BATCH = 256


def _exact_float(name: str, rows: IntArray, dtype: DataType) -> type[np.floating[Any]]:
    """The smallest float type in which every partial sum of rows (MH, MW) times inputs of `dtype` is exact."""
    bound = int(np.abs(rows).sum(1).max()) * max(abs(dtype.lo), abs(dtype.hi))
    if bound < 1 << 24:
        return np.float32
    if bound < 1 << 53:
        return np.float64
    raise UnsupportedError(f"{name}: sums reach {bound}, beyond the exact range 2^53 of the fast engine; "
                           "use the golden engine")


def _conv(name: str, op: Conv, x: IntArray, dtype: DataType) -> IntArray:
    top, left, bottom, right = op.pad
    c_out, k_h, k_w, c_in = op.weights.shape
    rows = op.weights.reshape(c_out, -1)
    kind = _exact_float(name, rows, dtype)
    padded = np.pad(x.astype(kind), ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=op.pad_value)
    extent = [(k - 1) * d + 1 for k, d in zip((k_h, k_w), op.dilation, strict=True)]
    windows: NDArray[Any] = sliding_window_view(padded, extent, axis=(1, 2))
    windows = windows[:, :: op.stride[0], :: op.stride[1], :, :: op.dilation[0], :: op.dilation[1]]
    n, height, width = windows.shape[:3]
    columns = windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * height * width, k_h * k_w * c_in)
    return (columns @ rows.T.astype(kind)).astype(np.int64).reshape(n, height, width, c_out)


def _threshold(name: str, op: Threshold, x: IntArray, dtype: DataType) -> IntArray:
    T = op.thresholds
    count = np.zeros(x.shape, np.int64)
    if T.shape[1] <= COMPARE_UP_TO:
        for k in range(T.shape[1]):
            count += x >= T[:, k]
    else:
        for c in range(len(T)):
            count[..., c] = np.searchsorted(T[c], x[..., c], side="right")
    return 2 * count - 1 if op.output == BIPOLAR else op.output.lo + count


def _max_pool(name: str, op: MaxPool, x: IntArray, dtype: DataType) -> IntArray:
    sign = np.asarray([-1 if c in op.minimum else 1 for c in range(x.shape[3])], np.int64)
    windows: NDArray[Any] = sliding_window_view(x * sign, op.kernel, axis=(1, 2))
    return np.asarray(windows[:, :: op.stride[0], :: op.stride[1]].max((-2, -1)) * sign)


_OPS: dict[type, Callable[[str, Any, IntArray, DataType], IntArray]] = {
    Conv: _conv, Threshold: _threshold, MaxPool: _max_pool}


def _run_batch(net: IntegerNetwork, x: IntArray) -> dict[str, IntArray]:
    values = {INPUT: x}
    for node in net.nodes:
        source = node.inputs[0]
        values[node.name] = _OPS[type(node.op)](node.name, node.op, values[source], net.types[source].dtype)
    return values


def run(net: IntegerNetwork, x: IntArray, keep: Collection[str] | None = None) -> dict[str, IntArray]:
    """The integers of every tensor, or of those named in `keep`.

    x: (N, H, W, C) or (N, H*W*C) -> tensor name: (N, height, width, channels). Raises UnsupportedError where a sum
    could leave the range in which floats are exact.
    """
    frames = x.reshape(-1, *net.types[INPUT].shape)
    kept = net.types if keep is None else keep
    parts: dict[str, list[IntArray]] = {name: [] for name in kept}
    for start in range(0, len(frames), BATCH):
        values = _run_batch(net, frames[start : start + BATCH])
        for name in kept:
            parts[name].append(values[name])
    return {name: np.concatenate(part) for name, part in parts.items()}
