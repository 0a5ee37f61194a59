"""A second, naive reading of a Network in exact fractions, written from the definitions of its operations."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil, floor, isinf

import numpy as np

from headrace.datatypes import BIPOLAR
from headrace.network import moves, ops, tensor_ops
from headrace.network.graph import Network


def exact(array: np.ndarray | Sequence[float]) -> np.ndarray:
    """Floats or integers as an object array of Fractions."""
    return np.asarray(np.vectorize(lambda v: Fraction(float(v)), otypes=[object])(np.asarray(array)))


def round_exactly(x: Fraction, rounding: str) -> int:
    half, inward, away = Fraction(1, 2), floor(x) if x > 0 else ceil(x), ceil(x) if x > 0 else floor(x)
    nearest = {"half_even": round(x), "half_odd": round(x - 1) + 1, "half_up": floor(x + half), "half_away": away,
               "half_inward": inward}
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
    codes = op.weight.integers
    for o, row, column in np.ndindex(shape):
        total = Fraction(0)
        first = o // (len(codes) // op.groups) * codes.shape[1]
        for c, i, j in np.ndindex(codes.shape[1:]):
            v = row * op.stride[0] + i * op.dilation[0] - top
            h = column * op.stride[1] + j * op.dilation[1] - left
            if 0 <= v < x.shape[1] and 0 <= h < x.shape[2]:
                total += int(codes[o, c, i, j]) * x[first + c, v, h]
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


def average(op: tensor_ops.AvgPool, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    y = np.empty(shape, object)
    for c, i, j in np.ndindex(shape):
        window = x[c, i * op.stride[0] :, j * op.stride[1] :][: op.kernel[0], : op.kernel[1]]
        y[c, i, j] = sum(window.reshape(-1)) / (op.kernel[0] * op.kernel[1])
    return y


def enlarge(op: tensor_ops.Upsample, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    y = np.empty(shape, object)
    for c, i, j in np.ndindex(shape):
        y[c, i, j] = x[c, i // op.scale[0], j // op.scale[1]]
    return y


def border(op: tensor_ops.PadFrame, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    y = np.full(shape, Fraction(op.value) if not isinf(op.value) else min(x.reshape(-1)) - 1, object)
    y[:, op.pad[0] : op.pad[0] + x.shape[1], op.pad[1] : op.pad[1] + x.shape[2]] = x
    return y


def count_thresholds(op: tensor_ops.MultiThreshold, x: np.ndarray) -> np.ndarray:
    y = np.empty(x.shape, object)
    for index in np.ndindex(x.shape):
        row = op.thresholds[index[0] if len(op.thresholds) > 1 else 0]
        count = sum(bool(x[index] >= Fraction(float(t))) for t in row)
        y[index] = Fraction(op.out_scale) * count + Fraction(op.out_bias)
    return y


def threshold_codes(op: tensor_ops.MultiThreshold, x: np.ndarray) -> np.ndarray:
    """Counts from the code whose value is 0.0 where there is one; -1 and +1 for bipolar."""
    counts = (count_thresholds(op, x) - Fraction(op.out_bias)) / Fraction(op.out_scale)
    if op.dtype == BIPOLAR:
        return np.asarray(2 * counts - 1, np.int64)
    base = Fraction(op.out_bias) / Fraction(op.out_scale)
    return np.asarray(counts + (base if base.denominator == 1 else 0), np.int64)


def truncated_codes(op: tensor_ops.Trunc, x: np.ndarray) -> np.ndarray:
    codes = np.empty(x.shape, np.int64)
    for index in np.ndindex(x.shape):
        code = round(x[index] / Fraction(float(op.scale[0])) + op.zero_point)
        codes[index] = round_exactly(Fraction(code) / Fraction(2) ** op.shift, op.rounding)
    return codes if op.dtype is None else np.clip(codes, op.dtype.lo, op.dtype.hi)


def apply_more(op: tensor_ops.TensorOp, values: list[np.ndarray], shape: tuple[int, ...]) -> np.ndarray:
    x = values[0]
    match op:
        case tensor_ops.Add():
            return np.asarray(x + values[1])
        case tensor_ops.Concat():
            return np.concatenate(values)
        case tensor_ops.AvgPool():
            return average(op, x, shape)
        case tensor_ops.Upsample():
            return enlarge(op, x, shape)
        case tensor_ops.PadFrame():
            return border(op, x, shape)
        case tensor_ops.MultiThreshold():
            return count_thresholds(op, x)
        case tensor_ops.Trunc():
            real = (truncated_codes(op, x) - exact([op.out_zero_point])) * exact([op.out_scale[0]])
            return np.asarray(real)
        case tensor_ops.Transpose():
            return x.transpose(op.axes)
        case moves.SelectChannels():
            rest = np.full(x.shape[1:], Fraction(op.value), object)
            return np.stack([x[source] if source >= 0 else rest for source in op.sources])
        case moves.Crop():
            return x[:, op.start[0] : op.stop[0] : op.step[0], op.start[1] : op.stop[1] : op.step[1]]
    raise TypeError(op)


def apply(op: ops.Op, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    match op:
        case ops.Quantize():
            scales = np.array([channel(op.scale, c) for c in range(len(x))], object)
            return np.asarray((codes_of(op, x) - op.zero_point) * scales.reshape(-1, *[1] * (x.ndim - 1)))
        case ops.Conv():
            return convolve(op, x, shape)
        case ops.Linear():
            return multiply(op, x)
        case ops.Affine():
            return np.array([x[c] * channel(op.scale, c) + channel(op.offset, c) for c in range(len(x))], object)
        case ops.Clip():
            low = x if isinf(op.lo) else np.maximum(x, exact([op.lo]))
            return low if isinf(op.hi) else np.minimum(low, exact([op.hi]))
        case ops.MaxPool():
            return pool(op, x, shape)
        case ops.Reshape():
            return x.reshape(shape)


def evaluate(network: Network, sample: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """One sample: the codes of every quantizer and the exact output."""
    values = {network.input.name: exact(sample)}
    codes = {}
    for node in network.nodes:
        inputs = [values[source] for source in node.inputs]
        if isinstance(node.op, ops.Quantize):
            codes[node.name] = codes_of(node.op, inputs[0])
        if isinstance(node.op, tensor_ops.MultiThreshold):
            codes[node.name] = threshold_codes(node.op, inputs[0])
        if isinstance(node.op, tensor_ops.Trunc):
            codes[node.name] = truncated_codes(node.op, inputs[0])
        shape = network.shapes[node.name]
        values[node.name] = (apply(node.op, inputs[0], shape) if isinstance(node.op, ops.Op)
                             else apply_more(node.op, inputs, shape))
    return codes, values[network.output]
