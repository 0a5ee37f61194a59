"""What reading a .tflite file knows about a tensor, and the integer network while it grows."""

from __future__ import annotations

import math
from collections.abc import Set
from dataclasses import dataclass, replace

import numpy as np

from headrace.datatypes import IntArray, Interval, int_type, uint_type
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.tflite.kernels import KernelSet, Rescale
from headrace.frontend.tflite.schema import Graph, Operator, Tensor
from headrace.frontend.tflite.steps import thresholds
from headrace.network import integer as ints
from headrace.network.frame_ops import Part
from headrace.network.integer import Head
from headrace.network.ops import Pad, Shape
from headrace.streamline.draft import Draft

#: (height, width, channels) of a stream.
Frame = tuple[int, int, int]
CODES = {"int8": int_type(8), "uint8": uint_type(8)}
_DTYPES = {"int8": "<i1", "uint8": "<u1", "int32": "<i4", "int64": "<i8", "float32": "<f4", "int16": "<i2"}
#: Most weights of a model: they are integers of 8 bytes here.
MAX_WEIGHTS = 1 << 26
#: Most elements of a frame that have steps of their own: each needs a multiplier in memory.
MAX_POSITIONS = 1 << 14
#: Fused activations by their number in the schema, and the real numbers that they clip to.
ACTIVATIONS = {0: (None, None), 1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}
_INT32 = int_type(32)


@dataclass(frozen=True)
class Value:
    """A tensor of codes: the integers `tensor` of `frame`, the file's shape without the batch, the quantization.

    pad: a border of the zero point that its reader has yet to add. head: what the host does with the last integers.
    """

    tensor: str
    frame: Frame
    shape: Shape
    scale: np.float32
    zero: int
    pad: Pad = (0, 0, 0, 0)
    head: Head = "none"
    beta: float = 1.0

    @property
    def channels(self) -> int:
        """Channels of the stream."""
        return self.frame[2]


def quantization(tensor: Tensor) -> tuple[np.float32, int]:
    """Scale and zero point of a tensor of codes. Raises UnsupportedError where it has not one of each."""
    if tensor.type not in CODES:
        raise UnsupportedError(f"its tensor {tensor.name!r} is {tensor.type}; convert the model to int8 throughout "
                               "(full integer quantization)")
    if len(tensor.scales) != 1 or len(tensor.zero_points) > 1:
        raise UnsupportedError(f"its tensor {tensor.name!r} has {len(tensor.scales)} scales and "
                               f"{len(tensor.zero_points)} zero points; activations have one of each")
    zero = int(tensor.zero_points[0]) if len(tensor.zero_points) else 0
    if not CODES[tensor.type].contains(np.asarray([zero])):
        raise InputError(f"its tensor {tensor.name!r} has the zero point {zero}, which is not a {tensor.type}; convert "
                         "the model again")
    return positive(tensor.scales)[0], zero


def positive(scales: np.ndarray) -> np.ndarray:
    """The scales. Raises InputError unless all are positive numbers."""
    if not np.all(np.isfinite(scales)) or not np.all(scales > 0):
        raise InputError(f"its scale {float(scales.min())} is not a positive number; convert the model again")
    return scales


def code_range(tensor: Tensor, activation: int) -> Interval:
    """The codes that a fused activation leaves of a tensor's type."""
    scale, zero = quantization(tensor)
    if activation not in ACTIVATIONS:
        raise UnsupportedError(f"has the fused activation number {activation}; use none, RELU, RELU_N1_TO_1 or RELU6")
    lo, hi = (None if bound is None else zero + _away(np.float32(bound) / scale) for bound in ACTIVATIONS[activation])
    whole = CODES[tensor.type]
    first = whole.lo if lo is None else min(max(lo, whole.lo), whole.hi)
    last = whole.hi if hi is None else max(min(hi, whole.hi), first)
    if first == last:
        raise UnsupportedError(f"its activation leaves only the code {first}; calibrate the model again")
    return Interval(first, last)


def _away(value: np.float32) -> int:
    """The nearest integer, ties away from zero, within 32 bits."""
    size = min(math.floor(abs(float(value)) + 0.5), 1 << 31)
    return int(math.copysign(size, value))


