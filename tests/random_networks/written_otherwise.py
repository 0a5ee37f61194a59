"""Products, poolings and joins as other tools write them: windows and a matrix, channels last, one axis, means."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.random_networks.descriptions import Layer, Quantizer, Weights
from tests.random_networks.emitted import GENERAL, Emitter, Tensor, finish, quantize, weights
from tests.random_networks.layers import (
    bias_of,
    convolution,
    convolution_axes,
    dense,
    flat,
    out_size,
    product_shape,
    reach_of,
)

LAST = "qonnx.custom_op.channels_last"
FINN = "finn.custom_op.general"
_TO_LAST, _TO_FIRST = [0, 2, 3, 1], [0, 3, 1, 2]


def _turned(e: Emitter, x: Tensor, order: list[int]) -> Tensor:
    return e.node("Transpose", [x.name], x, perm=order)


def _windows_and_matrix(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """Im2Col and MatMul, whose rows are windows of pixels with their channels last."""
    axes = convolution_axes({**layer, "pads": [0] * 4}, x)
    kernel, rows = axes["kernel_shape"], layer["rows"]
    elements = x.channels * kernel[0] * kernel[1]
    name, values = weights(e, (elements, rows), layer["weight"], outputs=1)
    made = e.node("Im2Col", [_turned(e, x, _TO_LAST).name], x, FINN, kernel_size=kernel, stride=axes["strides"],
                  dilations=axes["dilations"], pad_amount=[0] * 4, input_shape=str((1, *x.shape[1:], x.channels)))
    made = _turned(e, e.node("MatMul", [made.name, name], made), _TO_FIRST)
    return replace(made, shape=(rows, *product_shape(axes, x)), reach=reach_of(x, values, 1))


def _matches(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """Matches of bits with bits."""
    bits: Quantizer = {**layer["quant"], "kind": "quant", "bits": 1, "signed": False, "narrow": False, "zero": 0}
    scale = e.constant(1.0)
    x = quantize(e, flat(e, x), bits)
    e.nodes[-1].input[1] = scale
    name = e.constant(e.rng.integers(0, 2, (x.channels, layer["rows"])))
    e.integers[name] = "BINARY"
    made = e.node("XnorPopcountMatMul", [x.name, name], x, FINN)
    return replace(made, shape=(layer["rows"],), reach=float(x.channels), bipolar=False)


def _channels_last(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    axes, rows = convolution_axes(layer, x), layer["rows"]
    name, values = weights(e, (rows, *axes["kernel_shape"], x.channels), layer["weight"])
    reach = reach_of(x, values, 0)
    names = [_turned(e, x, _TO_LAST).name, name, *bias_of(e, rows, layer, reach)]
    made = _turned(e, e.node("Conv", names, x, LAST, group=1, **axes), _TO_FIRST)
    return replace(made, shape=(rows, *product_shape(axes, x)), reach=reach)


def _one_axis(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """Of the pixels of all rows, one behind the other."""
    c, h, w = x.shape
    line = e.node("Reshape", [x.name, e.constant([1, c, h * w], np.int64)], x)
    kernel, stride = min(layer["kernel"][1], h * w), layer["stride"][1]
    before, after = (0 if x.bipolar else min(p, kernel - 1) for p in layer["pads"][:2])
    name, values = weights(e, (layer["rows"], c, kernel), layer["weight"])
    reach = reach_of(x, values, 0)
    made = e.node("Conv", [line.name, name, *bias_of(e, layer["rows"], layer, reach)], x, kernel_shape=[kernel],
                  strides=[stride], pads=[before, after])
    made = e.node("Unsqueeze", [made.name, e.constant([2], np.int64)], made)
    return replace(made, shape=(layer["rows"], 1, out_size(h * w, kernel, stride, 1, before + after)), reach=reach)


def _same_size(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """A convolution whose border follows from the sizes."""
    axes, rows = convolution_axes(layer, x), layer["rows"]
    mode = "VALID" if x.bipolar else ["SAME_UPPER", "SAME_LOWER", "VALID"][sum(layer["pads"]) % 3]
    name, values = weights(e, (rows, x.channels, *axes["kernel_shape"]), layer["weight"])
    reach = reach_of(x, values, 0)
    made = e.node("Conv", [x.name, name], x, auto_pad=mode, strides=axes["strides"], dilations=axes["dilations"])
    size = product_shape({**axes, "pads": [0] * 4}, x)
    if mode != "VALID":
        size = -(-x.shape[1] // axes["strides"][0]), -(-x.shape[2] // axes["strides"][1])
    return replace(made, shape=(rows, *size), reach=reach)


def _transposed_groups(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """A transposed convolution of every channel by itself, of a size that is asked for."""
    if x.bipolar or x.shape[1] * x.shape[2] > 25:
        return _same_size(e, x, layer)
    stride, kernel = layer["stride"], [max(k, s) for k, s in zip(layer["kernel"], layer["stride"], strict=True)]
    size = [x.shape[1 + k] * stride[k] for k in (0, 1)]
    w: Weights = {**layer["weight"], "per_channel": False}
    name, values = weights(e, (x.channels, 1, *kernel), w, outputs=1)
    made = e.node("ConvTranspose", [x.name, name], x, group=x.channels, strides=list(stride), output_shape=size,
                  auto_pad="SAME_UPPER" if layer["bias"] else "SAME_LOWER")
    return replace(made, shape=(x.channels, *size), reach=reach_of(x, values, 0))


def _scaled_matrix(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """A Gemm with factors."""
    x = flat(e, x)
    name, values = weights(e, (x.channels, layer["rows"]), layer["weight"], outputs=1)
    reach = reach_of(x, values, 1)
    made = e.node("Gemm", [x.name, name, *bias_of(e, layer["rows"], layer, reach)], x, alpha=0.5, beta=2.0)
    return replace(made, shape=(layer["rows"],), reach=reach)


PRODUCTS: dict[str, Callable[[Emitter, Tensor, Layer], Tensor]] = {
    "windows": _windows_and_matrix, "last": _channels_last, "one": _one_axis, "same": _same_size,
    "transposed": _transposed_groups, "matches": _matches, "gemm": _scaled_matrix}


def written(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """A product in another form."""
    if layer["form"] not in ("matches", "gemm") and not x.spatial:
        return dense(e, x, layer)
    return finish(e, PRODUCTS[layer["form"]](e, x, layer), layer)


def _reduced(kind: str) -> Callable[[Emitter, Tensor, Layer], Tensor]:
    """Over rows and columns, or columns alone."""
    def make(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
        both = layer["stride"][0] == 1
        made = e.node(kind, [x.name, e.constant([2, 3] if both else [-1], np.int64)], x, keepdims=int(not both))
        if both:
            made = e.node("Unsqueeze", [made.name, e.constant([2, 3], np.int64)], made)
        count = x.shape[2] * (x.shape[1] if both else 1)
        return replace(made, shape=(x.channels, 1 if both else x.shape[1], 1),
                       reach=x.reach * (count if kind == "ReduceSum" else 1))
    return make


def _average_with_border(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    axes = convolution_axes({**layer, "dilation": [1, 1]}, x)
    settings = {key: axes[key] for key in ("kernel_shape", "strides", "pads")}
    made = e.node("AveragePool", [x.name], x, "", count_include_pad=1, **settings)
    return replace(made, shape=(x.channels, *product_shape(axes, x)))


def _shifted_sum(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """QuantAvgPool2d of whole numbers."""
    bits = min(layer["quant"]["bits"], 4)
    whole: Quantizer = {**layer["quant"], "kind": "quant", "bits": bits, "signed": False, "narrow": False, "zero": 0}
    x = quantize(e, x, whole)
    e.nodes[-1].input[1] = e.constant(1.0)
    kernel = min(layer["kernel"][0], *x.shape[1:])
    stride = layer["stride"][0]
    made = e.node("QuantAvgPool2d", [x.name], x, GENERAL, kernel=kernel, stride=stride, ibits=bits,
                  obits=max(1, bits - 1), signed=0, data_layout="NCHW")
    size = [out_size(x.shape[1 + k], kernel, stride, 1, 0) for k in (0, 1)]
    return replace(made, shape=(x.channels, *size), reach=float(1 << bits))


def _last_maximum(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    axes = convolution_axes({**layer, "dilation": [1, 1], "pads": [0] * 4}, x)
    settings = {key: axes[key] for key in ("kernel_shape", "strides", "pads")}
    made = _turned(e, e.node("MaxPoolNHWC", [_turned(e, x, _TO_LAST).name], x, GENERAL, **settings), _TO_FIRST)
    return replace(made, shape=(x.channels, *product_shape(axes, x)))


POOLS: dict[str, Callable[[Emitter, Tensor, Layer], Tensor]] = {
    "ReduceMean": _reduced("ReduceMean"), "ReduceSum": _reduced("ReduceSum"), "ReduceMax": _reduced("ReduceMax"),
    "border": _average_with_border, "shifted": _shifted_sum, "last": _last_maximum}


def gathered(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """A pooling in another form."""
    return quantize(e, POOLS[layer["form"]](e, x, layer), layer["quant"]) if x.spatial else x


def several(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """Sum or Mean of a tensor, a convolution of it and its own quantizer's codes."""
    rows: Layer = {**layer, "rows": x.channels, "groups": "one", "stride": [1, 1], "kernel": [1, 1], "pads": [0] * 4,
                   "quant": layer["inner"], "norm": False, "act": "none"}
    parts = [x, convolution(e, x, rows), quantize(e, x, layer["inner"])][: 3 if layer["joined"] else 2]
    made = e.node(layer["how"], [part.name for part in parts], x)
    return finish(e, replace(made, reach=sum(part.reach for part in parts), bipolar=False), layer)
