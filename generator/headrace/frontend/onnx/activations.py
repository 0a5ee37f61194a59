"""Activations of an ONNX graph that are curves, by their names."""

from __future__ import annotations

import math

import numpy as np

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.builder import Call, Handler
from headrace.frontend.onnx.values import Constant, Feature
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


def _hard_swish(call: Call) -> Feature:
    """The standard says a sixth, which is not an attribute."""
    return call.elementwise(Activation("hard_swish", np.asarray([1 / 6])), call.feature())


def _abs(call: Call) -> Feature:
    return call.elementwise(Activation("leaky_relu", np.asarray([-1.0])), call.feature())


def _power(call: Call) -> Feature:
    """A computed tensor to the power of a whole number."""
    exponent = call.number(1, "exponent")
    if isinstance(call.values[0], Constant) or exponent % 1 or exponent < 1:
        raise UnsupportedError("raises to a power that is not a whole number above 0; remove it")
    return call.feature() if exponent == 1 else raised(call, call.feature(), int(exponent))


def raised(call: Call, x: Feature, exponent: int) -> Feature:
    """x to the power of a whole number."""
    return call.elementwise(Activation("power", np.asarray([float(exponent)])), x)


def _gelu(call: Call) -> Feature:
    if call.node.text("approximate", "none") == "tanh":
        return _gelu_by_tanh(call)
    return call.elementwise(Activation("gelu", np.asarray([math.sqrt(0.5)])), call.feature())


def _bias_gelu(call: Call) -> Feature:
    x = call.build.affine(call.feature(), 1.0, call.floats(1, "bias"), suffix=".bias")
    return call.elementwise(Activation("gelu", np.asarray([math.sqrt(0.5)])), x)


def _gelu_by_tanh(call: Call) -> Feature:
    gain = 2 * math.sqrt(2 / math.pi)
    x = call.feature()
    if call.has(1):  # of FastGelu
        x = call.build.affine(x, 1.0, call.floats(1, "bias"), suffix=".bias")
    return call.elementwise(Activation("swish", np.asarray([gain]), gain * 0.044715), x)


def _quick_gelu(call: Call) -> Feature:
    return call.elementwise(Activation("swish", np.asarray([call.node.number("alpha", 1.702)])), call.feature())


def _swish(call: Call) -> Feature:
    return call.elementwise(Activation("swish", np.asarray([call.node.number("alpha", 1.0)])), call.feature())


HANDLERS: dict[str, Handler] = {
    "LeakyRelu": _curve("leaky_relu", 0.01), "PRelu": _prelu, "Sigmoid": _curve("sigmoid"), "Tanh": _curve("tanh"),
    "HardSigmoid": _hard_sigmoid, "Elu": _curve("elu", 1.0), "Celu": _curve("celu", 1.0), "Selu": _selu,
    "Softplus": _curve("softplus"), "Softsign": _curve("softsign"), "HardSwish": _hard_swish,
    "Mish": _curve("mish"), "Erf": _curve("erf"), "Abs": _abs, "Pow": _power, "Gelu": _gelu,
    "FastGelu": _gelu_by_tanh, "BiasGelu": _bias_gelu, "QuickGelu": _quick_gelu, "Swish": _swish,
}
