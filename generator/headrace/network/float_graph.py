"""FloatNetwork: the graph of a trained model whose weights are still real numbers and that has no quantizers.

Shapes are those of one sample, as in graph.py; operations without weights are those of a Network.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import get_args

import numpy as np

from headrace.datatypes import Interval
from headrace.errors import InputError, UnsupportedError
from headrace.layers.window_geometry import Pair
from headrace.network import ops
from headrace.network.activation import Activation
from headrace.network.graph import Input, infer_shapes
from headrace.network.ops import FloatArray, Pad, Shape
from headrace.network.tensor_ops import Add, AvgPool, Concat, LogSoftmax, PadFrame, Softmax, Transpose, Upsample


def _placeholder(weights: FloatArray) -> ops.QuantWeight:
    """Weights of the same shape, for the shape rule of the quantized operation."""
    return ops.QuantWeight(np.zeros(weights.shape, np.int64), np.ones(1), Interval(0, 0))


@dataclass(frozen=True, eq=False)
class FloatConv:
    """Convolution with weights (C_out, C_in/groups, K_h, K_w) and bias (C_out,), padded with 0.0."""

    weights: FloatArray
    bias: FloatArray
    stride: Pair = (1, 1)
    pad: Pad = (0, 0, 0, 0)
    dilation: Pair = (1, 1)
    groups: int = 1

    def __post_init__(self) -> None:
        ops.require_finite(weights=self.weights, bias=self.bias)

    def quantized(self, weight: ops.QuantWeight, bias: FloatArray) -> ops.Conv:
        """The same convolution with integer weights."""
        return ops.Conv(weight, bias, self.stride, self.pad, self.dilation, self.groups)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return self.quantized(_placeholder(self.weights), self.bias).infer(shape)


@dataclass(frozen=True, eq=False)
class FloatLinear:
    """Matrix product with weights (out_features, in_features) and bias (out_features,)."""

    weights: FloatArray
    bias: FloatArray

    def __post_init__(self) -> None:
        ops.require_finite(weights=self.weights, bias=self.bias)

    def quantized(self, weight: ops.QuantWeight, bias: FloatArray) -> ops.Linear:
        """The same product with integer weights."""
        return ops.Linear(weight, bias)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        return self.quantized(_placeholder(self.weights), self.bias).infer(shape)


Weighted = FloatConv | FloatLinear
FloatOp = (Weighted | ops.Affine | ops.Clip | ops.MaxPool | ops.Reshape | PadFrame | AvgPool | Add | Concat | Upsample
           | Transpose | Activation | Softmax | LogSoftmax)


def require_float_ops(named: Iterable[tuple[str, object]]) -> None:
    """Raise UnsupportedError that lists the operations, by the name of their node, that no calibration has."""
    wrong = [f"{name}: {type(op).__name__} has no calibration; leave it out, or quantize the model with Brevitas"
             for name, op in named if not isinstance(op, get_args(FloatOp))]
    if wrong:
        count = f"{len(wrong)} operation{'s are' if len(wrong) > 1 else ' is'} not supported"
        raise UnsupportedError("\n".join([count, *wrong]))


@dataclass(frozen=True)
class FloatNode:
    """One operation; its output tensor carries its name."""

    name: str
    op: FloatOp
    inputs: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class FloatNetwork:
    """A verified graph in topological order with one input; `more` are outputs besides the first.

    Raises InputError, naming the node, where shapes or names do not fit.
    """

    input: Input
    nodes: tuple[FloatNode, ...]
    output: str
    more: tuple[str, ...] = ()
    shapes: dict[str, Shape] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "shapes", infer_shapes((self.input,), self.nodes))
        if unknown := [name for name in self.outputs if name not in self.shapes]:
            raise InputError(f"the output {unknown[0]!r} is made by no node; name a node or the input")

    @property
    def outputs(self) -> tuple[str, ...]:
        """All outputs."""
        return (self.output, *self.more)

    @property
    def layers(self) -> dict[str, Weighted]:
        """The operations with weights, by name, in topological order."""
        return {node.name: node.op for node in self.nodes if isinstance(node.op, FloatConv | FloatLinear)}

    @property
    def by_name(self) -> dict[str, FloatNode]:
        """The node that makes each tensor; the input has none."""
        return {node.name: node for node in self.nodes}

    def with_parameters(self, weights: dict[str, FloatArray], biases: dict[str, FloatArray]) -> FloatNetwork:
        """The same graph with other weights and biases of its layers, by name."""
        nodes = [node if not isinstance(node.op, FloatConv | FloatLinear) else replace(node, op=replace(
                 node.op, weights=weights[node.name], bias=biases[node.name])) for node in self.nodes]
        return replace(self, nodes=tuple(nodes))


def require_one_input(inputs: int) -> None:
    """Raise InputError for a model of several inputs, which no calibration has."""
    if inputs != 1:
        raise InputError(f"the model has {inputs} inputs but a network to quantize has one; quantize it with Brevitas, "
                         "or wrap it in a module with one input")


def fold_batch_norms(net: FloatNetwork) -> FloatNetwork:
    """The same function with every affine map that directly follows a layer folded into its weights and bias.

    w * A and b * A + B; a map behind a tensor that others read as well stays where it is.
    """
    readers = Counter(source for node in net.nodes for source in node.inputs)
    readers.update(net.outputs)
    made: dict[str, FloatNode] = {}
    stands_for: dict[str, str] = {}
    for node in net.nodes:
        inputs = tuple(stands_for.get(source, source) for source in node.inputs)
        before = made.get(inputs[0])
        if (isinstance(node.op, ops.Affine) and before is not None and readers[node.inputs[0]] == 1
                and isinstance(before.op, FloatConv | FloatLinear)):
            made[before.name] = replace(before, op=_folded(before.op, node.op))
            stands_for[node.name] = before.name
        else:
            made[node.name] = replace(node, inputs=inputs)
    first, *more = (stands_for.get(name, name) for name in net.outputs)
    return FloatNetwork(net.input, tuple(made.values()), first, tuple(more))


def _folded(op: Weighted, affine: ops.Affine) -> Weighted:
    scale = affine.scale.reshape(-1, *[1] * (op.weights.ndim - 1))
    return replace(op, weights=op.weights * scale, bias=op.bias * affine.scale + affine.offset)
