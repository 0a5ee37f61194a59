"""What the quantizers of a Brevitas model become: those of activations and those of weights.

Codes and scales are those that the modules themselves compute; what has no exact form is an UnsupportedError without
the module's name, which the walk over the model adds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from brevitas.core.quant import BinaryQuant, ClampedBinaryQuant, IntQuant, RescalingIntQuant
from torch import nn

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval
from headrace.errors import InputError, UnsupportedError
from headrace.network import ops
from headrace.network.group_scales import group_scales

#: The operations that one node of the trace becomes, each with the suffix of its name.
Steps = list[tuple[str, ops.Op]]

#: Rounding of a quantizer by the class of its float_to_int_impl.
ROUNDINGS: dict[str, ops.Rounding] = {"RoundSte": "half_even", "FloorSte": "floor", "CeilSte": "ceil"}


def to_array(tensor: torch.Tensor) -> ops.FloatArray:
    """A tensor as float64."""
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)


def channel_values(what: str, tensor: torch.Tensor, rank: int | None) -> ops.FloatArray:
    """(1,) or (C,) from a tensor that torch broadcasts over (N, C, ...) of `rank` axes after the batch.

    Torch aligns shapes at their last axes, so that (4,) lies along the width of a feature map and along the channels
    only of a flat tensor. Raises UnsupportedError where it lies elsewhere or adds axes. A rank of None is that of a
    model which is refused for another reason.
    """
    if rank is not None:
        aligned = (1,) * (rank + 1 - tensor.ndim) + tuple(tensor.shape)
        if aligned != (1, tensor.numel(), *[1] * (rank - 1)) and aligned != (1,) * (rank + 1):
            wanted = ", ".join(["1", "C", *["1"] * (rank - 1)])
            raise UnsupportedError(f"its {what} of shape {tuple(tensor.shape)} does not lie along the channels of a "
                                   f"tensor of {rank + 1} axes; use one value, or one per channel in the shape "
                                   f"({wanted})")
    return to_array(tensor).reshape(-1)


def read_quantizer(proxy: Any, rank: int | None) -> Steps:
    """The activation and the quantizer of a Brevitas activation proxy; empty if it does nothing."""
    fused = proxy.fused_activation_quant_proxy
    if fused is None:
        return []
    steps = read_activation(fused.activation_impl)
    if not proxy.is_quant_enabled:
        return steps
    tensor_quant = fused.tensor_quant
    if isinstance(tensor_quant, BinaryQuant | ClampedBinaryQuant):
        return [*steps, ("", ops.Quantize(_scales(proxy, rank), BIPOLAR))]
    _require_plain_integers(proxy, tensor_quant)
    int_quant = tensor_quant.int_quant
    bits = proxy.bit_width()
    dtype = Interval(int(int_quant.min_int(bits)), int(int_quant.max_int(bits)))
    rounding = ROUNDINGS[type(int_quant.float_to_int_impl).__name__]
    return [*steps, ("", ops.Quantize(_scales(proxy, rank), dtype, _zero_point(proxy), rounding))]


def read_activation(module: nn.Module) -> Steps:
    """The clip of an activation without quantizer. Raises UnsupportedError unless it is piecewise linear."""
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


def _scales(proxy: Any, rank: int | None) -> ops.FloatArray:
    return channel_values("scale", proxy.scale(), rank)


def _zero_point(proxy: Any) -> int:
    zero_points = np.unique(to_array(proxy.zero_point()))
    if len(zero_points) != 1 or not float(zero_points[0]).is_integer():
        raise UnsupportedError("its zero points are not one integer for all channels; use a symmetric quantizer")
    return int(zero_points[0])


def read_weight(module: Any) -> ops.QuantWeight:
    """Integer codes, scales and type of a Brevitas layer's weights; codes * scale are its weights in float32."""
    if not module.weight_quant.is_quant_enabled:
        raise UnsupportedError("its weights are not quantized; give it a weight_quant")
    _require_finite(module)
    quantized = module.quant_weight()
    value, scale = quantized.value.detach(), quantized.scale.detach()
    if getattr(quantized, "zero_point", None) is None:
        raise UnsupportedError("its weights are not integers; use a uniform integer weight quantizer")
    if torch.any(quantized.zero_point != 0):
        largest = float(quantized.zero_point.detach().abs().max())
        raise UnsupportedError(f"its weights have zero points up to {largest:g}; they would be multiplied with the sum "
                               "of the inputs, which depends on the data and no threshold holds; use symmetric integer "
                               "weights")
    codes = torch.round(value / scale)
    if not torch.equal(codes * scale, value):
        raise UnsupportedError("its weights are not integers times a scale; use a uniform integer weight quantizer")
    dtype = _weight_type(module.weight_quant, int(quantized.bit_width), bool(quantized.signed))
    return _scaled(codes, scale, dtype)


def read_syq_weight(module: Any) -> ops.QuantWeight:
    """Codes, scales and type of an SYQ layer's weights."""
    _require_finite(module)
    if not torch.isfinite(module.scales).all():
        raise InputError("its scales are NaN or infinite; retrain the model")
    return _scaled(module.codes(), module.quantized_scales(), TERNARY if module.ternary else BIPOLAR)


def _require_finite(module: Any) -> None:
    """Raise InputError if a weight is no number."""
    if not torch.isfinite(module.weight).all():
        raise InputError(f"{int((~torch.isfinite(module.weight)).sum())} of its {module.weight.numel()} weights are "
                         "NaN or infinite; retrain the model")


def _scaled(codes: torch.Tensor, scale: torch.Tensor, dtype: DataType) -> ops.QuantWeight:
    """codes * scale, with one scale, one per output channel, or also one per row or pixel of the kernel window."""
    rank = codes.ndim
    aligned = (1,) * (rank - scale.ndim) + tuple(scale.shape)
    legal = all(size in (1, whole) for size, whole in zip(aligned, codes.shape, strict=True))
    if not legal or aligned[1] != 1 or (rank != 4 and any(size != 1 for size in aligned[2:])):
        raise UnsupportedError(f"its weights of shape {tuple(codes.shape)} have scales of shape {tuple(scale.shape)}; "
                               "quantize per tensor, per output channel, or per row or pixel of the kernel window")
    kernel = (1, 1) if rank != 4 else tuple(codes.shape[2:])
    full = np.broadcast_to(to_array(scale).reshape(aligned[0], 1, *aligned[2:], *[1] * (4 - rank)),
                           (aligned[0], 1, *kernel))
    values = codes.cpu().numpy().astype(np.int64)
    if dtype != BIPOLAR and np.any(full):  # zeros are codes, which need no scale 0
        values = values * (full != 0).reshape(*full.shape[: rank])
        full = np.where(full == 0, full.max(), full)
    steps, integers = group_scales(full)
    return ops.QuantWeight(values, steps, dtype, integers)


def _weight_type(proxy: Any, bits: int, signed: bool) -> DataType:
    if isinstance(proxy.tensor_quant, BinaryQuant | ClampedBinaryQuant):
        return BIPOLAR
    narrow = bool(proxy.is_narrow_range)
    if signed:
        return Interval(-(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1)
    return Interval(0, (1 << bits) - 1 - narrow)
