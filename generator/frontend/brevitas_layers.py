"""What single modules and functions of a Brevitas model become: one reader per kind, and the readers of quantizers.

Codes and scales are those that the modules themselves compute; what has no exact form is an UnsupportedError without
the module's name, which the walk over the model adds.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.core.quant import BinaryQuant, ClampedBinaryQuant, IntQuant, RescalingIntQuant
from torch import nn
from torch.nn import functional

from generator.datatypes import BIPOLAR, DataType, Interval
from generator.errors import InputError, UnsupportedError
from generator.network import ops

#: The operations that one node of the trace becomes, each with the suffix of its name.
Steps = list[tuple[str, ops.Op]]

#: Rounding of a quantizer by the class of its float_to_int_impl.
ROUNDINGS: dict[str, ops.Rounding] = {"RoundSte": "half_even", "FloorSte": "floor", "CeilSte": "ceil"}


def to_array(tensor: torch.Tensor) -> ops.FloatArray:
    """A tensor as float64."""
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)


def read_quantizer(proxy: Any) -> Steps:
    """The activation and the quantizer of a Brevitas activation proxy; empty if it does nothing."""
    fused = proxy.fused_activation_quant_proxy
    if fused is None:
        return []
    steps = _activation(fused.activation_impl)
    if not proxy.is_quant_enabled:
        return steps
    tensor_quant = fused.tensor_quant
    if isinstance(tensor_quant, BinaryQuant | ClampedBinaryQuant):
        return [*steps, ("", ops.Quantize(_scales(proxy), BIPOLAR))]
    _require_plain_integers(proxy, tensor_quant)
    int_quant = tensor_quant.int_quant
    bits = proxy.bit_width()
    dtype = Interval(int(int_quant.min_int(bits)), int(int_quant.max_int(bits)))
    rounding = ROUNDINGS[type(int_quant.float_to_int_impl).__name__]
    return [*steps, ("", ops.Quantize(_scales(proxy), dtype, _zero_point(proxy), rounding))]


def _activation(module: nn.Module) -> Steps:
    if isinstance(module, nn.Identity) or type(module).__name__ == "Identity":
        return []
    if isinstance(module, nn.ReLU):
        return [(".relu", ops.RELU)]
    if isinstance(module, nn.Hardtanh):
        return [(".clip", ops.Clip(float(module.min_val), float(module.max_val)))]
    raise UnsupportedError(f"its activation {type(module).__name__} is not piecewise linear; "
                           "use QuantReLU, QuantHardTanh or QuantIdentity")


def _require_plain_integers(proxy: Any, tensor_quant: Any) -> None:
    """Raise UnsupportedError unless the quantizer is scale, zero point, rounding and clip, all fixed."""
    plain = isinstance(tensor_quant, RescalingIntQuant) and isinstance(tensor_quant.int_quant, IntQuant)
    if not plain or "Dynamic" in type(proxy).__name__ or tensor_quant.observer_only:
        raise UnsupportedError(f"its quantizer {type(tensor_quant).__name__} is not a uniform integer quantizer with "
                               "fixed scale; use an Int or Uint quantizer of brevitas.quant")
    rounding = type(tensor_quant.int_quant.float_to_int_impl).__name__
    if rounding not in ROUNDINGS:
        raise UnsupportedError(f"its rounding {rounding} has no exact thresholds; use ROUND, FLOOR or CEIL")


def _scales(proxy: Any) -> ops.FloatArray:
    return to_array(proxy.scale()).reshape(-1)


def _zero_point(proxy: Any) -> int:
    zero_points = np.unique(to_array(proxy.zero_point()))
    if len(zero_points) != 1 or not float(zero_points[0]).is_integer():
        raise UnsupportedError("its zero points are not one integer for all channels; use a symmetric quantizer")
    return int(zero_points[0])


def read_weight(module: Any) -> ops.QuantWeight:
    """Integer codes, scales and type of a Brevitas layer's weights; codes * scale are its weights in float32."""
    if not module.weight_quant.is_quant_enabled:
        raise UnsupportedError("its weights are not quantized; give it a weight_quant")
    if not torch.isfinite(module.weight).all():
        raise InputError(f"{int((~torch.isfinite(module.weight)).sum())} of its {module.weight.numel()} weights are "
                         "NaN or infinite; retrain the model")
    quantized = module.quant_weight()
    value, scale = quantized.value.detach(), quantized.scale.detach()
    if getattr(quantized, "zero_point", None) is None or torch.any(quantized.zero_point != 0):
        raise UnsupportedError("its weights have a zero point or are not integers; use symmetric integer weights")
    if scale.numel() not in (1, len(value)):
        raise UnsupportedError(f"its weights have {scale.numel()} scales for {len(value)} output channels; "
                               "quantize per tensor or per output channel")
    codes = torch.round(value / scale)
    if not torch.equal(codes * scale, value):
        raise UnsupportedError("its weights are not integers times a scale; use a uniform integer weight quantizer")
    dtype = _weight_type(module.weight_quant, int(quantized.bit_width), bool(quantized.signed))
    return ops.QuantWeight(codes.numpy().astype(np.int64), to_array(scale).reshape(-1), dtype)


