"""Curves that rise and fall, by name and as products with their own gate, and powers."""

from __future__ import annotations

import math
from collections.abc import Callable

from tests.random_networks.descriptions import Layer
from tests.random_networks.emitted import Emitter, Tensor, finish, power_of_two
from tests.random_networks.layers import flat

MICROSOFT = "com.microsoft"


def _plain(kind: str, domain: str = "", **attributes: object) -> Callable[[Emitter, Tensor], Tensor]:
    return lambda e, x: e.node(kind, [x.name], x, domain, **attributes)


def _biased(kind: str) -> Callable[[Emitter, Tensor], Tensor]:
    """The bias lies along the last axis, which is that of the channels in a vector."""
    def make(e: Emitter, x: Tensor) -> Tensor:
        if x.spatial and x.shape[1:] != (1, 1):
            return e.node("Gelu", [x.name], x)
        x = flat(e, x)
        return e.node(kind, [x.name, e.constant(e.rng.integers(-4, 5, x.channels) * power_of_two(x.reach / 8))], x,
                      MICROSOFT)
    return make


def _power(exponent: int) -> Callable[[Emitter, Tensor], Tensor]:
    return lambda e, x: e.node("Pow", [x.name, e.constant(float(exponent))], x)


def _times(gate: Callable[[Emitter, Tensor], Tensor]) -> Callable[[Emitter, Tensor], Tensor]:
    """A tensor times its gate."""
    return lambda e, x: e.node("Mul", [x.name, gate(e, x).name], x)


def _scaled(e: Emitter, x: Tensor, factor: float) -> Tensor:
    return e.node("Mul", [x.name, e.constant(factor)], x)


def _plus(e: Emitter, x: Tensor, summand: float) -> Tensor:
    return e.node("Add", [x.name, e.constant(summand)], x)


def _sigmoid_gate(e: Emitter, x: Tensor) -> Tensor:
    return e.node("Sigmoid", [_scaled(e, x, 1.5).name], x)


def _clipped_gate(e: Emitter, x: Tensor) -> Tensor:
    return e.node("Clip", [_plus(e, x, 3.0).name, e.constant(0.0), e.constant(6.0)], x)


def _mish_gate(e: Emitter, x: Tensor) -> Tensor:
    return e.node("Tanh", [e.node("Softplus", [x.name], x).name], x)


def _erf_gate(e: Emitter, x: Tensor) -> Tensor:
    return _plus(e, e.node("Erf", [_scaled(e, x, math.sqrt(0.5)).name], x), 1.0)


def _tanh_gate(e: Emitter, x: Tensor) -> Tensor:
    cubic = _scaled(e, _power(3)(e, x), 0.044715)
    inner = _scaled(e, e.node("Add", [x.name, cubic.name], x), math.sqrt(2 / math.pi))
    return _plus(e, e.node("Tanh", [inner.name], x), 1.0)


CURVES: dict[str, Callable[[Emitter, Tensor], Tensor]] = {
    "selu": _plain("Selu"), "celu": _plain("Celu", alpha=0.5), "erf": _plain("Erf"), "mish": _plain("Mish"),
    "gelu": _plain("Gelu"), "gelu_tanh": _plain("Gelu", approximate="tanh"), "fast_gelu": _biased("FastGelu"),
    "bias_gelu": _biased("BiasGelu"), "quick_gelu": _plain("QuickGelu", MICROSOFT), "swish": _plain("Swish", alpha=1.5),
    "square": _times(lambda _, x: x), "cube": _power(3), "fourth": _power(4), "sigmoid_gate": _times(_sigmoid_gate),
    "hard_gate": _times(_plain("HardSigmoid", alpha=0.25, beta=0.5)), "clipped_gate": _times(_clipped_gate),
    "mish_gate": _times(_mish_gate), "erf_gate": _times(_erf_gate), "tanh_gate": _times(_tanh_gate),
    "leaky_default": _plain("LeakyRelu"), "hard_default": _plain("HardSigmoid"), "elu": _plain("Elu", alpha=0.75),
}


def curved(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    made = CURVES[layer["form"]](e, x)
    return finish(e, made, {**layer, "act": "none"})
