"""The layers of a description: each takes a quantized tensor and gives one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from tests.random_networks.descriptions import Layer
from tests.random_networks.emitted import Emitter, Tensor, finish, power_of_two, quantize, weights


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


def _bias(e: Emitter, rows: int, layer: Layer, reach: float) -> list[str]:
    """A bias on the grid of halves and quarters of its size."""
    return [e.constant(e.rng.integers(-4, 5, rows) * power_of_two(reach / 16))] if layer["bias"] else []


def _reach(x: Tensor, values: np.ndarray, axis: int) -> float:
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
    reach = _reach(x, values, 0)
    made = e.node("Conv", [x.name, name, *_bias(e, rows, layer, reach)], x, "", group=groups, **axes)
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
    reach = _reach(x, values, 1)
    made = e.node("ConvTranspose", [x.name, name, *_bias(e, layer["rows"], layer, reach)], x, kernel_shape=kernel,
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
        made = e.node("Gemm", [x.name, name, *_bias(e, layer["rows"], layer, _reach(x, values, 0))], x, transB=1)
    else:
        name, values = weights(e, (x.channels, layer["rows"]), layer["weight"], outputs=1)
        values, made = values.T, e.node("MatMul", [x.name, name], x)
    return finish(e, replace(made, shape=(layer["rows"],), reach=_reach(x, values, 0)), layer)


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


def moved(e: Emitter, x: Tensor, layer: Layer) -> Tensor:
    """Elements of a frame in other places, copied or left out."""
    return MOVES[layer["form"]](e, x, layer["amount"]) if x.spatial else x


def _slice(e: Emitter, x: Tensor, axis: int, start: int, end: int, step: int = 1) -> Tensor:
    names = [e.constant([v], np.int64) for v in (start, end, axis, step)]
    size = len(range(*slice(start, None if end < -(1 << 30) else end, step).indices(x.shape[axis - 1])))
    return replace(e.node("Slice", [x.name, *names], x),
                   shape=(*x.shape[: axis - 1], size, *x.shape[axis:]))


def _half(e: Emitter, x: Tensor, _: int) -> Tensor:
    return _slice(e, x, 1, x.channels // 2, x.channels)


def _reversed(e: Emitter, x: Tensor, _: int) -> Tensor:
    return _slice(e, x, 1, -1, -(1 << 31), -1)


def _crop(e: Emitter, x: Tensor, amount: int) -> Tensor:
    axis = 2 + amount % 2
    size = x.shape[axis - 1]
    return _slice(e, x, axis, min(amount, size - 1), size, 1 + amount % 2)


def _gather(e: Emitter, x: Tensor, amount: int) -> Tensor:
    picked = e.rng.integers(0, x.channels, amount + 1)
    return replace(e.node("Gather", [x.name, e.constant(picked, np.int64)], x, axis=1),
                   shape=(amount + 1, *x.shape[1:]))


def _swapped(e: Emitter, x: Tensor, _: int) -> Tensor:
    """The halves of the channels the other way round."""
    if x.channels < 2:
        return x
    first = x.channels // 2
    halves = [f"t{len(e.nodes)}_{k}" for k in (0, 1)]
    made = e.node("Split", [x.name, e.constant([first, x.channels - first], np.int64)], x, axis=1)
    e.nodes[-1].output[:] = halves
    return e.node("Concat", halves[::-1], made, axis=1)


def _shuffled(e: Emitter, x: Tensor, _: int) -> Tensor:
    if x.channels % 2:
        return x
    c, h, w = x.shape
    split = e.node("Reshape", [x.name, e.constant([1, 2, c // 2, h, w], np.int64)], x)
    turned = e.node("Transpose", [split.name], x, perm=[0, 2, 1, 3, 4])
    return e.node("Reshape", [turned.name, e.constant([1, c, h, w], np.int64)], x)


def _padded(e: Emitter, x: Tensor, amount: int) -> Tensor:
    """Channels of zeros behind the others."""
    more = amount % 3
    pads = e.constant([0, 0, 0, 0, 0, more, 0, 0], np.int64)
    return replace(e.node("Pad", [x.name, pads], x), shape=(x.channels + more, *x.shape[1:]))


def _enlarged(e: Emitter, x: Tensor, amount: int) -> Tensor:
    if max(x.shape[1:]) > 5:
        return x
    up = (1 + amount % 2, 2)
    settings = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    made = e.node("Resize", [x.name, "", e.constant([1, 1, *up])], x, **settings)
    return replace(made, shape=(x.channels, x.shape[1] * up[0], x.shape[2] * up[1]))


def _to_space(e: Emitter, x: Tensor, amount: int) -> Tensor:
    if x.channels % 4 or max(x.shape[1:]) > 5:
        return x
    made = e.node("DepthToSpace", [x.name], x, blocksize=2, mode="DCR" if amount % 2 else "CRD")
    return replace(made, shape=(x.channels // 4, 2 * x.shape[1], 2 * x.shape[2]))


def _to_depth(e: Emitter, x: Tensor, _: int) -> Tensor:
    if x.shape[1] % 2 or x.shape[2] % 2 or x.channels > 3:
        return x
    return replace(e.node("SpaceToDepth", [x.name], x, blocksize=2),
                   shape=(4 * x.channels, x.shape[1] // 2, x.shape[2] // 2))


MOVES: dict[str, Callable[[Emitter, Tensor, int], Tensor]] = {
    "half": _half, "reversed": _reversed, "crop": _crop, "gather": _gather, "swapped": _swapped, "shuffled": _shuffled,
    "padded": _padded, "enlarged": _enlarged, "to_space": _to_space, "to_depth": _to_depth,
}

LAYERS: dict[str, Callable[[Emitter, Tensor, Layer], Tensor]] = {
    "conv": convolution, "transposed": transposed, "dense": dense, "activation": activation, "pool": pooled,
    "whole_pool": pooled_whole, "residual": residual, "move": moved,
}

