"""FINN-ONNX: MultiThreshold, XnorPopcountMatMul, Im2Col, QuantAvgPool2d, and the names of FINN's data types."""

from __future__ import annotations

import re

import numpy as np

from headrace.datatypes import BIPOLAR, TERNARY, DataType, int_type, uint_type
from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.builder import Call, Handler
from headrace.frontend.onnx.products import (
    frame_of,
    matrix,
    product,
    spatial_pads,
    window_count,
    windows_product,
)
from headrace.frontend.onnx.values import Constant, Feature, Windows, pair
from headrace.network import ops, tensor_ops

_NAMED: dict[str, DataType] = {"BIPOLAR": BIPOLAR, "TERNARY": TERNARY, "BINARY": uint_type(1)}
#: Where a MultiThreshold without data_layout has its channels, by rank with the batch.
_CHANNEL_BY_RANK = {2: 1, 3: 2, 4: 1}


def data_type(name: str) -> DataType | None:
    """The type that FINN names so, or None for floating and fixed point.

    >>> str(data_type("INT4")), str(data_type("BINARY")), data_type("FLOAT32")
    ('int4', 'uint1', None)
    """
    if name in _NAMED:
        return _NAMED[name]
    match = re.fullmatch(r"(U?)INT([1-9]\d?)", name)
    if match is None or int(match[2]) > 32:
        return None
    bits = int(match[2])
    if match[1]:
        return uint_type(bits)
    return int_type(bits) if bits > 1 else BIPOLAR


#: Types that say nothing of integer codes.
_OTHER_TYPES = re.compile(r"FLOAT(16|32|<\d,\d>)|FIXED<\d\d?,\d\d?>|SCALEDINT<\d\d?>|U?INT(3[3-9]|[45]\d|6[0-4])")


def _multi_threshold(call: Call) -> Feature:
    x, node = call.feature(), call.node
    dtype = data_type(stated := node.text("out_dtype", ""))
    if dtype is None and stated and not _OTHER_TYPES.fullmatch(stated):
        raise InputError(f"its out_dtype {stated!r} is unknown; write BIPOLAR, BINARY, INT2 to INT32, UINT1 to UINT32 "
                         "or FLOAT32")
    thresholds = call.floats(1, "thresholds")
    if thresholds.ndim != 2:
        raise InputError(f"its thresholds of shape {thresholds.shape} should be (channels, steps)")
    out_scale, out_bias = node.number("out_scale", 1.0), node.number("out_bias", 0.0)
    if dtype is None:
        dtype = uint_type(max(1, thresholds.shape[1].bit_length()))
    op = tensor_ops.MultiThreshold(thresholds, dtype, out_scale, out_bias)
    if len(thresholds) == 1:
        return call.elementwise(op, x)
    layout = node.text("data_layout", "")
    place = layout.index("C") if "C" in layout else _CHANNEL_BY_RANK.get(len(x.shape) + 1, 1)
    axis = call.axis(place, len(x.shape))
    if x.order is not None:
        inverse = np.argsort(x.order)
        op = tensor_ops.MultiThreshold(thresholds[inverse], dtype, out_scale, out_bias)
    return call.elementwise(op, call.build.channel_first(x, axis))


def _xnor_popcount(call: Call) -> Feature:
    """Matches of binary inputs and weights: with both as 2b - 1, the product plus their number, halved."""
    weight = matrix(call.constant(1, "weight"))
    bits = weight.as_quantized()
    if bits is None or bits.codes is None or not set(np.unique(bits.codes)) <= {0, 1}:
        raise InputError("its weights are not all 0 or 1, which XnorPopcountMatMul needs; annotate them as BINARY")
    codes = 2 * bits.codes - 1
    signs = Constant(codes, codes, np.ones(codes.shape), BIPOLAR)
    value = call.values[0]
    x = value.source if isinstance(value, Windows) else call.feature()
    bipolar = call.build.affine(x, 2.0, -1.0, suffix=".bipolar")
    if isinstance(value, Windows):
        if any(value.pad):
            raise UnsupportedError("reads windows with a border, which is neither 0 nor 1; use pad_amount of 0")
        made = windows_product(call, value.of(bipolar), signs)
    else:
        made = product(call, bipolar, signs.weight())
    return call.build.affine(made, 0.5, 0.5 * codes.shape[1], suffix=".matches")


def _im2col(call: Call) -> Windows:
    x, node = call.feature(), call.node
    if len(x.shape) != 3:
        raise UnsupportedError(f"reads a tensor of shape {x.shape}; it needs (height, width, channels)")
    windows = Windows(x, pair("kernel_size", node.integers("kernel_size") or ()),
                      pair("stride", node.integers("stride") or ()),
                      pair("dilations", node.integers("dilations") or (1, 1)),
                      spatial_pads("pad_amount", node.integers("pad_amount") or (0, 0, 0, 0)),
                      float(node.integer("pad_value", 0)), bool(node.integer("depthwise", 0)))
    if min(window_count(windows)) < 1:
        raise InputError(f"its kernel {windows.kernel} does not fit into a tensor of shape {x.shape}")
    return windows


def _quant_avg_pool(call: Call) -> Feature:
    """Sum over windows of integers, then a shift right by what the sum is wider than the output."""
    x, node = call.feature(), call.node
    kernel, stride = node.integer("kernel", 1), node.integer("stride", 1)
    in_bits, out_bits = node.integer("ibits", 0), node.integer("obits", 0)
    if min(kernel, stride) < 1 or not (1 <= in_bits <= 32 and 1 <= out_bits <= 32):
        raise InputError(f"its kernel {kernel}, stride {stride}, ibits {in_bits} or obits {out_bits} is out of range")
    shift = max((((1 << in_bits) - 1) * kernel**2).bit_length() - out_bits, 0)
    target = frame_of(x, node.text("data_layout", "NCHW") == "NHWC")
    pool = tensor_ops.AvgPool((kernel, kernel), (stride, stride))
    mean = call.build.placed(call.emit(pool, call.build.arranged(x, target), suffix=".mean"), x, target)
    total = call.build.affine(mean, float(kernel**2), 0.0, suffix=".sum")
    return call.elementwise(tensor_ops.Trunc(np.ones(1), shift, np.ones(1)), total)


HANDLERS: dict[str, Handler] = {
    "MultiThreshold": _multi_threshold, "XnorPopcountMatMul": _xnor_popcount, "Im2Col": _im2col,
    "QuantAvgPool2d": _quant_avg_pool,
}


def annotated(values: ops.FloatArray, name: str, dtype: DataType) -> Constant:
    """A constant with an annotated type. Raises InputError where it holds other values.

    Zeros are let through for bipolar: FINN spreads the kernels of depthwise convolutions over a matrix with zeros.
    """
    rounded = np.rint(values)
    allowed = rounded[rounded != 0] if dtype == BIPOLAR else rounded
    if np.any(rounded != values) or not dtype.contains(allowed.astype(np.int64)):
        raise InputError(f"the constant {name} is annotated {dtype} but holds values from {values.min():g} to "
                         f"{values.max():g}; mend the annotation")
    return Constant(values, dtype=dtype)
