"""What the operations that are written in other ways mean, in exact fractions, and what a run over a file knows."""

from __future__ import annotations

from decimal import Decimal, localcontext
from fractions import Fraction
from math import prod, sqrt

import numpy as np

from tests.random_networks.attributes import Attributes
from tests.random_networks.curves import DIGITS, celu, erf, exponential, sigmoid, softplus, tanh
from tests.random_networks.exact import ROUNDINGS, Exact, along_channels, convolution, dot, each, exact, windows

#: The parts of a gate: sqrt(1/2), sqrt(2/pi) and what tanh takes of the third power.
_ROOT, _GAIN, _CUBIC = Fraction(sqrt(0.5)), Fraction(0.7978845608028654), Fraction(0.044715)


class Run:
    """Constants and exact values by the names of tensors."""

    floats: dict[str, np.ndarray]
    values: dict[str, Exact]

    def of(self, name: str) -> Exact:
        """The exact values of a tensor."""
        if name not in self.values:
            self.values[name] = exact(self.floats[name])
        return self.values[name]

    def whole(self, name: str) -> int:
        return int(self.floats[name].reshape(-1)[0])

    def wholes(self, name: str) -> list[int]:
        """A list of whole numbers: a constant, or computed from shapes."""
        return [int(v) for v in (self.floats[name] if name in self.floats else self.values[name]).reshape(-1)]

    def codes(self, x: Exact, names: list[str]) -> Exact:
        """The codes of real numbers; names: of their scale and zero point."""
        zero, scale = self.floats[names[1]], self.of(names[0])
        ends = np.iinfo(zero.dtype)
        codes = each(ROUNDINGS["ROUND"], x / (along_channels(scale, x) if scale.ndim else scale)) + int(zero.flat[0])
        return exact(np.clip(codes, ends.min, ends.max))

    def real(self, names: list[str], axis: int = 1) -> Exact:
        """The real numbers that codes stand for; names: of the codes, their scale and zero point."""
        x, scale = self.of(names[0]), self.of(names[1])
        shape = [-1 if k == axis else 1 for k in range(x.ndim)]
        return (x - int(self.floats[names[2]].flat[0])) * (scale.reshape(shape) if scale.ndim else scale)


