"""The operations of an IntegerNetwork: frozen values that infer the type of their output, exact intervals included.

Tensors are (height, width, channels). The formulas are those of the streaming layers of the same names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from typing import Literal

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval, dot_product_interval, hull, narrow, signed_bits
from headrace.errors import InputError
from headrace.layers.requant import require_kink, sum_ends
from headrace.layers.window_geometry import Pair, out_size

Shape = tuple[int, int, int]
Pad = tuple[int, int, int, int]
#: Sums of a requantizer are native integers.
MAX_SUM_BITS = 63
#: Widest integers of a tensor: sums of a pair of them are native integers still.
MAX_ELEMENT_BITS = 62
#: Most channels, whose constants exact arithmetic goes through one by one.
MAX_CHANNELS = 1 << 18
#: Most elements of a tensor: hardware counts them in 32-bit integers.
MAX_ELEMENTS = (1 << 31) - 1


@dataclass(frozen=True)
class TensorType:
    """Shape (height, width, channels) and element type of a tensor. Raises InputError for what is too large."""

    shape: Shape
    dtype: DataType

    def __post_init__(self) -> None:
        require_channels(self.shape[2])
        if math.prod(self.shape) > MAX_ELEMENTS:
            raise InputError(f"has {math.prod(self.shape)} elements and at most {MAX_ELEMENTS} are possible; "
                             "use smaller images or fewer channels")
        if self.dtype.bits > MAX_ELEMENT_BITS:
            raise InputError(f"its integers need {self.dtype.bits} bits and at most {MAX_ELEMENT_BITS} are possible; "
                             "put a quantizer in front of it")


def require_channels(count: int) -> None:
    """Raise InputError for more channels than a tensor may have."""
    if count > MAX_CHANNELS:
        raise InputError(f"has {count} channels and at most {MAX_CHANNELS} are possible; use fewer")


def _windows(shape: Shape, kernel: Pair, stride: Pair, dilation: Pair, pad: Pad) -> Pair:
    """Windows (vertically, horizontally). Raises InputError where none fits."""
    top, left, bottom, right = pad
    out = (out_size(shape[0], kernel[0], stride[0], dilation[0], top, bottom),
           out_size(shape[1], kernel[1], stride[1], dilation[1], left, right))
    if min(out) < 1:
        raise InputError(f"kernel {kernel[0]}x{kernel[1]} with dilation {dilation} does not fit into "
                         f"{shape[0]}x{shape[1]} with pad {pad}; use a smaller kernel or larger images")
    return out


def _require_pad_code(pad: Pad, pad_value: int, dtype: DataType) -> None:
    """Raise InputError if a convolution pads with what its input's type does not hold."""
    if min(pad) < 0:
        raise InputError(f"pad {pad} must not be negative; use 0 or more")
    if any(pad) and not dtype.contains(np.asarray([pad_value])):
        raise InputError(f"pad value {pad_value} is not a value of {dtype}; use no padding, or an input that holds it")


@dataclass(frozen=True, eq=False)
class _Kernel:
    """Weights of type `weight`, kept narrow, and where they meet the frame; pad is (top, left, bottom, right)."""

    weights: IntArray
    weight: DataType
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    pad: Pad = (0, 0, 0, 0)
    pad_value: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", narrow(self.weights, self.weight))


@dataclass(frozen=True, eq=False)
class Conv(_Kernel):
    """Convolution with weights (C_out, K_h, K_w, C_in).

    scales: None, or unsigned integers (1 or C_out, K_h, 1 or K_w) that multiply the rows or pixels of the window.
    """

    scales: IntArray | None = None

    @property
    def effective_weights(self) -> IntArray:
        """(C_out, K_h, K_w, C_in) what the pixels of the window are multiplied by in all."""
        return self.weights if self.scales is None else self.weights * self.scales[..., None]

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output: the accumulators' exact reachable range."""
        c_out, k_h, k_w, c_in = self.weights.shape
        if c_in != x.shape[2]:
            raise InputError(f"weights for {c_in} input channels meet a tensor of {x.shape[2]} channels; "
                             "mend the weights or the layer before")
        legal = {(rows, k_h, columns) for rows in (1, c_out) for columns in (1, k_w)}
        if self.scales is not None and (self.scales.shape not in legal or self.scales.min() < 0):
            raise InputError(f"scales of shape {self.scales.shape} do not fit weights of shape {self.weights.shape}; "
                             "give unsigned ones of shape (1 or C_out, K_h, 1 or K_w)")
        _require_pad_code(self.pad, self.pad_value, x.dtype)
        out = _windows(x.shape, (k_h, k_w), self.stride, self.dilation, self.pad)
        return TensorType((*out, c_out), _accumulator(self.effective_weights, x.dtype))


