"""What an ONNX file means, in exact fractions, written from the documents of the operations and of the reader.

It imports nothing of the product. Three roundings are part of the meaning (docs/onnx.md): quotients of weights and
their scales are float32, a batch normalization is folded in float64, and curves are taken to 100 digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction

import numpy as np
import onnx
from onnx import NodeProto, numpy_helper

from tests.random_networks.attributes import Attributes
from tests.random_networks.curves import CURVES
from tests.random_networks.exact import (
    ROUNDINGS,
    ZERO,
    Exact,
    along_channels,
    convolution,
    dot,
    each,
    exact,
    line_convolution,
    quantized,
    transposed_convolution,
)
from tests.random_networks.meanings import Further

#: Exact values (N, ...) by the names of tensors.
Values = dict[str, Exact]


class Evaluation(Further):
    """One run over a file; constants stay floats until something reads them."""

    def __init__(self, proto: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> None:
        self.floats = {t.name: numpy_helper.to_array(t) for t in proto.graph.initializer}
        self.values: Values = {name: exact(x) for name, x in inputs.items()}
        for node in proto.graph.node:
            self._node(node)

    def _node(self, node: NodeProto) -> None:
        name = ("last_" if node.domain.endswith("channels_last") else "") + node.op_type.lower()
        made = getattr(self, name)(list(node.input), Attributes(node))
        for name, value in zip(node.output, made if isinstance(made, tuple) else (made,), strict=True):
            if name:
                self.values[name] = value

    # quantizers

    def quant(self, names: list[str], given: Attributes) -> Exact:
        bits, zero = self.whole(names[3]), self.whole(names[2])
        ends = ((-(1 << bits - 1) + given.whole("narrow"), (1 << bits - 1) - 1) if given.whole("signed")
                else (0, (1 << bits) - 1 - given.whole("narrow")))
        rounding = given.text("rounding_mode")
        scale = self.of(names[1])
        if names[0] not in self.floats:
            return quantized(self.of(names[0]), scale, zero, ends, rounding)
        quotients = self.floats[names[0]].astype(np.float32) / self.floats[names[1]].astype(np.float32)
        return quantized(exact(quotients), exact(np.ones_like(quotients)), zero, ends, rounding) * scale

    intquant = quant

    def bipolarquant(self, names: list[str], _: Attributes) -> Exact:
        return each(lambda v: Fraction(1 if v >= 0 else -1), self.of(names[0])) * self.of(names[1])

    def multithreshold(self, names: list[str], given: Attributes) -> Exact:
        x, rows = self.of(names[0]), self.of(names[1])
        scale, bias = Fraction(given.number("out_scale")), Fraction(given.number("out_bias"))
        made = np.empty(x.shape, object)
        for c in range(x.shape[1]):
            row = rows[c if len(rows) > 1 else 0]
            made[:, c] = each(lambda v, row=row: scale * sum(v >= t for t in row) + bias, x[:, c])  # type: ignore[misc]
        return made

    def quantizelinear(self, names: list[str], _: Attributes) -> Exact:
        return self.codes(self.of(names[0]), names[1:])

    def dequantizelinear(self, names: list[str], given: Attributes) -> Exact:
        return self.real(names, given.whole("axis", 1))

    def trunc(self, names: list[str], given: Attributes) -> Exact:
        """Codes, which the quantizer in front has made, lose their low bits; scale and zero point stay."""
        scale, zero = self.of(names[1]), self.whole(names[2])
        dropped = self.whole(names[3]) - self.whole(names[4])
        codes = each(ROUNDINGS["ROUND"], self.of(names[0]) / scale) + zero
        return (each(ROUNDINGS[given.text("rounding_mode")], codes / Fraction(1 << dropped)) - zero) * scale

    # codes to codes: three names stand for real numbers

    def qlinearconv(self, names: list[str], given: Attributes) -> Exact:
        y = convolution(self.real(names[:3]), self.real(names[3:6], 0), given)
        if len(names) > 8:
            y = y + along_channels(self.of(names[8]) * (self.of(names[1]) * self.of(names[4])), y)
        return self.codes(y, names[6:8])

    def qlinearmatmul(self, names: list[str], _: Attributes) -> Exact:
        return self.codes(dot(self.real(names[:3]), self.real(names[3:6])), names[6:8])

    def qlinearadd(self, names: list[str], _: Attributes) -> Exact:
        return self.codes(self.real(names[:3]) + self.real(names[3:6]), names[6:8])

    def qlinearconcat(self, names: list[str], given: Attributes) -> Exact:
        parts = [self.real(names[k : k + 3]) for k in range(2, len(names), 3)]
        return self.codes(np.concatenate(parts, given.whole("axis")), names[:2])

    def qlinearleakyrelu(self, names: list[str], given: Attributes) -> Exact:
        alpha = Fraction(given.number("alpha"))
        return self.codes(each(lambda v: v if v >= 0 else alpha * v, self.real(names[:3])), names[3:5])

    # products and what is calculated per channel

    def _biased(self, y: Exact, names: list[str]) -> Exact:
        return y + along_channels(self.of(names[2]), y) if len(names) > 2 else y

    def conv(self, names: list[str], given: Attributes) -> Exact:
        x = self.of(names[0])
        return self._biased((convolution if x.ndim == 4 else line_convolution)(x, self.of(names[1]), given), names)

    def convtranspose(self, names: list[str], given: Attributes) -> Exact:
        return self._biased(transposed_convolution(self.of(names[0]), self.of(names[1]), given), names)

    def matmul(self, names: list[str], _: Attributes) -> Exact:
        return dot(self.of(names[0]), self.of(names[1]))

    def gemm(self, names: list[str], given: Attributes) -> Exact:
        weight = self.of(names[1])
        y = dot(self.of(names[0]), weight.T if given.whole("transB", 0) else weight)
        y = y * Fraction(given.number("alpha", 1.0))
        return y + self.of(names[2]) * Fraction(given.number("beta", 1.0)) if len(names) > 2 else y

    def batchnormalization(self, names: list[str], given: Attributes) -> Exact:
        gamma, beta, mean, variance = (self.floats[name].astype(np.float64) for name in names[1:5])
        scale = gamma / np.sqrt(variance + given.number("epsilon"))
        x = self.of(names[0])
        return x * along_channels(exact(scale), x) + along_channels(exact(beta - mean * scale), x)

    def add(self, names: list[str], _: Attributes) -> Exact:
        return self.of(names[0]) + self.of(names[1])

    def sub(self, names: list[str], _: Attributes) -> Exact:
        return self.of(names[0]) - self.of(names[1])

    def mul(self, names: list[str], _: Attributes) -> Exact:
        return self.of(names[0]) * self.of(names[1])

    def div(self, names: list[str], _: Attributes) -> Exact:
        return self.of(names[0]) / self.of(names[1])

    def neg(self, names: list[str], _: Attributes) -> Exact:
        return -self.of(names[0])

    # activations

    def relu(self, names: list[str], _: Attributes) -> Exact:
        return np.maximum(self.of(names[0]), ZERO)

    def clip(self, names: list[str], _: Attributes) -> Exact:
        return np.minimum(np.maximum(self.of(names[0]), self.of(names[1]).item()), self.of(names[2]).item())

    def leakyrelu(self, names: list[str], given: Attributes) -> Exact:
        x = self.of(names[0])
        return np.where(x < 0, x * Fraction(given.number("alpha", 0.01)), x)

    def prelu(self, names: list[str], _: Attributes) -> Exact:
        x = self.of(names[0])
        return np.where(x < 0, x * self.of(names[1]), x)

    def hardsigmoid(self, names: list[str], given: Attributes) -> Exact:
        line = self.of(names[0]) * Fraction(given.number("alpha", 0.2)) + Fraction(given.number("beta", 0.5))
        return np.minimum(np.maximum(line, ZERO), ZERO + 1)

    def abs(self, names: list[str], _: Attributes) -> Exact:
        return np.abs(self.of(names[0]))

    def hardswish(self, names: list[str], _: Attributes) -> Exact:
        x = self.of(names[0])
        return x * np.minimum(np.maximum(x + 3, ZERO), ZERO + 6) / 6

    def __getattr__(self, name: str) -> Callable[[list[str], Attributes], Exact]:
        """Curves by their names."""
        if name not in CURVES:
            raise AttributeError(name)
        return lambda names, _: each(CURVES[name], self.of(names[0]))

    # pooling

    def globalaveragepool(self, names: list[str], _: Attributes) -> Exact:
        x = self.of(names[0])
        return np.asarray(x.sum((2, 3), keepdims=True)) / Fraction(x.shape[2] * x.shape[3])

    def globalmaxpool(self, names: list[str], _: Attributes) -> Exact:
        return np.asarray(self.of(names[0]).max((2, 3), keepdims=True))

    # moves

    def concat(self, names: list[str], given: Attributes) -> Exact:
        return np.concatenate([self.of(name) for name in names], given.whole("axis"))

    def split(self, names: list[str], given: Attributes) -> tuple[Exact, ...]:
        return tuple(np.split(self.of(names[0]), np.cumsum(self.floats[names[1]])[:-1], given.whole("axis")))

    def slice(self, names: list[str], _: Attributes) -> Exact:
        starts, ends, axes, steps = (self.floats[name].tolist() for name in names[1:5])
        index = [slice(None)] * self.of(names[0]).ndim
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            index[axis] = slice(start, None if step < 0 and end < -1 << 30 else end, step)
        return self.of(names[0])[tuple(index)]

    def gather(self, names: list[str], given: Attributes) -> Exact:
        return np.take(self.of(names[0]), self.floats[names[1]], given.whole("axis"))

    def pad(self, names: list[str], _: Attributes) -> Exact:
        pads = self.floats[names[1]].tolist()
        half = len(pads) // 2
        kept = tuple(slice(max(-low, 0), size + min(high, 0))
                     for low, high, size in zip(pads[:half], pads[half:], self.of(names[0]).shape, strict=True))
        around = [(max(low, 0), max(high, 0)) for low, high in zip(pads[:half], pads[half:], strict=True)]
        return np.pad(self.of(names[0])[kept], around, constant_values=ZERO)

    def reshape(self, names: list[str], _: Attributes) -> Exact:
        """The file says 1 for the batch, which may have several samples here."""
        return self.of(names[0]).reshape(-1, *self.wholes(names[1])[1:])

    def flatten(self, names: list[str], _: Attributes) -> Exact:
        return self.of(names[0]).reshape(len(self.of(names[0])), -1)

    def transpose(self, names: list[str], given: Attributes) -> Exact:
        return self.of(names[0]).transpose(given.wholes("perm"))

    def resize(self, names: list[str], _: Attributes) -> Exact:
        scales = self.floats[names[2]].astype(int).tolist()
        return self.of(names[0]).repeat(scales[2], 2).repeat(scales[3], 3)

    def depthtospace(self, names: list[str], given: Attributes) -> Exact:
        x, b = self.of(names[0]), given.whole("blocksize")
        n, c, h, w = x.shape
        if given.text("mode") == "DCR":
            made = x.reshape(n, b, b, c // b**2, h, w).transpose(0, 3, 4, 1, 5, 2)
        else:
            made = x.reshape(n, c // b**2, b, b, h, w).transpose(0, 1, 4, 2, 5, 3)
        return made.reshape(n, c // b**2, h * b, w * b)

    def spacetodepth(self, names: list[str], given: Attributes) -> Exact:
        x, b = self.of(names[0]), given.whole("blocksize")
        n, c, h, w = x.shape
        return x.reshape(n, c, h // b, b, w // b, b).transpose(0, 3, 5, 1, 2, 4).reshape(n, c * b * b, h // b, w // b)

    # heads

    def argmax(self, names: list[str], given: Attributes) -> Exact:
        best = np.argmax(self.of(names[0]), axis=given.whole("axis"))
        return exact(np.expand_dims(best, given.whole("axis")) if given.whole("keepdims") else best)

    def topk(self, names: list[str], _: Attributes) -> tuple[Exact, Exact]:
        x, k = self.of(names[0]), self.whole(names[1])
        order = np.array([sorted(range(len(row)), key=lambda j, row=row: (-row[j], j))[:k] for row in x])  # type: ignore
        return np.take_along_axis(x, order, 1), exact(order)


def evaluate(proto: onnx.ModelProto, inputs: Mapping[str, np.ndarray]) -> Values:
    """The exact outputs (N, ...) of a model by name. inputs: samples (N, ...) by name."""
    run = Evaluation(proto, inputs)
    return {item.name: run.of(item.name) for item in proto.graph.output}
