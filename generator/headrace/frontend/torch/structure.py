"""Operations without weights: sums, joins, pools, borders, and what only moves elements.

Each row of the table reads modules, functions and methods of one kind for every front end.
"""

from __future__ import annotations

import operator
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.values import Feature, Value
from headrace.frontend.torch import activations, moves
from headrace.frontend.torch.rows import Row
from headrace.frontend.torch.site import Site, feature, spatial


def _two(site: Site, input: object, other: object, *, op_type: str, alpha: float = 1) -> Value:
    if alpha != 1:
        raise UnsupportedError(f"multiplies by alpha={alpha} on the way; multiply by itself")
    made: Value = site.node(op_type, input, other)
    return made


def _two_reversed(site: Site, input: object, other: object, *, op_type: str) -> Value:
    return _two(site, other, input, op_type=op_type)


def _one(site: Site, input: object, *, op_type: str) -> Value:
    made: Value = site.node(op_type, input)
    return made


def _cat(site: Site, tensors: Any, dim: int = 0, axis: int | None = None) -> Value:
    made: Value = site.node("Concat", *map(feature, tensors), axis=dim if axis is None else axis)
    return made


def _pool(site: Site, input: object, kernel_size: object, stride: object = None, padding: object = 0, *, op_type: str,
          ceil_mode: bool = False, **attributes: object) -> Value:
    x = feature(input)
    pads = spatial(x, padding)
    kernel = spatial(x, kernel_size)
    strides = spatial(x, stride) if stride not in (None, (), []) else kernel
    made: Value = site.node(op_type, x, kernel_shape=kernel, strides=strides, pads=[*pads, *pads], ceil_mode=ceil_mode,
                            **attributes)
    return made


def _max_pool(site: Site, input: object, kernel_size: object, stride: object = None, padding: object = 0,
              dilation: object = 1, ceil_mode: bool = False, return_indices: bool = False) -> Value:
    if return_indices:
        raise UnsupportedError("gives the places of the maxima, which no streaming layer does; leave return_indices "
                               "out")
    return _pool(site, input, kernel_size, stride, padding, op_type="MaxPool", ceil_mode=ceil_mode,
                 dilations=spatial(feature(input), dilation))


def _avg_pool(site: Site, input: object, kernel_size: object, stride: object = None, padding: object = 0,
              ceil_mode: bool = False, count_include_pad: bool = True, divisor_override: int | None = None) -> Value:
    if divisor_override is not None:
        raise UnsupportedError("divides by a number of its own; leave divisor_override out")
    return _pool(site, input, kernel_size, stride, padding, op_type="AveragePool", ceil_mode=ceil_mode,
                 count_include_pad=bool(count_include_pad))