@dataclass(frozen=True, eq=False)
class DepthwiseConv(_Kernel):
    """Convolution of every channel with its own kernel: weights (C, K_h, K_w, 1); otherwise as Conv."""

    @property
    def effective_weights(self) -> IntArray:
        """What the pixels of the window are multiplied by."""
        return self.weights

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output: the accumulators' exact reachable range."""
        channels, k_h, k_w, one = self.weights.shape
        if (channels, one) != (x.shape[2], 1):
            raise InputError(f"depthwise weights of shape {self.weights.shape} meet a tensor of {x.shape[2]} channels; "
                             f"give them the shape {(x.shape[2], k_h, k_w, 1)}")
        _require_pad_code(self.pad, self.pad_value, x.dtype)
        out = _windows(x.shape, (k_h, k_w), self.stride, self.dilation, self.pad)
        return TensorType((*out, channels), _accumulator(self.weights, x.dtype))


def _accumulator(weights: IntArray, dtype: DataType) -> Interval:
    rows = weights.reshape(len(weights), -1)
    largest = max(-int(rows.min()), int(rows.max())) * rows.shape[1] * max(-dtype.lo, dtype.hi)
    if (bits := largest.bit_length() + 1) > MAX_ELEMENT_BITS:  # NumPy's sums would wrap
        raise InputError(f"its sums may need {bits} bits and at most {MAX_ELEMENT_BITS} are possible; use narrower "
                         "weights or quantize its input")
    lo, hi = dot_product_interval(rows, dtype)
    return Interval(int(lo.min()), int(hi.max()))


@dataclass(frozen=True, eq=False)
class Threshold:
    """y = base + #{k : x >= T[c, k]}; thresholds (C, N) ascending along N; `output` has N steps (bipolar: N = 1).

    The channels in `inverted` take their count from N: y = base + N - #{k : x >= T[c, k]}.
    """

    thresholds: IntArray
    output: DataType
    inverted: frozenset[int] = frozenset()

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        wanted = (x.shape[2], self.output.steps)
        if self.thresholds.shape != wanted:
            raise InputError(f"thresholds of shape {self.thresholds.shape} should have shape {wanted}; "
                             "give one row per channel and one column per step of the output")
        if np.any(np.diff(self.thresholds, axis=1) < 0):
            raise InputError("thresholds are not ascending along their steps; "
                             "sort each row, and invert falling channels")
        if unknown := sorted(c for c in self.inverted if not 0 <= c < x.shape[2]):
            raise InputError(f"inverted channel {unknown[0]} does not exist in a tensor of {x.shape[2]} channels; "
                             f"use channels from 0 to {x.shape[2] - 1}")
        return TensorType(x.shape, self.output)

    def count(self, x: IntArray) -> IntArray:
        """Apply to x (..., C)."""
        count = (x[..., None] >= self.thresholds).sum(-1)
        inverted = np.isin(np.arange(len(self.thresholds)), list(self.inverted))
        count = np.where(inverted, self.output.steps - count, count)
        return np.asarray(2 * count - 1 if self.output == BIPOLAR else self.output.lo + count, np.int64)


