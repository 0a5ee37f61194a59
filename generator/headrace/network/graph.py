"""Network: the faithful tensor graph of a trained model, with explicit quantizers and weights, in float semantics.

A tensor is named after the node that makes it. The streamlining pass turns a Network into an IntegerNetwork.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Protocol

import numpy as np

from headrace.errors import InputError
from headrace.network import ops
from headrace.network.ops import FloatArray, Shape
from headrace.network.tensor_ops import TensorOp

Op = ops.Op | TensorOp


def free_name(wanted: str, taken: Container[str]) -> str:
    """The name, with a number from 2 where it is taken.

    >>> free_name("conv", {"conv", "conv_2"})
    'conv_3'
    """
    candidates = chain([wanted], (f"{wanted}_{number}" for number in count(2)))
    return next(name for name in candidates if name not in taken)


@dataclass(frozen=True)
class Node:
    """One operation; its output tensor carries its name, which is that of the model's own module or node."""

    name: str
    op: Op
    inputs: tuple[str, ...]


@dataclass(frozen=True)
class Input:
    """An input of the model: its name and its shape without the batch, (C, H, W) or (features,)."""

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Network:
    """A verified tensor graph: nodes in topological order, one input, one output.

    Raises InputError, naming the node, where shapes or names do not fit, and for several inputs or outputs.
    """

    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    shapes: dict[str, Shape] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        _require_one("input", tuple(item.name for item in self.inputs))
        _require_one("output", self.outputs)
        object.__setattr__(self, "shapes", infer_shapes(self.input, self.nodes))
        if self.output not in self.shapes:
            raise InputError(f"the output {self.output!r} is made by no node; name a node or the input")

    @property
    def input(self) -> Input:
        """The only input."""
        return self.inputs[0]

    @property
    def output(self) -> str:
        """Name of the only output tensor."""
        return self.outputs[0]

    def tensors(self, x: FloatArray) -> dict[str, FloatArray]:
        """Every tensor in float64 for the samples x (N, *shape)."""
        values = {self.input.name: np.asarray(x, np.float64)}
        for node in self.nodes:
            values[node.name] = node.op.forward(*(values[source] for source in node.inputs))
        return values

    def forward(self, x: FloatArray) -> FloatArray:
        """The model's output in float64 for the samples x (N, *shape)."""
        return self.tensors(x)[self.output]


class _AnyOp(Protocol):
    """What `infer_shapes` needs of an operation: its shape rule."""

    @property
    def infer(self) -> Callable[..., Shape]: ...


class _AnyNode(Protocol):
    """What `infer_shapes` needs of a node."""

    @property
    def name(self) -> str: ...
    @property
    def op(self) -> _AnyOp: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...


def infer_shapes(start: Input, nodes: Sequence[_AnyNode]) -> dict[str, Shape]:
    """Shapes of all tensors. Raises InputError, naming the node, where names or shapes do not fit."""
    shapes = {start.name: start.shape}
    if not start.shape or min(start.shape) < 1:
        raise InputError(f"the input's shape {start.shape} must be made of positive sizes; give it without the batch")
    for node in nodes:
        if node.name in shapes:
            raise InputError(f"{node.name}: two tensors have this name; rename one")
        if missing := [source for source in node.inputs if source not in shapes]:
            raise InputError(f"{node.name}: reads {missing[0]!r}, which no earlier node makes")
        try:
            shapes[node.name] = node.op.infer(*(shapes[source] for source in node.inputs))
        except InputError as error:
            raise InputError(f"{node.name}: {error}") from None
    return shapes


def _require_one(what: str, names: tuple[str, ...]) -> None:
    """Raise InputError unless there is exactly one name."""
    if len(names) != 1:
        listed = ", ".join(names) or "none"
        raise InputError(f"the model has {len(names)} {what}s ({listed}) but a streaming network has exactly one; "
                         f"export a model with one {what}")
