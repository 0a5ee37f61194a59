"""Activations of an ONNX graph that are curves, alone or as a product of a tensor with its own gate."""

from __future__ import annotations

import numpy as np

from headrace.frontend.onnx.builder import Call, Handler
from headrace.frontend.onnx.values import Feature
from headrace.network import ops
from headrace.network.activation import Activation
from headrace.network.ops import FloatArray

#: gamma and alpha of Selu where the file gives none.
_SELU = (1.0507009873554805, 1.6732632423543772)


def _curve(kind: str, alpha: float | None = None) -> Handler:
    """A handler for a curve whose parameter is the attribute alpha, `alpha` where it is left out."""
    def handler(call: Call) -> Feature:
        values = np.zeros(1) if alpha is None else np.asarray([call.node.number("alpha", alpha)])
        return call.elementwise(Activation(kind, values), call.feature())
    return handler


def _prelu(call: Call) -> Feature:
    """LeakyReLU whose slopes are an input."""
    def make(slopes: FloatArray) -> Activation:
        return Activation("leaky_relu", slopes)
    x, (slopes,) = call.build.per_channel(call.feature(), call.floats(1, "slope"))
    return x.renamed(call.emit(make(slopes), x.name))


def _selu(call: Call) -> Feature:
    elu = Activation("elu", np.asarray([call.node.number("alpha", _SELU[1])]))
    x = call.feature()
    return call.build.affine(x.renamed(call.emit(elu, x.name, suffix=".elu")), call.node.number("gamma", _SELU[0]), 0.0)


def _hard_sigmoid(call: Call) -> Feature:
    slope, offset = call.node.number("alpha", 0.2), call.node.number("beta", 0.5)
    return call.elementwise(ops.Clip(0.0, 1.0), call.build.affine(call.feature(), slope, offset, suffix=".line"))


def gated(call: Call, left: Feature, right: Feature) -> Feature | None:
    """x * sigmoid(x) or x * clip(slope * x + 1/2, 0, 1) as one activation; None for other products."""
    for x, gate in ((left, right), (right, left)):
        op = _gate(call, x.name, gate.name)
        if op and x.axes == gate.axes and x.shape == gate.shape and x.order is None and gate.order is None:
            return call.elementwise(op, x)
    return None


def _gate(call: Call, name: str, gate: str) -> Activation | None:
    """The activation that `name` times `gate` is."""
    nodes = call.build.nodes
    if gate not in nodes:
        return None
    op, source = nodes[gate].op, nodes[gate].inputs[0]
    if isinstance(op, Activation) and op.kind == "sigmoid" and source == name:
        return Activation("silu")
    if op == ops.Clip(0.0, 1.0) and source in nodes and nodes[source].inputs == (name,):
        line = nodes[source].op
        if isinstance(line, ops.Affine) and len(line.scale) == 1 and line.scale[0] > 0 and np.all(line.offset == 0.5):
            return Activation("hard_swish", line.scale)
    return None


HANDLERS: dict[str, Handler] = {
    "LeakyRelu": _curve("leaky_relu", 0.01), "PRelu": _prelu, "Sigmoid": _curve("sigmoid"), "Tanh": _curve("tanh"),
    "HardSigmoid": _hard_sigmoid, "Elu": _curve("elu", 1.0), "Celu": _curve("celu", 1.0), "Selu": _selu,
    "Softplus": _curve("softplus"), "Softsign": _curve("softsign"), "HardSwish": _curve("hard_swish", 1 / 6),
    "Mish": _curve("mish"),
}
