"""The layers of brevitas.nn and the SYQ layers, as rows of the table of what is read.

What has no exact form is an UnsupportedError without the module's name, which the walk over the model adds.
"""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn
import torch
from torch import nn
from torch.nn import functional

from headrace.frontend.onnx.values import Constant, Feature
from headrace.frontend.torch import brevitas_activations
from headrace.frontend.torch.brevitas_activations import quantized, through, truncated
from headrace.frontend.torch.brevitas_weights import read_syq_weight, read_weight
from headrace.frontend.torch.padding import padding_of
from headrace.frontend.torch.rows import Row
from headrace.frontend.torch.site import Site, feature, spatial
from headrace.frontend.torch.structure import adaptive_pool, upsample
from headrace.training.syq import SyqConv2d, SyqLinear


def convolved(site: Site, module: Any, x: Feature, weight: Any, bias: Any) -> Feature:
    """A convolution by the attributes of its module."""
    pads = padding_of(module, x, list(module.kernel_size))
    made: Feature = site.node("Conv", x, weight, bias, strides=spatial(x, module.stride), pads=pads,
                              dilations=spatial(x, module.dilation), group=module.groups)
    return made


def dense(site: Site, x: Feature, weight: Constant, bias: object) -> Feature:
    """A product with a matrix (out, in), at every position where x has any."""
    if len(x.shape) == 1:
        made: Feature = site.node("Gemm", x, weight, bias, transB=1)
        return made
    made = site.node("MatMul", x, weight.mapped(lambda values: values.transpose()))
    return made if bias is None else site.inner("bias").node("Add", made, bias)


def _conv_transpose(site: Site, module: Any, x: Feature, weight: Constant, bias: Any) -> Feature:
    pads = padding_of(module, x, list(module.kernel_size))
    made: Feature = site.node("ConvTranspose", x, weight, bias, strides=spatial(x, module.stride), pads=pads,
                              output_padding=spatial(x, module.output_padding),
                              dilations=spatial(x, module.dilation), group=module.groups)
    return made


def _weighted(site: Site, module: Any, input: Any) -> Feature:
    """A layer with weights, and the quantizers of its input and output."""
    x = through(site, module, "input_quant", feature(input))
    weight, bias = read_weight(module), site.notes.get(module.bias_quant, module.bias)
    if isinstance(module, qnn.QuantLinear):
        made = dense(site, x, weight, bias)
    elif isinstance(module, qnn.QuantScaleBias):
        made = _scale_bias(site, module, x, weight, bias)
    else:
        transposed = isinstance(module, qnn.QuantConvTranspose1d | qnn.QuantConvTranspose2d)
        made = (_conv_transpose if transposed else convolved)(site, module, x, weight, bias)
    return through(site, module, "output_quant", made)


def _scale_bias(site: Site, module: Any, x: Feature, weight: Constant, bias: Any) -> Feature:
    shape = module.runtime_shape
    made: Feature = site.node("Mul", x, torch.from_numpy(weight.values).reshape(shape))
    return made if bias is None else site.inner("bias").node("Add", made, bias.reshape(shape))


def _plain_scale_bias(site: Site, module: Any, input: Any) -> Feature:
    made: Feature = site.node("Mul", feature(input), module.weight.reshape(module.runtime_shape))
    if module.bias is None or not bool(module.bias):
        return made
    made = site.inner("bias").node("Add", made, module.bias.reshape(module.runtime_shape))
    return made


def _syq(site: Site, module: Any, input: Any) -> Feature:
    """SYQ layers, whose inputs and outputs other modules quantize."""
    x, weight = feature(input), read_syq_weight(module)
    if isinstance(module, nn.Conv2d):
        return convolved(site, module, x, weight, module.bias)
    return dense(site, x, weight, module.bias)


def _joined(site: Site, module: Any, parts: list[Any], op_type: str, **attributes: Any) -> Feature:
    """Several tensors through one quantizer each time, joined, and quantized again."""
    quantizers = [site.inner("input_quant") for _ in parts]
    read = [quantized(at, module.input_quant, feature(part)) for at, part in zip(quantizers, parts, strict=True)]
    return through(site, module, "output_quant", site.node(op_type, *read, **attributes))


def _eltwise_add(site: Site, module: object, input: object, other: object) -> Feature:
    return _joined(site, module, [input, other], "Add")


def _cat(site: Site, module: Any, tensor_list: Any, dim: int = 1) -> Feature:
    return _joined(site, module, list(tensor_list), "Concat", axis=dim)


def _trunc_pool(site: Site, module: Any, input: Any) -> Feature:
    """An average, then fewer bits. torch's own pooling tells the windows."""
    x = feature(input)
    if isinstance(module, nn.AdaptiveAvgPool2d):
        mean = adaptive_pool(site.inner("mean"), x, module.output_size)
    else:
        kernel = spatial(x, module.kernel_size)
        pads = spatial(x, module.padding)
        mean = site.inner("mean").node(
            "AveragePool", x, kernel_shape=kernel, strides=spatial(x, module.stride), pads=[*pads, *pads],
            ceil_mode=module.ceil_mode, count_include_pad=bool(module.count_include_pad))
    assert isinstance(mean, Feature)
    if module.trunc_quant not in site.notes:
        return mean
    # torch divides the scale by the size of the window in float32; the integers are those of the sum.
    scale, divided = site.notes[module].scale, site.notes[module.trunc_quant][0].scale
    count = round(float((scale / divided).reshape(-1)[0]))
    total = site.inner("sum").node("Mul", mean, float(count))
    assert isinstance(total, Feature)
    return truncated(site, module.trunc_quant, total, scale)


ROWS: tuple[Row, ...] = (
    Row("SYQ layers", _syq, (SyqConv2d, SyqLinear), whole=True),
    Row("Quantized convolution", _weighted, (qnn.QuantConv1d, qnn.QuantConv2d), whole=True),
    Row("Quantized transposed convolution", _weighted, (qnn.QuantConvTranspose1d, qnn.QuantConvTranspose2d),
        whole=True, needs="ConvTranspose"),
    Row("Quantized dense layer", _weighted, (qnn.QuantLinear,), whole=True),
    Row("Quantized scale and bias", _weighted, (qnn.QuantScaleBias,), whole=True),
    Row("Scale and bias", _plain_scale_bias, (qnn.ScaleBias,), whole=True),
    *brevitas_activations.ROWS,
    Row("Quantized sum", _eltwise_add, (qnn.QuantEltwiseAdd,), whole=True),
    Row("Quantized concatenation", _cat, (qnn.QuantCat,), whole=True),
    Row("Truncating average pooling", _trunc_pool, (qnn.TruncAvgPool2d, qnn.TruncAdaptiveAvgPool2d), whole=True),
    Row("Quantized upsampling", upsample, (qnn.QuantUpsample, qnn.QuantUpsamplingNearest2d),
        attributes=("size", "scale_factor", "mode", "align_corners")),
)


#: Layers without quantized weights, which are refused.
_FLOAT = (nn.Conv1d, nn.Conv2d, nn.Linear, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.Bilinear)
_FLOAT_CALLS = (functional.conv1d, functional.conv2d, functional.linear, functional.conv_transpose2d)


def refuse(target: object) -> str | None:
    """What only a Brevitas model is told: its layers must be quantized."""
    if isinstance(target, _FLOAT):
        return (f"is not quantized; use brevitas.nn.Quant{type(target).__name__}, or run headrace quantize on the "
                "float model")
    if not isinstance(target, nn.Module | str) and target in _FLOAT_CALLS:
        return "is not quantized; use layers of brevitas.nn, or run headrace quantize on the float model"
    return None

