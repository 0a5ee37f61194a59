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
from headrace.quantization.primitives import peak_of, round_half_up
from headrace.quantizing.plan import Plan, Widths
from headrace.quantizing.points import code_sources
from headrace.quantizing.problem import Candidate, Problem


def affine(problem: Problem, widths: Widths) -> Candidate:
    """Activations over their calibrated range, weights by the largest of a layer, biases in steps of S_x S_w."""
    tensors = _tensors(problem, widths)
    weights = {name: symmetric_weight(op.weights, widths.weights[name]) for name, op in problem.net.layers.items()}
    biases = {name: _bias(problem, name, op.bias, weights[name], tensors) for name, op in problem.net.layers.items()}
    return Candidate(problem.net, Plan(weights, biases, tensors))


def _tensors(problem: Problem, widths: Widths) -> dict[str, ops.Quantize]:
    """The quantizers; tensors of a group share the range of all."""
    quantizers: dict[str, ops.Quantize] = {}
    for group in problem.points.groups:
        bits = widths.tensors[group[0]]
        params = affine_params(min(problem.tensors[name].lowest for name in group),
                               max(problem.tensors[name].highest for name in group), bits)
        quantizer = ops.Quantize(np.full(1, params.scale), uint_type(bits), params.zero_point, "half_up")
        quantizers |= dict.fromkeys(group, quantizer)
    return quantizers


def symmetric_weight(values: FloatArray, bits: int) -> ops.QuantWeight:
    """Codes from -(2^(bits-1) - 1) to 2^(bits-1) - 1 with the scale max|w| / (2^(bits-1) - 1)."""
    largest = (1 << (bits - 1)) - 1
    scale = (peak_of(values) or 1.0) / largest
    codes = np.clip(round_half_up(values / scale), -largest, largest)
    return ops.QuantWeight(codes.astype(np.int64), np.full(1, scale), Interval(-largest, largest))


def _bias(problem: Problem, name: str, values: FloatArray, weight: ops.QuantWeight,
          tensors: dict[str, ops.Quantize]) -> FloatArray:
    source = code_sources(problem.net, problem.points, problem.net.by_name[name].inputs[0])[0]
    step = weight.scale * tensors[source].scale
    return round_half_up(values / step) * step
