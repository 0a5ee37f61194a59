"""Products of a tensor with its own gate, as exporters write SiLU, GELU, Mish and their like in simpler operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from headrace.frontend.onnx.builder import Call
from headrace.frontend.onnx.values import Feature
from headrace.network import ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.graph import Node

Nodes = Mapping[str, Node]


class _Line(NamedTuple):
    """scale * tensor + offset, with numbers that are the same for all channels."""

    tensor: str
    scale: float = 1.0
    offset: float = 0.0


class _Cubic(NamedTuple):
    """gain * x + cubic * x^3."""

    gain: float
    cubic: float


def gated(call: Call, left: Feature, right: Feature) -> Feature | None:
    """A product as one activation, None where it is not one of a tensor with a gate of it, or of its powers."""
    if left.axes != right.axes or left.shape != right.shape or left.order is not None or right.order is not None:
        return None
    for x, gate in ((left, right), (right, left)):
        for root, scale in _multiples(call.build.nodes, x.name):
            if found := _gate(call.build.nodes, root, gate.name):
                op, factor = found
                made = x.renamed(call.emit(op, root, suffix="" if factor * scale == 1 else ".gate"))
                return made if factor * scale == 1 else call.build.affine(made, factor * scale, 0.0)
    return None


def _multiples(nodes: Nodes, name: str) -> list[tuple[str, float]]:
    """The tensor, and those that it is a multiple of, each with the factor."""
    found = [(name, 1.0)]
    while (line := _step(nodes, found[-1][0])).offset == 0 and line.tensor != found[-1][0]:
        found.append((line.tensor, found[-1][1] * line.scale))
    return found


def _step(nodes: Nodes, name: str) -> _Line:
    """A tensor as a line of what its node reads, or of itself."""
    node = nodes.get(name)
    if node is None or not isinstance(node.op, ops.Affine) or len(node.op.scale) > 1 or len(node.op.offset) > 1:
        return _Line(name)
    return _Line(node.inputs[0], float(node.op.scale[0]), float(node.op.offset[0]))


def _line(nodes: Nodes, name: str) -> _Line:
    """A tensor as a line of one that is not a line of another."""
    line = _Line(name)
    while (step := _step(nodes, line.tensor)).tensor != line.tensor:
        line = _Line(step.tensor, line.scale * step.scale, line.scale * step.offset + line.offset)
    return line


def _gate(nodes: Nodes, root: str, name: str) -> tuple[Activation, float] | None:
    """The activation of `root` and the factor that `root` times the tensor is."""
    if name == root:
        return Activation("power", np.asarray([2.0])), 1.0
    line = _line(nodes, name)
    node = nodes.get(line.tensor)
    if node is None:
        return None
    if isinstance(node.op, ops.Clip) and line.offset == 0:
        return _clipped(nodes, root, node.op, node.inputs[0], line.scale)
    if not isinstance(node.op, Activation):
        return None
    inner = node.inputs[0]
    if node.op.kind == "power" and inner == root and line.offset == 0:
        return Activation("power", node.op.alpha + 1), line.scale
    if node.op.kind == "sigmoid" and line.offset == 0:
        return _swish(_cubic(nodes, root, inner), 1, line.scale)
    if node.op.kind == "tanh" and line.offset == line.scale:
        return _swish(_cubic(nodes, root, inner), 2, 2 * line.scale)
    if node.op.kind == "tanh" and line.offset == 0 and _is_softplus(nodes, root, inner):
        return Activation("mish"), line.scale
    cubic = _cubic(nodes, root, inner) if node.op.kind == "erf" and line.offset == line.scale else None
    if cubic is not None and cubic.gain > 0 and cubic.cubic == 0:
        return Activation("gelu", np.asarray([cubic.gain])), 2 * line.scale
    return None


def _swish(inner: _Cubic | None, times: int, factor: float) -> tuple[Activation, float] | None:
    """The activation with a sigmoid of `times` the inner polynomial."""
    if inner is None or inner.gain <= 0 or inner.cubic < 0:
        return None
    if times * inner.gain == 1 and inner.cubic == 0:
        return Activation("silu"), factor
    return Activation("swish", np.asarray([times * inner.gain]), times * inner.cubic), factor


def _clipped(nodes: Nodes, root: str, op: ops.Clip, inner: str, scale: float) -> tuple[Activation, float] | None:
    """The gate min(max(slope * x + 1/2, 0), 1), or a multiple of it such as ReLU6(x + 3)."""
    line = _line(nodes, inner)
    if line.tensor != root or op.lo != 0 or not np.isfinite(op.hi) or line.scale <= 0 or 2 * line.offset != op.hi:
        return None
    return Activation("hard_swish", np.asarray([line.scale / op.hi])), scale * op.hi


def _is_softplus(nodes: Nodes, root: str, name: str) -> bool:
    op = nodes[name].op if name in nodes else None
    return isinstance(op, Activation) and op.kind == "softplus" and nodes[name].inputs == (root,)


def _cubic(nodes: Nodes, root: str, name: str) -> _Cubic | None:
    """A tensor as a polynomial of `root`, None where it is not one."""
    if name == root:
        return _Cubic(1.0, 0.0)
    node = nodes.get(name)
    if node is None:
        return None
    if isinstance(node.op, Activation) and node.op.kind == "power" and node.op.alpha[0] == 3:
        return _Cubic(0.0, 1.0) if node.inputs == (root,) else None
    parts = [_cubic(nodes, root, source) for source in node.inputs] if isinstance(node.op, tensor_ops.Add) else []
    if len(parts) == 2 and parts[0] is not None and parts[1] is not None:
        return _Cubic(parts[0].gain + parts[1].gain, parts[0].cubic + parts[1].cubic)
    line = _step(nodes, name)
    inner = _cubic(nodes, root, line.tensor) if line.tensor != name and line.offset == 0 else None
    return None if inner is None else _Cubic(line.scale * inner.gain, line.scale * inner.cubic)
