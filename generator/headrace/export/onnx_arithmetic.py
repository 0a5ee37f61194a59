"""Arithmetic with constants in an ONNX file: in float32 where it holds them, else in float64 between casts."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from headrace.export.onnx_graph import GraphWriter, along_channels, single
from headrace.network import ops
from headrace.network.graph import Node
from headrace.network.ops import FloatArray, Shape


def write_affine(graph: GraphWriter, source: str, name: str, shape: Shape, scale: FloatArray,
               offset: FloatArray) -> None:
    """scale * source + offset as the tensor `name` of this shape, in float64 where float32 does not hold them."""
    exact = single(scale) is not None and single(offset) is not None
    kind = np.float32 if exact else np.float64
    steps = [(op_type, along_channels(values, shape).astype(kind)) for op_type, values, neutral in
             (("Mul", scale, 1.0), ("Add", offset, 0.0)) if np.any(values != neutral)]
    tensor = source if exact else graph.node("Cast", [source], graph.name(f"{name}.double"), to=TensorProto.DOUBLE)
    for op_type, values in steps:
        last = exact and op_type == steps[-1][0]
        output = name if last else graph.name(f"{name}.{op_type.lower()}")
        constant = graph.exact_constant(f"{name}.{op_type.lower()}_by", values)
        tensor = graph.node(op_type, [tensor, constant], output)
    if not exact:
        graph.node("Cast", [tensor], name, to=TensorProto.FLOAT)
    elif not steps:
        graph.node("Identity", [tensor], name)


def affine(graph: GraphWriter, node: Node) -> None:
    """Mul and Add."""
    assert isinstance(node.op, ops.Affine)
    write_affine(graph, node.inputs[0], node.name, graph.network.shapes[node.name], node.op.scale, node.op.offset)


def clip(graph: GraphWriter, node: Node) -> None:
    """Relu or Clip."""
    assert isinstance(node.op, ops.Clip)
    if node.op == ops.RELU:
        graph.node("Relu", [node.inputs[0]], node.name)
        return
    bounds = np.asarray([node.op.lo, node.op.hi])
    exact = single(bounds) is not None
    kind = np.float32 if exact else np.float64
    limits = [graph.exact_constant(f"{node.name}.{side}", kind(bound)) if np.isfinite(bound) else ""
              for side, bound in (("min", node.op.lo), ("max", node.op.hi))]
    while limits and not limits[-1]:
        limits.pop()
    if exact:
        graph.node("Clip", [node.inputs[0], *limits], node.name)
        return
    wide = graph.node("Cast", [node.inputs[0]], graph.name(f"{node.name}.double"), to=TensorProto.DOUBLE)
    clipped = graph.node("Clip", [wide, *limits], graph.name(f"{node.name}.clipped"))
    graph.node("Cast", [clipped], node.name, to=TensorProto.FLOAT)
