"""The layers of a description: each takes a quantized tensor and gives one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tests.random_networks.descriptions import Layer
from tests.random_networks.emitted import Emitter, Tensor, finish, power_of_two, quantize, weights
from tests.random_networks.moves import moved


def out_size(size: int, kernel: int, stride: int, dilation: int, pads: int) -> int:
    return (size + pads - dilation * (kernel - 1) - 1) // stride + 1


def convolution_axes(layer: Layer, x: Tensor) -> dict[str, list[int]]:
    """Kernel, strides, dilations and pads that fit the frame."""
    sizes = x.shape[1:]
    kernel = [min(k, size) for k, size in zip(layer["kernel"], sizes, strict=True)]
    dilations = [d if d * (k - 1) < size else 1 for d, k, size in zip(layer["dilation"], kernel, sizes, strict=True)]
    pads = [0 if x.bipolar else min(p, kernel[k % 2] - 1) for k, p in enumerate(layer["pads"])]
    return {"kernel_shape": kernel, "strides": list(layer["stride"]), "dilations": dilations, "pads": pads}


def product_shape(axes: Mapping[str, list[int]], x: Tensor) -> tuple[int, int]:
    made = [out_size(x.shape[1 + k], axes["kernel_shape"][k], axes["strides"][k], axes["dilations"][k],
                     axes["pads"][k] + axes["pads"][k + 2]) for k in (0, 1)]
    return made[0], made[1]


def bias_of(e: Emitter, rows: int, layer: Layer, reach: float) -> list[str]:
    """A bias on the grid of halves and quarters of its size."""
    return [e.constant(e.rng.integers(-4, 5, rows) * power_of_two(reach / 16))] if layer["bias"] else []


def reach_of(x: Tensor, values: np.ndarray, axis: int) -> float:
    """About the size of sums of products."""
    others = tuple(k for k in range(values.ndim) if k != axis)
    return max(float(np.sqrt(np.square(values).sum(others)).max()) * x.reach, 2.0**-20)


def convolution(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    if not x.spatial:
        return dense(e, x, layer)
    axes, groups = convolution_axes(layer, x), {"one": 1, "each": x.channels, "two": 2}[layer["groups"]]
    groups = groups if x.channels % groups == 0 else 1
    rows = -(-layer["rows"] // groups) * groups
    name, values = weights(e, (rows, x.channels // groups, *axes["kernel_shape"]), layer["weight"])
    reach = reach_of(x, values, 0)
    made = e.node("Conv", [x.name, name, *bias_of(e, rows, layer, reach)], x, "", group=groups, **axes)
    return finish(e, replace(made, shape=(rows, *product_shape(axes, x)), reach=reach), layer)


def transposed(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    if not x.spatial or x.bipolar or x.shape[1] * x.shape[2] > 25:
        return convolution(e, x, layer)
    stride, kernel = layer["stride"], [max(k, s) for k, s in zip(layer["kernel"], layer["stride"], strict=True)]
    pads = [min(p, kernel[k % 2] - stride[k % 2], 1) for k, p in enumerate(layer["pads"])]
    extra = [s - 1 if layer["bias"] else 0 for s in stride]
    size = [(x.shape[1 + k] - 1) * stride[k] + kernel[k] + extra[k] - pads[k] - pads[k + 2] for k in (0, 1)]
    if min(size) < 1:
        pads, size = [0] * 4, [size[k] + pads[k] + pads[k + 2] for k in (0, 1)]
    name, values = weights(e, (x.channels, layer["rows"], *kernel), layer["weight"], outputs=1)
    reach = reach_of(x, values, 1)
    made = e.node("ConvTranspose", [x.name, name, *bias_of(e, layer["rows"], layer, reach)], x, kernel_shape=kernel,
                  strides=list(stride), pads=pads, output_padding=extra, group=1)
    return finish(e, replace(made, shape=(layer["rows"], *size), reach=reach), layer)


def flat(e: Emitter, x: Tensor) -> Tensor:
    if not x.spatial:
        return x
    return replace(e.node("Flatten", [x.name], x), shape=(int(np.prod(x.shape)),))


def dense(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    x = flat(e, x)
    if layer["bias"]:
        name, values = weights(e, (layer["rows"], x.channels), layer["weight"])
        made = e.node("Gemm", [x.name, name, *bias_of(e, layer["rows"], layer, reach_of(x, values, 0))], x, transB=1)
    else:
        name, values = weights(e, (x.channels, layer["rows"]), layer["weight"], outputs=1)
        values, made = values.T, e.node("MatMul", [x.name, name], x)
    return finish(e, replace(made, shape=(layer["rows"],), reach=reach_of(x, values, 0)), layer)


def activation(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    return finish(e, x, layer)


def pooled(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    if not x.spatial:
        return x
    kernel = [min(k, size) for k, size in zip(layer["kernel"], x.shape[1:], strict=True)]
    border = layer["form"] == "MaxPool"
    pads = [min(p, kernel[k % 2] - 1) if border else 0 for k, p in enumerate(layer["pads"])]
    settings: dict[str, list[int]] = {"kernel_shape": kernel, "strides": list(layer["stride"]), "pads": pads}
    made = replace(e.node(layer["form"], [x.name], x, "", **settings),
                   shape=(x.channels, *product_shape({**settings, "dilations": [1, 1]}, x)))
    return made if layer["form"] == "MaxPool" else quantize(e, made, layer["quant"])


def pooled_whole(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    if not x.spatial:
        return x
    made = replace(e.node(layer["form"], [x.name], x), shape=(x.channels, 1, 1))
    return made if layer["form"] == "GlobalMaxPool" else quantize(e, made, layer["quant"])


def residual(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """A branch around a convolution that keeps the shape, joined again."""
    inner: Layer = {**layer, "rows": x.channels, "groups": "one", "stride": [1, 1], "dilation": [1, 1],
             "quant": layer["inner"], "norm": False, "act": "none"}
    if x.spatial:
        kernel = [k if k % 2 and k <= size and not x.bipolar else 1
                  for k, size in zip(layer["kernel"], x.shape[1:], strict=True)]
        inner["kernel"], inner["pads"] = kernel, [k // 2 for k in kernel] * 2
    branch = convolution(e, x, inner)
    if layer["how"] == "Concat":
        joined = e.node("Concat", [x.name, branch.name], x, axis=1)
        made = replace(joined, shape=(2 * x.channels, *x.shape[1:]), reach=max(x.reach, branch.reach),
                       bipolar=x.bipolar or branch.bipolar)
        return finish(e, made, layer) if layer["joined"] else made
    made = e.node(layer["how"], [x.name, branch.name], x)
    return finish(e, replace(made, reach=x.reach + branch.reach), layer)


LAYERS: dict[str, Callable[[Emitter, Tensor, Layer], Tensor]] = {
    "conv": convolution, "transposed": transposed, "dense": dense, "activation": activation, "pool": pooled,
    "whole_pool": pooled_whole, "residual": residual, "move": moved,
}
