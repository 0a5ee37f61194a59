"""The coarse-to-fine method on a chain of dense layers, from float weights to integer inference.

Source: US 12,014,273 B2; see coarse_to_fine.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from headrace.datatypes import IntArray
from headrace.errors import QuantizationError
from headrace.quantization.coarse_to_fine import FoldedLayer, TensorScale, fixed_q_scale, fold, scale_factor
from headrace.quantization.primitives import FloatArray, finite, peak_of


@dataclass(frozen=True, eq=False)
class Dense:
    """y = relu?(weights x + bias) with weights (C_out, C_in), bias (C_out,) and columns x."""

    weights: FloatArray
    bias: FloatArray
    relu: bool

    def infer(self, x: FloatArray) -> FloatArray:
        """Outputs (C_out, columns) of inputs (C_in, columns)."""
        y = self.weights @ x + self.bias[:, None]
        return np.maximum(y, 0) if self.relu else y


@dataclass(frozen=True, eq=False)
class QuantizedChain:
    """Integer layers and the scale and calibrated maximum of every tensor, the input first."""

    layers: tuple[FoldedLayer, ...]
    relu: tuple[bool, ...]
    scales: tuple[TensorScale, ...]
    max_v: tuple[float, ...]

    def infer(self, x: ArrayLike) -> list[IntArray]:
        """Codes of every tensor, the input first, for real inputs (C_in, columns)."""
        codes = [self.scales[0].codes(x)]
        for layer, relu in zip(self.layers, self.relu, strict=True):
            codes.append(layer.infer(codes[-1], relu))
        return codes


def quantize_chain(layers: Sequence[Dense], calibration: ArrayLike, bits: int, weight_bits: int,
                   fine: bool = True) -> QuantizedChain:
    """Scales from float calibration columns (C_in, samples), then the fold of every layer.

    The input and the last layer keep true units (q = 1, floor rule); tensors between have their own q and n.
    Raises QuantizationError as `fold`, and without layers.
    Source: US 12,014,273 B2, coarse and fine quantization.

    >>> layer = Dense(np.array([[0.5, -0.25]]), np.array([0.1]), relu=False)
    >>> chain = quantize_chain([layer], [[0.9, -0.3], [0.2, 0.7]], 8, 8)
    >>> chain.infer([[0.5], [0.25]])[-1].tolist(), chain.scales[-1].n
    ([[37]], 7)
    """
    if not layers:
        raise QuantizationError("a chain of no layers cannot be quantized; give 1 or more")
    tensors = [finite("calibration", calibration)]
    for layer in layers:
        tensors.append(layer.infer(tensors[-1]))
    max_v = [peak_of(t) for t in tensors]
    scales = [fixed_q_scale(max_v[0], bits), *(scale_factor(v, bits) for v in max_v[1:-1]),
              fixed_q_scale(max_v[-1], bits)]
    folded = tuple(fold(layer.weights, layer.bias, source, target, weight_bits, fine)
                   for layer, source, target in zip(layers, scales, scales[1:], strict=False))
    return QuantizedChain(folded, tuple(layer.relu for layer in layers), tuple(scales), tuple(max_v))