@dataclass(frozen=True, eq=False)
class Requant:
    """y = clip(round((x * multiplier_c + offset_c) / 2^shift)) to `output`; multiplier and offset (C,), any sign.

    A tie goes up (half_up) or to the even neighbour (half_even). kink: None, or (C,) of 0 or more: with it, what is
    rounded (half_up) has kink_c taken off where it is below 0, and `zero` is added to the result before the clip.
    """

    multiplier: IntArray
    offset: IntArray
    shift: int
    rounding: Literal["half_up", "half_even"]
    output: Interval
    kink: IntArray | None = None
    zero: int = 0

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output. Raises InputError where a sum could leave 63 bits."""
        wanted = (x.shape[2],)
        if self.multiplier.shape != wanted or self.offset.shape != wanted:
            raise InputError(f"multiplier of shape {self.multiplier.shape} and offset of shape {self.offset.shape} "
                             f"should have shape {wanted}; give one value per channel")
        if self.shift < 0:
            raise InputError(f"shift {self.shift} must not be negative; scale multiplier and offset")
        require_kink(self.kink, self.zero, wanted, self.rounding)
        ends = sum_ends(self.multiplier, self.offset, self.shift, self.kink, x.dtype)
        bits = max(signed_bits(min(ends), max(ends)), self.shift + 1)
        if bits > MAX_SUM_BITS:
            raise InputError(f"x * multiplier + offset needs {bits} bits and at most {MAX_SUM_BITS} are possible; "
                             "use a smaller multiplier and shift")
        return TensorType(x.shape, self.output)


@dataclass(frozen=True)
class MaxPool:
    """Maximum over windows without padding; the channels in `minimum` take the minimum."""

    kernel: Pair
    stride: Pair
    minimum: frozenset[int] = frozenset()

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        return TensorType(_pooled(x.shape, self.kernel, self.stride), x.dtype)


@dataclass(frozen=True)
class AccPool:
    """Sum over windows without padding: average pooling whose division is left to what follows."""

    kernel: Pair
    stride: Pair

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output: the exact interval of the sums."""
        taps = self.kernel[0] * self.kernel[1]
        return TensorType(_pooled(x.shape, self.kernel, self.stride), Interval(taps * x.dtype.lo, taps * x.dtype.hi))


def _pooled(shape: Shape, kernel: Pair, stride: Pair) -> Shape:
    out = tuple(out_size(n, k, s, 1, 0, 0) for n, k, s in zip(shape[:2], kernel, stride, strict=True))
    if min(out) < 1:
        raise InputError(f"pooling kernel {kernel} does not fit into {shape[0]}x{shape[1]}; "
                         "use a smaller kernel or larger images")
    return (out[0], out[1], shape[2])


@dataclass(frozen=True)
class Upsample:
    """y[i, j] = x[i // scale_h, j // scale_w]: nearest neighbour; scale is (vertical, horizontal)."""

    scale: Pair

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        if min(self.scale) < 1:
            raise InputError(f"upsampling by {self.scale} must be by factors of 1 or more; pool to make images smaller")
        return TensorType((x.shape[0] * self.scale[0], x.shape[1] * self.scale[1], x.shape[2]), x.dtype)


@dataclass(frozen=True)
class Reframe:
    """The same pixels in the same order, counted as `height` rows of `width`."""

    height: int
    width: int

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        if self.height * self.width != x.shape[0] * x.shape[1]:
            raise InputError(f"{x.shape[0]}x{x.shape[1]} pixels cannot be counted as {self.height}x{self.width}; "
                             "keep their number")
        return TensorType((self.height, self.width, x.shape[2]), x.dtype)


@dataclass(frozen=True)
class Add:
    """y = left + right. Both count in one step: a Requant before an operand brings it to that step where needed."""

    def infer(self, left: TensorType, right: TensorType) -> TensorType:
        """Type of the output: the exact interval of the sums."""
        if left.shape != right.shape:
            raise InputError(f"a sum needs two tensors of one shape but meets {left.shape} and {right.shape}; "
                             "bring one to the shape of the other")
        return TensorType(left.shape, Interval(left.dtype.lo + right.dtype.lo, left.dtype.hi + right.dtype.hi))


@dataclass(frozen=True)
class Concat:
    """Every pixel's channels of the first input, then those of the second, and so on."""

    def infer(self, *tensors: TensorType) -> TensorType:
        """Type of the output: the smallest that holds the types of all inputs."""
        shapes = [tensor.shape for tensor in tensors]
        if len({shape[:2] for shape in shapes}) != 1:
            raise InputError(f"a concatenation of channels needs equal heights and widths, not {shapes}; "
                             "pool or upsample some of them")
        channels = sum(shape[2] for shape in shapes)
        return TensorType((*shapes[0][:2], channels), reduce(hull, (tensor.dtype for tensor in tensors)))
