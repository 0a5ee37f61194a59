"""QONNX quantizers: Quant (also named IntQuant), BipolarQuant and Trunc, on constants and on the network's tensors.

    code = clip(round(x / scale + zero_point)), value = (code - zero_point) * scale

Source: the operator definitions of the QONNX standard, whose defaults stand in for missing attributes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval, narrow
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Call, Handler
from headrace.frontend.onnx.constants import Computation, require_broadcast
from headrace.frontend.onnx.graph import Array, OnnxNode
from headrace.frontend.onnx.values import Constant, Feature, one_integer
from headrace.network import ops, tensor_ops
from headrace.network.ops import FloatArray
from headrace.network.rounding import Rounding, round_to_integer

#: Rounding modes of QONNX, which are symmetric about 0 where they are not half_even, floor or ceil.
ROUNDINGS: dict[str, Rounding] = {
    "ROUND": "half_even", "HALF_EVEN": "half_even", "FLOOR": "floor", "CEIL": "ceil", "UP": "away", "DOWN": "inward",
    "ROUND_TO_ZERO": "inward", "HALF_UP": "half_away", "HALF_DOWN": "half_inward",
}
#: The same rules on codes that are never negative, where halves away from zero go up.
_ON_UNSIGNED: dict[Rounding, Rounding] = {"away": "ceil", "inward": "floor", "half_away": "half_up"}
MAX_BITS = 32
#: Values of a constant that are quantized at a time.
_PART = 1 << 18


def rounding_of(node: OnnxNode, dtype: DataType | None, default: str = "ROUND") -> Rounding:
    """The rounding of a node. Raises UnsupportedError for unknown modes."""
    mode = node.text("rounding_mode", default).upper()
    if mode not in ROUNDINGS:
        raise UnsupportedError(f"its rounding mode {mode!r} is unknown; use one of {', '.join(ROUNDINGS)}")
    rule = ROUNDINGS[mode]
    return _ON_UNSIGNED.get(rule, rule) if dtype is not None and dtype.lo >= 0 else rule


def integer_type(node: OnnxNode, bit_width: Array) -> DataType:
    """Codes of a quantizer; one signed bit is bipolar."""
    bits = one_integer("bit width", bit_width)
    if not 1 <= bits <= MAX_BITS:
        raise InputError(f"its bit width {bits} should be 1 to {MAX_BITS}")
    narrow = bool(node.integer("narrow", 0))
    if not node.integer("signed", 1):
        if (1 << bits) - 1 - narrow < 1:
            raise InputError("a narrow unsigned quantizer of 1 bit has the single code 0; use 2 bits")
        return Interval(0, (1 << bits) - 1 - narrow)
    return BIPOLAR if bits == 1 else Interval(-(1 << (bits - 1)) + narrow, (1 << (bits - 1)) - 1)


def quantized_constant(constant: Constant, scale: Array, zero_point: int, dtype: DataType,
                       rule: Rounding) -> Constant:
    """A constant through a quantizer, rounded as the executor does: the quotient is taken in float32."""
    values = constant.values if constant.raw is None else constant.raw
    require_fits(scale, values)
    ops.require_finite(values=values, scale=np.asarray(scale, np.float64))
    if np.any(scale == 0):
        raise InputError("its scale is 0, which makes every weight 0; recalibrate the quantizer")
    made, full = shifted(dtype, zero_point), np.broadcast_to(scale.astype(np.float32), values.shape)
    codes = np.empty(values.shape, narrow(np.zeros(0, np.int64), made).dtype)
    for part in _parts(values):  # wide numbers of some values at a time
        quotient = (values[part].astype(np.float32) / full[part]).astype(np.float64)
        codes[part] = _codes(quotient, zero_point, dtype, rule)
    return dequantized(codes, scale, made, zero_point)


def _parts(values: Array) -> list[Any]:
    """Indices that cut values along their first axis."""
    if values.size <= _PART:
        return [...]
    rows = max(1, _PART * len(values) // values.size)
    return [slice(start, start + rows) for start in range(0, len(values), rows)]


def _codes(quotient: FloatArray, zero_point: int, dtype: DataType, rule: Rounding) -> IntArray:
    """Quotients rounded to codes less their zero point."""
    if dtype == BIPOLAR:
        return np.where(quotient >= 0, 1, -1)
    rounded = round_to_integer(quotient + zero_point, rule)
    return np.clip(rounded, dtype.lo, dtype.hi).astype(np.int64) - zero_point


def require_fits(scale: Array, values: Array) -> None:
    """Raise InputError unless the scale broadcasts over the values of a constant without enlarging them."""
    require_broadcast(values, scale)
    if np.broadcast_shapes(values.shape, scale.shape) != values.shape:
        raise InputError(f"its scale of shape {scale.shape} meets a constant of shape {values.shape}; use one value or "
                         "one per channel")


def dequantized(codes: Array, scale: Array, dtype: DataType, zero_point: int = 0) -> Constant:
    """codes * scale as a constant; the zero point was subtracted from the codes."""
    full = np.broadcast_to(np.asarray(scale, np.float64), codes.shape)
    return Constant(None, narrow(codes, dtype), full, dtype, zero_point=zero_point)


def shifted(dtype: DataType, zero_point: int) -> DataType:
    """The type of code - zero_point."""
    if dtype == BIPOLAR and zero_point:
        raise UnsupportedError(f"a bipolar quantizer has zero point 0, not {zero_point}; use more bits")
    return dtype if dtype == BIPOLAR else Interval(dtype.lo - zero_point, dtype.hi - zero_point)


def _compute_quant(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    if len(inputs) != 4:
        raise InputError(f"has {len(inputs)} inputs; a quantizer has 4: tensor, scale, zero point and bit width")
    dtype = integer_type(node, inputs[3].values)
    zero_point = one_integer("zero point", inputs[2].values)
    rule = rounding_of(node, dtype if not zero_point else None)
    return quantized_constant(inputs[0], inputs[1].values, zero_point, dtype, rule)


def _compute_bipolar(node: OnnxNode, inputs: Sequence[Constant]) -> Constant:
    if len(inputs) != 2:
        raise InputError(f"has {len(inputs)} inputs; a bipolar quantizer has 2: tensor and scale")
    # The sign is that of the tensor itself, whatever the scale.
    signs = quantized_constant(inputs[0], np.ones(1), 0, BIPOLAR, "half_even")
    assert signs.codes is not None
    require_fits(inputs[1].values, signs.codes)
    ops.require_finite(scale=np.asarray(inputs[1].values, np.float64))
    return dequantized(signs.codes, inputs[1].values, BIPOLAR)


def _quant(call: Call) -> Feature:
    dtype = integer_type(call.node, call.constant(3, "bit width").values)
    zero_point = one_integer("zero point", call.constant(2, "zero point").values)
    rule = rounding_of(call.node, dtype if not zero_point else None)
    shifted(dtype, zero_point)  # a bipolar quantizer has no zero point
    return call.build.quantize(call.feature(), call.floats(1, "scale"),
                               lambda scale: ops.Quantize(scale, dtype, zero_point, rule))


def _bipolar(call: Call) -> Feature:
    return call.build.quantize(call.feature(), call.floats(1, "scale"), lambda scale: ops.Quantize(scale, BIPOLAR))


def _one_scale(call: Call, place: int, what: str) -> FloatArray:
    values = np.unique(call.floats(place, what))
    if len(values) != 1:
        raise UnsupportedError(f"its {what} differs between channels; truncate per tensor")
    return values


def _trunc(call: Call) -> Feature:
    """Version 1 has 5 inputs and drops bits by count; version 2 has 6 and drops them by the ratio of two scales."""
    scale, zero_point = _one_scale(call, 1, "scale"), one_integer("zero point", call.constant(2, "zero point").values)
    if len(call.values) == 5:
        bits = [one_integer("bit width", call.constant(place, "bit width").values) for place in (3, 4)]
        trunc = tensor_ops.Trunc(scale, bits[0] - bits[1], scale, None, zero_point, float(zero_point),
                                 rounding_of(call.node, None, "FLOOR"))
    else:
        out_scale = _one_scale(call, 4, "output scale")
        ops.require_positive_scale(scale)
        ops.require_positive_scale(out_scale)
        dtype = integer_type(call.node, call.constant(5, "output bit width").values)
        if not isinstance(dtype, Interval):
            raise UnsupportedError("truncates to one signed bit; use BipolarQuant")
        shift = int(np.rint(np.log2(out_scale / scale))[0])
        trunc = tensor_ops.Trunc(scale, shift, out_scale, dtype, zero_point, float(np.ldexp(float(zero_point), -shift)),
                                 rounding_of(call.node, None, "FLOOR"))
    if abs(trunc.shift) > MAX_BITS:
        raise InputError(f"drops {trunc.shift} bits, more than {MAX_BITS}; mend its scales")
    return call.elementwise(trunc, call.feature())


HANDLERS: dict[str, Handler] = {"Quant": _quant, "IntQuant": _quant, "BipolarQuant": _bipolar, "Trunc": _trunc}
COMPUTED: dict[str, Computation] = {"Quant": _compute_quant, "IntQuant": _compute_quant,
                                    "BipolarQuant": _compute_bipolar}
