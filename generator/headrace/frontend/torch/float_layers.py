"""Layers of torch.nn with float weights, as rows of the table of what `headrace quantize` reads."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from torch import nn

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.products import frame_of
from headrace.frontend.onnx.values import Feature
from headrace.frontend.torch.padding import padding_of
from headrace.frontend.torch.rows import Row
from headrace.frontend.torch.site import Site, feature, spatial, to_array
from headrace.network.float_graph import FloatConv, FloatLinear
from headrace.network.graph import Op


def _bias(module: Any) -> Any:
    return np.zeros(len(module.weight)) if module.bias is None else to_array(module.bias)


def _conv(site: Site, module: Any, input: Any) -> Feature:
    x = feature(input)
    target, weights = frame_of(x), to_array(module.weight)
    flat = weights.ndim == 3
    pads = padding_of(module, x, list(module.kernel_size))
    stride, dilation = ([1, *spatial(x, value)][-2:] for value in (module.stride, module.dilation))
    top, left, bottom, right = (0, pads[0], 0, pads[1]) if flat else pads
    op = FloatConv(weights[:, :, None] if flat else weights, _bias(module), (stride[0], stride[1]),
                   (top, left, bottom, right), (dilation[0], dilation[1]), module.groups)
    site.build.scope = site.name
    return site.build.placed(site.build.emit(cast(Op, op), site.build.arranged(x, target)), x, target)


def _linear(site: Site, module: Any, input: Any) -> Feature:
    x = feature(input)
    if len(x.wide_axes) > 1 or x.order is not None:
        raise UnsupportedError(f"reads a tensor of shape {x.shape}; flatten it, or use a convolution at every position")
    site.build.scope = site.name
    name = site.build.emit(cast(Op, FloatLinear(to_array(module.weight), _bias(module))), site.build.vector(x))
    return Feature.whole(name, (len(module.weight),))


ROWS: tuple[Row, ...] = (
    Row("Convolution", _conv, (nn.Conv1d, nn.Conv2d), whole=True),
    Row("Dense layer", _linear, (nn.Linear,), whole=True),
)
