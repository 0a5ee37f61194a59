"""Weights of Brevitas and SYQ layers as integers, scales and a type.

Codes and scales are those that the modules themselves compute; what has no exact form is an UnsupportedError without
the module's name, which the walk over the model adds.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from brevitas.core.quant import BinaryQuant, ClampedBinaryQuant

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.values import Constant
from headrace.frontend.torch.site import to_array
from headrace.network.ops import FloatArray


def read_weight(module: Any) -> Constant:
    """Integer codes, scales and type of a Brevitas layer's weights; codes * scale are its weights in float32."""
    if not module.weight_quant.is_quant_enabled:
        raise UnsupportedError("its weights are not quantized; give it a weight_quant")
    _require_finite(module)
    weight = module.quant_weight()
    zero_point = getattr(weight, "zero_point", None)
    if zero_point is None:
        raise UnsupportedError("its weights are not integers; use a uniform integer weight quantizer")
    value, scale = weight.value.detach(), weight.scale.detach()
    codes = torch.round(value / scale)
    if not torch.equal(codes * scale, value):
        raise UnsupportedError("its weights are not integers times a scale; use a uniform integer weight quantizer")
    dtype = _weight_type(module.weight_quant, int(weight.bit_width), bool(weight.signed))
    return _scaled(codes, scale, dtype, to_array(zero_point))


def read_syq_weight(module: Any) -> Constant:
    """Codes, scales and type of an SYQ layer's weights."""
    _require_finite(module)
    if not torch.isfinite(module.scales).all():
        raise InputError("its scales are NaN or infinite; retrain the model")
    return _scaled(module.codes(), module.quantized_scales(), TERNARY if module.ternary else BIPOLAR, np.zeros(1))


def _require_finite(module: Any) -> None:
    """Raise InputError if a weight is not a number."""
    if not torch.isfinite(module.weight).all():
        raise InputError(f"{int((~torch.isfinite(module.weight)).sum())} of its {module.weight.numel()} weights are "
                         "NaN or infinite; retrain the model")


def _scaled(codes: torch.Tensor, scale: torch.Tensor, dtype: DataType, zero_points: FloatArray) -> Constant:
    """codes * scale as a constant, codes without their zero points; zeros are codes, which need no scale 0."""
    try:
        full = np.broadcast_to(to_array(scale), tuple(codes.shape))
    except ValueError:
        raise UnsupportedError(f"its weights of shape {tuple(codes.shape)} have scales of shape {tuple(scale.shape)}; "
                               "quantize per tensor, per output channel, or per row or pixel of the kernel window"
                               ) from None
    values = codes.cpu().numpy().astype(np.int64)
    if dtype != BIPOLAR and np.any(full):
        values = values * (full != 0)
        full = np.where(full == 0, full.max(), full)
    largest = 0
    if np.any(zero_points):
        lows, highs = (np.rint(bound - zero_points) for bound in (dtype.lo, dtype.hi))
        dtype, largest = Interval(int(lows.min()), int(highs.max())), int(np.abs(zero_points).max())
    return Constant(values * full, values, full, dtype, zero_point=largest)


def _weight_type(proxy: Any, bits: int, signed: bool) -> DataType:
    if isinstance(proxy.tensor_quant, BinaryQuant | ClampedBinaryQuant):
        return BIPOLAR
    narrow = bool(proxy.is_narrow_range)
    if signed:
        return Interval(-(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1)
    return Interval(0, (1 << bits) - 1 - narrow)
