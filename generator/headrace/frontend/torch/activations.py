"""Functions of single elements and the heads at a model's end, as rows of the table of structural operations."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from headrace.errors import UnsupportedError
from headrace.frontend.onnx.values import Unknown, Value
from headrace.frontend.torch.rows import Row
from headrace.frontend.torch.site import Site, feature


def _plain(site: Site, input: object, inplace: bool = False, *, op_type: str, **attributes: object) -> Value:
    made: Value = site.node(op_type, feature(input), **attributes)
    return made


def _clip(site: Site, input: object, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Value:
    made: Value = site.node("Clip", feature(input), float(min_val), float(max_val))
    return made


def _clamp(site: Site, input: object, min: float | None = None, max: float | None = None) -> Value:
    for bound in (min, max):
        if isinstance(bound, torch.Tensor) and bound.numel() > 1:
            raise UnsupportedError("clips by a bound per element; use numbers")
    return _clip(site, input, -math.inf if min is None else min, math.inf if max is None else max)


def _sloped(site: Site, input: object, slope: float, inplace: bool = False, *, op_type: str) -> Value:
    """LeakyReLU and ELU, which have one number."""
    made: Value = site.node(op_type, feature(input), alpha=float(slope))
    return made


def _leaky(site: Site, input: object, negative_slope: float = 0.01, inplace: bool = False) -> Value:
    return _sloped(site, input, negative_slope, op_type="LeakyRelu")


def _elu(site: Site, input: object, alpha: float = 1.0, inplace: bool = False, *, op_type: str = "Elu") -> Value:
    return _sloped(site, input, alpha, op_type=op_type)


def _prelu(site: Site, input: Any, weight: Any) -> Value:
    x = feature(input)
    slope = weight if weight.numel() == 1 else weight.reshape(-1, *[1] * (len(x.shape) - 1))
    made: Value = site.node("PRelu", x, slope)
    return made


def _gelu(site: Site, input: object, approximate: str = "none") -> Value:
    made: Value = site.node("Gelu", feature(input), approximate=approximate)
    return made


def _silu(site: Site, input: object, inplace: bool = False) -> Value:
    """x * sigmoid(x), as exporters write it."""
    made: Value = site.node("Mul", feature(input), site.inner("sigmoid").node("Sigmoid", input))
    return made


def _softplus(site: Site, input: object, beta: float = 1.0, threshold: float = 20.0) -> Value:
    if beta != 1:
        raise UnsupportedError(f"has beta={beta}; use 1")
    made: Value = site.node("Softplus", feature(input))
    return made


def _softmax(site: Site, input: object, dim: int | None = None, *, op_type: str = "Softmax", **other: object) -> Value:
    if dim is None:
        raise UnsupportedError("normalizes along an axis that it does not name; give it dim=1")
    made: Value = site.node(op_type, feature(input), axis=dim)
    return made


def _argmax(site: Site, input: object, dim: int | None = None, keepdim: bool = False) -> Value:
    if dim is None:
        raise UnsupportedError("takes the largest of all samples together; give it dim=1")
    made: Value = site.node("ArgMax", feature(input), axis=dim, keepdims=keepdim)
    return made


def _max(site: Site, input: object, dim: object = None, keepdim: bool = False) -> Any:
    """max along an axis: no layer gives the values, only their indices."""
    if not isinstance(dim, int):
        raise UnsupportedError("takes the largest of all samples together or of two tensors; give it dim=1")
    return Unknown(), _argmax(site, input, dim, keepdim)


def _topk(site: Site, input: object, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Any:
    return site.node("TopK", feature(input), torch.tensor([k]), axis=dim, largest=largest, sorted=sorted)


def _row(title: str, op_type: str, kind: Any, name: str, **attributes: Any) -> Row:
    """A function of one element without numbers, as module, function and method."""
    found = [getattr(place, name) for place in (torch, functional) if hasattr(place, name)]
    methods = tuple(item for item in (name, f"{name}_") if hasattr(torch.Tensor, item))
    return Row(title, partial(_plain, op_type=op_type, **attributes), (kind,), tuple(found), methods)


ROWS: tuple[Row, ...] = (
    _row("ReLU", "Relu", nn.ReLU, "relu"),
    Row("ReLU6", lambda site, input, inplace=False: _clip(site, input, 0.0, 6.0), (nn.ReLU6,), (functional.relu6,)),
    Row("Clip", _clip, (nn.Hardtanh,), (functional.hardtanh,), attributes=("min_val", "max_val")),
    Row("Clip", _clamp, functions=(torch.clamp, torch.clip), methods=("clamp", "clip", "clamp_")),
    Row("Clip", lambda site, input, min: _clamp(site, input, min), functions=(torch.clamp_min,),
        methods=("clamp_min",)),
    Row("Clip", lambda site, input, max: _clamp(site, input, None, max), functions=(torch.clamp_max,),
        methods=("clamp_max",)),
    Row("LeakyReLU", _leaky, (nn.LeakyReLU,), (functional.leaky_relu,), attributes=("negative_slope",)),
    Row("PReLU", _prelu, (nn.PReLU,), (functional.prelu, torch.prelu), attributes=("weight",)),
    Row("ELU", _elu, (nn.ELU,), (functional.elu,), attributes=("alpha",)),
    Row("CELU", partial(_elu, op_type="Celu"), (nn.CELU,), (functional.celu, torch.celu), attributes=("alpha",)),
    _row("SELU", "Selu", nn.SELU, "selu"), _row("Softsign", "Softsign", nn.Softsign, "softsign"),
    _row("Sigmoid", "Sigmoid", nn.Sigmoid, "sigmoid"), _row("Tanh", "Tanh", nn.Tanh, "tanh"),
    _row("Hard sigmoid", "HardSigmoid", nn.Hardsigmoid, "hardsigmoid", alpha=1 / 6, beta=0.5),
    _row("Hard swish", "HardSwish", nn.Hardswish, "hardswish"), _row("Mish", "Mish", nn.Mish, "mish"),
    Row("SiLU", _silu, (nn.SiLU,), (functional.silu,)),
    Row("GELU", _gelu, (nn.GELU,), (functional.gelu,), attributes=("approximate",), needs="Gelu"),
    Row("Softplus", _softplus, (nn.Softplus,), (functional.softplus,), attributes=("beta", "threshold")),
    Row("Magnitude", partial(_plain, op_type="Abs"), functions=(torch.abs, abs), methods=("abs", "__abs__"),
        needs="Abs"),
    Row("Softmax", _softmax, (nn.Softmax,), (functional.softmax, torch.softmax), ("softmax",), ("dim",),
        note="at the end, where the host computes it"),
    Row("Log softmax", partial(_softmax, op_type="LogSoftmax"), (nn.LogSoftmax,),
        (functional.log_softmax, torch.log_softmax), ("log_softmax",), ("dim",),
        note="at the end, where the host computes it"),
    Row("Index of the largest", _argmax, functions=(torch.argmax,), methods=("argmax",), note="at the end",
        calibrated=False),
    Row("Largest", _max, functions=(torch.max,), methods=("max",), note="the indices only, at the end",
        calibrated=False),
    Row("Several largest", _topk, functions=(torch.topk,), methods=("topk",), note="the indices only, at the end",
        calibrated=False),
)
