"""Activations in an ONNX file, in operations that the reader turns into the same activation."""

from __future__ import annotations

import numpy as np

from headrace.errors import UnsupportedError
from headrace.export.onnx_arithmetic import write_affine
from headrace.export.onnx_graph import GraphWriter, along_channels, single
from headrace.network.activation import Activation
from headrace.network.graph import Node
from headrace.network.ops import FloatArray

#: Activations without a parameter that are one operation.
_PLAIN = {"sigmoid": "Sigmoid", "tanh": "Tanh", "softplus": "Softplus", "softsign": "Softsign", "erf": "Erf"}
#: Those whose parameter is the attribute alpha.
_LIMITED = {"elu": "Elu", "celu": "Celu"}


def activation(graph: GraphWriter, node: Node) -> None:
    """One operation, or the product of a tensor with its gate."""
    assert isinstance(node.op, Activation)
    op, x, short = node.op, node.inputs[0], single(node.op.alpha)
    if op.kind in _PLAIN:
        graph.node(_PLAIN[op.kind], [x], node.name)
    elif op.kind in _LIMITED and len(op.alpha) == 1 and short is not None:
        graph.node(_LIMITED[op.kind], [x], node.name, alpha=float(short[0]))
    elif op.kind == "leaky_relu" and np.all(op.alpha == -1):
        graph.node("Abs", [x], node.name)
    elif op.kind == "leaky_relu" and short is not None:
        slopes = along_channels(op.alpha, graph.network.shapes[node.name]).astype(np.float32)
        graph.node("PRelu", [x, graph.exact_constant(f"{node.name}.slope", slopes)], node.name)
    elif op.kind == "power" and len(op.alpha) == 1:
        graph.node("Pow", [x, graph.constant(f"{node.name}.exponent", op.alpha[0])], node.name)
    elif op.kind == "gelu" and len(op.alpha) == 1:
        gate = _line(graph, node, graph.node("Erf", [_line(graph, node, x, op.alpha)], graph.name(f"{node.name}.erf")),
                     np.asarray([0.5]), 0.5)
        graph.node("Mul", [x, gate], node.name)
    elif op.kind in ("silu", "swish", "hard_swish", "mish") and len(op.alpha) == 1:
        graph.node("Mul", [x, _gate(graph, node, op)], node.name)
    else:
        raise UnsupportedError(f"{node.name}: float32 does not hold the parameter {op.alpha.tolist()} of {op.kind}; "
                               "round it, or save the network as NAME.json")


def _gate(graph: GraphWriter, node: Node, op: Activation) -> str:
    x = node.inputs[0]
    if op.kind == "silu":
        return graph.node("Sigmoid", [x], graph.name(f"{node.name}.gate"))
    if op.kind == "mish":
        soft = graph.node("Softplus", [x], graph.name(f"{node.name}.softplus"))
        return graph.node("Tanh", [soft], graph.name(f"{node.name}.gate"))
    if op.kind == "hard_swish":
        bounds = [graph.constant(f"{node.name}.{side}", np.float32(bound)) for side, bound in (("min", 0), ("max", 1))]
        line = _line(graph, node, x, op.alpha, 0.5)
        return graph.node("Clip", [line, *bounds], graph.name(f"{node.name}.gate"))
    inner = _line(graph, node, x, op.alpha)
    if op.cubic:
        exponent = graph.constant(f"{node.name}.exponent", np.float32(3))
        cube = graph.node("Pow", [x, exponent], graph.name(f"{node.name}.cube"))
        cubic = _line(graph, node, cube, np.asarray([op.cubic]))
        inner = graph.node("Add", [inner, cubic], graph.name(f"{node.name}.sum"))
    return graph.node("Sigmoid", [inner], graph.name(f"{node.name}.gate"))


def _line(graph: GraphWriter, node: Node, source: str, scale: FloatArray, offset: float = 0.0) -> str:
    """scale * source + offset; its name."""
    name = graph.name(f"{node.name}.line")
    write_affine(graph, source, name, graph.network.shapes[node.name], scale, np.asarray([offset]))
    return name
