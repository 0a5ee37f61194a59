"""What modules and functions of torch become in a FloatNetwork: one reader per kind.

What has no streaming form is an UnsupportedError without the module's name, which the walk over the model adds.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from headrace.errors import UnsupportedError
from headrace.network import ops, tensor_ops
from headrace.network.float_graph import FloatConv, FloatLinear, FloatOp
from headrace.network.ops import FloatArray, Pad, Shape

#: The operations that one node of the trace becomes, each with the suffix of its name; the last one has none.
Steps = list[tuple[str, FloatOp]]


@dataclass(frozen=True)
class Tensor:
    """Stands for a tensor of the network among the arguments of a function; its shape is None behind a mistake."""

    shape: Shape | None

    def frame(self) -> Shape:
        """(C, H, W). Raises UnsupportedError for other shapes."""
        if self.shape is None or len(self.shape) != 3:
            raise UnsupportedError(f"it needs (channels, height, width) or (channels, length), not {self.shape}; "
                                   "place it before the flatten")
        return self.shape


def _array(tensor: torch.Tensor | None, default: FloatArray) -> FloatArray:
    return default if tensor is None else np.asarray(tensor.detach().cpu().numpy(), np.float64)


def _frame_pair(value: Any, one_dimensional: bool, flat: int) -> tuple[int, int]:
    """A (vertical, horizontal) pair; `flat` is the vertical size of a 1-D layer."""
    values = [value] if isinstance(value, int) else [int(n) for n in value]
    if one_dimensional:
        return flat, values[0]
    return (values[0], values[0]) if len(values) == 1 else (values[0], values[1])


def _conv(module: Any, x: Tensor) -> Steps:
    flat = isinstance(module, nn.Conv1d)
    if module.padding_mode != "zeros":
        raise UnsupportedError(f"its padding mode {module.padding_mode!r} has no streaming form; pad with zeros")
    weights = _array(module.weight, np.zeros(0))
    weights = weights[:, :, None] if flat else weights
    dilation = _frame_pair(module.dilation, flat, 1)
    op = FloatConv(weights, _array(module.bias, np.zeros(len(weights))), _frame_pair(module.stride, flat, 1),
                   _conv_pad(module, flat, weights.shape, dilation), dilation, module.groups)
    return [("", op)]


def _conv_pad(module: Any, flat: bool, shape: Shape, dilation: tuple[int, int]) -> Pad:
    """(top, left, bottom, right); 'same' puts the odd element behind, as torch does."""
    if module.padding == "valid":
        return (0, 0, 0, 0)
    if module.padding == "same":
        total = [(kernel - 1) * step for kernel, step in zip(shape[2:], dilation, strict=True)]
        return total[0] // 2, total[1] // 2, total[0] - total[0] // 2, total[1] - total[1] // 2
    vertical, horizontal = _frame_pair(module.padding, flat, 0)
    return vertical, horizontal, vertical, horizontal


def _linear(module: Any, x: Tensor) -> Steps:
    weights = _array(module.weight, np.zeros(0))
    return [("", FloatLinear(weights, _array(module.bias, np.zeros(len(weights)))))]


def _batch_norm(module: Any, x: Tensor) -> Steps:
    """Batch norm at inference: A = gamma / sqrt(var + eps), B = beta - A * mean."""
    if module.running_mean is None:
        raise UnsupportedError("it keeps no running statistics; use track_running_stats=True")
    mean, variance = _array(module.running_mean, np.zeros(0)), _array(module.running_var, np.zeros(0))
    A = _array(module.weight, np.ones_like(mean)) / np.sqrt(variance + module.eps)
    return [("", ops.Affine(A, _array(module.bias, np.zeros_like(mean)) - A * mean))]


def _max_pool(x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
              ceil_mode: bool = False, return_indices: bool = False, flat: bool = False) -> Steps:
    if ceil_mode or return_indices or _frame_pair(dilation, flat, 1) != (1, 1):
        raise UnsupportedError("max pooling with dilation, ceil_mode or indices has no streaming layer; leave them out")
    kernel = _frame_pair(kernel_size, flat, 1)
    pool = ops.MaxPool(kernel, _frame_pair(stride, flat, 1) if stride else kernel)
    return [*_border(_frame_pair(padding, flat, 0), -math.inf), ("", pool)]


def _avg_pool(x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
              count_include_pad: bool = True, divisor_override: int | None = None, flat: bool = False) -> Steps:
    border = _frame_pair(padding, flat, 0)
    if ceil_mode or divisor_override or (border != (0, 0) and not count_include_pad):
        raise UnsupportedError("average pooling with ceil_mode, another divisor or windows that leave the border out "
                               "has no streaming layer; leave them out")
    kernel = _frame_pair(kernel_size, flat, 1)
    pool = tensor_ops.AvgPool(kernel, _frame_pair(stride, flat, 1) if stride else kernel)
    return [*_border(border, 0.0), ("", pool)]


def _border(size: tuple[int, int], value: float) -> Steps:
    """A border around a pooling, where it has one."""
    vertical, horizontal = size
    return [(".pad", tensor_ops.PadFrame((vertical, horizontal, vertical, horizontal), value))] if any(size) else []


def _global_average(x: Tensor, output_size: Any) -> Steps:
    if output_size not in (1, (1,), (1, 1), [1], [1, 1]):
        raise UnsupportedError(f"adaptive pooling to {output_size} has no streaming layer; pool to 1 or use AvgPool2d")
    _, height, width = x.frame()
    return [("", tensor_ops.AvgPool((height, width), (height, width)))]


def _mean(x: Tensor, dim: Any, keepdim: bool = False) -> Steps:
    """x.mean((2, 3)) is the global average."""
    if sorted(n % 4 for n in (dim if isinstance(dim, tuple | list) else [dim])) != [2, 3]:
        raise UnsupportedError(f"a mean over axes {dim} has no streaming layer; take it over height and width")
    flatten: Steps = [] if keepdim else [("", ops.Reshape((-1,)))]
    return [(".mean" if flatten else "", _global_average(x, 1)[0][1]), *flatten]


def _flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Steps:
    rank = None if x.shape is None else len(x.shape)
    if start_dim != 1 or end_dim not in (-1, rank):
        raise UnsupportedError(f"flatten from axis {start_dim} to {end_dim} mixes samples or keeps axes; "
                               "flatten from axis 1 to -1")
    return [("", ops.Reshape((-1,)))]


def _view(x: Tensor, *sizes: Any) -> Steps:
    shape = tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    elements = None if x.shape is None else math.prod(x.shape)
    if len(shape) != 2 or shape[1] not in (-1, elements):
        raise UnsupportedError(f"a view to {shape} is not a flatten of each sample; use torch.flatten(x, 1)")
    return [("", ops.Reshape((-1,)))]


def _squeeze(x: Tensor, *dims: Any) -> Steps:
    if x.shape is None or len(x.shape) != 3 or x.shape[1:] != (1, 1):
        raise UnsupportedError(f"squeezing a tensor of shape {x.shape} has no streaming form; use torch.flatten(x, 1)")
    return [("", ops.Reshape((-1,)))]


def _clip(x: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Steps:
    return [("", ops.Clip(float(min_val), float(max_val)))]


def _relu(x: Tensor, inplace: bool = False) -> Steps:
    return [("", ops.RELU)]


def _nothing(*args: Any, **kwargs: Any) -> Steps:
    return []


def _add(x: Any, y: Any, alpha: float = 1) -> Steps:
    if not (isinstance(x, Tensor) and isinstance(y, Tensor)) or alpha != 1:
        raise UnsupportedError("a sum with a constant or a factor has no layer here; add two tensors of the network")
    return [("", tensor_ops.Add())]


def _cat(tensors: Any, dim: int = 0) -> Steps:
    ranks = {len(x.shape) for x in tensors if isinstance(x, Tensor) and x.shape is not None}
    if dim not in (1, *(-rank for rank in ranks)) or len(tensors) < 2:
        raise UnsupportedError(f"a concatenation of {len(tensors)} tensors along axis {dim} has no streaming layer; "
                               "join 2 or more along the channels (dim=1)")
    return [("", tensor_ops.Concat())]


#: Modules with their readers; the first match counts.
MODULES: dict[Any, Callable[[Any, Tensor], Steps]] = {
    nn.Conv1d: _conv, nn.Conv2d: _conv, nn.Linear: _linear,
    nn.BatchNorm1d: _batch_norm, nn.BatchNorm2d: _batch_norm,
    nn.ReLU: lambda module, x: _relu(x),
    nn.Hardtanh: lambda module, x: _clip(x, module.min_val, module.max_val),
    nn.MaxPool1d: lambda m, x: _max_pool(x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode,
                                         m.return_indices, flat=True),
    nn.MaxPool2d: lambda m, x: _max_pool(x, m.kernel_size, m.stride, m.padding, m.dilation, m.ceil_mode,
                                         m.return_indices),
    nn.AvgPool1d: lambda m, x: _avg_pool(x, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad,
                                         flat=True),
    nn.AvgPool2d: lambda m, x: _avg_pool(x, m.kernel_size, m.stride, m.padding, m.ceil_mode, m.count_include_pad,
                                         m.divisor_override),
    nn.AdaptiveAvgPool1d: lambda m, x: _global_average(x, m.output_size),
    nn.AdaptiveAvgPool2d: lambda m, x: _global_average(x, m.output_size),
    nn.Flatten: lambda m, x: _flatten(x, m.start_dim, m.end_dim),
    nn.Identity: _nothing, nn.Dropout: _nothing, nn.Dropout1d: _nothing, nn.Dropout2d: _nothing,
}

SUPPORTED = ("Conv2d, Conv1d, Linear, BatchNorm, ReLU, Hardtanh, MaxPool, AvgPool, AdaptiveAvgPool(1), Add, cat, "
             "Flatten, Dropout or Identity")

#: Functions and methods of one tensor, which they get first.
FUNCTIONS: dict[Any, Callable[..., Steps]] = {
    torch.relu: _relu, functional.relu: _relu, "relu": _relu, "relu_": _relu,
    functional.hardtanh: _clip, functional.relu6: lambda x, inplace=False: _clip(x, 0.0, 6.0),
    functional.max_pool2d: _max_pool, torch.max_pool2d: _max_pool, functional.avg_pool2d: _avg_pool,
    functional.max_pool1d: partial(_max_pool, flat=True),
    functional.avg_pool1d: partial(_avg_pool, flat=True),
    functional.adaptive_avg_pool2d: _global_average, functional.adaptive_avg_pool1d: _global_average,
    torch.mean: _mean, "mean": _mean,
    torch.flatten: _flatten, "flatten": _flatten,
    "view": _view, "reshape": _view, torch.reshape: _view, "squeeze": _squeeze, torch.squeeze: _squeeze,
    functional.dropout: _nothing, functional.dropout2d: _nothing, "contiguous": _nothing,
}

#: Functions and methods of several tensors.
JOINS: dict[Any, Callable[..., Steps]] = {
    operator.add: _add, operator.iadd: _add, torch.add: _add, "add": _add, "add_": _add,
    torch.cat: _cat, torch.concat: _cat, torch.concatenate: _cat,
}
