"""Arithmetic with constants, joins, activations and the heads of an ONNX graph."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Call, Handler, selected
from headrace.frontend.onnx.constants import permutation
from headrace.frontend.onnx.gates import gated
from headrace.frontend.onnx.products import channels_last
from headrace.frontend.onnx.values import Codes, Constant, Feature, Unknown, Value
from headrace.network import ops, tensor_ops
from headrace.network.ops import FloatArray


def _two(call: Call) -> tuple[Feature | None, Feature | None]:
    """The two operands that are computed; None stands for a constant."""
    left, right = (None if isinstance(value, Constant) else call.feature(place)
                   for place, value in enumerate(call.values[:2]))
    return left, right


def _add(call: Call) -> Feature:
    left, right = _two(call)
    if left is not None and right is not None:
        return _join(call, left, right)
    x, constant = (left, call.floats(1, "summand")) if left is not None else (right, call.floats(0, "summand"))
    assert x is not None  # sums of constants are computed
    return call.build.affine(x, 1.0, constant)


def _sum(call: Call) -> Feature:
    """All operands added up, one after the other."""
    total, *others = sorted(call.values, key=lambda value: isinstance(value, Constant))
    for other in others:
        total = _add(replace(call, values=(total, other)))
    assert isinstance(total, Feature)  # sums of constants are computed
    return total


def _mean(call: Call) -> Feature:
    return call.build.affine(_sum(call), 1 / len(call.values), 0.0, suffix=".mean")


def _sub(call: Call) -> Feature:
    left, right = _two(call)
    if left is not None and right is not None:
        return _join(call, left, call.build.affine(right, -1.0, 0.0, suffix=".negated"))
    if left is not None:
        return call.build.affine(left, 1.0, -call.floats(1, "subtrahend"))
    assert right is not None
    return call.build.affine(right, -1.0, call.floats(0, "minuend"))


def _join(call: Call, left: Feature, right: Feature) -> Feature:
    """Sum of two tensors of the network."""
    if left.shape != right.shape:
        raise UnsupportedError(f"joins tensors of shapes {left.shape} and {right.shape}; only equal shapes are added")
    if left.order is None and right.order is None and left.axes != right.axes:
        right = Feature.whole(call.build.exact(right), right.shape)
        left = Feature.whole(call.build.exact(left), left.shape)
    if not _aligned(call, left, right):
        raise UnsupportedError("joins a channels-last feature map after a flatten; join before the flatten")
    return left.renamed(call.emit(tensor_ops.Add(), left.name, call.build.reshaped(right.name,
                                                                                  call.build.shapes[left.name])))


def _aligned(call: Call, left: Feature, right: Feature) -> bool:
    """True if equal places of the two tensors of the network are equal places here."""
    if left.order is None or right.order is None:
        return left.order is None and right.order is None
    return np.array_equal(left.order, right.order)


def _mul(call: Call) -> Feature:
    left, right = _two(call)
    if left is not None and right is not None:
        if (made := gated(call, left, right)) is not None:
            return made
        raise UnsupportedError("multiplies two computed tensors, which no streaming layer does; use a constant factor")
    x, constant = (left, call.floats(1, "factor")) if left is not None else (right, call.floats(0, "factor"))
    assert x is not None
    return call.build.affine(x, constant, 0.0)


def _div(call: Call) -> Feature:
    left, _ = _two(call)
    if left is None or not isinstance(call.values[1], Constant):
        raise UnsupportedError("divides by a computed tensor, which no streaming layer does; divide by a constant")
    divisor = call.floats(1, "divisor")
    if np.any(divisor == 0):
        raise InputError("divides by 0; mend the model")
    return call.build.affine(left, 1 / divisor, 0.0)


def _negate(call: Call) -> Feature:
    return call.build.affine(call.feature(), -1.0, 0.0)


def _batch_norm(call: Call, last: bool = False) -> Feature:
    """Batch norm at inference: A = gamma / sqrt(var + eps), B = beta - A * mean in float64."""
    x = call.feature()
    if call.node.integer("training_mode", 0):
        raise UnsupportedError("is in training mode; export the model for inference")
    gamma, beta, mean, variance = (call.floats(place, what).reshape(-1) for place, what in
                                   ((1, "scale"), (2, "bias"), (3, "mean"), (4, "variance")))
    axis = len(x.shape) - 1 if last else 0
    if {gamma.size, beta.size, mean.size, variance.size} != {x.shape[axis]}:
        raise InputError(f"its parameters for {gamma.size} channels meet a tensor of {x.shape[axis]} channels")
    ops.require_finite(scale=gamma, bias=beta, mean=mean, variance=variance)
    epsilon = call.node.number("epsilon", 1e-5)
    if np.any(variance + epsilon <= 0):
        raise InputError(f"its variance {float(variance.min()):g} plus epsilon {epsilon:g} must be positive; "
                         "retrain it")
    A = gamma / np.sqrt(variance + epsilon)
    return call.build.affine(x, _along(A, axis, x), _along(beta - A * mean, axis, x))


def _along(values: FloatArray, axis: int, x: Feature) -> FloatArray:
    """Values per element of an axis of x, so that they broadcast over x."""
    return values.reshape([1, *(size if place == axis else 1 for place, size in enumerate(x.shape))])


def _relu(call: Call) -> Feature:
    return call.elementwise(ops.RELU, call.feature())


def clip_bounds(call: Call) -> tuple[float, float]:
    """The bounds of a Clip, attributes in older versions of ONNX and inputs in newer ones."""
    lo = call.number(1, "min") if call.has(1) else call.node.number("min", -math.inf)
    hi = call.number(2, "max") if call.has(2) else call.node.number("max", math.inf)
    return lo, hi


def _clip(call: Call) -> Value:
    lo, hi = clip_bounds(call)
    codes = call.values[0]
    if isinstance(codes, Codes):
        return codes.clipped(lo, hi)
    return call.elementwise(ops.Clip(lo, hi), call.feature())


def _same(call: Call) -> Feature:
    return call.feature()


def _cast(call: Call) -> Feature:
    """Numbers 1, 10, 11 and 16 are floating-point types; indices are integers already."""
    x = call.feature()
    maker = call.build.nodes.get(x.name)
    if call.node.integer("to", 1) not in (1, 10, 11, 16) and not _makes_indices(call, maker.name if maker else ""):
        raise UnsupportedError("cuts a computed tensor to integers; use a Quant node")
    return x


def _makes_indices(call: Call, name: str) -> bool:
    while name in call.build.nodes:
        node = call.build.nodes[name]
        if isinstance(node.op, tensor_ops.TopK):
            return True
        if not isinstance(node.op, ops.Reshape):
            return False
        name = node.inputs[0]
    return False


def _softmax(call: Call) -> Feature:
    return _normalized(call, tensor_ops.Softmax())


def _normalized(call: Call, op: tensor_ops.Softmax | tensor_ops.LogSoftmax) -> Feature:
    """A head over one axis, which becomes the first."""
    x = call.feature()
    axis = call.axis(call.node.integer("axis", -1 if call.build.graph.opset >= 13 else 1), len(x.shape))
    if call.build.graph.opset < 13 and any(size > 1 for size in x.shape[axis + 1 :]):
        raise UnsupportedError("normalizes over several axes; use one")
    x = call.build.channel_first(x, axis) if x.shape[axis] > 1 else x
    return call.elementwise(op, x)


def _log_softmax(call: Call) -> Feature:
    return _normalized(call, tensor_ops.LogSoftmax())


def _along_first(call: Call, axis: int, k: int) -> Feature:
    """Indices of the k largest along an axis."""
    x = call.feature()
    target = (axis, *(other for other in range(len(x.shape)) if other != axis))
    name = call.emit(tensor_ops.TopK(k), call.build.arranged(x, target))
    back = tuple(target.index(place) for place in range(len(x.shape)))
    return Feature.whole(name, call.build.shapes[name]).permuted(back)


def _argmax(call: Call) -> Feature:
    if call.node.integer("select_last_index", 0):
        raise UnsupportedError("takes the last of equal maxima where the hardware takes the first; use "
                               "select_last_index=0")
    x = call.feature()
    axis = call.axis(call.node.integer("axis", 0), len(x.shape))
    made = _along_first(call, axis, 1)
    if call.node.integer("keepdims", 1) == 1:
        return made
    kept = made.with_units(tuple(size for place, size in enumerate(made.shape) if place != axis))
    assert kept is not None  # the axis has size 1
    return kept


def _topk(call: Call) -> tuple[Value, ...]:
    """The indices; the values of TopK have no layer."""
    if not call.node.integer("largest", 1) or not call.node.integer("sorted", 1):
        raise UnsupportedError("selects the smallest or leaves them unsorted; use largest=1 and "
                               "sorted=1")
    x = call.feature()
    axis = call.axis(call.node.integer("axis", -1), len(x.shape))
    given = call.constant(1, "k").values if call.has(1) else np.asarray(call.node.integer("k", 0))
    return Unknown(), _along_first(call, axis, selected(given, "k", x.shape[axis]))


def _concat(call: Call) -> Feature:
    parts = [call.feature(place) for place in range(len(call.values))]
    axis = call.axis(call.node.integer("axis", 1), len(parts[0].shape))
    if len({(*part.shape[:axis], *part.shape[axis + 1 :]) for part in parts}) != 1:
        shapes = ", ".join(str(part.shape) for part in parts)
        raise InputError(f"joins tensors of shapes {shapes} along axis {axis + 1}; their other "
                         "sizes must be equal")
    target = (axis, *(other for other in range(len(parts[0].shape)) if other != axis))
    name = call.emit(tensor_ops.Concat(), *(call.build.arranged(part, target) for part in parts))
    return Feature.whole(name, call.build.shapes[name]).permuted(tuple(target.index(a) for a in range(len(target))))


def _transpose(call: Call) -> Feature:
    x = call.feature()
    order = permutation(call.node, len(x.shape) + 1)
    if order[0] != 0:
        raise UnsupportedError("moves the batch; leave axis 0 where it is")
    return x.permuted(tuple(axis - 1 for axis in order[1:]))


HANDLERS: dict[str, Handler] = {
    "Add": _add, "Sum": _sum, "Mean": _mean, "Sub": _sub, "Mul": _mul, "Div": _div, "Neg": _negate, "Concat": _concat,
    "BatchNormalization": _batch_norm, "Relu": _relu, "Clip": _clip, "Identity": _same, "Dropout": _same, "Cast": _cast,
    "Softmax": _softmax, "LogSoftmax": _log_softmax, "ArgMax": _argmax, "TopK": _topk, "Transpose": _transpose,
}
CHANNELS_LAST: dict[str, Handler] = {"BatchNormalization": channels_last(_batch_norm)}
