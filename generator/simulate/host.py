"""What the host does before and after the accelerator, in NumPy; the drivers render the same formulas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from generator.datatypes import BIPOLAR, IntArray
from generator.errors import InputError
from generator.network.integer import HostInput, HostOutput
from generator.network.ops import round_to_integer

Float32Array = NDArray[np.float32]


def to_stream(host: HostInput, x: Float32Array) -> IntArray:
    """Samples (N, *host.shape) -> integers (N, H*W*C) in stream order.

    q = clip(round(scale * x + offset)) in float64. Raises InputError for another shape and for NaN or infinite values.
    """
    if x.shape[1:] != host.shape:
        raise InputError(f"input: samples of shape {x.shape[1:]} meet a network for {host.shape}; reshape the array "
                         f"to (N, {', '.join(map(str, host.shape))})")
    if not np.all(np.isfinite(x)):
        raise InputError(f"input: {np.count_nonzero(~np.isfinite(x))} values are NaN or infinite; remove them")
    height, width, channels = host.tensor.shape
    frames = np.asarray(x, np.float64).reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    scaled = frames * host.scale + host.offset
    dtype = host.tensor.dtype
    if dtype == BIPOLAR:
        codes = np.where(scaled >= 0, 1, -1)
    else:
        codes = np.clip(round_to_integer(scaled, host.rounding), dtype.lo, dtype.hi)
    return codes.astype(np.int64).reshape(len(x), -1)


def _softmax(y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Softmax over the first axis after the batch, shifted by the maximum so that nothing overflows."""
    powers = np.exp(y - y.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def from_stream(host: HostOutput, q: IntArray) -> Float32Array:
    """Integers (N, elements) in stream order -> outputs (N, *host.shape), y = scale * q + offset in float64.

    The head is applied over the first axis after the batch: argmax drops it.
    """
    channels = len(host.scale)
    y = q.reshape(len(q), -1, channels) * host.scale + host.offset
    y = y.transpose(0, 2, 1).reshape(len(q), *host.shape)
    if host.head == "argmax":
        y = np.argmax(y, axis=1).astype(np.float64)
    elif host.head == "softmax":
        y = _softmax(y)
    return y.astype(np.float32)
