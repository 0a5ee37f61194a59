"""Operations on integer codes, as quantizers in the QOperator format write them: QLinearConv and its kin.

Each is a DequantizeLinear of its inputs, the operation on real numbers and a QuantizeLinear of the result, in one node.
Inputs come in threes, (codes, scale, zero point); onnxruntime's ContribOperators.md describes those of com.microsoft.
"""

from __future__ import annotations

import numpy as np

from headrace.errors import InputError
from headrace.frontend.onnx import activations, elementwise, products, windows
from headrace.frontend.onnx.builder import Call, Handler
from headrace.frontend.onnx.qcdq import code_type, dequantized_codes, without
from headrace.frontend.onnx.qonnx import dequantized
from headrace.frontend.onnx.values import Codes, Constant, Feature, Value, one_integer


def _real(call: Call, place: int) -> Feature:
    """The real numbers of the three inputs from `place` on."""
    codes = call.values[place] if call.has(place) else None
    if not isinstance(codes, Codes):
        return call.feature(place)
    return dequantized_codes(call, codes, place + 1, place + 2)


def _weight(call: Call, place: int, axis: int) -> Constant:
    """Weights of the three inputs from `place` on, with a scale per tensor or along `axis`."""
    codes, scale = call.constant(place, "weight"), call.floats(place + 1, "scale of the weights").reshape(-1)
    zero_points = call.constant(place + 2, "zero point of the weights").values.reshape(-1)
    if np.any(zero_points != zero_points[:1]):
        raise InputError("its weights have zero points that differ between channels; quantize them symmetrically")
    zero_point = int(zero_points[0]) if zero_points.size else 0
    if not -codes.values.ndim <= axis < codes.values.ndim:
        raise InputError(f"its weights of shape {codes.values.shape} have no axis of output channels; export the model "
                         "again")
    if scale.size not in (1, codes.values.shape[axis]):
        raise InputError(f"its {scale.size} scales meet weights of shape {codes.values.shape}; use one, or one per "
                         "output channel")
    along = scale.reshape([-1 if place == axis % codes.values.ndim else 1 for place in range(codes.values.ndim)])
    kind = code_type(call.node, codes)
    return dequantized(codes.values.astype(np.int64) - zero_point, along, without(kind, zero_point), zero_point)


def _bias(call: Call, place: int, scales: np.ndarray) -> Constant | None:
    """A bias in steps of input scale times weight scale."""
    if not call.has(place):
        return None
    return Constant(call.floats(place, "bias").reshape(-1) * scales)


def _codes(call: Call, made: Value | tuple[Value, ...], place: int) -> Codes:
    """The codes of a result, whose scale and zero point are the inputs from `place` on."""
    assert isinstance(made, Feature)
    zero_point = call.constant(place + 1, "zero point")
    scale = call.floats(place, "scale").reshape([1] * (len(made.shape) + 1))
    return Codes(made, scale, one_integer("zero point", zero_point.values), code_type(call.node, zero_point))


def _scales(call: Call, x: int, weight: int) -> np.ndarray:
    return call.floats(x, "scale").reshape(-1) * call.floats(weight, "scale of the weights").reshape(-1)


def _conv(call: Call) -> Codes:
    inner = (_real(call, 0), _weight(call, 3, 0), _bias(call, 8, _scales(call, 1, 4)))
    return _codes(call, products.HANDLERS["Conv"](Call(call.node, inner, call.build)), 6)


def _matmul(call: Call) -> Codes:
    inner = Call(call.node, (_real(call, 0), _weight(call, 3, -1)), call.build)
    return _codes(call, products.HANDLERS["MatMul"](inner), 6)


def _gemm(call: Call) -> Codes:
    axis = 0 if call.node.integer("transB", 0) else 1
    inner = (_real(call, 0), _weight(call, 3, axis), _bias(call, 6, _scales(call, 1, 4)))
    return _codes(call, products.HANDLERS["Gemm"](Call(call.node, inner, call.build)), 7)


def _add(call: Call) -> Codes:
    inner = Call(call.node, (_real(call, 0), _real(call, 3)), call.build)
    return _codes(call, elementwise.HANDLERS["Add"](inner), 6)


def _concat(call: Call) -> Codes:
    parts = tuple(_real(call, place) for place in range(2, len(call.values), 3))
    return _codes(call, elementwise.HANDLERS["Concat"](Call(call.node, parts, call.build)), 0)


def _of_one(handler: Handler) -> Handler:
    """A handler for an operation of one tensor, (codes, scale, zero point, scale and zero point of the result)."""
    return lambda call: _codes(call, handler(Call(call.node, (_real(call, 0),), call.build)), 3)


HANDLERS: dict[str, Handler] = {
    "QLinearConv": _conv, "QLinearMatMul": _matmul, "QGemm": _gemm, "QLinearAdd": _add, "QLinearConcat": _concat,
    "QLinearAveragePool": _of_one(windows.HANDLERS["AveragePool"]),
    "QLinearGlobalAveragePool": _of_one(windows.HANDLERS["GlobalAveragePool"]),
    "QLinearLeakyRelu": _of_one(activations.HANDLERS["LeakyRelu"]),
    "QLinearSigmoid": _of_one(activations.HANDLERS["Sigmoid"]),
}
