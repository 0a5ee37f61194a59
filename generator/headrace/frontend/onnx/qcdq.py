"""QCDQ: QuantizeLinear, an optional Clip, DequantizeLinear, as Brevitas and the standard tools export quantizers.

Between the two stand integer codes, which the Network does not show: the pair becomes one quantizer. QuantizeLinear
rounds before it adds the zero point, so the quantizer's codes are those of the file minus the zero point.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headrace.datatypes import Interval, as_int, int_type, tightest, uint_type
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Builder, Call, Handler
from headrace.frontend.onnx.constants import Computation, clip
from headrace.frontend.onnx.graph import Array, OnnxNode
from headrace.frontend.onnx.qonnx import dequantized, quantized_constant, require_fits
from headrace.frontend.onnx.values import Codes, Constant, Feature, one_integer
from headrace.network import ops

#: Codes of the types that QuantizeLinear makes, by the number that its attribute output_dtype gives.
_BY_NUMBER = {2: uint_type(8), 3: int_type(8), 4: uint_type(16), 5: int_type(16), 21: uint_type(4), 22: int_type(4)}
_BY_NAME = {"uint8": uint_type(8), "int8": int_type(8), "uint16": uint_type(16), "int16": int_type(16),
            "int32": int_type(32)}


def code_type(node: OnnxNode, zero_point: Constant | None) -> Interval:
    """Type of the codes: that of the zero point, else output_dtype, else uint8."""
    if zero_point is not None:
        if zero_point.stored not in _BY_NAME:
            raise UnsupportedError(f"its zero point is of type {zero_point.stored or 'unknown'}; use int8 or uint8")
        return _BY_NAME[zero_point.stored]
    number = node.integer("output_dtype", 0)
    if number not in (0, *_BY_NUMBER):
        raise UnsupportedError(f"makes codes of type number {number}; use int8 or uint8")
    return _BY_NUMBER.get(number, uint_type(8))


def _along(node: OnnxNode, values: Array, rank: int) -> Array:
    """Scales per element of the node's axis, so that they broadcast over a tensor of `rank` axes, batch included."""
    if values.size == 1:
        return values.reshape(-1)[:1].reshape([1] * rank)
    axis = node.integer("axis", 1)
    if values.ndim != 1 or not -rank <= axis < rank:
        raise InputError(f"its scale of shape {values.shape} does not lie along axis {axis} of a tensor of {rank} axes")
    return values.reshape([-1 if place == axis % rank else 1 for place in range(rank)])


def without(dtype: Interval, zero_point: int) -> Interval:
    """The type of code - zero_point."""
    return Interval(dtype.lo - zero_point, dtype.hi - zero_point)


def _zero_point(call: Call, place: int = 2) -> tuple[Constant | None, int]:
    if not call.has(place):
        return None, 0
    constant = call.constant(place, "zero point")
    return constant, one_integer("zero point", constant.values)


def _quantize(call: Call) -> Codes:
    constant, zero_point = _zero_point(call)
    x = call.feature()
    scale = _along(call.node, call.floats(1, "scale"), len(x.shape) + 1)
    return Codes(x, scale, zero_point, code_type(call.node, constant))


def _dequantize(call: Call) -> Feature:
    """The quantizer of the codes; another scale than that of QuantizeLinear rescales them."""
    codes = call.values[0]
    if not isinstance(codes, Codes):
        raise UnsupportedError("reads a tensor that no QuantizeLinear made; put a QuantizeLinear before it")
    return dequantized_codes(call, codes, 1, 2)


def quantized(build: Builder, codes: Codes) -> Feature:
    """The real numbers of codes, by their own scale and zero point."""
    dtype = without(codes.dtype, codes.zero_point)
    return build.quantize(codes.source, codes.scale,
                          lambda scales: ops.Quantize(scales, dtype, stored=codes.zero_point))


def as_numbers(build: Builder, codes: Codes) -> Feature:
    """The codes themselves, as the file stores them."""
    return build.affine(quantized(build, codes), 1 / codes.scale, codes.zero_point, suffix=".codes")


def dequantized_codes(call: Call, codes: Codes, scale_place: int, zero_point_place: int) -> Feature:
    """The real numbers of codes with the scale and zero point at these inputs."""
    _, zero_point = _zero_point(call, zero_point_place)
    scale = _along(call.node, call.floats(scale_place, "scale"), len(codes.shape) + 1)
    made = quantized(call.build, codes)
    if zero_point == codes.zero_point and np.array_equal(scale, codes.scale):
        return made
    ops.require_positive_scale(scale)
    return call.build.affine(made, scale / codes.scale, (codes.zero_point - zero_point) * scale, suffix=".rescaled")


def _compute_quantize(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    """Codes of constants, as integers."""
    zero_point = one_integer("zero point", inputs[2].values) if len(inputs) > 2 else 0
    dtype = code_type(node, inputs[2] if len(inputs) > 2 else None)
    scale = _along(node, inputs[1].values, inputs[0].values.ndim)
    made = quantized_constant(inputs[0], scale, 0, without(dtype, zero_point), "half_even")
    assert made.codes is not None
    codes = as_int(made.codes) + zero_point
    return Constant(codes, codes, np.ones(codes.shape), dtype)


def _compute_dequantize(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    """Weights and biases; codes without a declared type get the tightest one."""
    codes = inputs[0].values
    if codes.dtype.kind == "f":
        raise InputError("dequantizes constants that are not integers; export the model again")
    zero_point = one_integer("zero point", inputs[2].values) if len(inputs) > 2 else 0
    scale = _along(node, inputs[1].values, codes.ndim)
    ops.require_finite(scale=np.asarray(scale, np.float64))
    if np.any(scale == 0):
        raise InputError("its scale is 0, which makes every weight 0; recalibrate the quantizer")
    require_fits(scale, codes)
    declared = inputs[0].dtype
    shifted = codes.astype(np.int64) - zero_point
    dtype = without(declared, zero_point) if isinstance(declared, Interval) else None
    return dequantized(shifted, scale, dtype or tightest(shifted), zero_point)


def _compute_clip(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    """A Clip of the codes of constants shrinks their type."""
    result, source = clip(node, inputs), inputs[0]
    bounds = [int(item.values.reshape(-1)[0]) for item in inputs[1:3] if item.values.size == 1]
    declared = source.dtype if source.dtype is not None else _BY_NAME.get(source.stored)
    if not isinstance(declared, Interval) or source.values.dtype.kind == "f" or len(bounds) != 2:
        return result
    codes = result.values.astype(np.int64)
    dtype = Interval(max(declared.lo, bounds[0]), min(declared.hi, bounds[1]))
    return Constant(codes, codes, np.ones(codes.shape), dtype)


HANDLERS: dict[str, Handler] = {"QuantizeLinear": _quantize, "DequantizeLinear": _dequantize}
COMPUTED: dict[str, Computation] = {"QuantizeLinear": _compute_quantize, "DequantizeLinear": _compute_dequantize,
                                    "Clip": _compute_clip}