class Further(Run):
    """The operations by their names in lower case."""

    # products

    def im2col(self, names: list[str], given: Attributes) -> Exact:
        """(N, H, W, C) -> (N, rows, columns, K_h * K_w * C)."""
        x = self.of(names[0])
        kernel, stride = given.wholes("kernel_size"), given.wholes("stride")
        dilation = given.wholes("dilations", [1, 1])
        size = [(x.shape[1 + k] - dilation[k] * (kernel[k] - 1) - 1) // stride[k] + 1 for k in (0, 1)]
        parts = [x[:, i * dilation[0] :: stride[0], j * dilation[1] :: stride[1]][:, : size[0], : size[1]]
                 for i, j in np.ndindex(*kernel)]
        return np.concatenate(parts, 3)

    def xnorpopcountmatmul(self, names: list[str], _: Attributes) -> Exact:
        x, weight = (2 * self.of(name) - 1 for name in names)
        return (dot(x, weight) + len(weight)) / 2

    def last_conv(self, names: list[str], given: Attributes) -> Exact:
        """Weights (C_out, K_h, K_w, C_in)."""
        x, weight = self.of(names[0]).transpose(0, 3, 1, 2), np.moveaxis(self.of(names[1]), -1, 1)
        y = convolution(x, weight, given)
        y = y + along_channels(self.of(names[2]), y) if len(names) > 2 else y
        return y.transpose(0, 2, 3, 1)

    def qgemm(self, names: list[str], given: Attributes) -> Exact:
        turned = given.whole("transB", 0)
        weight = self.real(names[3:6], 0 if turned else 1)
        y = dot(self.real(names[:3]), weight.T if turned else weight)
        if names[6]:
            y = y + self.of(names[6]) * (self.of(names[1]) * self.of(names[4]))
        return self.codes(y, names[7:9])

    # pooling and joins

    def qlinearaveragepool(self, names: list[str], given: Attributes) -> Exact:
        return self.codes(self._average(self.real(names[:3]), given), names[3:5])

    def averagepool(self, names: list[str], given: Attributes) -> Exact:
        return self._average(self.of(names[0]), given)

    def _average(self, x: Exact, given: Attributes) -> Exact:
        """A border counts as zeros."""
        kernel = given.wholes("kernel_shape")
        made = windows(x, kernel, given, Fraction(0))
        return np.asarray(made.reshape(*made.shape[:4], -1).sum(-1)) / Fraction(prod(kernel))

    def qlinearglobalaveragepool(self, names: list[str], _: Attributes) -> Exact:
        x = self.real(names[:3])
        return self.codes(np.asarray(x.sum((2, 3), keepdims=True)) / Fraction(x.shape[2] * x.shape[3]), names[3:5])

    def qlinearsigmoid(self, names: list[str], _: Attributes) -> Exact:
        return self.codes(each(sigmoid, self.real(names[:3])), names[3:5])

    def reducesum(self, names: list[str], given: Attributes) -> Exact:
        axes = tuple(self.wholes(names[1]))
        return np.asarray(self.of(names[0]).sum(axes, keepdims=bool(given.whole("keepdims", 1))))

    def reducemean(self, names: list[str], given: Attributes) -> Exact:
        shape = self.of(names[0]).shape
        return self.reducesum(names, given) / Fraction(prod(shape[axis] for axis in self.wholes(names[1])))

    def reducemax(self, names: list[str], given: Attributes) -> Exact:
        axes = tuple(self.wholes(names[1]))
        return np.asarray(self.of(names[0]).max(axes, keepdims=bool(given.whole("keepdims", 1))))

    def quantavgpool2d(self, names: list[str], given: Attributes) -> Exact:
        """The sum of a window without its low bits."""
        kernel, stride, bits = given.whole("kernel"), given.whole("stride"), given.whole("ibits")
        x = self.of(names[0])
        size = [(n - kernel) // stride + 1 for n in x.shape[2:]]
        total = sum(x[:, :, i::stride, j::stride][:, :, : size[0], : size[1]] for i, j in np.ndindex(kernel, kernel))
        shift = max((((1 << bits) - 1) * kernel**2).bit_length() - given.whole("obits"), 0)
        return exact(each(lambda v: v // (1 << shift), total))

    def maxpoolnhwc(self, names: list[str], given: Attributes) -> Exact:
        return self._largest(self.of(names[0]).transpose(0, 3, 1, 2), given).transpose(0, 2, 3, 1)

    def maxpool(self, names: list[str], given: Attributes) -> Exact:
        return self._largest(self.of(names[0]), given)

    def _largest(self, x: Exact, given: Attributes) -> Exact:
        made = windows(x, given.wholes("kernel_shape"), given, min(x.reshape(-1)) - 1)
        return np.asarray(made.reshape(*made.shape[:4], -1).max(-1))

    def sum(self, names: list[str], _: Attributes) -> Exact:
        return sum(self.of(name) for name in names)

    def mean(self, names: list[str], _: Attributes) -> Exact:
        return sum(self.of(name) for name in names) / Fraction(len(names))

    # curves

    def selu(self, names: list[str], given: Attributes) -> Exact:
        alpha, gamma = (Fraction(given.number(*pair)) for pair in (("alpha", 1.6732632), ("gamma", 1.0507010)))
        return each(lambda v: gamma * (v if v >= 0 else alpha * (exponential(v) - 1)), self.of(names[0]))

    def elu(self, names: list[str], given: Attributes) -> Exact:
        alpha = Fraction(given.number("alpha", 1.0))
        return each(lambda v: v if v >= 0 else alpha * (exponential(v) - 1), self.of(names[0]))

    def celu(self, names: list[str], given: Attributes) -> Exact:
        alpha = Fraction(given.number("alpha", 1.0))
        return each(lambda v: celu(v, alpha), self.of(names[0]))

    def mish(self, names: list[str], _: Attributes) -> Exact:
        return each(lambda v: v * tanh(softplus(v)), self.of(names[0]))

    def gelu(self, names: list[str], given: Attributes) -> Exact:
        by_tanh = given.text("approximate", "none") == "tanh"
        return each(_gelu_by_tanh if by_tanh else _gelu, self.of(names[0]))

    def biasgelu(self, names: list[str], _: Attributes) -> Exact:
        return each(_gelu, self.of(names[0]) + self.of(names[1]))

    def fastgelu(self, names: list[str], _: Attributes) -> Exact:
        return each(_gelu_by_tanh, self.of(names[0]) + self.of(names[1]))

    def swish(self, names: list[str], given: Attributes) -> Exact:
        alpha = Fraction(given.number("alpha", 1.0))
        return each(lambda v: v * sigmoid(alpha * v), self.of(names[0]))

    def quickgelu(self, names: list[str], given: Attributes) -> Exact:
        alpha = Fraction(given.number("alpha", 1.702))
        return each(lambda v: v * sigmoid(alpha * v), self.of(names[0]))

    def pow(self, names: list[str], _: Attributes) -> Exact:
        exponent = self.whole(names[1])
        return each(lambda v: v**exponent, self.of(names[0]))

    # what changes no number

    def identity(self, names: list[str], _: Attributes) -> Exact:
        return self.of(names[0])

    dropout = cast = identity

    def shape(self, names: list[str], _: Attributes) -> Exact:
        return exact(self.of(names[0]).shape)

    def unsqueeze(self, names: list[str], _: Attributes) -> Exact:
        return np.expand_dims(self.of(names[0]), tuple(self.wholes(names[1])))

    def squeeze(self, names: list[str], _: Attributes) -> Exact:
        return np.squeeze(self.of(names[0]), tuple(self.wholes(names[1])))

    def upsample(self, names: list[str], _: Attributes) -> Exact:
        scales = self.wholes(names[1])
        return self.of(names[0]).repeat(scales[2], 2).repeat(scales[3], 3)

    # heads

    def softmax(self, names: list[str], _: Attributes) -> Exact:
        """Of vectors."""
        x = self.of(names[0])
        powers = each(exponential, x - x.max(-1, keepdims=True))
        return powers / powers.sum(-1, keepdims=True)

    def logsoftmax(self, names: list[str], _: Attributes) -> Exact:
        x = self.of(names[0])
        x = x - x.max(-1, keepdims=True)
        return x - each(_logarithm, each(exponential, x).sum(-1, keepdims=True))


def _gelu(v: Fraction) -> Fraction:
    return v * (1 + erf(v * _ROOT)) / 2


def _gelu_by_tanh(v: Fraction) -> Fraction:
    return v * (1 + tanh(_GAIN * (v + _CUBIC * v**3))) / 2


def _logarithm(v: Fraction) -> Fraction:
    with localcontext() as context:
        context.prec = DIGITS
        return Fraction((Decimal(v.numerator) / Decimal(v.denominator)).ln())

