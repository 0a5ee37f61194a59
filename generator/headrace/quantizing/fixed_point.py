"""Power-of-two methods on networks: a fractional length for every layer's weights and biases and for every tensor.

ristretto: the range rule everywhere. wq: least squared error for weights and biases, the range rule for feature maps.
ggd: wq, and for feature maps the step of a gamma fit with the error on the calibration set (FQ).

Source: Kim et al., arXiv:1810.13329, Algorithms 1 to 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from headrace.network import ops
from headrace.network.float_graph import FloatNetwork
from headrace.network.ops import FloatArray
from headrace.quantization.feature_maps import fq_double, fq_single
from headrace.quantization.primitives import code_type, dequantize, peak_of, quantize_codes
from headrace.quantization.ristretto import range_frac_bits, wq
from headrace.quantizing.histogram import Histogram
from headrace.quantizing.plan import Plan, Widths
from headrace.quantizing.points import Points

Rule = Literal["ristretto", "wq", "ggd"]
#: Candidates of WQ: 4 pay off for heavy-tailed weights of 4 bits or fewer, and cost nothing elsewhere.
WQ_CANDIDATES = 4


@dataclass(frozen=True)
class FixedPoint:
    """Codes of `bits`; the value of a code is code * 2^-frac_bits."""

    frac_bits: int
    bits: int
    signed: bool = True

    def quantizer(self) -> ops.Quantize:
        """The quantizer of a tensor, rounding half up."""
        return ops.Quantize(np.ldexp(np.ones(1), -self.frac_bits), code_type(self.bits, self.signed),
                            rounding="half_up")

    def weight(self, values: FloatArray) -> ops.QuantWeight:
        """The codes of weights."""
        return ops.QuantWeight(quantize_codes(values, self.frac_bits, self.bits, self.signed),
                               np.ldexp(np.ones(1), -self.frac_bits), code_type(self.bits, self.signed))

    def values(self, x: FloatArray) -> FloatArray:
        """Q(x)."""
        return dequantize(quantize_codes(x, self.frac_bits, self.bits, self.signed), self.frac_bits)


@dataclass(frozen=True)
class FixedPointFormats:
    """Formats of weights and biases per layer and of tensors, by name."""

    weights: Mapping[str, FixedPoint]
    biases: Mapping[str, FixedPoint]
    tensors: Mapping[str, FixedPoint]

    def plan(self, net: FloatNetwork) -> Plan:
        """The quantized weights, biases and quantizers."""
        layers = net.layers
        return Plan({name: self.weights[name].weight(op.weights) for name, op in layers.items()},
                    {name: self.biases[name].values(op.bias) for name, op in layers.items()},
                    {name: form.quantizer() for name, form in self.tensors.items()})


def fixed_point_formats(net: FloatNetwork, points: Points, tensors: Mapping[str, Histogram], widths: Widths,
                        rule: Rule) -> FixedPointFormats:
    """The formats that a rule gives; tensors of a group share the format of all their samples.

    Raises QuantizationError for impossible widths.
    """
    weights = {name: _weight_format(op.weights, widths.weights[name], rule) for name, op in net.layers.items()}
    biases = {name: _weight_format(op.bias, widths.bias, rule) for name, op in net.layers.items()}
    formats: dict[str, FixedPoint] = {}
    for group in points.groups:
        common = _tensor_format([tensors[name] for name in group], widths.tensors[group[0]], rule)
        formats |= dict.fromkeys(group, common)
    return FixedPointFormats(weights, biases, formats)


def _weight_format(values: FloatArray, bits: int, rule: Rule) -> FixedPoint:
    if rule == "ristretto":
        return FixedPoint(range_frac_bits(peak_of(values), bits, signed=True), bits)
    return FixedPoint(wq(values, bits, WQ_CANDIDATES).frac_bits, bits)


def _tensor_format(histograms: list[Histogram], bits: int, rule: Rule) -> FixedPoint:
    """The format of the samples of some tensors: unsigned unless one is negative."""
    signed = any(histogram.negative for histogram in histograms)
    if rule != "ggd":
        peak = max(histogram.peak for histogram in histograms)
        return FixedPoint(range_frac_bits(peak, bits, signed), bits, signed)
    values, counts = (np.concatenate(parts) for parts in zip(*(h.samples() for h in histograms), strict=True))
    # The guard adds the range rule to the candidates: never worse than Ristretto on the calibration set.
    choice = (fq_double(values, bits, guard=True, counts=counts) if signed
              else fq_single(values, bits, guard=True, counts=counts))
    return FixedPoint(choice.frac_bits, bits, signed)


def moved(formats: Mapping[str, FixedPoint], frac_bits: Mapping[str, int]) -> dict[str, FixedPoint]:
    """The formats with other fractional lengths."""
    return {name: replace(form, frac_bits=frac_bits.get(name, form.frac_bits)) for name, form in formats.items()}
