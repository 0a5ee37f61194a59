"""Layers that read and give integer codes: the QOperator format, and Trunc, which drops low bits of codes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tests.random_networks.descriptions import Layer, Quantizer, Second, Weights
from tests.random_networks.emitted import GENERAL, Emitter, Tensor, finish, power_of_two, quantize
from tests.random_networks.layers import convolution_axes, flat, product_shape

MICROSOFT = "com.microsoft"
#: Codes with their scale and zero point, the names of three tensors.
Codes = tuple[str, str, str]
_PLAIN = {"dilations": [1, 1], "pads": [0, 0, 0, 0]}


def _parameters(e: Emitter, reach: float, q: Quantizer) -> tuple[str, str, float]:
    """Scale and zero point of int8 codes for values up to `reach`."""
    scale = e.step(reach / 128 * 2.0 ** q["fine"], q["odd"])
    return e.constant(scale), e.constant(q["zero"], np.int8), float(scale)


def _weight(e: Emitter, shape: tuple[int, ...], w: Weights, axis: int) -> tuple[Codes, np.ndarray, np.ndarray]:
    """Weights of int8, their real values, and their scales."""
    count = shape[axis] if w["per_channel"] else 1
    scale = e.step(0.01, w["odd"], count)
    codes = e.rng.choice([-127, 0, 127], shape) if w["extreme"] else e.rng.integers(-127, 128, shape)
    along = scale.reshape([-1 if k == axis else 1 for k in range(len(shape))])
    names = (e.constant(codes, np.int8), e.constant(scale if count > 1 else scale.reshape(())),
             e.constant(np.zeros(count) if count > 1 else 0, np.int8))
    return names, codes * along, scale


def _bias(e: Emitter, rows: int, layer: Layer) -> list[str]:
    return [e.constant(e.rng.integers(-500, 501, rows), np.int32)] if layer["bias"] else []


def _reach(x: Tensor, values: np.ndarray, axis: int) -> float:
    others = tuple(k for k in range(values.ndim) if k != axis)
    return max(float(np.sqrt(np.square(values).sum(others)).max()) * x.reach, 2.0**-20)


def _product(e: Emitter, x: Tensor, layer: Layer, codes: Codes) -> tuple[Tensor, Codes]:
    """A convolution or, of a vector, a matrix product, from codes to codes."""
    rows = layer["rows"]
    if x.spatial:
        axes = convolution_axes(layer, x)
        names, values, _ = _weight(e, (rows, x.channels, *axes["kernel_shape"]), layer["weight"], 0)
        kind, axis, more, bias = "QLinearConv", 0, axes, _bias(e, rows, layer)
        shape: tuple[int, ...] = (rows, *product_shape(axes, x))
    else:
        names, values, _ = _weight(e, (x.channels, rows), layer["weight"], 1)
        kind, axis, more, bias, shape = "QLinearMatMul", 1, {}, [], (rows,)
    reach = _reach(x, values, axis)
    scale, zero, step = _parameters(e, reach, layer["quant"])
    made = e.node(kind, [*codes, *names, scale, zero, *bias], x, "", **more)
    return replace(made, shape=shape, reach=min(reach, 128 * step)), (made.name, scale, zero)


def _joined(e: Emitter, x: Tensor, codes: Codes, layer: Layer) -> tuple[Tensor, Codes]:
    """The codes beside those of their own leaky rectifier: their sum or both, one behind the other."""
    slope, slope_zero, _ = _parameters(e, x.reach, layer["inner"])
    other = e.node("QLinearLeakyRelu", [*codes, slope, slope_zero], x, MICROSOFT, alpha=0.25)
    parts = [*codes, other.name, slope, slope_zero]
    scale, zero, _ = _parameters(e, 2 * x.reach, layer["quant"])
    if layer["how"] == "Concat":
        made = e.node("QLinearConcat", [scale, zero, *parts], x, MICROSOFT, axis=1)
        return replace(made, shape=(2 * x.channels, *x.shape[1:])), (made.name, scale, zero)
    made = e.node("QLinearAdd", [*parts, scale, zero], x, MICROSOFT)
    return replace(made, reach=2 * x.reach), (made.name, scale, zero)


def _unary(kind: str) -> Callable[[Emitter, Tensor, Layer, Codes], tuple[Tensor, Codes]]:
    """An operation of one tensor with codes of its own."""
    def make(e: Emitter, x: Tensor, layer: Layer, codes: Codes) -> tuple[Tensor, Codes]:
        reach = 1.0 if kind == "QLinearSigmoid" else x.reach
        scale, zero, _ = _parameters(e, reach, layer["inner"])
        made, settings = x, {}
        if kind == "QLinearAveragePool":
            kernel = [min(k, size) for k, size in zip(layer["kernel"], x.shape[1:], strict=True)]
            settings = {"kernel_shape": kernel, "strides": list(layer["stride"])}
            made = replace(x, shape=(x.channels, *product_shape({**settings, **_PLAIN}, x)))
        elif kind == "QLinearGlobalAveragePool":
            made = replace(x, shape=(x.channels, 1, 1))
        made = replace(e.node(kind, [*codes, scale, zero], made, MICROSOFT, **settings), reach=reach)
        return made, (made.name, scale, zero)
    return make


def _largest(e: Emitter, x: Tensor, layer: Layer, codes: Codes) -> tuple[Tensor, Codes]:
    """MaxPool of codes."""
    kernel = [min(k, size) for k, size in zip(layer["kernel"], x.shape[1:], strict=True)]
    settings = {"kernel_shape": kernel, "strides": list(layer["stride"])}
    made = e.node("MaxPool", [codes[0]], replace(x, shape=(x.channels, *product_shape({**settings, **_PLAIN}, x))), "",
                  **settings)
    return made, (made.name, *codes[1:])


def _matrix(e: Emitter, x: Tensor, layer: Layer, codes: Codes) -> tuple[Tensor, Codes]:
    """QGemm, whose weights are transposed or not."""
    turned = layer["stride"][0] == 1
    rows = layer["rows"]
    shape = (rows, x.channels) if turned else (x.channels, rows)
    names, values, _ = _weight(e, shape, layer["weight"], 0 if turned else 1)
    reach = _reach(x, values, 0 if turned else 1)
    scale, zero, step = _parameters(e, reach, layer["quant"])
    bias = _bias(e, rows, layer) or [""]
    made = e.node("QGemm", [*codes, *names, *bias, scale, zero], x, MICROSOFT, transB=int(turned))
    return replace(made, shape=(rows,), reach=min(reach, 128 * step)), (made.name, scale, zero)


#: Of maps, and of vectors where there is no window.
BETWEEN = {"average": _unary("QLinearAveragePool"), "whole": _unary("QLinearGlobalAveragePool"), "max": _largest,
           "sigmoid": _unary("QLinearSigmoid"), "matrix": _matrix}


def steps_on_codes(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """Codes of int8 through one operation and a product behind it, and real numbers again."""
    form = layer["form"]
    x = flat(e, x) if form == "matrix" or not x.spatial else x
    if not x.spatial and form != "sigmoid":
        form = "matrix"
    scale, zero, _ = _parameters(e, x.reach, layer["inner"])
    codes: Codes = (e.node("QuantizeLinear", [x.name, scale, zero], x).name, scale, zero)
    x, codes = BETWEEN[form](e, x, layer, codes)
    if layer["joined"]:
        x, codes = _product(e, x, layer, codes)
    return e.node("DequantizeLinear", list(codes), x)


def on_codes(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """Codes of int8 through products and joins, and real numbers again."""
    x = x if x.spatial else flat(e, x)
    scale, zero, _ = _parameters(e, x.reach, layer["inner"])
    codes: Codes = (e.node("QuantizeLinear", [x.name, scale, zero], x).name, scale, zero)
    for _ in range(1 + layer["joined"]):
        x, codes = _product(e, x, layer, codes)
    if layer["how"] != "Sub":
        x, codes = _joined(e, x, codes, layer)
    return e.node("DequantizeLinear", list(codes), x)


def truncated(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """A quantizer whose codes lose their low bits."""
    bits = max(layer["quant"]["bits"], 3)
    q: Quantizer = {**layer["quant"], "kind": "quant", "per_channel": False, "bits": bits}
    x = quantize(e, x, q)
    _, scale, zero, width = e.nodes[-1].input
    dropped = 1 + int(e.rng.integers(0, 3))
    out = e.constant(float(bits - dropped))
    made = e.node("Trunc", [x.name, scale, zero, width, out], x, GENERAL,
                  rounding_mode=["FLOOR", "ROUND"][int(e.rng.integers(2))])
    step = float(e.constants[scale])  # codes are 2^-dropped of what they were, in the same steps
    return finish(e, replace(made, reach=max(x.reach / 2**dropped, step, power_of_two(step))), layer)


def joined_inputs(e: Emitter, x: Tensor, other: Tensor, second: Second) -> Tensor:
    """Two inputs of a network, quantized, become one tensor."""
    if second["how"] == "Concat":
        made = replace(e.node("Concat", [x.name, other.name], x, axis=1), shape=(2 * x.channels, *x.shape[1:]))
    else:
        made = replace(e.node("Add", [x.name, other.name], x), reach=x.reach + other.reach)
    return quantize(e, made, second["quant"])
