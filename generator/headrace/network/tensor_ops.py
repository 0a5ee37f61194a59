"""More operations of a Network: padding, averages, joins, threshold activations, and the heads at its end.

As in ops.py, shapes are those of one sample and `forward` works on a batch (N, *shape) in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from headrace.datatypes import DataType, IntArray, Interval
from headrace.errors import InputError
from headrace.layers.window_geometry import Pair
from headrace.network.activation import Activation
from headrace.network.blocks import DepthToSpace, SpaceToDepth
from headrace.network.moves import Crop, SelectChannels
from headrace.network.ops import (
    FloatArray,
    Pad,
    Shape,
    per_channel,
    pooled_shape,
    require_finite,
    require_positive_scale,
)
from headrace.network.rounding import Rounding, round_to_integer


@dataclass(frozen=True)
class PadFrame:
    """A border (top, left, bottom, right) of `value` around every channel; -inf is lower than any value."""

    pad: Pad
    value: float = 0.0

    def __post_init__(self) -> None:
        if min(self.pad) < 0:
            raise InputError(f"pad {self.pad} must not be negative; slice the tensor instead")
        if math.isnan(self.value) or self.value == math.inf:
            raise InputError(f"pad value {self.value} is not a number to compute with; pad with 0.0")

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        if len(shape) != 3:
            raise InputError(f"padding needs (channels, height, width), not {shape}; pad before the flatten")
        top, left, bottom, right = self.pad
        return (shape[0], shape[1] + top + bottom, shape[2] + left + right)

    def forward(self, x: FloatArray) -> FloatArray:
        """Padded values."""
        top, left, bottom, right = self.pad
        return np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=self.value)


@dataclass(frozen=True)
class AvgPool:
    """Mean over windows without padding: every window has kernel height times kernel width values."""

    kernel: Pair
    stride: Pair

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return pooled_shape(shape, self.kernel, self.stride)

    def forward(self, x: FloatArray) -> FloatArray:
        """Sums divided by the size of the window."""
        windows = sliding_window_view(x, self.kernel, axis=(2, 3))[:, :, :: self.stride[0], :: self.stride[1]]
        return np.asarray(windows.sum((-2, -1)) / math.prod(self.kernel))


@dataclass(frozen=True)
class Upsample:
    """Nearest neighbour: y[c, i, j] = x[c, i // scale_h, j // scale_w]."""

    scale: Pair

    def __post_init__(self) -> None:
        if min(self.scale) < 1:
            raise InputError(f"upsampling by {self.scale} must be by factors of 1 or more; pool to make images smaller")

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        if len(shape) != 3:
            raise InputError(f"upsampling needs (channels, height, width), not {shape}; upsample before the flatten")
        return (shape[0], shape[1] * self.scale[0], shape[2] * self.scale[1])

    def forward(self, x: FloatArray) -> FloatArray:
        """Repeated values."""
        return x.repeat(self.scale[0], axis=2).repeat(self.scale[1], axis=3)


@dataclass(frozen=True)
class Transpose:
    """Axes of a sample in another order: output axis i is input axis `axes[i]`, the batch not counted."""

    axes: tuple[int, ...]

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        if sorted(self.axes) != list(range(len(shape))):
            raise InputError(f"axes {self.axes} are not an order of the {len(shape)} axes of a tensor of shape "
                             f"{shape}; name each of {tuple(range(len(shape)))} once")
        return tuple(shape[axis] for axis in self.axes)

    def forward(self, x: FloatArray) -> FloatArray:
        """Values with their axes in the new order."""
        return x.transpose(0, *(axis + 1 for axis in self.axes))


@dataclass(frozen=True)
class Add:
    """Sum of two tensors of the same shape."""

    def infer(self, left: Shape, right: Shape) -> Shape:
        """Shape of the output."""
        if left != right:
            raise InputError(f"a sum needs two tensors of one shape but meets {left} and {right}; "
                             "bring one to the shape of the other")
        return left

    def forward(self, left: FloatArray, right: FloatArray) -> FloatArray:
        """Sum in float64."""
        return left + right


@dataclass(frozen=True)
class Concat:
    """Tensors one after the other along their channels (the first axis of a sample)."""

    def infer(self, *shapes: Shape) -> Shape:
        """Shape of the output."""
        if len({shape[1:] for shape in shapes}) != 1:
            raise InputError(f"a concatenation along the channels needs equal heights and widths, not {shapes}; "
                             "pool or upsample some of them")
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    def forward(self, *tensors: FloatArray) -> FloatArray:
        """Joined values."""
        return np.concatenate(tensors, axis=1)


@dataclass(frozen=True, eq=False)
class MultiThreshold:
    """y = out_scale * #{k : x >= T[c, k]} + out_bias, as FINN has it; `dtype` is the type that FINN declares for y.

    thresholds are (C, N), or (1, N) for all channels, in any order.
    """

    thresholds: FloatArray
    dtype: DataType
    out_scale: float = 1.0
    out_bias: float = 0.0

    def __post_init__(self) -> None:
        require_finite(thresholds=self.thresholds, out_scale=np.asarray(self.out_scale),
                       out_bias=np.asarray(self.out_bias))
        if self.thresholds.ndim != 2 or 0 in self.thresholds.shape:
            raise InputError(f"thresholds of shape {self.thresholds.shape} should be (channels, steps), neither 0; "
                             "give one row per channel, or one for all")
        if self.out_scale == 0:
            raise InputError("out_scale 0 makes every output equal; give the activation a scale")

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        if len(self.thresholds) not in (1, shape[0]):
            raise InputError(f"thresholds for {len(self.thresholds)} channels meet a tensor of {shape[0]} channels; "
                             "use one row or one per channel")
        return shape

    def counts(self, x: FloatArray) -> IntArray:
        """How many thresholds x (N, *shape) reaches."""
        steps = [per_channel(step, x.ndim - 1) for step in self.thresholds.T]
        return np.asarray(sum((x >= step).astype(np.int64) for step in steps), np.int64)

    def forward(self, x: FloatArray) -> FloatArray:
        """Scaled counts."""
        return np.asarray(self.out_scale * self.counts(x) + self.out_bias)


@dataclass(frozen=True, eq=False)
class Trunc:
    """Drop the low bits of integers: code = clip(round(rint(x/scale + zero_point) / 2^shift)).

    value = (code - out_zero_point) * out_scale; scale and out_scale are (1,). `dtype` None: the codes are not clipped.
    """

    scale: FloatArray
    shift: int
    out_scale: FloatArray
    dtype: Interval | None = None
    zero_point: int = 0
    out_zero_point: float = 0.0
    rounding: Rounding = "floor"

    def __post_init__(self) -> None:
        require_positive_scale(self.scale)
        require_positive_scale(self.out_scale)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return shape

    def forward(self, x: FloatArray) -> FloatArray:
        """Values of the shortened codes."""
        codes = round_to_integer(np.ldexp(np.rint(x / self.scale + self.zero_point), -self.shift), self.rounding)
        if self.dtype is not None:
            codes = np.clip(codes, self.dtype.lo, self.dtype.hi)
        return np.asarray((codes - self.out_zero_point) * self.out_scale)


@dataclass(frozen=True)
class Softmax:
    """exp(x) over its sum along the first axis of a sample."""

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return shape

    def forward(self, x: FloatArray) -> FloatArray:
        """Probabilities, shifted by the maximum so that nothing overflows."""
        powers = np.exp(x - x.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class LogSoftmax:
    """x minus the logarithm of the sum of exp(x) along the first axis of a sample."""

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return shape

    def forward(self, x: FloatArray) -> FloatArray:
        """Logarithms of probabilities, shifted by the maximum so that nothing overflows.

        The power of the maximum, 1, is left out of the sum: a probability near 1 keeps the digits of the others.
        """
        first = np.expand_dims(x.argmax(axis=1), 1)
        shifted = x - np.take_along_axis(x, first, axis=1)
        powers = np.exp(shifted)
        np.put_along_axis(powers, first, 0, axis=1)
        return np.asarray(shifted - np.log1p(powers.sum(axis=1, keepdims=True)))


@dataclass(frozen=True)
class Maximum:
    """The largest value along the first axis of a sample, which stays with size 1."""

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return (1, *shape[1:])

    def forward(self, x: FloatArray) -> FloatArray:
        """Largest values."""
        return np.asarray(x.max(axis=1, keepdims=True))


@dataclass(frozen=True)
class TopK:
    """Indices of the k largest values along the first axis of a sample, largest first, lowest index first on ties."""

    k: int = 1

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        if not 1 <= self.k <= shape[0]:
            raise InputError(f"the {self.k} largest of {shape[0]} values do not exist; use k from 1 to {shape[0]}")
        return (self.k, *shape[1:])

    def forward(self, x: FloatArray) -> FloatArray:
        """Indices as float64."""
        return np.argsort(-x, axis=1, kind="stable")[:, : self.k].astype(np.float64)


TensorOp = (PadFrame | AvgPool | Upsample | Transpose | Add | Concat | MultiThreshold | Activation | Trunc | Softmax
            | LogSoftmax | Maximum | TopK | SelectChannels | Crop | DepthToSpace | SpaceToDepth)
