"""What single modules and functions of a Brevitas model become: one reader per kind.

What has no exact form is an UnsupportedError without the module's name, which the walk over the model adds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import brevitas.nn as qnn
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.torch.brevitas_quantizers import (
    Steps,
    channel_values,
    read_activation,
    read_quantizer,
    read_syq_weight,
    read_weight,
    to_array,
)
from headrace.network import ops
from headrace.training.syq import SyqConv2d, SyqLinear


@dataclass(frozen=True, eq=False)
class Leaf:
    """A module of a trace with its path; it reads a tensor of `rank` axes after the batch, None where unknown."""

    path: str
    module: Any
    rank: int | None

    def quantizer(self, name: str) -> Steps:
        """The steps of the module's quantizer of that name. What it meets has the rank of what the module reads."""
        return [(f".{name}{suffix}", step) for suffix, step in read_quantizer(getattr(self.module, name), self.rank)]


class Reader:
    """Turns modules and functions of a trace into operations; `biases` are the quantized ones, by module path."""

    def __init__(self, biases: dict[str, ops.FloatArray]) -> None:
        self.biases = biases

    def module(self, path: str, module: nn.Module, rank: int | None) -> Steps:
        """The operations of a leaf module that reads a tensor of `rank` axes after the batch."""
        for kind, handler in MODULES:
            if isinstance(module, kind):
                return handler(self, Leaf(path, module, rank))
        if isinstance(module, nn.Conv2d | nn.Linear):
            raise UnsupportedError(f"is not quantized; use brevitas.nn.Quant{type(module).__name__}")
        raise UnsupportedError(f"no streaming layer does this; use {SUPPORTED}")

    def function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], rank: int | None) -> Steps:
        """The operations of a function or method, called with the traced tensor as None in `args`."""
        if target in ARITHMETIC and len(args) == 2:
            return [("", _arithmetic(target, *args, rank))]
        if target in FUNCTIONS:
            return FUNCTIONS[target](*args[1:], **kwargs)
        raise UnsupportedError("no streaming layer does this; use modules of torch.nn and brevitas.nn")

    def conv(self, leaf: Leaf) -> Steps:
        """QuantConv2d with the quantizers of its input and output."""
        conv = self._conv(leaf, read_weight(leaf.module))
        return [*leaf.quantizer("input_quant"), ("", conv), *leaf.quantizer("output_quant")]

    def _conv(self, leaf: Leaf, weight: ops.QuantWeight) -> ops.Conv:
        module = leaf.module
        if module.padding_mode != "zeros" or isinstance(module.padding, str):
            raise UnsupportedError(f"its padding {module.padding!r} of mode {module.padding_mode!r} is not a number of "
                                   "zeros; give padding as integers")
        vertical, horizontal = module.padding
        return ops.Conv(weight, self._bias(leaf), module.stride, (vertical, horizontal, vertical, horizontal),
                        module.dilation, module.groups)

    def linear(self, leaf: Leaf) -> Steps:
        """QuantLinear with the quantizers of its input and output."""
        linear = ops.Linear(read_weight(leaf.module), self._bias(leaf))
        return [*leaf.quantizer("input_quant"), ("", linear), *leaf.quantizer("output_quant")]

    def syq(self, leaf: Leaf) -> Steps:
        """SyqConv2d and SyqLinear, whose inputs and outputs other modules quantize."""
        weight = read_syq_weight(leaf.module)
        if isinstance(leaf.module, nn.Conv2d):
            return [("", self._conv(leaf, weight))]
        return [("", ops.Linear(weight, self._bias(leaf)))]

    def _bias(self, leaf: Leaf) -> ops.FloatArray | None:
        if leaf.module.bias is None:
            return None
        return self.biases[leaf.path] if leaf.path in self.biases else to_array(leaf.module.bias)

    def activation(self, leaf: Leaf) -> Steps:
        """QuantReLU, QuantHardTanh and QuantIdentity."""
        return leaf.quantizer("input_quant") + read_quantizer(leaf.module.act_quant, leaf.rank)

    def batch_norm(self, leaf: Leaf) -> Steps:
        """Batch norm at inference: A = gamma / sqrt(var + eps), B = beta - A * mean in float64."""
        module = leaf.module
        if module.running_mean is None:
            raise UnsupportedError("it keeps no running statistics; use track_running_stats=True")
        ranks = (3,) if isinstance(module, nn.BatchNorm2d) else (1, 2)
        if leaf.rank is not None and leaf.rank not in ranks:
            raise InputError(f"it normalizes tensors of {' or '.join(str(rank + 1) for rank in ranks)} axes but meets "
                             f"one of {leaf.rank + 1}; use BatchNorm2d on feature maps, BatchNorm1d after a flatten")
        mean, variance = to_array(module.running_mean), to_array(module.running_var)
        gamma = np.ones_like(mean) if module.weight is None else to_array(module.weight)
        beta = np.zeros_like(mean) if module.bias is None else to_array(module.bias)
        A = gamma / np.sqrt(variance + module.eps)
        return [("", ops.Affine(A, beta - A * mean))]

    def max_pool(self, leaf: Leaf) -> Steps:
        """MaxPool2d without padding."""
        module = leaf.module
        return _max_pool(module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode)

    def plain_activation(self, leaf: Leaf) -> Steps:
        """ReLU and Hardtanh without quantizer; a quantizer must follow later."""
        return [("", op) for _, op in read_activation(leaf.module)]

    def flatten(self, leaf: Leaf) -> Steps:
        """Flatten of everything but the batch."""
        return _flatten(leaf.module.start_dim, leaf.module.end_dim)

    def nothing(self, leaf: Leaf) -> Steps:
        """Modules that do nothing at inference."""
        return []


