"""How far a float32 forward may lie from the exact value, tensor by tensor: the standard running error bound.

A sum of n products is off by at most about n * u * sum |terms| with u = 2^-24 (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1); every other operation adds a few u of its operands' magnitudes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from headrace.datatypes import Interval
from headrace.network import ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.graph import Network, Op
from headrace.network.moves import SelectChannels
from headrace.network.ops import FloatArray

UNIT = 2.0**-24
#: Roundings of a product besides those of its sum: the weight, the input, the bias and the result.
PRODUCT_ROUNDINGS = 4
#: Roundings of a batch norm: mean, variance, eps, root, quotient, product, sum, result.
AFFINE_ROUNDINGS = 8

#: Roundings of a curve, in units of its argument and its value: exponentials of float32 are good to two units or so.
CURVE_ROUNDINGS = 8


Quantizer = ops.Quantize | tensor_ops.MultiThreshold | tensor_ops.Trunc


@dataclass(frozen=True, eq=False)
class Bounded:
    """A tensor (N, *shape): float64 value and a bound on the distance of the float32 value from it."""

    value: FloatArray
    error: FloatArray


def bounds(network: Network, inputs: Mapping[str, Bounded], quantized: Mapping[str, FloatArray],
           magnitudes: Mapping[str, FloatArray]) -> dict[str, Bounded]:
    """Values and float32 error bounds of all tensors when every quantizer gives the values `quantized` (N, *shape).

    magnitudes: for affine nodes the magnitude (C,) of their terms, where it exceeds |offset|: a batch norm subtracts
    the mean before it adds beta. The error of an input is how far that of the integer network lies from it.
    """
    tensors = dict(inputs)
    for node in network.nodes:
        if isinstance(node.op, Quantizer):
            value = quantized[node.name]
            tensors[node.name] = Bounded(value, UNIT * np.abs(value))
        else:
            sources = [tensors[source] for source in node.inputs]
            error = _error(node.op, sources, magnitudes.get(node.name))
            tensors[node.name] = Bounded(node.op.forward(*(source.value for source in sources)), error)
    return tensors


def in_steps(op: ops.Quantize | tensor_ops.MultiThreshold, x: Bounded) -> FloatArray:
    """The error bound of what a quantizer rounds, in steps of the quantizer; of x itself for thresholds."""
    if isinstance(op, tensor_ops.MultiThreshold):
        return np.asarray(x.error + UNIT * np.abs(x.value))
    scale = ops.per_channel(op.scale, x.value.ndim - 1)
    return np.asarray(x.error / scale + 2 * UNIT * (np.abs(x.value / scale) + abs(op.zero_point)))


def _error(op: Op, sources: Sequence[Bounded], magnitude: FloatArray | None) -> FloatArray:
    """The error behind an operation: that of its inputs, moved as their values are, and its own roundings."""
    x = sources[0]
    if isinstance(op, ops.Conv | ops.Linear):
        terms = int(np.prod(op.weight.codes.shape[1:])) + PRODUCT_ROUNDINGS
        absolute = _absolute(op)
        sums = absolute.forward(np.abs(x.value))
        return np.asarray(replace(absolute, bias=None).forward(x.error) + terms * UNIT * sums)
    if isinstance(op, ops.Affine):
        moved = np.abs(op.offset) if magnitude is None else magnitude
        size = ops.Affine(np.abs(op.scale), moved).forward(np.abs(x.value))
        return ops.Affine(np.abs(op.scale), np.zeros(1)).forward(x.error) + AFFINE_ROUNDINGS * UNIT * size
    if isinstance(op, tensor_ops.Add | tensor_ops.AvgPool):
        terms = 2 if isinstance(op, tensor_ops.Add) else int(np.prod(op.kernel)) + 1
        size = op.forward(*(np.abs(source.value) for source in sources))
        return np.asarray(op.forward(*(source.error for source in sources)) + terms * UNIT * size)
    if isinstance(op, tensor_ops.Softmax):
        y = op.forward(x.value)
        return np.asarray(y * np.expm1(2 * x.error.max(1, keepdims=True) + (y.shape[1] + PRODUCT_ROUNDINGS) * UNIT))
    if isinstance(op, tensor_ops.TopK):
        return _index_error(op, x)
    if isinstance(op, Activation | tensor_ops.LogSoftmax):
        return _curve_error(op, x)
    if isinstance(op, tensor_ops.PadFrame | SelectChannels):
        return replace(op, value=0.0).forward(x.error)
    return x.error if isinstance(op, ops.Clip) else op.forward(*(source.error for source in sources))


def _curve_error(op: Activation | tensor_ops.LogSoftmax, x: Bounded) -> FloatArray:
    """No curve is steeper than its slope or 2; the logarithm of a sum moves as far as the furthest of its inputs."""
    y = op.forward(x.value)
    if isinstance(op, tensor_ops.LogSoftmax):
        moved = 2 * x.error.max(1, keepdims=True) + (y.shape[1] + CURVE_ROUNDINGS) * UNIT
    else:
        moved = max(2.0, float(np.abs(op.alpha).max())) * x.error
    return np.asarray(moved + CURVE_ROUNDINGS * UNIT * (np.abs(x.value) + np.abs(y) + UNIT))


def _index_error(op: tensor_ops.TopK, x: Bounded) -> FloatArray:
    """Indices are off by anything where two of the largest values, and the next, lie within their errors."""
    ranked = -np.sort(-x.value, axis=1)[:, : op.k + 1]
    close = -np.diff(ranked, axis=1) <= 2 * x.error.max(1, keepdims=True)
    return np.where(close.any(1, keepdims=True), np.inf, 0.0) * np.ones_like(ranked[:, : op.k])


def _absolute(op: ops.Conv | ops.Linear) -> ops.Conv | ops.Linear:
    """The product with the magnitudes of its weights and bias."""
    codes = np.abs(op.weight.integers)
    weight = ops.QuantWeight(codes, np.abs(op.weight.scale), Interval(0, int(codes.max())))
    return replace(op, weight=weight, bias=None if op.bias is None else np.abs(op.bias))