class Build:
    """State of reading one graph. `inner`: places of the tensors that an operator computes with."""

    def __init__(self, graph: Graph, kernels: KernelSet, inner: Set[int] = frozenset()) -> None:
        self.graph, self.kernels, self.inner = graph, kernels, inner
        self.draft = Draft()
        self.values: dict[int, Value | None] = {}
        self.weights = 0

    def read(self, tensor: Tensor) -> np.ndarray:
        """The constant numbers of a tensor. Raises InputError where its bytes do not fit its shape."""
        count = math.prod(tensor.shape)
        if tensor.data is None:
            raise UnsupportedError(f"reads {tensor.name!r}, which is computed, as a constant; convert the model with "
                                   "fixed weights")
        self.weights += count
        if self.weights > MAX_WEIGHTS:
            raise UnsupportedError(f"has more than {MAX_WEIGHTS} weights with those before it; use a smaller model")
        if tensor.type == "int4":
            return _nibbles(tensor, count).reshape(tensor.shape)
        if tensor.type not in _DTYPES:
            raise UnsupportedError(f"its tensor {tensor.name!r} is {tensor.type}; convert the model to int8")
        kind = np.dtype(_DTYPES[tensor.type])
        _require_bytes(tensor, count * kind.itemsize)
        return tensor.data.view(kind).reshape(tensor.shape) if count else np.zeros(tensor.shape, kind)

    def step(self, source: str, rescale: Rescale, bias: IntArray, out: Tensor, activation: int = 0,
             alike: bool = False) -> str:
        """Append the codes zero + rescale(integers + bias), bias (C,), clipped to the activation of `out`.

        alike: `rescale` is the same for all channels, so that it is looked at once for those of one range and bias.
        """
        _, zero = quantization(out)
        codes = code_range(out, activation)
        lowest, highest = self.draft.channel_range(source)
        if not _INT32.contains(np.concatenate([lowest + bias, highest + bias])):
            raise UnsupportedError("its sums may leave 32 bits, where the kernels wrap around; use fewer inputs")
        rows = np.stack([lowest, highest, bias])
        rows, which = np.unique(rows, axis=1, return_inverse=True) if alike else (rows, np.arange(len(bias)))
        rescale(rows[:2].T + rows[2][:, None])  # raises where the kernel would leave its 32 bits
        T = thresholds(lambda x: rescale(x + rows[2][:, None]) + zero, rows[0], rows[1], codes)
        return self.draft.add_threshold(ints.Threshold(T[which.reshape(-1)], codes), source)

    def of_codes(self, source: str, function: Rescale, out: Tensor, activation: int = 0) -> str:
        """Append the codes that `function` makes of codes (C, N), clipped: thresholds where they rise, else a table."""
        dtype, codes = self.draft.types[source].dtype, code_range(out, activation)
        channels = self.draft.types[source].shape[2]
        values = np.repeat(np.arange(dtype.lo, dtype.hi + 1)[None], channels, axis=0)
        table = np.clip(function(values), codes.lo, codes.hi)
        falling = np.all(np.diff(table, axis=1) <= 0, axis=1) & (table[:, 0] > table[:, -1])
        rising = np.where(falling[:, None], codes.lo + codes.hi - table, table)
        if np.any(np.diff(rising, axis=1) < 0):
            return self.draft.add("lookup", ints.Lookup(table, codes, dtype.lo), source)
        rows, which = np.unique(rising, axis=0, return_inverse=True)
        steps = np.arange(codes.lo + 1, codes.hi + 1)
        T = np.stack([np.searchsorted(row, steps, side="left") for row in rows]) + dtype.lo
        inverted = frozenset(np.flatnonzero(falling).tolist())
        return self.draft.add_threshold(ints.Threshold(T[which.reshape(-1)], codes, inverted), source)

    def flat(self, source: str) -> str:
        """A frame as one pixel with a channel for every element."""
        x = self.draft.types[source]
        return self.draft.add("flat", Part(0, (1, 1, math.prod(x.shape)), x.dtype), source)

    def framed(self, source: str, frame: Frame) -> str:
        """The frame of such a pixel again."""
        return self.draft.add("framed", Part(0, frame, self.draft.types[source].dtype), source)

    def clipped(self, source: str, out: Tensor, activation: int) -> str:
        """The same codes within a fused activation."""
        codes = code_range(out, activation)
        dtype = self.draft.types[source].dtype
        if codes.lo <= dtype.lo and dtype.hi <= codes.hi:
            return source
        channels = self.draft.types[source].shape[2]
        T = np.repeat(np.arange(codes.lo + 1, codes.hi + 1)[None], channels, axis=0)
        return self.draft.add_threshold(ints.Threshold(T, codes), source)

    def padded(self, source: str, pad: Pad, code: int) -> str:
        """A border of a code, by a depthwise convolution of one tap."""
        if not any(pad):
            return source
        ones = np.ones((self.draft.types[source].shape[2], 1, 1, 1), np.int64)
        return self.draft.add("pad", ints.DepthwiseConv(ones, Interval(1, 1), pad=pad, pad_value=code), source)

    def plain(self, value: Value) -> Value:
        """The value with its border in the stream."""
        return self.made(self.padded(value.tensor, value.pad, value.zero), value) if any(value.pad) else value

    def row(self, value: Value) -> Value:
        """The value; a flattened image as one pixel, so that it meets vectors."""
        if len(value.shape) != 1 or value.frame == (1, 1, *value.shape):
            return value
        return self.made(self.flat(value.tensor), value, shape=value.shape)

    def made(self, tensor: str, like: Value, out: Tensor | None = None, shape: Shape | None = None) -> Value:
        """The value of a new tensor; its quantization is that of `out`, or that of `like`."""
        frame = self.draft.types[tensor].shape
        scale, zero = (like.scale, like.zero) if out is None else quantization(out)
        return replace(like, tensor=tensor, frame=frame, shape=frame if shape is None else shape, scale=scale,
                       zero=zero, pad=(0, 0, 0, 0))


