"""A plan says how every layer and tensor of a float network is quantized; with it the network becomes a Network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from headrace.network import graph, ops
from headrace.network.float_graph import FloatConv, FloatLinear, FloatNetwork
from headrace.network.ops import FloatArray


@dataclass(frozen=True, eq=False)
class Plan:
    """Weights and bias of every layer and the quantizer of every quantized tensor, by name."""

    weights: Mapping[str, ops.QuantWeight]
    biases: Mapping[str, FloatArray]
    tensors: Mapping[str, ops.Quantize]


def assemble(net: FloatNetwork, plan: Plan) -> graph.Network:
    """The Network of a float network by a plan: every quantizer stands behind its tensor and is what others read."""
    quantized: dict[str, str] = {}
    nodes: list[graph.Node] = []

    def quantize(tensor: str) -> None:
        if tensor in plan.tensors:
            quantized[tensor] = f"{tensor}.quant"
            nodes.append(graph.Node(quantized[tensor], plan.tensors[tensor], (tensor,)))

    quantize(net.input.name)
    for node in net.nodes:
        op = (node.op.quantized(plan.weights[node.name], plan.biases[node.name])
              if isinstance(node.op, FloatConv | FloatLinear) else node.op)
        nodes.append(graph.Node(node.name, op, tuple(quantized.get(source, source) for source in node.inputs)))
        quantize(node.name)
    return graph.Network((net.input,), tuple(nodes), tuple(quantized.get(name, name) for name in net.outputs))


@dataclass(frozen=True)
class Widths:
    """Bits of the weights of every layer and of every quantized tensor, by name, and of all biases."""

    weights: Mapping[str, int]
    tensors: Mapping[str, int]
    bias: int
