"""What the tensors of an ONNX graph stand for while it is read: constants, and views of the Network's tensors.

A Network holds channels first and batches implicitly. An ONNX graph moves axes about, adds and drops axes of size 1 and
speaks of channels last; all that is kept in views, so that it leaves no operations behind.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headrace.datatypes import DataType, IntArray, Interval, narrow, tightest
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.graph import Array
from headrace.layers.window_geometry import Pair
from headrace.network import ops
from headrace.network.group_scales import group_scales
from headrace.network.ops import FloatArray, Pad, Shape

#: Widest weights with a zero point: those of the hardware.
MAX_WEIGHT_BITS = 8


@dataclass(frozen=True, eq=False)
class Constant:
    """Known values; where a quantizer made them, also codes and scale of the same shape, values = codes * scale.

    raw: the values as the file has them, None where codes and scale say them: files of many weights are kept small.
    `dtype` is the type of the codes; without codes it is the type that an annotation gives to the values. `stored` is
    NumPy's name of the type in the file, `zero_point` what was subtracted from the quantizer's codes.
    """

    raw: Array | None
    codes: IntArray | None = None
    scale: FloatArray | None = None
    dtype: DataType | None = None
    stored: str = ""
    zero_point: int = 0

    @property
    def values(self) -> Array:
        """The values, in float64 or int64."""
        if self.raw is not None:
            return self.raw.astype(np.float64 if self.raw.dtype.kind == "f" else np.int64, copy=False)
        assert self.codes is not None and self.scale is not None
        return np.asarray(self.codes * self.scale)

    @property
    def shape(self) -> Shape:
        """That of the values."""
        return (self.codes if self.raw is None else self.raw).shape  # type: ignore[union-attr]  # one is there

    def mapped(self, move: Callable[[Any], Any]) -> Constant:
        """The constant with its elements in another arrangement."""
        raw, codes, scale = (None if part is None else np.asarray(move(part))
                             for part in (self.raw, self.codes, self.scale))
        return replace(self, raw=raw, codes=codes, scale=scale)

    def as_quantized(self) -> Constant | None:
        """The constant with codes; integers are their own codes. None where the values are not integers."""
        if self.codes is not None:
            return self
        values = np.asarray(self.values, np.float64)
        if not np.all(np.isfinite(values)) or np.any(values != np.rint(values)) or np.any(np.abs(values) > 1 << 31):
            return None
        codes = values.astype(np.int64)
        dtype = self.dtype or tightest(codes)
        return Constant(self.raw, narrow(codes, dtype), np.broadcast_to(1.0, codes.shape), dtype)

    def weight(self) -> ops.QuantWeight:
        """Weights with the output channels as their first axis. Raises UnsupportedError where they have no codes."""
        if 0 in self.shape:
            raise InputError(f"its weights of shape {self.shape} are empty; export the model again")
        if (values := self.values).dtype.kind == "f":
            ops.require_finite(weights=values)
        del values
        quantized = self.as_quantized()
        if quantized is None:
            raise UnsupportedError("its weights are not quantized; put a Quant node behind them, or integers into them")
        assert quantized.codes is not None and quantized.scale is not None and quantized.dtype is not None
        scales = np.asarray(quantized.scale, np.float64)
        if np.any(scales != scales.take([0], 1)) or (scales.ndim != 4 and np.any(scales != scales[:, :1])):
            raise UnsupportedError("its weights have scales that differ between the input channels of an output "
                                   "channel; quantize them per tensor, per output channel, or per row or pixel of the "
                                   "kernel window")
        kernel = scales[:, :1] if scales.ndim == 4 else scales[:, :1].reshape(-1, 1, 1, 1)
        steps, integers = group_scales(kernel)
        return ops.QuantWeight(quantized.codes, steps, quantized.symmetric_type, integers)

    @property
    def symmetric_type(self) -> DataType:
        """The type of codes without their zero point. Raises UnsupportedError where it has more than MAX_WEIGHT_BITS.

        Subtracting a zero point from the codes is exact. Left in, it would be multiplied with the sum of the inputs.
        """
        assert self.codes is not None and self.dtype is not None
        if not self.zero_point or self.dtype.bits <= MAX_WEIGHT_BITS:
            return self.dtype
        dtype = tightest(self.codes)
        if dtype.bits > MAX_WEIGHT_BITS:
            raise UnsupportedError(f"its weights have the zero point {self.zero_point}, so their codes reach from "
                                   f"{dtype.lo} to {dtype.hi}, more than {MAX_WEIGHT_BITS} bits; left in, it would be "
                                   "multiplied with the sum of the inputs, which depends on the data and no threshold "
                                   "holds; quantize the weights symmetrically")
        return dtype


@dataclass(frozen=True, eq=False)
class Feature:
    """A view of the Network's tensor `name`: a tensor of the ONNX graph with the sizes `shape`, the batch left out.

    axes[i] is the axis of the Network's tensor that is axis i here, None for an axis of size 1. `order`, for vectors
    only: element i here is element order[i] there.
    """

    name: str
    shape: Shape
    axes: tuple[int | None, ...]
    order: IntArray | None = None

    @staticmethod
    def whole(name: str, shape: Shape) -> Feature:
        """The tensor as it is."""
        return Feature(name, shape, tuple(axis if size > 1 else None for axis, size in enumerate(shape)))

    @property
    def wide_axes(self) -> tuple[int, ...]:
        """Axes with more than one element."""
        return tuple(axis for axis, size in enumerate(self.shape) if size > 1)

    def permuted(self, order: tuple[int, ...]) -> Feature:
        """Axis i of the result is axis order[i] here."""
        return replace(self, shape=tuple(self.shape[a] for a in order), axes=tuple(self.axes[a] for a in order))

    def with_units(self, shape: Shape) -> Feature | None:
        """The same tensor in a shape that differs only in axes of size 1; None if it differs in more."""
        if tuple(size for size in shape if size > 1) != tuple(self.shape[axis] for axis in self.wide_axes):
            return None
        wide = iter(self.wide_axes)
        return replace(self, shape=shape, axes=tuple(self.axes[next(wide)] if size > 1 else None for size in shape))

    def stored(self, values: FloatArray, shape: Shape) -> FloatArray:
        """Values (N, *self.shape) of the view in the arrangement (N, *shape) of the tensor that it is a view of."""
        if self.order is not None:
            return np.asarray(values.reshape(len(values), -1)[:, np.argsort(self.order)].reshape(-1, *shape))
        wide = sorted(self.wide_axes, key=lambda axis: self.axes[axis] or 0)
        narrow = [axis for axis in range(len(self.shape)) if axis not in wide]
        full = values.reshape(len(values), *self.shape)
        return np.asarray(full.transpose(0, *(axis + 1 for axis in (*narrow, *wide))).reshape(-1, *shape))

    def renamed(self, name: str) -> Feature:
        """The same view of another tensor of the same shape."""
        return replace(self, name=name)


@dataclass(frozen=True, eq=False)
class Codes:
    """Integer codes between a QuantizeLinear and a DequantizeLinear; `dtype` shrinks where they are clipped."""

    source: Feature
    scale: Array
    zero_point: int
    dtype: Interval

    @property
    def shape(self) -> Shape:
        """Sizes without the batch."""
        return self.source.shape

    def of(self, source: Feature) -> Codes:
        """The codes of the same elements in another shape."""
        if self.scale.size > 1 and source.shape != self.shape:
            raise UnsupportedError("gives codes with scales per channel another shape; put a DequantizeLinear "
                                   "before it")
        scale = self.scale if self.scale.size > 1 else self.scale.reshape([1] * (len(source.shape) + 1))
        return replace(self, source=source, scale=scale)

    def clipped(self, lo: float, hi: float) -> Codes:
        """The codes within bounds. Raises InputError where none is left."""
        bounds = max(self.dtype.lo, lo), min(self.dtype.hi, hi)
        return replace(self, dtype=Interval(math.ceil(bounds[0]), math.floor(bounds[1])))


@dataclass(frozen=True, eq=False)
class Windows:
    """What Im2Col makes of (height, width, channels): one row of kernel rows, kernel columns, channels per position."""

    source: Feature
    kernel: Pair
    stride: Pair
    dilation: Pair
    pad: Pad
    pad_value: float
    depthwise: bool

    def of(self, source: Feature) -> Windows:
        """The same windows over another tensor."""
        return replace(self, source=source)


@dataclass(frozen=True)
class Unknown:
    """A result that nothing can be said about: of a node that is not supported, or the values of a TopK."""


Value = Constant | Feature | Codes | Windows | Unknown


def one_integer(what: str, values: Array) -> int:
    """The integer that all values are. Raises UnsupportedError where they differ or are none."""
    found = np.unique(np.asarray(values, np.float64))
    if len(found) != 1 or not float(found[0]).is_integer() or abs(found[0]) > 1 << 31:
        raise UnsupportedError(f"its {what} is not one 32-bit integer for all channels; use one integer")
    return int(found[0])


def pair(what: str, values: tuple[int, ...]) -> Pair:
    """(vertical, horizontal) of one or two positive sizes."""
    if len(values) not in (1, 2) or min(values) < 1:
        raise InputError(f"its {what} {values} should be one or two positive integers; export the model again")
    return (1, values[0]) if len(values) == 1 else (values[0], values[1])