def _require_bytes(tensor: Tensor, count: int) -> None:
    assert tensor.data is not None
    if len(tensor.data) != count:
        raise InputError(f"its tensor {tensor.name!r} of shape {tensor.shape} needs {count} bytes but has "
                         f"{len(tensor.data)}; convert the model again")


def _nibbles(tensor: Tensor, count: int) -> IntArray:
    """Integers of 4 bits, two in a byte, the first in its low half."""
    assert tensor.data is not None
    _require_bytes(tensor, (count + 1) // 2)
    pairs = np.stack([tensor.data & 15, tensor.data >> 4], 1).reshape(-1)[:count].astype(np.int64)
    return np.asarray((pairs ^ 8) - 8, np.int64)


@dataclass(frozen=True)
class Call:
    """An operator with the values that it reads."""

    build: Build
    operator: Operator

    def tensor(self, place: int) -> Tensor:
        """The file's tensor behind an input."""
        if not self.has(place):
            raise InputError(f"has {len(self.operator.inputs)} inputs and needs number {place}; convert it again")
        return self.build.graph.tensors[self.operator.inputs[place]]

    def has(self, place: int) -> bool:
        """True if the input is there."""
        return place < len(self.operator.inputs) and self.operator.inputs[place] != -1

    def value(self, place: int, bordered: bool = False) -> Value:
        """The codes of an input; with `bordered` a border of its may still be missing from the stream."""
        tensor = self.tensor(place)
        value = self.build.values.get(self.operator.inputs[place])
        if value is None:
            what = "a constant" if tensor.data is not None else f"{tensor.name!r}, which nothing before it makes"
            raise UnsupportedError(f"reads {what} where it needs codes; convert the model again")
        return value if bordered else self.build.plain(value)

    def constant(self, place: int) -> np.ndarray:
        """The numbers of a constant input."""
        return self.build.read(self.tensor(place))

    def option(self, name: str, default: float = 0) -> int:
        """An option as an integer."""
        return int(self.operator.options.get(name, default))

    @property
    def out(self) -> Tensor:
        """The file's tensor of the result."""
        if len(self.operator.outputs) != 1:
            raise UnsupportedError(f"has {len(self.operator.outputs)} outputs where one is possible; cut the model")
        return self.build.graph.tensors[self.operator.outputs[0]]