def _weight_type(proxy: Any, bits: int, signed: bool) -> DataType:
    if isinstance(proxy.tensor_quant, BinaryQuant | ClampedBinaryQuant):
        return BIPOLAR
    narrow = bool(proxy.is_narrow_range)
    if signed:
        return Interval(-(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1)
    return Interval(0, (1 << bits) - 1 - narrow)


class Reader:
    """Turns modules and functions of a trace into operations; `biases` are the quantized ones, by module path."""

    def __init__(self, biases: dict[str, ops.FloatArray]) -> None:
        self.biases = biases

    def module(self, path: str, module: nn.Module) -> Steps:
        """The operations of a leaf module."""
        for kind, handler in MODULES:
            if isinstance(module, kind):
                return handler(self, path, module)
        if isinstance(module, nn.Conv2d | nn.Linear):
            raise UnsupportedError(f"is not quantized; use brevitas.nn.Quant{type(module).__name__}")
        raise UnsupportedError(f"no streaming layer does this; use {SUPPORTED}")

    def function(self, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Steps:
        """The operations of a function or method, called with the traced tensor as None in `args`."""
        if target in ARITHMETIC and len(args) == 2:
            return [("", _arithmetic(target, *args))]
        if target in FUNCTIONS:
            return FUNCTIONS[target](*args[1:], **kwargs)
        raise UnsupportedError("no streaming layer does this; use modules of torch.nn and brevitas.nn")

    def conv(self, path: str, module: Any) -> Steps:
        """QuantConv2d with the quantizers of its input and output."""
        if module.padding_mode != "zeros" or isinstance(module.padding, str):
            raise UnsupportedError(f"its padding {module.padding!r} of mode {module.padding_mode!r} is not a number of "
                                   "zeros; give padding as integers")
        vertical, horizontal = module.padding
        conv = ops.Conv(read_weight(module), self._bias(path, module), module.stride,
                        (vertical, horizontal, vertical, horizontal), module.dilation, module.groups)
        return self._with_quantizers(module, conv)

    def linear(self, path: str, module: Any) -> Steps:
        """QuantLinear with the quantizers of its input and output."""
        return self._with_quantizers(module, ops.Linear(read_weight(module), self._bias(path, module)))

    def _with_quantizers(self, module: Any, op: ops.Op) -> Steps:
        before = [(f".input_quant{suffix}", step) for suffix, step in read_quantizer(module.input_quant)]
        after = [(f".output_quant{suffix}", step) for suffix, step in read_quantizer(module.output_quant)]
        return [*before, ("", op), *after]

    def _bias(self, path: str, module: Any) -> ops.FloatArray | None:
        if module.bias is None:
            return None
        return self.biases[path] if path in self.biases else to_array(module.bias)

    def activation(self, path: str, module: Any) -> Steps:
        """QuantReLU, QuantHardTanh and QuantIdentity."""
        before = [(f".input_quant{suffix}", step) for suffix, step in read_quantizer(module.input_quant)]
        return before + read_quantizer(module.act_quant)

    def batch_norm(self, path: str, module: Any) -> Steps:
        """Batch norm at inference: A = gamma / sqrt(var + eps), B = beta - A * mean in float64."""
        if module.running_mean is None:
            raise UnsupportedError("it keeps no running statistics; use track_running_stats=True")
        mean, variance = to_array(module.running_mean), to_array(module.running_var)
        gamma = np.ones_like(mean) if module.weight is None else to_array(module.weight)
        beta = np.zeros_like(mean) if module.bias is None else to_array(module.bias)
        A = gamma / np.sqrt(variance + module.eps)
        return [("", ops.Affine(A, beta - A * mean))]

    def max_pool(self, path: str, module: Any) -> Steps:
        """MaxPool2d without padding."""
        return _max_pool(module.kernel_size, module.stride, module.padding, module.dilation, module.ceil_mode)

    def plain_activation(self, path: str, module: Any) -> Steps:
        """ReLU and Hardtanh without quantizer; a quantizer must follow later."""
        return [("", op) for _, op in _activation(module)]

    def flatten(self, path: str, module: Any) -> Steps:
        """Flatten of everything but the batch."""
        return _flatten(module.start_dim, module.end_dim)

    def nothing(self, path: str, module: Any) -> Steps:
        """Modules that do nothing at inference."""
        return []


#: Modules with their readers; the first match counts, so subclasses stand before their bases.
MODULES: tuple[tuple[Any, Callable[[Reader, str, Any], Steps]], ...] = (
    (qnn.QuantConv2d, Reader.conv),
    (qnn.QuantLinear, Reader.linear),
    ((qnn.QuantReLU, qnn.QuantHardTanh, qnn.QuantIdentity), Reader.activation),
    ((nn.BatchNorm1d, nn.BatchNorm2d), Reader.batch_norm),
    (nn.MaxPool2d, Reader.max_pool),
    (nn.Flatten, Reader.flatten),
    ((nn.Identity, nn.Dropout, nn.Dropout2d), Reader.nothing),
    ((nn.ReLU, nn.Hardtanh), Reader.plain_activation),
)


SUPPORTED = ("QuantConv2d, QuantLinear, QuantReLU, QuantHardTanh, QuantIdentity, BatchNorm1d, BatchNorm2d, MaxPool2d, "
             "Flatten, Identity, Dropout, ReLU or Hardtanh")


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


def _arithmetic(target: Any, left: Any, right: Any) -> ops.Affine:
    """x + c, c + x, x - c, c - x, x * c, c * x or x / c, the traced tensor being None."""
    constant = right if left is None else left
    if not isinstance(constant, int | float | torch.Tensor):
        raise UnsupportedError("joins of two tensors have no streaming layer in this version; remove the branch")
    values = to_array(constant).reshape(-1) if isinstance(constant, torch.Tensor) else np.asarray([float(constant)])
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
}  # fmt: skip
