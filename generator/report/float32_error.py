"""How far a float32 forward may lie from the exact value, tensor by tensor: the standard running error bound.

A sum of n products is off by at most about n * u * sum |terms| with u = 2^-24 (Higham, Accuracy and Stability of
Numerical Algorithms, section 3.1); every other operation adds a few u of its operands' magnitudes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from generator.datatypes import IntArray, Interval
from generator.network import ops
from generator.network.graph import Network
from generator.network.ops import FloatArray

UNIT = 2.0**-24
#: Roundings of a product besides those of its sum: the weight, the input, the bias and the result.
PRODUCT_ROUNDINGS = 4
#: Roundings of a batch norm: mean, variance, eps, root, quotient, product, sum, result.
AFFINE_ROUNDINGS = 8


#: The operations, besides quantizers, whose rounding is known.
Step = ops.Conv | ops.Linear | ops.Affine | ops.Clip | ops.MaxPool | ops.Reshape


@dataclass(frozen=True, eq=False)
class Bounded:
    """A tensor (N, *shape): float64 value and a bound on the distance of the float32 value from it."""

    value: FloatArray
    error: FloatArray


def bounds(network: Network, x: FloatArray, codes: Mapping[str, IntArray],
           magnitudes: Mapping[str, FloatArray]) -> dict[str, Bounded]:
    """Values and float32 error bounds of all tensors when every quantizer gives `codes` (N, *shape).

    magnitudes: for affine nodes the magnitude (C,) of their terms, where it exceeds |offset|: a batch norm subtracts
    the mean before it adds beta.
    """
    tensors = {network.input.name: Bounded(x, np.zeros_like(x))}
    for node in network.nodes:
        source = tensors[node.inputs[0]]
        if isinstance(node.op, ops.Quantize):
            scale = ops.per_channel(node.op.scale, source.value.ndim - 1)
            value = (codes[node.name] - node.op.zero_point) * scale
            tensors[node.name] = Bounded(value, UNIT * np.abs(value))
        else:
            assert isinstance(node.op, Step)  # nothing else streamlines
            error = _error(node.op, source, magnitudes.get(node.name))
            tensors[node.name] = Bounded(node.op.forward(source.value), error)
    return tensors


def in_steps(op: ops.Quantize, x: Bounded) -> FloatArray:
    """The error bound of x/scale + zero_point, which a quantizer rounds, in steps of the quantizer."""
    scale = ops.per_channel(op.scale, x.value.ndim - 1)
    return np.asarray(x.error / scale + 2 * UNIT * (np.abs(x.value / scale) + abs(op.zero_point)))


def _error(op: Step, x: Bounded, magnitude: FloatArray | None) -> FloatArray:
    if isinstance(op, ops.Conv | ops.Linear):
        terms = int(np.prod(op.weight.codes.shape[1:])) + PRODUCT_ROUNDINGS
        absolute = _absolute(op)
        sums = absolute.forward(np.abs(x.value))
        return np.asarray(replace(absolute, bias=None).forward(x.error) + terms * UNIT * sums)
    if isinstance(op, ops.Affine):
        moved = np.abs(op.offset) if magnitude is None else magnitude
        size = ops.Affine(np.abs(op.scale), moved).forward(np.abs(x.value))
        return ops.Affine(np.abs(op.scale), np.zeros(1)).forward(x.error) + AFFINE_ROUNDINGS * UNIT * size
    return x.error if isinstance(op, ops.Clip) else op.forward(x.error)


def _absolute(op: ops.Conv | ops.Linear) -> ops.Conv | ops.Linear:
    """The product with the magnitudes of its weights and bias."""
    codes = np.abs(op.weight.codes)
    weight = ops.QuantWeight(codes, np.abs(op.weight.scale), Interval(0, int(codes.max())))
    return replace(op, weight=weight, bias=None if op.bias is None else np.abs(op.bias))
