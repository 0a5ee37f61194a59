"""Where the code of a sample changes: float32 numbers that say the same as the exact rule of the host's side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import BIPOLAR, IntArray
from headrace.engines.host import rounded_frames
from headrace.network.integer import HostInput

Float32Array = NDArray[np.float32]
#: Widest input whose points are listed: 65,537 numbers per channel.
MAX_INPUT_BITS = 16


def has_points(host: HostInput) -> bool:
    """True if the input has few enough codes for a list of its decision points."""
    return host.tensor.dtype.bits <= MAX_INPUT_BITS


def decision_points(host: HostInput) -> tuple[Float32Array, Float32Array]:
    """Signs (C,) and, for each channel, ascending float32 numbers (C, codes + 1).

    A finite sample x of channel c has the k-th code, k from 0 on, if points[c, k] <= signs[c] * x < points[c, k + 1];
    what lies below the first point or from the last one on is outside the range of the input. Found by bisection of
    the float32 numbers with the exact rule, which is monotone.
    """
    dtype = host.tensor.dtype
    signs = np.where(host.scale < 0, -1.0, 1.0).astype(np.float32) * np.ones(host.tensor.shape[2], np.float32)
    codes = np.array([1]) if dtype == BIPOLAR else np.arange(dtype.lo, dtype.hi + 2)
    points = np.stack([_first_with(host, c, float(sign), codes) for c, sign in enumerate(signs)])
    if dtype == BIPOLAR:  # every finite number has a sign
        ends = np.full((len(points), 1), np.inf, np.float32)
        points = np.concatenate([-ends, points, ends], axis=1)
    return signs, points


def _first_with(host: HostInput, c: int, sign: float, codes: IntArray) -> Float32Array:
    """The least v, as float32 and maybe infinite, for which sample sign * v rounds to each code or more."""
    one_channel = replace(
        host, shape=(1, 1, 1), tensor=replace(host.tensor, shape=(1, 1, 1)), scale=_of(host.scale, c),
        offset=_of(host.offset, c), divisor=None if host.divisor is None else _of(host.divisor, c),
    )
    limit = _ordinal(np.array([np.finfo(np.float32).max], np.float32))[0]
    low, high = np.full(len(codes), -limit - 1), np.full(len(codes), limit + 1)  # beyond every finite number
    while (high - low > 1).any():
        middle = (low + high) // 2
        samples = (sign * _float32(middle)).astype(np.float64)
        reached = rounded_frames(one_channel, samples.reshape(-1, 1, 1, 1)).reshape(-1) >= codes
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    points = _float32(np.clip(high, -limit, limit))
    return np.where(high > limit, np.float32(np.inf), points).astype(np.float32)


def _of(values: NDArray[np.float64], c: int) -> NDArray[np.float64]:
    return values[c : c + 1] if len(values) > 1 else values


def _ordinal(x: Float32Array) -> IntArray:
    """The place of a float32 number among all of them, 0 for 0."""
    bits = x.view(np.int32).astype(np.int64)
    return np.asarray(np.where(bits < 0, -(bits & 0x7FFFFFFF), bits))


def _float32(ordinals: IntArray) -> Float32Array:
    """The float32 numbers of these places."""
    bits = np.where(ordinals < 0, -ordinals | 0x80000000, ordinals)
    return np.asarray(bits.astype(np.uint32).view(np.float32))
