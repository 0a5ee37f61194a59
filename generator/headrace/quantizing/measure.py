"""What quantization costs: SQNR and saturation of every layer's weights and of every tensor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from headrace.network import ops
from headrace.network.ops import FloatArray
from headrace.quantization.primitives import sqnr_db
from headrace.quantizing.data import Images
from headrace.quantizing.histogram import Histogram
from headrace.quantizing.problem import Candidate
from headrace.quantizing.runner import BATCH


@dataclass(frozen=True)
class Row:
    """One layer's weights or one tensor: how it is stored and what that costs.

    frac_bits: one per output channel where they differ, None where the scale is not a power of two. q: the real factor
    of the scale-factor method, else 1. predicted_sqnr_db: from a model of uniform noise and of what is clipped
    (weights), or of this tensor alone over the calibration set; measured_sqnr_db: of the codes themselves (weights), or
    in the running quantized network with the errors of all layers before. saturation: share of values outside the
    codes.
    """

    name: str
    part: Literal["weights", "tensor"]
    bits: int
    signed: bool
    scale: float
    zero_point: int
    frac_bits: int | tuple[int, ...] | None
    q: float
    predicted_sqnr_db: float
    measured_sqnr_db: float
    saturation: float


def _frac_bits(scale: FloatArray) -> int | tuple[int, ...] | None:
    """-log2 of the scales, None unless all are powers of two."""
    mantissas, exponents = np.frexp(scale)
    if np.any(mantissas != 0.5):
        return None
    lengths = tuple(int(1 - e) for e in exponents)
    return lengths[0] if len(set(lengths)) == 1 else lengths


def rows(candidate: Candidate, tensors: Mapping[str, Histogram], x: Images) -> tuple[Row, ...]:
    """The rows of a quantized network in the order of its layers, the input first.

    tensors: statistics of the float network's tensors; x: samples to run both networks on.
    """
    measured = _run_both(candidate, x)
    made = {name: _tensor_row(candidate, name, histogram, measured[name]) for name, histogram in tensors.items()}
    layers = candidate.net.layers
    found: list[Row] = []
    for name in [candidate.net.input.name, *candidate.net.by_name]:
        found += [_weight_row(name, layers[name].weights, candidate.plan.weights[name])] if name in layers else []
        found += [made[name]] if name in made else []
    return tuple(found)


def weight_sqnr_db(values: FloatArray, weight: ops.QuantWeight) -> float:
    """SQNR in dB of a layer's weights."""
    return sqnr_db(values, weight.values)


def tensor_sqnr_db(candidate: Candidate, name: str, histogram: Histogram) -> float:
    """SQNR in dB of a tensor over the calibration set, no other being quantized."""
    values, counts = histogram.samples()
    op, gain, often = candidate.plan.tensors[name], candidate.gains.get(name, 1.0), np.sqrt(counts)
    return sqnr_db(values * often, op.forward(gain * values[:, None])[:, 0] / gain * often)


def _weight_row(name: str, values: FloatArray, weight: ops.QuantWeight) -> Row:
    scale = weight.scale.reshape(-1, *[1] * (values.ndim - 1))
    scaled = values / scale
    outside = (scaled < weight.dtype.lo - 0.5) | (scaled >= weight.dtype.hi + 0.5)
    # Uniform within a step, but what is clipped is off by its distance from the last code.
    clipped = scaled - np.clip(scaled, weight.dtype.lo, weight.dtype.hi)
    noise = float((np.where(outside, np.square(clipped), 1 / 12) * np.square(scale)).sum())
    power = float(np.square(values).sum())
    predicted = 10 * math.log10(power / noise) if power else math.nan
    return Row(name, "weights", weight.dtype.bits, weight.dtype.signed, float(weight.scale[0]), 0,
               _frac_bits(weight.scale), 1.0, predicted, weight_sqnr_db(values, weight), float(outside.mean()))


@dataclass
class _Error:
    """Sums over the samples of a tensor."""

    signal: float = 0.0
    noise: float = 0.0
    outside: int = 0
    count: int = 0

    def add(self, wanted: FloatArray, before: FloatArray, op: ops.Quantize) -> None:
        """Values of the float network, and of the quantized one before its quantizer."""
        self.signal += float(np.square(wanted).sum())
        self.noise += float(np.square(wanted - op.forward(before)).sum())
        scaled = before / op.scale + op.zero_point
        self.outside += int(np.count_nonzero((scaled < op.dtype.lo - 0.5) | (scaled >= op.dtype.hi + 0.5)))
        self.count += before.size

    @property
    def sqnr_db(self) -> float:
        """As primitives.sqnr_db."""
        if self.signal == 0:
            return math.nan
        return 10 * math.log10(self.signal / self.noise) if self.noise else math.inf


def _run_both(candidate: Candidate, x: Images) -> dict[str, _Error]:
    """Errors of all tensors in the running quantized network against the float network."""
    quantizers = candidate.plan.tensors
    errors = {name: _Error() for name in quantizers}
    for start in range(0, len(x), BATCH):
        batch = x[start : start + BATCH]
        pairs: list[dict[str, FloatArray]] = [{}, {}]
        for values, plan in zip(pairs, (None, candidate.plan), strict=True):
            def keep(name: str, value: torch.Tensor, values: dict[str, FloatArray] = values) -> None:
                if name in quantizers:
                    values[name] = value.numpy().astype(np.float64)

            candidate.runner.scores(batch, plan, keep)
        for name, op in quantizers.items():
            errors[name].add(pairs[0][name], pairs[1][name], op)
    return errors


def _tensor_row(candidate: Candidate, name: str, histogram: Histogram, error: _Error) -> Row:
    op, gain = candidate.plan.tensors[name], candidate.gains.get(name, 1.0)
    return Row(name, "tensor", op.dtype.bits, op.dtype.signed, float(op.scale[0]) / gain, op.zero_point,
               _frac_bits(op.scale), gain, tensor_sqnr_db(candidate, name, histogram), error.sqnr_db,
               error.outside / error.count)