#: Modules with their readers; the first match counts, so subclasses stand before their bases.
MODULES: tuple[tuple[Any, Callable[[Reader, Leaf], Steps]], ...] = (
    ((SyqConv2d, SyqLinear), Reader.syq),
    (qnn.QuantConv2d, Reader.conv),
    (qnn.QuantLinear, Reader.linear),
    ((qnn.QuantReLU, qnn.QuantHardTanh, qnn.QuantIdentity), Reader.activation),
    ((nn.BatchNorm1d, nn.BatchNorm2d), Reader.batch_norm),
    (nn.MaxPool2d, Reader.max_pool),
    (nn.Flatten, Reader.flatten),
    ((nn.Identity, nn.Dropout, nn.Dropout2d), Reader.nothing),
    ((nn.ReLU, nn.Hardtanh), Reader.plain_activation),
)


SUPPORTED = ("QuantConv2d, QuantLinear, SyqConv2d, SyqLinear, QuantReLU, QuantHardTanh, QuantIdentity, BatchNorm1d, "
             "BatchNorm2d, MaxPool2d, Flatten, Identity, Dropout, ReLU or Hardtanh")


def _pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (int(value[0]), int(value[1]))


def _max_pool(kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
              return_indices: bool = False) -> Steps:
    if _pair(padding) != (0, 0) or _pair(dilation) != (1, 1) or ceil_mode or return_indices:
        raise UnsupportedError("max pooling with padding, dilation, ceil_mode or indices has no streaming layer; "
                               "use kernel_size and stride only")
    kernel = _pair(kernel_size)
    return [("", ops.MaxPool(kernel, kernel if stride is None else _pair(stride)))]


def _flatten(start_dim: int = 0, end_dim: int = -1) -> Steps:
    if start_dim != 1 or end_dim != -1:
        raise UnsupportedError(f"flatten from axis {start_dim} to {end_dim} mixes samples or keeps axes; "
                               "flatten from axis 1 to -1")
    return [("", ops.Reshape((-1,)))]


def _view(*sizes: Any) -> Steps:
    shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    if not all(isinstance(n, int) for n in shape) or len(shape) < 2:
        raise UnsupportedError(f"a view to {shape} does not keep the batch axis; use torch.flatten(x, 1)")
    return [("", ops.Reshape(shape[1:]))]


def _arithmetic(target: Any, left: Any, right: Any, rank: int | None) -> ops.Affine:
    """x + c, c + x, x - c, c - x, x * c, c * x or x / c, the traced tensor being None."""
    constant = right if left is None else left
    if not isinstance(constant, int | float | torch.Tensor):
        raise UnsupportedError("joins of two tensors have no streaming layer in this version; remove the branch")
    values = (channel_values("constant", constant, rank) if isinstance(constant, torch.Tensor)
              else np.asarray([float(constant)]))
    one, zero = np.ones_like(values), np.zeros_like(values)
    if target is operator.mul:
        return ops.Affine(values, zero)
    if target is operator.add:
        return ops.Affine(one, values)
    if target is operator.sub:
        return ops.Affine(one, -values) if left is None else ops.Affine(-one, values)
    if left is not None or np.any(values == 0):
        raise UnsupportedError("division by a tensor or by 0 has no exact form; divide by a constant")
    return ops.Affine(1 / values, zero)


def _nothing(*args: Any, **kwargs: Any) -> Steps:
    return []


ARITHMETIC = (operator.add, operator.sub, operator.mul, operator.truediv)
#: Functions and methods of the trace; they get their arguments without the tensor.
FUNCTIONS: dict[Any, Callable[..., Steps]] = {
    torch.flatten: _flatten, "flatten": _flatten,
    "view": _view, "reshape": _view, torch.reshape: _view,
    functional.max_pool2d: _max_pool, torch.max_pool2d: _max_pool,
    functional.relu: lambda inplace=False: [("", ops.RELU)], torch.relu: lambda: [("", ops.RELU)],
    "relu": lambda: [("", ops.RELU)],
    "contiguous": _nothing,
}
