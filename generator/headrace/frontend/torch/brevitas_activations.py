"""Quantized activations of Brevitas: QuantReLU, QuantIdentity and the like, a curve and a quantizer in one module."""

from __future__ import annotations

from typing import Any

import brevitas.nn as qnn

from headrace.frontend.onnx.values import Feature
from headrace.frontend.torch.brevitas_quantizers import quantized, through
from headrace.frontend.torch.rows import Row
from headrace.frontend.torch.site import Site, feature


def _activation(site: Site, module: Any, input: Any) -> Feature:
    x = feature(input)
    x = through(site, module, "input_quant", x) if hasattr(module, "input_quant") else x
    return quantized(site, module.act_quant, x)


ROWS: tuple[Row, ...] = (
    Row("Quantized activation", _activation,
        (qnn.QuantIdentity, qnn.QuantReLU, qnn.QuantHardTanh, qnn.QuantSigmoid, qnn.QuantTanh, qnn.QuantHardSwish),
        whole=True),
)
