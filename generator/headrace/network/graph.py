"""Network: the faithful tensor graph of a trained model, with explicit quantizers and weights, in float semantics.

A tensor is named after the node that makes it. The streamlining pass turns a Network into an IntegerNetwork.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from headrace.errors import InputError
from headrace.network import ops
from headrace.network.ops import FloatArray, Shape
from headrace.network.tensor_ops import TensorOp

Op = ops.Op | TensorOp
#: The samples of one tensor (N, *shape), or those of several by name.
Values = ArrayLike | Mapping[str, ArrayLike]


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


def needed(nodes: Sequence[Node], tensors: Iterable[str]) -> tuple[Node, ...]:
    """Those of the nodes, in topological order, on which the tensors depend."""
    wanted, kept = set(tensors), []
    for node in reversed(nodes):
        if node.name in wanted:
            wanted.update(node.inputs)
            kept.append(node)
    return tuple(reversed(kept))


@dataclass(frozen=True)
class Input:
    """An input of the model: its name and its shape without the batch, (C, H, W) or (features,)."""

    name: str
    shape: Shape


@dataclass(frozen=True, eq=False)
class Network:
    """A verified tensor graph: nodes in topological order, its inputs, and the tensors that are its outputs, in order.

    `output_names` is what the model calls its outputs, where that is not the names of their tensors. Raises InputError,
    naming the node, where shapes or names do not fit.
    """

    inputs: tuple[Input, ...]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    output_names: tuple[str, ...] = ()
    shapes: dict[str, Shape] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.output_names:
            object.__setattr__(self, "output_names", self.outputs)
        _require_names("input", tuple(item.name for item in self.inputs))
        _require_names("output", self.output_names)
        if len(self.output_names) != len(self.outputs):
            raise InputError(f"the model has {len(self.outputs)} outputs and {len(self.output_names)} names for them; "
                             "give each one name")
        object.__setattr__(self, "shapes", infer_shapes(self.inputs, self.nodes))
        if missing := [name for name in self.outputs if name not in self.shapes]:
            raise InputError(f"the output {missing[0]!r} is made by no node; name a node or an input")

    @property
    def input(self) -> Input:
        """The first input, which most networks have alone."""
        return self.inputs[0]

    @property
    def output(self) -> str:
        """The tensor of the first output."""
        return self.outputs[0]

    def tensors(self, x: Values) -> dict[str, FloatArray]:
        """Every tensor in float64 for the samples x (N, *shape), by the names of the inputs where there are several."""
        given = x if isinstance(x, Mapping) else {self.inputs[0].name: x}
        values = {item.name: np.asarray(given[item.name], np.float64) for item in self.inputs}
        for node in self.nodes:
            values[node.name] = node.op.forward(*(values[source] for source in node.inputs))
        return values

    def forward(self, x: Values) -> FloatArray:
        """The model's only output in float64 for the samples x (N, *shape). Raises InputError where it has several."""
        if len(self.outputs) > 1:
            raise InputError(f"the model has {len(self.outputs)} outputs, {list(self.output_names)}; forward_by_name "
                             "gives them all")
        return self.tensors(x)[self.output]

    def forward_by_name(self, x: Values) -> dict[str, FloatArray]:
        """The model's outputs in float64 for the samples x (N, *shape)."""
        tensors = self.tensors(x)
        return {name: tensors[tensor] for name, tensor in zip(self.output_names, self.outputs, strict=True)}


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


def infer_shapes(starts: Sequence[Input], nodes: Sequence[_AnyNode]) -> dict[str, Shape]:
    """Shapes of all tensors. Raises InputError, naming the node, where names or shapes do not fit."""
    shapes = {start.name: start.shape for start in starts}
    for start in starts:
        if not start.shape or min(start.shape) < 1:
            what = "the input's shape" if len(starts) == 1 else f"the shape of the input {start.name!r},"
            raise InputError(f"{what} {start.shape} must be made of positive sizes; give it without the batch")
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


def _require_names(what: str, names: tuple[str, ...]) -> None:
    """Raise InputError where there is no name, or one twice."""
    if not names:
        raise InputError(f"the model has no {what}; give it one")
    if twice := [name for name in names if names.count(name) > 1]:
        raise InputError(f"the model has two {what}s of the name {twice[0]!r}; rename one")
