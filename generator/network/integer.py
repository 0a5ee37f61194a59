"""IntegerNetwork: what the hardware computes, in integers only, and what the host does before and after.

Tensors are (height, width, channels), the order of the streams; a vector is (1, 1, channels). A dense layer is a
convolution whose kernel covers the frame. A tensor is named after the node that makes it; INPUT names the first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from generator.datatypes import BIPOLAR, DataType, IntArray, Interval, dot_product_interval
from generator.errors import InputError
from generator.layers.swu import Pair, out_size
from generator.network.ops import Rounding

INPUT = "input"
Shape = tuple[int, int, int]
FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class TensorType:
    """Shape (height, width, channels) and element type of a tensor."""

    shape: Shape
    dtype: DataType


@dataclass(frozen=True, eq=False)
class Conv:
    """Convolution: weights (C_out, K_h, K_w, C_in) of type `weight`; pad is (top, left, bottom, right)."""

    weights: IntArray
    weight: DataType
    stride: Pair = (1, 1)
    dilation: Pair = (1, 1)
    pad: tuple[int, int, int, int] = (0, 0, 0, 0)
    pad_value: int = 0

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output: the accumulators' exact reachable range."""
        height, width, channels = x.shape
        c_out, k_h, k_w, c_in = self.weights.shape
        if c_in != channels:
            raise InputError(f"weights for {c_in} input channels meet a tensor of {channels} channels")
        top, left, bottom, right = self.pad
        out = (out_size(height, k_h, self.stride[0], self.dilation[0], top, bottom),
               out_size(width, k_w, self.stride[1], self.dilation[1], left, right))
        if min(out) < 1:
            raise InputError(f"kernel {k_h}x{k_w} does not fit into {height}x{width} with pad {self.pad}")
        lo, hi = dot_product_interval(self.weights.reshape(c_out, -1), x.dtype)
        return TensorType((*out, c_out), Interval(int(lo.min()), int(hi.max())))


@dataclass(frozen=True, eq=False)
class Threshold:
    """y = base + #{k : x >= T[c, k]}; thresholds (C, N) ascending along N; `output` has N steps (bipolar: N = 1)."""

    thresholds: IntArray
    output: DataType

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        wanted = (x.shape[2], self.output.steps)
        if self.thresholds.shape != wanted:
            raise InputError(f"thresholds of shape {self.thresholds.shape} should have shape {wanted}")
        if np.any(np.diff(self.thresholds, axis=1) < 0):
            raise InputError("thresholds are not ascending")
        return TensorType(x.shape, self.output)

    def count(self, x: IntArray) -> IntArray:
        """Apply to x (..., C)."""
        count = (x[..., None] >= self.thresholds).sum(-1)
        return np.asarray(2 * count - 1 if self.output == BIPOLAR else self.output.lo + count, np.int64)


@dataclass(frozen=True)
class MaxPool:
    """Maximum over windows without padding; the channels in `minimum` take the minimum."""

    kernel: Pair
    stride: Pair
    minimum: frozenset[int] = frozenset()

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        height, width, channels = x.shape
        out = (out_size(height, self.kernel[0], self.stride[0], 1, 0, 0),
               out_size(width, self.kernel[1], self.stride[1], 1, 0, 0))
        if min(out) < 1:
            raise InputError(f"pooling kernel {self.kernel} does not fit into {height}x{width}")
        return TensorType((*out, channels), x.dtype)


Op = Conv | Threshold | MaxPool


@dataclass(frozen=True)
class Node:
    """One operation; its output tensor carries its name."""

    name: str
    op: Op
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class HostInput:
    """What the host does to a sample before it enters the stream.

    `shape` is the model's own input shape without the batch: (C, H, W), or any shape of H*W*C elements in that order.
    q = clip(round(scale * x + offset)) with `scale` and `offset` per channel (C,) and `rounding` as of ops.Quantize;
    bipolar inputs are +1 where scale*x + offset >= 0.
    """

    shape: tuple[int, ...]
    tensor: TensorType
    scale: FloatArray
    offset: FloatArray
    rounding: Rounding = "half_even"


@dataclass(frozen=True, eq=False)
class HostOutput:
    """What the host makes of the last integers: y = scale * q + offset per channel (C,), reshaped to `shape`.

    `shape` is the model's own output shape without the batch, its elements in (C, H, W) order. `head` is applied last.
    """

    shape: tuple[int, ...]
    scale: FloatArray
    offset: FloatArray
    head: Literal["none", "argmax", "softmax"] = "none"


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """A verified integer network: nodes in topological order, one input, one output (the last node)."""

    host_input: HostInput
    nodes: tuple[Node, ...]
    host_output: HostOutput
    types: dict[str, TensorType] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", self._infer())

    def _infer(self) -> dict[str, TensorType]:
        """Types of all tensors. Raises InputError naming the node that is not legal."""
        types = {INPUT: self.host_input.tensor}
        for node in self.nodes:
            if node.name in types:
                raise InputError(f"{node.name}: two tensors have this name; rename one")
            for source in node.inputs:
                if source not in types:
                    raise InputError(f"{node.name}: reads {source}, which no earlier node makes")
            try:
                types[node.name] = node.op.infer(*(types[source] for source in node.inputs))
            except InputError as error:
                raise InputError(f"{node.name}: {error}") from None
        return types

    @property
    def output(self) -> str:
        """Name of the output tensor."""
        return self.nodes[-1].name if self.nodes else INPUT
