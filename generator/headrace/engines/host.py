"""What the host does before and after the accelerator, in NumPy; the drivers render the same formulas."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from math import floor
from typing import overload

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import BIPOLAR, IntArray
from headrace.errors import InputError
from headrace.network import tensor_ops
from headrace.network.activation import Activation
from headrace.network.integer import HostInput, HostInputs, HostOutput, HostOutputs
from headrace.network.rounding import FRACTIONS_UP, TIES_UP, round_to_integer

Float32Array = NDArray[np.float32]
#: Samples of the only input or output (N, ...), or of several by name.
Samples = Float32Array | Mapping[str, Float32Array]
HALF = Fraction(1, 2)
#: Relative distance from a decision point below which float64 is not trusted, many times its rounding.
NEAR = 2.0**-48
#: Samples pass in blocks that the caches hold.
BLOCK_ELEMENTS = 1 << 15


def to_stream(host: HostInput | HostInputs, x: Samples) -> IntArray:
    """Samples -> integers (N, elements) in stream order; those of several inputs by name, one behind the other.

    Raises InputError for another shape, for NaN or infinite values, and for values that must not saturate.
    """
    if isinstance(host, HostInput):
        return _input_to_stream("input", host, x if isinstance(x, np.ndarray) else x[host.name])
    assert isinstance(x, Mapping)
    parts = [_input_to_stream(f"input {part.name}", part, x[part.name]) for part in host.parts]
    return np.concatenate(parts, axis=1)


def _input_to_stream(what: str, host: HostInput, x: Float32Array) -> IntArray:
    """Samples (N, *host.shape) -> integers (N, H*W*C) in stream order; errors call the input `what`.

    q = clip(round((scale * x + offset) / divisor)), decided exactly: in float64, and in fractions next to a decision
    point.
    """
    if x.shape[1:] != host.shape:
        raise InputError(f"{what}: samples of shape {x.shape[1:]} meet a network for {host.shape}; reshape the "
                         f"array to (N, {', '.join(map(str, host.shape))})")
    if not np.all(np.isfinite(x)):
        raise InputError(f"{what}: {np.count_nonzero(~np.isfinite(x))} values are NaN or infinite; remove them")
    height, width, channels = host.tensor.shape
    if host.order is not None:
        x = x.reshape(len(x), -1)[:, host.order]
    frames = x.reshape(-1, channels, height, width).transpose(0, 2, 3, 1)
    codes = np.empty(frames.shape, np.int64)
    step = max(1, BLOCK_ELEMENTS // math.prod(host.tensor.shape))
    for start in range(0, len(x), step):
        codes[start : start + step] = _codes(what, host, frames[start : start + step].astype(np.float64))
    return codes.reshape(len(x), -1)


def _codes(what: str, host: HostInput, frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """Integers for frames (N, height, width, C)."""
    rounded = rounded_frames(host, frames)
    dtype = host.tensor.dtype
    if not host.saturates and (outside := (rounded < dtype.lo) | (rounded > dtype.hi)).any():
        value = float(frames[outside][0])
        lo, hi = value_range(host)
        raise InputError(f"{what}: the value {value:g} lies outside the range from {lo:g} to {hi:g} in which "
                         "the model's input is read; scale the data, or add a quantizer to the model to choose "
                         "another range")
    return np.clip(rounded, dtype.lo, dtype.hi, out=rounded)


def value_range(host: HostInput) -> tuple[float, float]:
    """The values of the first channel that the lowest and the highest code mean."""
    ends = (host.tensor.dtype.lo, host.tensor.dtype.hi)
    lo, hi = (_line(host, np.full(host.tensor.shape[2], float(end)), inverse=True)[0] for end in ends)
    return float(lo), float(hi)


def _line(host: HostInput, x: NDArray[np.float64], inverse: bool = False) -> NDArray[np.float64]:
    """(scale * x + offset) / divisor for x (..., C) in float64, or the x that gives such values."""
    divisor = np.ones(1) if host.divisor is None else host.divisor
    return (x * divisor - host.offset) / host.scale if inverse else (x * host.scale + host.offset) / divisor


def rounded_frames(host: HostInput, frames: NDArray[np.float64]) -> NDArray[np.float64]:
    """The nearest integers by the host's rule, bipolar: signs."""
    y = _line(host, frames)
    bipolar = host.tensor.dtype == BIPOLAR
    rounded = np.where(y >= 0, 1.0, -1.0) if bipolar else round_to_integer(y, host.rounding)
    if float64_decides(host):
        return rounded
    near = _undecided(host, frames, y)
    for c in np.flatnonzero(near.any((0, 1, 2))).tolist():
        values, places = np.unique(frames[..., c][near[..., c]], return_inverse=True)
        exact = [_decided(host, c, Fraction(value)) for value in values.tolist()]
        rounded[..., c][near[..., c]] = np.asarray(exact, np.float64)[places]
    return rounded


