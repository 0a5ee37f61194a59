"""Affine integers on networks: activations with a scale and a zero point, symmetric weights.

The zero points of activations become part of thresholds and offsets. Weights have none: their zero point would be
multiplied with the sum of the inputs, which depends on the data, so that no constant threshold could hold it.

Source: P. Leong, PAPAA 2018, equations (2) to (5), after Jacob et al., CVPR 2018.
"""

from __future__ import annotations

import numpy as np

from headrace.datatypes import Interval, uint_type
from headrace.network import ops
from headrace.network.ops import FloatArray
from headrace.quantization.affine import affine_params
from headrace.quantization.primitives import round_half_up
from headrace.quantization.ranges import (
    Range,
    entropy_range,
    least_error_range,
    least_error_scales,
    percentile_range,
)
from headrace.quantizing.histogram import Histogram
from headrace.quantizing.plan import Plan, Widths
from headrace.quantizing.points import code_sources
from headrace.quantizing.problem import Candidate, Problem
from headrace.quantizing.settings import RangeName, Settings


def affine(problem: Problem, widths: Widths, settings: Settings) -> Candidate:
    """Activations over their calibrated range, weights by scales per channel or layer, biases in steps of S_x S_w."""
    tensors = _tensors(problem, widths, settings.ranges)
    weights = {name: symmetric_weight(op.weights, widths.weights[name], settings)
               for name, op in problem.net.layers.items()}
    biases = {name: bias_in_steps(problem, name, op.bias, weights[name], tensors)
              for name, op in problem.net.layers.items()}
    return Candidate(problem.net, Plan(weights, biases, tensors))


def _tensors(problem: Problem, widths: Widths, ranges: RangeName) -> dict[str, ops.Quantize]:
    """The quantizers; tensors of a group share the range of all."""
    quantizers: dict[str, ops.Quantize] = {}
    for group in problem.points.groups:
        bits = widths.tensors[group[0]]
        found = [tensor_range(problem.tensors[name], bits, ranges) for name in group]
        params = affine_params(min(low for low, _ in found), max(high for _, high in found), bits)
        quantizer = ops.Quantize(np.full(1, params.scale), uint_type(bits), params.zero_point, "half_up")
        quantizers |= dict.fromkeys(group, quantizer)
    return quantizers


def tensor_range(histogram: Histogram, bits: int, ranges: RangeName) -> Range:
    """The range of a tensor's codes by the rule of that name."""
    if ranges == "minmax":
        return histogram.lowest, histogram.highest
    samples = histogram.samples()
    if ranges == "percentile":
        return percentile_range(*samples)
    return least_error_range(*samples, bits) if ranges == "mse" else entropy_range(*samples, bits)


def symmetric_weight(values: FloatArray, bits: int, settings: Settings) -> ops.QuantWeight:
    """Codes from -(2^(bits-1) - 1) to 2^(bits-1) - 1; scales as weight_scales has them."""
    largest = (1 << (bits - 1)) - 1
    scale = weight_scales(values, bits, settings)
    scaled = values / scale.reshape(-1, *[1] * (values.ndim - 1))
    codes = np.clip(round_half_up(scaled), -largest, largest)
    return ops.QuantWeight(codes.astype(np.int64), scale, Interval(-largest, largest))


def weight_scales(values: FloatArray, bits: int, settings: Settings) -> FloatArray:
    """One scale per output channel or one in all: of least error where the ranges are, max|w| / largest code else."""
    rows = values.reshape(len(values) if settings.weight_scales == "channel" else 1, -1)
    if settings.ranges == "mse":
        return least_error_scales(rows, bits)
    peaks = np.abs(rows).max(1)
    return np.asarray(np.where(peaks > 0, peaks, 1.0) / ((1 << (bits - 1)) - 1))


def bias_in_steps(problem: Problem, name: str, values: FloatArray, weight: ops.QuantWeight,
                  tensors: dict[str, ops.Quantize]) -> FloatArray:
    """A layer's bias rounded to steps of its accumulator."""
    source = code_sources(problem.net, problem.points, problem.net.by_name[name].inputs[0])[0]
    step = weight.scale * tensors[source].scale
    return round_half_up(values / step) * step
