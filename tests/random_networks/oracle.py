"""What an ONNX file means, in exact fractions, written from the documents of the operations and of the reader.

It imports nothing of the product. Three roundings are part of the meaning (docs/onnx.md): quotients of weights and
their scales are float32, a batch normalization is folded in float64, and curves are taken to 60 digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor, lcm
from typing import Any

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

from tests.random_networks.curves import CURVES

HALF = Fraction(1, 2)

#: Exact values (N, ...) by the names of tensors.
Values = dict[str, np.ndarray]


def exact(array: Any) -> np.ndarray:
    """Floats or integers as an object array of Fractions of the same shape."""
    given = np.asarray(array)
    return np.array([Fraction(v) for v in given.reshape(-1).tolist()], object).reshape(given.shape)


def each(function: Callable[[Fraction], Any], x: np.ndarray) -> np.ndarray:
    """A function of one value on every value, each value calculated once."""
    known: dict[Fraction, Any] = {}
    result = np.empty(x.size, object)
    for k, value in enumerate(x.reshape(-1).tolist()):
        if value not in known:
            known[value] = function(value)
        result[k] = known[value]
    return result.reshape(x.shape)


def to_nearest(v: Fraction, up: Callable[[int], bool]) -> int:
    """The nearest integer; at a tie the upper neighbour where `up` of the lower one says so."""
    low, rest = floor(v), v - floor(v)
    return low + (rest > HALF or (rest == HALF and up(low)))


ROUNDINGS: Mapping[str, Callable[[Fraction], int]] = {
    "ROUND": lambda v: to_nearest(v, lambda low: low % 2 == 1),
    "HALF_EVEN": lambda v: to_nearest(v, lambda low: low % 2 == 1),
    "HALF_UP": lambda v: to_nearest(v, lambda low: low >= 0),
    "HALF_DOWN": lambda v: to_nearest(v, lambda low: low < 0),
    "CEIL": ceil,
    "FLOOR": floor,
    "UP": lambda v: ceil(v) if v > 0 else floor(v),
    "DOWN": lambda v: floor(v) if v > 0 else ceil(v),
    "ROUND_TO_ZERO": lambda v: floor(v) if v > 0 else ceil(v),
}


def quantized(x: np.ndarray, scale: np.ndarray, zero: int, ends: tuple[int, int], rounding: str) -> np.ndarray:
    """(round(x / scale + zero), saturated, - zero) * scale; scale is broadcast to x."""
    rounded = each(ROUNDINGS[rounding], x / scale + zero)
    return exact((np.clip(rounded, *ends) - zero)) * scale


def dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The product of matrices, calculated in integers over the common denominators."""
    below = [lcm(*(v.denominator for v in side.reshape(-1).tolist())) for side in (a, b)]
    whole = [np.array([v.numerator * (d // v.denominator) for v in side.reshape(-1).tolist()], object).reshape(side.shape)
             for side, d in zip((a, b), below, strict=True)]
    product = below[0] * below[1]
    return np.array([Fraction(int(v), product) for v in whole[0].dot(whole[1]).reshape(-1)], object).reshape(
        a.shape[0], b.shape[1])


def windows(x: np.ndarray, kernel: list[int], given: Mapping[str, Any], fill: Fraction | None) -> np.ndarray:
    """(N, C, H, W) -> (N, C, rows, columns, *kernel); borders are `fill`."""
    top, left, bottom, right = given.get("pads", [0, 0, 0, 0])
    strides, dilations = given.get("strides", [1, 1]), given.get("dilations", [1, 1])
    padded = np.pad(x, ((0, 0), (0, 0), (top, bottom), (left, right)), constant_values=fill)
    size = [(padded.shape[2 + k] - dilations[k] * (kernel[k] - 1) - 1) // strides[k] + 1 for k in (0, 1)]
    made = np.empty((*x.shape[:2], *size, *kernel), object)
    for i, j in np.ndindex(*kernel):
        rows = padded[:, :, i * dilations[0] :: strides[0], j * dilations[1] :: strides[1]]
        made[..., i, j] = rows[:, :, : size[0], : size[1]]
    return made


def convolution(x: np.ndarray, weight: np.ndarray, given: Mapping[str, Any]) -> np.ndarray:
    groups = given.get("group", 1)
    made = windows(x, list(weight.shape[2:]), given, Fraction(0))
    n, _, rows, columns = made.shape[:4]
    parts = []
    for columns_of, rows_of in zip(np.split(made, groups, 1), np.split(weight, groups), strict=True):
        flat = columns_of.transpose(0, 2, 3, 1, 4, 5).reshape(n * rows * columns, -1)
        parts.append(dot(flat, rows_of.reshape(len(rows_of), -1).T).reshape(n, rows, columns, -1))
    return np.concatenate(parts, 3).transpose(0, 3, 1, 2)


def transposed_convolution(x: np.ndarray, weight: np.ndarray, given: Mapping[str, Any]) -> np.ndarray:
    """Every value scatters its kernel; weight: (C_in, C_out / groups, K_h, K_w)."""
    (up, left, bottom, right), strides = given["pads"], given["strides"]
    extra, groups = given.get("output_padding", [0, 0]), given.get("group", 1)
    n, channels, height, width = x.shape
    kernel, rows = weight.shape[2:], channels // groups
    size = [(x.shape[2 + k] - 1) * strides[k] + kernel[k] + extra[k] for k in (0, 1)]
    y = np.full((n, weight.shape[1] * groups, *size), Fraction(0), object)
    for c, i, j in np.ndindex(channels, height, width):
        first = c // rows * weight.shape[1]
        place = y[:, first : first + weight.shape[1], i * strides[0] :, j * strides[1] :][:, :, : kernel[0], : kernel[1]]
        place += x[:, c, i, j].reshape(-1, 1, 1, 1) * weight[c]
    return y[:, :, up : size[0] - bottom, left : size[1] - right]


def along_channels(values: np.ndarray, x: np.ndarray) -> np.ndarray:
    return values.reshape(1, -1, *[1] * (x.ndim - 2))


class Evaluation:
    """One run over a file; constants stay floats until something reads them."""

    def __init__(self, proto: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> None:
        self.floats = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
        self.values: Values = {name: exact(x) for name, x in inputs.items()}
        for node in proto.graph.node:
            self._node(node)

    def of(self, name: str) -> np.ndarray:
        """The exact values of a tensor."""
        if name not in self.values:
            self.values[name] = exact(self.floats[name])
        return self.values[name]

    def whole(self, name: str) -> int:
        return int(self.floats[name].reshape(-1)[0])

    def _node(self, node: NodeProto) -> None:
        given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        made = getattr(self, node.op_type.lower())(list(node.input), given)
        for name, value in zip(node.output, made if isinstance(made, tuple) else (made,), strict=True):
            if name:
                self.values[name] = value

    # quantizers

    def quant(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        bits, zero = self.whole(names[3]), self.whole(names[2])
        ends = ((-(1 << bits - 1) + given["narrow"], (1 << bits - 1) - 1) if given["signed"]
                else (0, (1 << bits) - 1 - given["narrow"]))
        rounding = given["rounding_mode"].decode()
        scale = self.of(names[1])
        if names[0] not in self.floats:
            return quantized(self.of(names[0]), scale, zero, ends, rounding)
        quotients = self.floats[names[0]].astype(np.float32) / self.floats[names[1]].astype(np.float32)
        return quantized(exact(quotients), exact(np.ones_like(quotients)), zero, ends, rounding) * scale

    def bipolarquant(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return each(lambda v: Fraction(1 if v >= 0 else -1), self.of(names[0])) * self.of(names[1])

    def multithreshold(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        x, rows = self.of(names[0]), self.of(names[1])
        scale, bias = Fraction(given["out_scale"]), Fraction(given["out_bias"])
        made = np.empty(x.shape, object)
        for c in range(x.shape[1]):
            row = rows[c if len(rows) > 1 else 0]
            made[:, c] = each(lambda v, row=row: scale * sum(v >= t for t in row) + bias, x[:, c])  # type: ignore[misc]
        return made

    def quantizelinear(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        zero = self.floats[names[2]]
        ends = np.iinfo(zero.dtype)
        scale, x = self.of(names[1]), self.of(names[0])
        codes = each(ROUNDINGS["ROUND"], x / (along_channels(scale, x) if scale.ndim else scale)) + int(zero.flat[0])
        return exact(np.clip(codes, ends.min, ends.max))

    def dequantizelinear(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        x, scale = self.of(names[0]), self.of(names[1])
        shape = [-1 if k == given.get("axis", 1) else 1 for k in range(x.ndim)]
        return (x - int(self.floats[names[2]].flat[0])) * (scale.reshape(shape) if scale.ndim else scale)

    # products and what is calculated per channel

    def _biased(self, y: np.ndarray, names: list[str]) -> np.ndarray:
        return y + along_channels(self.of(names[2]), y) if len(names) > 2 else y

    def conv(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        return self._biased(convolution(self.of(names[0]), self.of(names[1]), given), names)

    def convtranspose(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        return self._biased(transposed_convolution(self.of(names[0]), self.of(names[1]), given), names)

    def matmul(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return dot(self.of(names[0]), self.of(names[1]))

    def gemm(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        weight = self.of(names[1])
        return self._biased(dot(self.of(names[0]), weight.T if given.get("transB") else weight), names)

    def batchnormalization(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        gamma, beta, mean, variance = (self.floats[name].astype(np.float64) for name in names[1:5])
        scale = gamma / np.sqrt(variance + given["epsilon"])
        x = self.of(names[0])
        return x * along_channels(exact(scale), x) + along_channels(exact(beta - mean * scale), x)

    def add(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return self.of(names[0]) + self.of(names[1])

    def sub(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return self.of(names[0]) - self.of(names[1])

    def mul(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return self.of(names[0]) * self.of(names[1])

    def div(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return self.of(names[0]) / self.of(names[1])

    def neg(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return -self.of(names[0])

    # activations

    def relu(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return np.maximum(self.of(names[0]), Fraction(0))

    def clip(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return np.minimum(np.maximum(self.of(names[0]), self.of(names[1]).item()), self.of(names[2]).item())

    def leakyrelu(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        x = self.of(names[0])
        return np.where(x < 0, x * Fraction(given["alpha"]), x)

    def prelu(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        x = self.of(names[0])
        return np.where(x < 0, x * self.of(names[1]), x)

    def hardsigmoid(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        line = self.of(names[0]) * Fraction(given["alpha"]) + Fraction(given["beta"])
        return np.minimum(np.maximum(line, Fraction(0)), Fraction(1))

    def abs(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return np.abs(self.of(names[0]))

    def hardswish(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        x = self.of(names[0])
        return x * np.minimum(np.maximum(x + 3, Fraction(0)), Fraction(6)) / 6

    def __getattr__(self, name: str) -> Callable[[list[str], Mapping[str, Any]], np.ndarray]:
        """Curves by their names."""
        if name not in CURVES:
            raise AttributeError(name)
        return lambda names, _: each(CURVES[name], self.of(names[0]))

    # pooling

    def maxpool(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        x = self.of(names[0])
        made = windows(x, given["kernel_shape"], given, min(x.reshape(-1)) - 1)
        return np.asarray(made.reshape(*made.shape[:4], -1).max(-1))

    def averagepool(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        made = windows(self.of(names[0]), given["kernel_shape"], given, Fraction(0))
        return np.asarray(made.reshape(*made.shape[:4], -1).sum(-1)) / Fraction(int(np.prod(given["kernel_shape"])))

    def globalaveragepool(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        x = self.of(names[0])
        return np.asarray(x.sum((2, 3), keepdims=True)) / Fraction(x.shape[2] * x.shape[3])

    def globalmaxpool(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return np.asarray(self.of(names[0]).max((2, 3), keepdims=True))

    # moves

    def concat(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        return np.concatenate([self.of(name) for name in names], given["axis"])

    def split(self, names: list[str], given: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
        return tuple(np.split(self.of(names[0]), np.cumsum(self.floats[names[1]])[:-1], given["axis"]))

    def slice(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        starts, ends, axes, steps = (self.floats[name].tolist() for name in names[1:5])
        index = [slice(None)] * self.of(names[0]).ndim
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            index[axis] = slice(start, None if step < 0 and end < -1 << 30 else end, step)
        return self.of(names[0])[tuple(index)]

    def gather(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        return np.take(self.of(names[0]), self.floats[names[1]], given["axis"])

    def pad(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        pads = self.floats[names[1]].tolist()
        half = len(pads) // 2
        around = list(zip(pads[:half], pads[half:], strict=True))
        return np.pad(self.of(names[0]), around, constant_values=Fraction(0))

    def reshape(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return self.of(names[0]).reshape(self.floats[names[1]].tolist())

    def flatten(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        return self.of(names[0]).reshape(len(self.of(names[0])), -1)

    def transpose(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        return self.of(names[0]).transpose(given["perm"])

    def resize(self, names: list[str], _: Mapping[str, Any]) -> np.ndarray:
        scales = self.floats[names[2]].astype(int).tolist()
        return self.of(names[0]).repeat(scales[2], 2).repeat(scales[3], 3)

    def depthtospace(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        x, b = self.of(names[0]), given["blocksize"]
        n, c, h, w = x.shape
        if given["mode"] == b"DCR":
            made = x.reshape(n, b, b, c // b**2, h, w).transpose(0, 3, 4, 1, 5, 2)
        else:
            made = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
        return made.reshape(n, c // b**2, h * b, w * b)

    def spacetodepth(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        x, b = self.of(names[0]), given["blocksize"]
        n, c, h, w = x.shape
        return x.reshape(n, c, h // b, b, w // b, b).transpose(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b)

    # heads

    def argmax(self, names: list[str], given: Mapping[str, Any]) -> np.ndarray:
        best = np.argmax(self.of(names[0]), axis=given["axis"])
        return exact(np.expand_dims(best, given["axis"]) if given["keepdims"] else best)

    def topk(self, names: list[str], _: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        x, k = self.of(names[0]), self.whole(names[1])
        order = np.array([sorted(range(len(row)), key=lambda j, row=row: (-row[j], j))[:k] for row in x])  # type: ignore
        return np.take_along_axis(x, order, 1), exact(order)


def evaluate(proto: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> Values:
    """The exact outputs (N, ...) of a model by name. inputs: samples (N, ...) by name."""
    run = Evaluation(proto, inputs)
    return {item.name: run.of(item.name) for item in proto.graph.output}
