"""Where the quantizers of a float network go.

A convolution, a dense layer, a sum, a concatenation, an average or a border reads integers, so its input gets a
quantizer: as early as possible behind the layer or activation that makes it, in front of poolings and reshapes, which
move integers only.
"""

from __future__ import annotations

from dataclasses import dataclass

from headrace.network import ops
from headrace.network.float_graph import FloatConv, FloatLinear, FloatNetwork, FloatNode
from headrace.network.tensor_ops import Add, AvgPool, Concat, PadFrame, Transpose, Upsample

#: Operations that read integers.
READS_INTEGERS = (FloatConv, FloatLinear, Add, Concat, AvgPool, PadFrame)
#: Operations that move integers.
MOVES = (ops.MaxPool, ops.Reshape, Transpose, Upsample)
#: Operations whose output holds the codes of their inputs.
KEEPS_CODES = (*MOVES, Concat, PadFrame)


@dataclass(frozen=True)
class Points:
    """The tensors to quantize, in topological order, and the groups of them that share one quantizer."""

    tensors: tuple[str, ...]
    groups: tuple[tuple[str, ...], ...]


def _root(nodes: dict[str, FloatNode], tensor: str) -> str:
    """The tensor whose codes `tensor` moves."""
    while tensor in nodes and isinstance(nodes[tensor].op, MOVES):
        tensor = nodes[tensor].inputs[0]
    return tensor


def code_sources(net: FloatNetwork, points: Points, tensor: str) -> tuple[str, ...]:
    """The quantized tensors whose codes a tensor holds; several behind a concatenation."""
    node = net.by_name.get(tensor)
    if tensor in points.tensors or node is None:
        return (tensor,)
    if not isinstance(node.op, KEEPS_CODES):
        return ()
    return tuple(dict.fromkeys(point for source in node.inputs for point in code_sources(net, points, source)))


def quantization_points(net: FloatNetwork, join_sums: bool = False, output: bool = False) -> Points:
    """The tensors that get a quantizer, grouped where they must share it.

    Branches of a concatenation share one, so that their codes stand side by side; with join_sums (scales that are no
    powers of two) those of a sum too. An output of the network gets one if an activation makes it, or if `output`.
    """
    nodes = net.by_name
    wanted = {net.input.name}
    for node in net.nodes:
        if isinstance(node.op, READS_INTEGERS):
            wanted |= {_root(nodes, source) for source in node.inputs}
    lasts = {_root(nodes, name) for name in net.outputs}
    wanted |= {last for last in lasts if output or (last in nodes and isinstance(nodes[last].op, ops.Clip))}
    wanted -= {name for name in wanted if name in nodes and isinstance(nodes[name].op, Concat | PadFrame)}
    order = [net.input.name, *nodes]
    tensors = tuple(name for name in order if name in wanted)
    alone = Points(tensors, ())
    ties = [{point for source in node.inputs for point in code_sources(net, alone, source)} for node in net.nodes
            if isinstance(node.op, Concat) or (join_sums and isinstance(node.op, Add))]
    return Points(tensors, _groups(tensors, ties))


def _groups(tensors: tuple[str, ...], ties: list[set[str]]) -> tuple[tuple[str, ...], ...]:
    """The classes of tensors that ties connect, each in order."""
    classes = [{name} for name in tensors]
    for tie in ties:
        met = [group for group in classes if group & tie]
        classes = [group for group in classes if not group & tie] + [set().union(*met)]
    ordered = [tuple(name for name in tensors if name in group) for group in classes]
    return tuple(sorted(ordered, key=lambda group: tensors.index(group[0])))
