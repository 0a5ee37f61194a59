"""A second, naive reading of a Network in exact fractions, written from the definitions of its operations."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor, isinf
from typing import Any

import numpy as np

from generator.datatypes import BIPOLAR
from generator.network import ops
from generator.network.graph import Network


def exact(array: Any) -> np.ndarray:
    """Floats or integers as an object array of Fractions."""
    return np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(np.asarray(array))


def round_exactly(x: Fraction, rounding: str) -> int:
    half, inward, away = Fraction(1, 2), floor(x) if x > 0 else ceil(x), ceil(x) if x > 0 else floor(x)
    nearest = {"half_even": round(x), "half_up": floor(x + half), "half_away": away, "half_inward": inward}
    if rounding in nearest:
        return nearest[rounding] if abs(x - floor(x)) == half else round(x)
    return {"floor": floor(x), "ceil": ceil(x), "away": away, "inward": inward}[rounding]


def codes_of(op: ops.Quantize, x: np.ndarray) -> np.ndarray:
    codes = np.empty(x.shape, np.int64)
    for index in np.ndindex(x.shape):
        scale = Fraction(float(op.scale[index[0] if len(op.scale) > 1 else 0]))
        if op.dtype == BIPOLAR:
            codes[index] = 1 if x[index] >= 0 else -1
        else:
            rounded = round_exactly(x[index] / scale + op.zero_point, op.rounding)
            codes[index] = min(max(rounded, op.dtype.lo), op.dtype.hi)
    return codes


def channel(values: np.ndarray, c: int) -> Fraction:
    return Fraction(float(values[c if len(values) > 1 else 0]))


def convolve(op: ops.Conv, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    y = np.empty(shape, object)
    top, left, _, _ = op.pad
    codes = op.weight.codes
    for o, row, column in np.ndindex(shape):
        total = Fraction(0)
        for c, i, j in np.ndindex(codes.shape[1:]):
            v = row * op.stride[0] + i * op.dilation[0] - top
            h = column * op.stride[1] + j * op.dilation[1] - left
            if 0 <= v < x.shape[1] and 0 <= h < x.shape[2]:
                total += int(codes[o, c, i, j]) * x[c, v, h]
        y[o, row, column] = total * channel(op.weight.scale, o) + (0 if op.bias is None else channel(op.bias, o))
    return y


def multiply(op: ops.Linear, x: np.ndarray) -> np.ndarray:
    rows = [sum(int(w) * v for w, v in zip(row, x, strict=True)) for row in op.weight.codes]
    scaled = [total * channel(op.weight.scale, o) for o, total in enumerate(rows)]
    return np.array(scaled, object) + (0 if op.bias is None else exact(op.bias))


def pool(op: ops.MaxPool, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    y = np.empty(shape, object)
    for c, i, j in np.ndindex(shape):
        v, h = i * op.stride[0], j * op.stride[1]
        y[c, i, j] = max(x[c, v : v + op.kernel[0], h : h + op.kernel[1]].reshape(-1))
    return y


def apply(op: ops.Op, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    match op:
        case ops.Quantize():
            scales = np.array([channel(op.scale, c) for c in range(len(x))], object)
            return (codes_of(op, x) - op.zero_point) * scales.reshape(-1, *[1] * (x.ndim - 1))
        case ops.Conv():
            return convolve(op, x, shape)
        case ops.Linear():
            return multiply(op, x)
        case ops.Affine():
            return np.array([x[c] * channel(op.scale, c) + channel(op.offset, c) for c in range(len(x))], object)
        case ops.Clip():
            low = x if isinf(op.lo) else np.maximum(x, Fraction(op.lo))
            return low if isinf(op.hi) else np.minimum(low, Fraction(op.hi))
        case ops.MaxPool():
            return pool(op, x, shape)
        case ops.Reshape():
            return x.reshape(shape)


def evaluate(network: Network, sample: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """One sample: the codes of every quantizer and the exact output."""
    values = {network.input.name: exact(sample)}
    codes = {}
    for node in network.nodes:
        x = values[node.inputs[0]]
        if isinstance(node.op, ops.Quantize):
            codes[node.name] = codes_of(node.op, x)
        values[node.name] = apply(node.op, x, network.shapes[node.name])
    return codes, values[network.output]
