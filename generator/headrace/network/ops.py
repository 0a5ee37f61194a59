"""The operations of a Network: frozen values with a shape rule and a float64 reference.

Shapes are those of one sample, (C, H, W) or (features,); `forward` works on a batch (N, *shape).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from headrace.datatypes import BIPOLAR, DataType, IntArray, as_int, narrow
from headrace.errors import InputError
from headrace.fold_rule import divisors
from headrace.layers.window_geometry import Pair, out_size
from headrace.network.rounding import Rounding, round_to_integer

FloatArray = NDArray[np.float64]
Shape = tuple[int, ...]
Pad = tuple[int, int, int, int]


def require_finite(**arrays: FloatArray | None) -> None:
    """Raise InputError for the first array that holds NaN or an infinity."""
    for name, array in arrays.items():
        if array is not None and not np.all(np.isfinite(array)):
            bad = int(np.count_nonzero(~np.isfinite(array)))
            raise InputError(f"{bad} of {array.size} values of {name} are NaN or infinite; retrain or mend the model")


def require_positive_scale(scale: FloatArray) -> None:
    """Raise InputError unless every scale is finite and positive."""
    require_finite(scale=scale)
    if np.any(scale <= 0):
        raise InputError(f"scale {float(scale.min())} must be positive; recalibrate the quantizer")


def per_channel(values: FloatArray, rank: int) -> FloatArray:
    """(1,) or (C,) -> an array that broadcasts over (N, C, ...) of `rank` axes after the batch."""
    return values.reshape(-1, *[1] * (rank - 1))


@dataclass(frozen=True, eq=False)
class QuantWeight:
    """Weights = codes * scale; codes are values of `dtype`, kept narrow; scale is (1,), or per output channel (C_out,).

    group_scales: None, or unsigned integers (1 or C_out, 1, K_h, 1 or K_w) for the rows or pixels of a kernel window:
    weights = codes * group_scales * scale.
    """

    codes: IntArray
    scale: FloatArray
    dtype: DataType
    group_scales: IntArray | None = None

    def __post_init__(self) -> None:
        require_finite(scale=self.scale)
        if self.scale.shape not in ((1,), self.codes.shape[:1]):
            raise InputError(f"weight scales of shape {self.scale.shape} do not fit its "
                             f"{self.codes.shape[0]} output channels; use one scale, or one per output channel")
        if not self.dtype.contains(self.codes):
            raise InputError(f"weight codes from {self.codes.min()} to {self.codes.max()} exceed their type "
                             f"{self.dtype}; widen the type")
        if np.all(self.scale == 0):
            raise InputError("weight scale 0 makes every weight 0; recalibrate the quantizer")
        object.__setattr__(self, "codes", narrow(self.codes, self.dtype))
        if self.group_scales is not None:
            _require_group_scales(self.group_scales, self.codes.shape)

    @property
    def integers(self) -> IntArray:
        """The weights in steps of `scale`."""
        codes = as_int(self.codes)
        return codes if self.group_scales is None else codes * self.group_scales

    @property
    def values(self) -> FloatArray:
        """The weights as float64."""
        return self.integers * self.scale.reshape(-1, *[1] * (self.codes.ndim - 1))


def _require_group_scales(scales: IntArray, shape: Shape) -> None:
    """Raise InputError unless the scales of rows or pixels fit weights of this shape."""
    legal = len(shape) == 4 and scales.shape in {
        (rows, 1, shape[2], columns) for rows in (1, shape[0]) for columns in (1, shape[3])}
    if not legal:
        raise InputError(f"group scales of shape {scales.shape} do not fit weights of shape {shape}; use "
                         "(1 or C_out, 1, K_h, 1 or K_w)")
    if scales.min() < 0:
        raise InputError(f"the group scale {scales.min()} is negative; negate the weights of its group")


@dataclass(frozen=True, eq=False)
class Quantize:
    """code = clip(round(x/scale + zero_point)) in `dtype`, value = (code - zero_point) * scale.

    Bipolar: code = +1 where x >= 0, else -1. scale is (1,) or one per channel (C,). A file that stores codes stores
    code + stored; values do not depend on it.
    """

    scale: FloatArray
    dtype: DataType
    zero_point: int = 0
    rounding: Rounding = "half_even"
    stored: int = 0

    def __post_init__(self) -> None:
        require_positive_scale(self.scale)
        if self.dtype == BIPOLAR and self.zero_point:
            raise InputError(f"a bipolar quantizer has zero point 0, not {self.zero_point}; set it to 0")

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return _with_channels(shape, scale=self.scale)

    def codes(self, x: FloatArray) -> IntArray:
        """Integer codes of x (N, *shape)."""
        if self.dtype == BIPOLAR:
            return np.where(x >= 0, 1, -1).astype(np.int64)
        scaled = x / per_channel(self.scale, x.ndim - 1) + self.zero_point
        return np.clip(round_to_integer(scaled, self.rounding), self.dtype.lo, self.dtype.hi).astype(np.int64)

    def forward(self, x: FloatArray) -> FloatArray:
        """Quantized values."""
        return (self.codes(x) - self.zero_point) * per_channel(self.scale, x.ndim - 1)


@dataclass(frozen=True, eq=False)
class Conv:
    """Convolution with codes (C_out, C_in/groups, K_h, K_w); pad is (top, left, bottom, right) with 0.0."""

    weight: QuantWeight
    bias: FloatArray | None = None
    stride: Pair = (1, 1)
    pad: Pad = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        require_finite(bias=self.bias)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        c_out, c_in, k_h, k_w = self.weight.codes.shape
        if len(shape) != 3 or shape[0] != c_in * self.groups:
            raise InputError(f"a convolution of {c_in * self.groups} input channels meets a tensor of shape {shape}; "
                             f"feed it ({c_in * self.groups}, height, width) or mend its input channels")
        if c_out % self.groups:
            raise InputError(f"{c_out} output channels do not divide into {self.groups} groups; "
                             f"choose one of {divisors(math.gcd(c_out, shape[0]))}")
        top, left, bottom, right = self.pad
        out = (out_size(shape[1], k_h, self.stride[0], self.dilation[0], top, bottom),
               out_size(shape[2], k_w, self.stride[1], self.dilation[1], left, right))
        if min(out) < 1:
            raise InputError(f"kernel {k_h}x{k_w} with dilation {self.dilation} does not fit into "
                             f"{shape[1]}x{shape[2]} with pad {self.pad}; use a smaller kernel or larger images")
        return (c_out, *out)

    def forward(self, x: FloatArray) -> FloatArray:
        """Convolution in float64."""
        top, left, bottom, right = self.pad
        W = self.weight.values
        k_h, k_w = W.shape[2:]
        padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)))
        extent = [(k - 1) * d + 1 for k, d in zip((k_h, k_w), self.dilation, strict=True)]
        windows = sliding_window_view(padded, extent, axis=(2, 3))
        windows = windows[:, :, :: self.stride[0], :: self.stride[1], :: self.dilation[0], :: self.dilation[1]]
        parts = zip(np.split(windows, self.groups, axis=1), np.split(W, self.groups), strict=True)
        y = np.concatenate([np.tensordot(part, w, ((1, 4, 5), (1, 2, 3))) for part, w in parts], axis=-1)
        y = y.transpose(0, 3, 1, 2)
        return np.asarray(y if self.bias is None else y + per_channel(self.bias, 3))


@dataclass(frozen=True, eq=False)
class Linear:
    """Matrix product with codes (out_features, in_features)."""

    weight: QuantWeight
    bias: FloatArray | None = None

    def __post_init__(self) -> None:
        require_finite(bias=self.bias)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        out_features, in_features = self.weight.codes.shape
        if shape != (in_features,):
            raise InputError(f"a dense layer of {in_features} inputs meets a tensor of shape {shape}; "
                             "flatten it or mend the size")
        return (out_features,)

    def forward(self, x: FloatArray) -> FloatArray:
        """Matrix product in float64."""
        y = x @ self.weight.values.T
        return np.asarray(y if self.bias is None else y + self.bias)


@dataclass(frozen=True, eq=False)
class Affine:
    """y = scale * x + offset, each (1,) or (C,): batch norm at inference and arithmetic with constants."""

    scale: FloatArray
    offset: FloatArray

    def __post_init__(self) -> None:
        require_finite(scale=self.scale, offset=self.offset)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return _with_channels(shape, scale=self.scale, offset=self.offset)

    def forward(self, x: FloatArray) -> FloatArray:
        """Affine map in float64."""
        return x * per_channel(self.scale, x.ndim - 1) + per_channel(self.offset, x.ndim - 1)


@dataclass(frozen=True)
class Clip:
    """y = min(max(x, lo), hi): hard tanh; ReLU is lo = 0, hi = inf."""

    lo: float
    hi: float

    def __post_init__(self) -> None:
        if not self.lo <= self.hi:
            raise InputError(f"clip from {self.lo} to {self.hi}: the lower bound must not exceed the upper; swap them")

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return shape

    def forward(self, x: FloatArray) -> FloatArray:
        """Clipped values."""
        return np.clip(x, self.lo, self.hi)


RELU = Clip(0.0, math.inf)


def pooled_shape(shape: Shape, kernel: Pair, stride: Pair) -> Shape:
    """Shape after pooling (C, H, W) without padding. Raises InputError where the kernel does not fit."""
    if len(shape) != 3:
        raise InputError(f"pooling needs (channels, height, width), not {shape}; pool before the flatten")
    out = tuple(out_size(n, k, s, 1, 0, 0) for n, k, s in zip(shape[1:], kernel, stride, strict=True))
    if min(out) < 1:
        raise InputError(f"pooling kernel {kernel} does not fit into {shape[1]}x{shape[2]}; "
                         "use a smaller kernel or larger images")
    return (shape[0], *out)


@dataclass(frozen=True)
class MaxPool:
    """Maximum over windows without padding."""

    kernel: Pair
    stride: Pair

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return pooled_shape(shape, self.kernel, self.stride)

    def forward(self, x: FloatArray) -> FloatArray:
        """Pooled values."""
        windows = sliding_window_view(x, self.kernel, axis=(2, 3))
        return np.asarray(windows[:, :, :: self.stride[0], :: self.stride[1]].max((-2, -1)))


@dataclass(frozen=True)
class Reshape:
    """The same elements in another shape (without the batch); one axis may be -1. Flatten is (-1,)."""

    shape: Shape

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        known = math.prod(n for n in self.shape if n != -1)
        resolved = tuple(math.prod(shape) // known if n == -1 else n for n in self.shape)
        if self.shape.count(-1) > 1 or math.prod(resolved) != math.prod(shape):
            raise InputError(f"a tensor of shape {shape} cannot take the shape {self.shape}; "
                             f"keep its {math.prod(shape)} elements, with one -1 at most")
        return resolved

    def forward(self, x: FloatArray) -> FloatArray:
        """Reshaped values."""
        return x.reshape(len(x), *self.infer(x.shape[1:]))


Op = Quantize | Conv | Linear | Affine | Clip | MaxPool | Reshape


def _with_channels(shape: Shape, **arrays: FloatArray) -> Shape:
    """`shape`, if every array is (1,) or has one value per channel, else InputError."""
    for name, array in arrays.items():
        if array.shape not in ((1,), shape[:1]):
            raise InputError(f"{name} of shape {array.shape} meets a tensor of {shape[0]} channels; "
                             "use one value or one per channel")
    return shape
