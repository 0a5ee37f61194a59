"""Mixed precision from a threshold on the SQNR of every layer.

Source: Kim et al., arXiv:1810.13329, section 3.3, Tables 2 to 4. Weights and feature maps are decided apart.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from numpy.typing import ArrayLike

from headrace.errors import QuantizationError
from headrace.quantization.feature_maps import fq_double, fq_single
from headrace.quantization.primitives import finite, quantize, sqnr_db
from headrace.quantization.ristretto import wq


@dataclass(frozen=True)
class PrecisionPlan:
    """Width of every layer, its SQNR in dB at the low width, and the share of layers at the high width."""

    bits: dict[str, int]
    sqnr_db: dict[str, float]
    ratio: float


def weight_sqnr_db(weights: ArrayLike, bits: int, candidates: int = 2) -> float:
    """SQNR in dB of a layer's weights as `wq` quantizes them. Raises as `wq`.

    >>> round(weight_sqnr_db([0.9, -0.4, 0.2, 0.1], 4), 3)
    23.676
    """
    return sqnr_db(weights, quantize(weights, wq(weights, bits, candidates).frac_bits, bits))


def feature_map_sqnr_db(samples: ArrayLike, bits: int, guard: bool = False) -> float:
    """SQNR in dB of a layer's samples over the calibration set as FQ quantizes them, signed if any is negative.

    Raises as `fq_single`.

    >>> round(feature_map_sqnr_db([0.1, 0.4, 0.7, 2.0], 4), 3)
    23.162
    """
    values = finite("feature map", samples)
    signed = bool((values < 0).any())
    choice = fq_double(values, bits, guard=guard) if signed else fq_single(values, bits, guard=guard)
    return sqnr_db(values, quantize(values, choice.frac_bits, bits, signed))


def mixed_precision(sqnr: Mapping[str, float], threshold_db: float, low_bits: int, high_bits: int,
                    forced: Collection[str] = ()) -> PrecisionPlan:
    """Layers whose SQNR at `low_bits` is below the threshold get `high_bits`, as do the forced ones.

    sqnr: dB per layer at the low width, from `weight_sqnr_db` or `feature_map_sqnr_db`; inf (no error) and nan (no
    signal) stay low at every finite threshold. A threshold of inf moves every layer, -inf none but the forced.
    Raises QuantizationError for low_bits >= high_bits, a nan threshold and forced layers that do not exist.
    Source: arXiv:1810.13329, section 3.3, Tables 2 to 4.

    >>> mixed_precision({"conv0": 12.5, "conv1": 18.0}, 15, 4, 8)
    PrecisionPlan(bits={'conv0': 8, 'conv1': 4}, sqnr_db={'conv0': 12.5, 'conv1': 18.0}, ratio=0.5)
    """
    if not low_bits < high_bits or math.isnan(threshold_db):
        raise QuantizationError(f"mixed precision of {low_bits} and {high_bits} bits at {threshold_db} dB has no "
                                "meaning; the first width must be smaller and the threshold a number")
    if strangers := sorted(set(forced) - set(sqnr)):
        raise QuantizationError(f"layer {strangers[0]!r} is forced to {high_bits} bits but not among {sorted(sqnr)}")
    moved = {layer for layer, value in sqnr.items() if value < threshold_db or threshold_db == math.inf} | set(forced)
    bits = {layer: high_bits if layer in moved else low_bits for layer in sqnr}
    return PrecisionPlan(bits, dict(sqnr), len(moved) / len(sqnr) if sqnr else 0.0)