def _undecided(host: HostInput, frames: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Where float64 may be on the wrong side of a decision point."""
    # All decision points of all rules are multiples of 1/2.
    distance = np.abs(y) if host.tensor.dtype == BIPOLAR else np.abs(2 * y - np.rint(2 * y))
    size = _line(replace(host, scale=np.abs(host.scale), offset=np.abs(host.offset)), np.abs(frames))
    return np.asarray(distance <= NEAR * size)


def float64_decides(host: HostInput) -> bool:
    """True where quotients x/d of two float32 numbers are taken: up to 2^28 float64 rounds none across a tie.

    For 24-bit x and d and a multiple t of 1/2, |x/d - t| is 0 or more than 2^-25, or 2^-25 |x/d| where |x/d| < 1;
    float64 rounds a quotient by 2^-53 of it, and by 2^-26 below 2^28. Beyond, d must be a power of two.
    """
    mantissas, _ = np.frexp(host.scale)
    divisor = np.ones(1) if host.divisor is None else host.divisor
    reaches = max(-host.tensor.dtype.lo, host.tensor.dtype.hi)
    exact = (np.all(divisor == divisor.astype(np.float32)) if reaches <= 1 << 28
             else np.all(np.frexp(divisor)[0] == 0.5))
    return bool(np.all(np.abs(mantissas) == 0.5) and not host.offset.any() and exact)


def _decided(host: HostInput, c: int, x: Fraction) -> int:
    """The code of one value in exact arithmetic."""
    scale, offset, divisor = (Fraction(float(values[c if len(values) > 1 else 0]))
                              for values in (host.scale, host.offset, np.ones(1) if host.divisor is None
                                             else host.divisor))
    y = (scale * x + offset) / divisor
    if host.tensor.dtype == BIPOLAR:
        return 1 if y >= 0 else -1
    whole = floor(y)
    rest = y - whole
    if host.rounding in TIES_UP:
        up = rest > HALF or (rest == HALF and TIES_UP[host.rounding](whole + 1))
    else:
        up = rest > 0 and FRACTIONS_UP[host.rounding](whole + 1)
    return whole + up


#: Heads by name: values (N, C, ...) to what the model gives.
_HEADS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "none": lambda y: y,
    "argmax": lambda y: np.argmax(y, axis=1).astype(np.float64),
    "softmax": tensor_ops.Softmax().forward,
    "logsoftmax": tensor_ops.LogSoftmax().forward,
    "max": tensor_ops.Maximum().forward,
    "sigmoid": Activation("sigmoid").forward,
    "tanh": Activation("tanh").forward,
}


def by_name(host: HostOutputs, q: IntArray) -> dict[str, IntArray]:
    """The integers (N, elements) of every output, in stream order, from those of a frame of all."""
    ends = np.cumsum([part.elements for part in host.parts])[:-1]
    return {part.name: values for part, values in zip(host.parts, np.split(q, ends, axis=1), strict=True)}


@overload
def from_stream(host: HostOutput, q: IntArray) -> Float32Array: ...
@overload
def from_stream(host: HostOutputs, q: IntArray) -> dict[str, Float32Array]: ...
@overload
def from_stream(host: HostOutput | HostOutputs, q: IntArray) -> Samples: ...


def from_stream(host: HostOutput | HostOutputs, q: IntArray) -> Samples:
    """Integers (N, elements) in stream order -> outputs as the model gives them, several by name."""
    if isinstance(host, HostOutput):
        return _output_from_stream(host, q)
    values = by_name(host, q)
    return {part.name: _output_from_stream(part, values[part.name]) for part in host.parts}


def _output_from_stream(host: HostOutput, q: IntArray) -> Float32Array:
    """Integers (N, elements) in stream order -> outputs as the model gives them, y = scale * q + offset in float64.

    The head is applied over the first axis after the batch; see HostOutput.
    """
    channels = len(host.scale)
    y = q.reshape(len(q), -1, channels) * host.scale + host.offset
    y = y.transpose(0, 2, 1).reshape(len(q), -1)
    y = (y if host.before is None else y[:, host.before]).reshape(len(q), *host.shape)
    y = tensor_ops.TopK(host.k).forward(y) if host.head == "topk" else _HEADS[host.head](y)
    if host.order is not None:
        y = y.reshape(len(q), -1)[:, host.order]
    return (y if host.result is None else y.reshape(len(q), *host.result)).astype(np.float32)
