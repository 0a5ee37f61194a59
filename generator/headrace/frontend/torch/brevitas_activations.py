"""Quantized activations of Brevitas: QuantReLU, QuantIdentity and the like, a curve and a quantizer in one module.

Layers quantize their inputs and outputs in the same way. Codes and scales are those that the modules themselves
compute; what has no exact form is an UnsupportedError without the module's name, which the walk over the model adds.
"""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import numpy as np
import torch
from brevitas.core.quant import BinaryQuant, ClampedBinaryQuant, IntQuant, RescalingIntQuant
from torch import nn

from headrace.datatypes import BIPOLAR, Interval
from headrace.errors import UnsupportedError
from headrace.frontend.onnx.values import Feature
from headrace.frontend.torch import activations
from headrace.frontend.torch.rows import Row, by_module
from headrace.frontend.torch.site import Site, feature, to_array
from headrace.network import ops, rounding
from headrace.network.tensor_ops import Trunc

#: Rounding of a quantizer by the class of its float_to_int_impl.
ROUNDINGS: dict[str, rounding.Rounding] = {"RoundSte": "half_even", "FloorSte": "floor", "CeilSte": "ceil",
                                      "RoundToZeroSte": "inward", "DPURoundSte": "half_up"}
_ACTIVATIONS = by_module(activations.ROWS)


def _activation(site: Site, module: Any, input: Any) -> Feature:
    x = feature(input)
    x = through(site, module, "input_quant", x) if hasattr(module, "input_quant") else x
    return quantized(site, module.act_quant, x)


def quantized(site: Site, proxy: Any, x: Feature) -> Feature:
    """The activation and the quantizer of a Brevitas activation proxy; x itself where it does nothing."""
    fused = proxy.fused_activation_quant_proxy
    if fused is None:
        return x
    enabled = proxy.is_quant_enabled
    x = _activated(site.inner("activation") if enabled else site, fused.activation_impl, x)
    if not enabled:
        return x
    site.build.scope = site.name
    if isinstance(fused.tensor_quant, BinaryQuant | ClampedBinaryQuant):
        made = site.build.quantize(x, to_array(proxy.scale()), lambda scale: ops.Quantize(scale, BIPOLAR))
        return site.made_by(proxy, made)
    rounding = _plain_integers(proxy, fused.tensor_quant)
    int_quant, bits = fused.tensor_quant.int_quant, proxy.bit_width()
    dtype = Interval(int(int_quant.min_int(bits)), int(int_quant.max_int(bits)))
    zero_point = _zero_point(proxy.zero_point())
    made = site.build.quantize(x, to_array(proxy.scale()),
                               lambda scale: ops.Quantize(scale, dtype, zero_point, rounding))
    return site.made_by(proxy, made)


def through(site: Site, module: object, name: str, x: Feature) -> Feature:
    """x through one of the quantizers of a module, by the name of its attribute."""
    return quantized(site.inner(name), getattr(module, name), x)


def _activated(site: Site, module: nn.Module, x: Feature) -> Feature:
    """The function in front of a quantizer; Brevitas has subclasses of its own of some."""
    if type(module).__name__ == "Identity":
        return x
    for kind, row in _ACTIVATIONS:
        if isinstance(module, kind) and type(module).forward is kind.forward:
            made: Feature = row.bound(module)(site, x)
            return made
    raise UnsupportedError(f"its activation {type(module).__name__} is not read; use QuantReLU, QuantHardTanh or "
                           "QuantIdentity")


def _plain_integers(proxy: Any, tensor_quant: Any) -> rounding.Rounding:
    """The rounding. Raises UnsupportedError unless scale, zero point, rounding and clip are all there is, and fixed."""
    plain = isinstance(tensor_quant, RescalingIntQuant) and isinstance(tensor_quant.int_quant, IntQuant)
    if not plain or "Dynamic" in type(proxy).__name__ or tensor_quant.observer_only:
        raise UnsupportedError(f"its quantizer {type(tensor_quant).__name__} is not a uniform integer quantizer with "
                               "fixed scale; use an Int or Uint quantizer of brevitas.quant")
    return _rounding(tensor_quant.int_quant.float_to_int_impl)


def _rounding(module: object) -> rounding.Rounding:
    name = type(module).__name__
    if name not in ROUNDINGS:
        raise UnsupportedError(f"its rounding {name} has no exact thresholds; use ROUND, FLOOR or CEIL")
    return ROUNDINGS[name]


def _zero_point(tensor: torch.Tensor) -> int:
    zero_points = np.unique(to_array(tensor))
    if len(zero_points) != 1 or not float(zero_points[0]).is_integer():
        raise UnsupportedError("its zero points are not one integer for all channels; use a symmetric quantizer")
    return int(zero_points[0])


def truncated(site: Site, proxy: Any, x: Feature, scale: torch.Tensor) -> Feature:
    """The low bits dropped by a Brevitas accumulator from the integers of x, which are its values in steps of `scale`.
    """
    if not proxy.is_quant_enabled:
        return x
    before, after = site.notes[proxy]
    scales = [np.unique(to_array(tensor.scale)) for tensor in (before, after)]
    shifts = np.log2(scales[1] / scales[0]) if len(scales[0]) == len(scales[1]) == 1 else np.asarray([0.5])
    if shifts[0] != np.rint(shifts[0]):
        raise UnsupportedError("does not drop whole bits of one scale; use a trunc_quant of brevitas.quant with "
                               "scales per tensor")
    quant = proxy.tensor_quant
    zero_point, shift = _zero_point(before.zero_point), int(shifts[0])
    signed, bits = bool(after.signed), after.bit_width
    dtype = Interval(int(quant.min_int(bits, signed)), int(quant.max_int(bits, signed)))
    trunc = Trunc(np.unique(to_array(scale)), shift, scales[1], dtype, zero_point,
                  float(np.ldexp(float(zero_point), -shift)), _rounding(quant.float_to_int_impl))
    site.build.scope = site.name
    return site.made_by(proxy, x.renamed(site.build.emit(trunc, x.name)))


ROWS: tuple[Row, ...] = (
    Row("Quantized activation", _activation,
        (qnn.QuantIdentity, qnn.QuantReLU, qnn.QuantHardTanh, qnn.QuantSigmoid, qnn.QuantTanh, qnn.QuantHardSwish),
        whole=True),
)
