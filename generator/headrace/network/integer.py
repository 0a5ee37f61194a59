"""IntegerNetwork: what the hardware computes, in integers only, and what the host does before and after.

Tensors are (height, width, channels), the order of the streams; a vector is (1, 1, channels). A dense layer is a
convolution whose kernel covers the frame. A tensor is named after the node that makes it; INPUT names the first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal

from headrace.datatypes import IntArray
from headrace.errors import InputError
from headrace.network.frame_ops import Part, Sequence, sequence_type
from headrace.network.integer_blocks import DepthToSpace, SpaceToDepth
from headrace.network.integer_moves import ChannelMap, Crop
from headrace.network.integer_ops import (
    AccPool,
    Add,
    Concat,
    Conv,
    DepthwiseConv,
    MaxPool,
    Reframe,
    Requant,
    Shape,
    TensorType,
    Threshold,
    Upsample,
)
from headrace.network.integer_table import Lookup
from headrace.network.ops import FloatArray
from headrace.network.rounding import Rounding

__all__ = ["INPUT", "AccPool", "Add", "ChannelMap", "Concat", "Conv", "Crop", "DepthToSpace", "DepthwiseConv",
           "HostInput", "HostInputs", "HostOutput", "HostOutputs", "IntegerNetwork", "Lookup", "MaxPool", "Node", "Op",
           "Part", "PixelMove", "Reframe", "Requant", "Sequence", "Shape", "SpaceToDepth", "TensorType", "Threshold",
           "Upsample"]

Op = (Conv | DepthwiseConv | Threshold | Requant | MaxPool | AccPool | Upsample | Reframe | Add | Concat | ChannelMap
      | Crop | DepthToSpace | SpaceToDepth | Lookup | Sequence | Part)
#: Operations that only choose pixels and channels of one tensor.
PixelMove = DepthToSpace | Crop
INPUT = "input"
#: What the host does with the last values.
Head = Literal["none", "argmax", "topk", "softmax", "logsoftmax", "max", "sigmoid", "tanh"]


@dataclass(frozen=True)
class Node:
    """One operation; its output tensor carries its name."""

    name: str
    op: Op
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class HostInput:
    """What the host does to a sample before it enters the stream.

    `shape` is the model's own input shape without the batch: (C, H, W), or any shape of H*W*C elements in that order,
    or with `order` (H*W*C,) in any: the element i of (C, H, W) is the element order[i] of a flat sample.
    q = clip(round((scale * x + offset) / divisor)) with `scale`, `offset` and `divisor` per channel (C,), decided in
    exact arithmetic, and `rounding` as of ops.Quantize; bipolar inputs are +1 where scale*x + offset >= 0, the divisor
    being positive. Where `saturates` is false a value outside the type is an error of the user's, not clipped.
    """

    shape: tuple[int, ...]
    tensor: TensorType
    scale: FloatArray
    offset: FloatArray
    rounding: Rounding = "half_even"
    divisor: FloatArray | None = None
    saturates: bool = True
    order: IntArray | None = None
    name: str = "input"


@dataclass(frozen=True, eq=False)
class HostInputs:
    """The inputs of a model with several, in its order; their frames follow one another on the stream."""

    parts: tuple[HostInput, ...]

    @property
    def tensor(self) -> TensorType:
        """The frame of all of them."""
        return sequence_type([part.tensor for part in self.parts])


@dataclass(frozen=True, eq=False)
class HostOutput:
    """What the host makes of the last integers: y = scale * q + offset per channel (C,), reshaped to `shape`.

    The elements of `shape` are in (C, H, W) order, or with `before` in any: the flat element i is element before[i] of
    (C, H, W). `head` is applied over the first axis: argmax drops it, topk leaves
    the indices of the `k` largest values, lowest index first on ties, max the largest value; sigmoid and tanh are taken
    of every element. `result` is the model's own output shape without the batch, where it is not the one that the head
    leaves; its flat element i is element order[i] of what the head leaves.
    """

    shape: tuple[int, ...]
    scale: FloatArray
    offset: FloatArray
    head: Head = "none"
    k: int = 1
    result: tuple[int, ...] | None = None
    order: IntArray | None = None
    before: IntArray | None = None
    name: str = "output"

    @property
    def elements(self) -> int:
        """Integers of a frame."""
        return math.prod(self.shape)

    @property
    def model_shape(self) -> tuple[int, ...]:
        """The model's own output shape without the batch."""
        left = {"argmax": (), "topk": (self.k,), "max": (1,)}.get(self.head, self.shape[:1])
        return (*left, *self.shape[1:]) if self.result is None else self.result


@dataclass(frozen=True, eq=False)
class HostOutputs:
    """The outputs of a model with several, in its order; their frames follow one another on the stream."""

    parts: tuple[HostOutput, ...]


@dataclass(frozen=True, eq=False)
class IntegerNetwork:
    """A verified integer network: nodes in topological order, one input, one output (the last node).

    Several inputs of the model are Parts of the one; several outputs are a Sequence, the last node.
    """

    host_input: HostInput | HostInputs
    nodes: tuple[Node, ...]
    host_output: HostOutput | HostOutputs
    types: dict[str, TensorType] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        for what, names in (("input", [part.name for part in self.host_inputs]),
                            ("output", [part.name for part in self.host_outputs])):
            if not names or len(set(names)) < len(names):
                raise InputError(f"the {what}s are called {names}; give each a name of its own, and at least one")
        object.__setattr__(self, "types", self._infer())
        if isinstance(self.host_output, HostOutputs):
            wanted, found = sum(part.elements for part in self.host_outputs), math.prod(self.types[self.output].shape)
            if wanted != found:
                raise InputError(f"{self.output}: has {found} elements but the outputs take {wanted}; mend their "
                                 "shapes")

    @property
    def host_inputs(self) -> tuple[HostInput, ...]:
        """The inputs of the model."""
        return self.host_input.parts if isinstance(self.host_input, HostInputs) else (self.host_input,)

    @property
    def host_outputs(self) -> tuple[HostOutput, ...]:
        """The outputs of the model."""
        return self.host_output.parts if isinstance(self.host_output, HostOutputs) else (self.host_output,)

    def _infer(self) -> dict[str, TensorType]:
        """Types of all tensors. Raises InputError naming the node that is not legal."""
        types = {INPUT: self.host_input.tensor}
        for node in self.nodes:
            if node.name in types:
                raise InputError(f"{node.name}: two tensors have this name; rename one")
            for source in node.inputs:
                if source not in types:
                    raise InputError(f"{node.name}: reads {source}, which no earlier node makes")
            _require_arity(node)
            try:
                types[node.name] = node.op.infer(*(types[source] for source in node.inputs))
            except InputError as error:
                raise InputError(f"{node.name}: {error}") from None
        return types

    @property
    def output(self) -> str:
        """Name of the output tensor."""
        return self.nodes[-1].name if self.nodes else INPUT


def _require_arity(node: Node) -> None:
    """Raise InputError unless the node has as many inputs as its operation takes."""
    several = len(node.inputs) >= 2
    legal = {Add: len(node.inputs) == 2, Concat: several, Sequence: several}.get(type(node.op), len(node.inputs) == 1)
    if not legal:
        raise InputError(f"{node.name}: a {type(node.op).__name__} with {len(node.inputs)} inputs does not exist; "
                         "an Add has 2, a Concat or a Sequence 2 or more, all others 1")