def adaptive_pool(site: Site, input: object, output_size: object, return_indices: bool = False, *,
                  op_type: str = "AveragePool") -> Value:
    """A pooling to a given size, whose windows must be equal and follow one another."""
    x = feature(input)
    target = [size if n is None else n for n, size in zip(_sizes(x, output_size), x.shape[1:], strict=True)]
    if any(size % n for n, size in zip(target, x.shape[1:], strict=True)) or return_indices:
        raise UnsupportedError(f"pools {x.shape[1:]} to {tuple(target)} by windows of several sizes or with their "
                               "places; use sizes that divide, or AvgPool")
    kernel = [size // n for n, size in zip(target, x.shape[1:], strict=True)]
    return _pool(site, x, kernel, op_type=op_type)


def _sizes(x: Feature, given: Any) -> list[Any]:
    values = [given] if given is None or isinstance(given, int) else list(given)
    return values * (len(x.shape) - 1) if len(values) == 1 else values


def _reduce(site: Site, input: Any, dim: Any = None, keepdim: bool = False, *, op_type: str, **other: Any) -> Value:
    axes = [dim] if isinstance(dim, int) else list(dim or ())
    if not axes or any(value is not None for value in other.values()):
        raise UnsupportedError("takes all axes, the batch included, or another type; give it the axes of height and "
                               "width")
    made: Value = site.node(op_type, input, torch.tensor(axes), keepdims=keepdim)
    return made


def _reshape(site: Site, input: object, *args: object, **kwargs: object) -> Value:
    """Whatever gives the same elements another shape: torch itself says which."""
    made: Value = site.node("Reshape", feature(input), torch.tensor(site.shape))
    return made


def _permute(site: Site, input: Any, *dims: Any) -> Value:
    order = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    made: Value = site.node("Transpose", feature(input), perm=[axis % len(order) for axis in order])
    return made


def _transpose(site: Site, input: object, dim0: int, dim1: int) -> Value:
    rank = len(feature(input).shape) + 1
    order = list(range(rank))
    order[dim0], order[dim1] = order[dim1], order[dim0]
    return _permute(site, input, order)


def _pad(site: Site, input: Any, pad: Any = None, mode: str = "constant", value: float | None = None,
         padding: Any = None) -> Value:
    """torch counts from the last axis, begin and end in turn."""
    x = feature(input)
    given = list(pad if padding is None else padding)
    axes = [-1 - place for place in range(len(given) // 2)]
    pads = torch.tensor([*given[0::2], *given[1::2]])
    if mode != "constant":
        raise UnsupportedError(f"pads by {mode!r}; pad with zeros")
    made: Value = site.node("Pad", x, pads, float(value or 0), torch.tensor([n % (len(x.shape) + 1) for n in axes]))
    return made


def upsample(site: Site, input: object, size: object = None, scale_factor: object = None, mode: str = "nearest",
             align_corners: object = None, recompute_scale_factor: object = None, antialias: bool = False) -> Value:
    """Nearest neighbours by whole factors."""
    x = feature(input)
    if mode not in ("nearest", "nearest-exact"):
        raise UnsupportedError(f"interpolates ({mode}), which no streaming layer does; use mode='nearest'")
    scales = [wanted / got for wanted, got in zip(site.shape[2:], x.shape[1:], strict=True)]
    made: Value = site.node("Resize", x, None, torch.tensor([1.0, 1.0, *scales]), mode="nearest",
                            coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    return made


def _pixel_shuffle(site: Site, input: object, upscale_factor: int) -> Value:
    made: Value = site.node("DepthToSpace", feature(input), blocksize=upscale_factor, mode="CRD")
    return made


def _pixel_unshuffle(site: Site, input: object, downscale_factor: int) -> Value:
    """Rows and columns of blocks become channels: SpaceToDepth, but a channel's pixels stay together."""
    x = feature(input)
    made: Value = site.node("SpaceToDepth", x, blocksize=downscale_factor)
    count = downscale_factor**2
    order = torch.arange(x.shape[0] * count).reshape(count, x.shape[0]).T.reshape(-1)
    return site.inner("order").node("Gather", made, order, axis=1)  # type: ignore[no-any-return]


def _batch_norm(site: Site, module: Any, input: Any) -> Value:
    if module.running_mean is None:
        raise UnsupportedError("it keeps no running statistics; use track_running_stats=True")
    gamma = torch.ones_like(module.running_mean) if module.weight is None else module.weight
    beta = torch.zeros_like(module.running_mean) if module.bias is None else module.bias
    made: Value = site.node("BatchNormalization", feature(input), gamma, beta, module.running_mean, module.running_var,
                            epsilon=float(module.eps))
    return made


def same(site: Site, input: object, *args: object, **kwargs: object) -> Any:
    """Modules and functions that do nothing at inference."""
    return input


def _attribute(site: Site, input: object, name: str) -> Any:
    """`value` of a quantized tensor; other attributes that are tensors, such as T, move elements."""
    if name not in ("value", "tensor", "data"):
        raise UnsupportedError(f"reads the attribute {name} of a tensor; use permute")
    return input


def _pair(title: str, op_type: str, name: str, *operators: object, reverse: str = "") -> list[Row]:
    """Rows of an operation of two operands."""
    read = partial(_two, op_type=op_type)
    row = Row(title, read, functions=(*operators, getattr(torch, name)), methods=(name, f"{name}_", f"__{name}__"))
    backwards = Row(title, partial(_two_reversed, op_type=op_type), methods=(reverse,)) if reverse else None
    return [row, *([backwards] if backwards else [])]


ROWS: tuple[Row, ...] = (
    *_pair("Sum", "Add", "add", operator.add, operator.iadd, reverse="__radd__"),
    *_pair("Difference", "Sub", "sub", operator.sub, operator.isub, torch.subtract, reverse="__rsub__"),
    *_pair("Product", "Mul", "mul", operator.mul, operator.imul, torch.multiply, reverse="__rmul__"),
    *_pair("Quotient", "Div", "div", operator.truediv, operator.itruediv, torch.true_divide, reverse="__rtruediv__"),
    Row("Quotient", partial(_two, op_type="Div"), methods=("__truediv__",)),
    Row("Negation", partial(_one, op_type="Neg"), functions=(operator.neg, torch.neg), methods=("neg", "__neg__")),
    Row("Concatenation", _cat, functions=(torch.cat, torch.concat, torch.concatenate),
        note="along the channels; at the end of a model along any axis"),
    Row("Maximum pooling", _max_pool, (nn.MaxPool1d, nn.MaxPool2d),
        (functional.max_pool1d, functional.max_pool2d, torch.max_pool1d, torch.max_pool2d),
        attributes=("kernel_size", "stride", "padding", "dilation", "ceil_mode", "return_indices"),
        note="without dilation"),
    Row("Average pooling", _avg_pool, (nn.AvgPool1d, nn.AvgPool2d), (functional.avg_pool1d, functional.avg_pool2d),
        attributes=("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"),
        note="windows that lie in the frame, or with the border counted"),
    Row("Adaptive average pooling", adaptive_pool, (nn.AdaptiveAvgPool1d, nn.AdaptiveAvgPool2d),
        (functional.adaptive_avg_pool1d, functional.adaptive_avg_pool2d, torch.adaptive_avg_pool1d),
        attributes=("output_size",), note="to sizes that divide"),
    Row("Adaptive maximum pooling", partial(adaptive_pool, op_type="MaxPool"),
        (nn.AdaptiveMaxPool1d, nn.AdaptiveMaxPool2d), (functional.adaptive_max_pool1d, functional.adaptive_max_pool2d),
        attributes=("output_size", "return_indices"),
        note="to sizes that divide"),
    Row("Mean", partial(_reduce, op_type="ReduceMean"), functions=(torch.mean,), methods=("mean",),
        note="over height, width or both"),
    Row("Sum over axes", partial(_reduce, op_type="ReduceSum"), functions=(torch.sum,), methods=("sum",),
        note="over height, width or both"),
    Row("Maximum over axes", partial(_reduce, op_type="ReduceMax"), functions=(torch.amax,), methods=("amax",),
        note="over height, width or both"),
    Row("Another shape", _reshape, (nn.Flatten, nn.Unflatten),
        (torch.flatten, torch.reshape, torch.squeeze, torch.unsqueeze, torch.unflatten),
        ("flatten", "reshape", "view", "squeeze", "unsqueeze", "unflatten", "view_as", "reshape_as"),
        note="samples stay apart"),
    Row("Another order of axes", _permute, functions=(torch.permute,), methods=("permute",),
        note="where the order of the stream allows it, or the host does it"),
    Row("Another order of axes", _transpose, functions=(torch.transpose, torch.swapaxes, torch.swapdims),
        methods=("transpose", "swapaxes", "swapdims")),
    Row("Border", _pad, (nn.ZeroPad1d, nn.ZeroPad2d, nn.ConstantPad1d, nn.ConstantPad2d), (functional.pad,),
        attributes=("padding", "value"), note="of one value"),
    Row("Upsampling", upsample, (nn.Upsample, nn.UpsamplingNearest2d), (functional.interpolate,),
        attributes=("size", "scale_factor", "mode", "align_corners"), note="nearest, by whole factors"),
    Row("Pixel shuffle", _pixel_shuffle, (nn.PixelShuffle,), (functional.pixel_shuffle, torch.pixel_shuffle),
        attributes=("upscale_factor",), needs="DepthToSpace"),
    Row("Pixel unshuffle", _pixel_unshuffle, (nn.PixelUnshuffle,), (functional.pixel_unshuffle, torch.pixel_unshuffle),
        attributes=("downscale_factor",), needs="SpaceToDepth", calibrated=False),
    *moves.ROWS,
    Row("Batch normalization", _batch_norm, (nn.BatchNorm1d, nn.BatchNorm2d), whole=True),
    Row("What does nothing at inference", same,
        (nn.Identity, nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.AlphaDropout, nn.FeatureAlphaDropout),
        (functional.dropout, functional.dropout1d, functional.dropout2d, torch.dropout, torch.clone, torch.detach),
        ("contiguous", "clone", "detach", "float", "to", "cpu", "dequantize")),
    Row("The value of a quantized tensor", _attribute, functions=(getattr,)),
    *activations.ROWS,
)
