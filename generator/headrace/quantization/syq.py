"""SYQ: binary and ternary weights with one scale per layer, channel, kernel row or kernel pixel.

Source: P. Leong, "Quantisation - Efficient implementation of convolutional neural networks", PAPAA 2018, equations (6)
to (8). Weights are (C_out, C_in, K_h, K_w). Layer and channel scales fold into thresholds (thresholds.py, slope times
alpha); row and pixel scales need `fixed_point_scales`, whose thresholds take the slope times 2^-frac_bits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from headrace.datatypes import IntArray, as_int
from headrace.errors import QuantizationError
from headrace.quantization.primitives import FloatArray, code_type, finite, floor_log2, quantize_codes, scale_pow2

Granularity = Literal["layer", "channel", "row", "pixel"]


@dataclass(frozen=True, eq=False)
class Codebook:
    """Q = sign(W) * 1[|W| >= eta], sign(0) = +1, and its threshold eta."""

    eta: float
    Q: IntArray


def codebook(weights: ArrayLike, ternary: bool, eta_frac: float = 0.05) -> Codebook:
    """Binary {-1, +1} (eta = 0) or ternary {-1, 0, +1} (eta = eta_frac * max|W|) codes in the shape of the weights.

    Source: PAPAA 2018, equation (6). Raises QuantizationError for nan, inf and a negative eta_frac.

    >>> codebook([[[[0.4, -0.2], [0.0, -0.6]]]], ternary=True).Q.tolist()
    [[[[1, -1], [0, -1]]]]
    """
    W = finite("weights", weights)
    if not (math.isfinite(eta_frac) and eta_frac >= 0):
        raise QuantizationError(f"eta_frac={eta_frac} is not a share of the largest weight; use 0 to 1")
    eta = eta_frac * float(np.max(np.abs(W), initial=0)) if ternary else 0.0
    return Codebook(eta, np.where(np.abs(W) >= eta, np.where(W >= 0, 1, -1), 0))


def group_index(shape: tuple[int, ...], granularity: Granularity) -> IntArray:
    """Group of every weight, in the shape (C_out, C_in, K_h, K_w).

    Groups: layer 1, channel C_out, row K_h (rows of the kernel window), pixel K_h * K_w.
    Raises QuantizationError for another granularity or a shape that is not four-dimensional.

    >>> group_index((1, 1, 2, 2), "row").tolist()
    [[[[0, 0], [1, 1]]]]
    """
    if len(shape) != 4:
        raise QuantizationError(f"weights of shape {shape} have no kernel window; give (C_out, C_in, K_h, K_w)")
    channel, _, row, column = np.indices(shape)
    groups = {"layer": np.zeros(shape, np.int64), "channel": channel, "row": row, "pixel": row * shape[3] + column}
    if granularity not in groups:
        raise QuantizationError(f"granularity {granularity!r} is unknown; choose one of {list(groups)}")
    return as_int(groups[granularity])


def _group_sums(values: FloatArray, granularity: Granularity) -> FloatArray:
    """Sums of the values (C_out, C_in, K_h, K_w) over each group, (groups,); 0 for a group without weights."""
    groups, (channels, _, rows, columns) = group_index(values.shape, granularity), values.shape
    count = {"layer": 1, "channel": channels, "row": rows, "pixel": rows * columns}[granularity]
    return np.bincount(groups.reshape(-1), values.reshape(-1), count).astype(np.float64)


def least_squares_scales(weights: ArrayLike, Q: IntArray, granularity: Granularity) -> FloatArray:
    """alpha (groups,): the mean of |W| where Q is not 0, which minimizes ||W - alpha Q||^2; 0 for an all-zero group.

    Source: PAPAA 2018, equation (7). Raises QuantizationError for nan, inf and as `group_index`.

    >>> least_squares_scales([[[[0.4, -0.2], [0.0, -0.6]]]], np.array([[[[1, -1], [1, -1]]]]), "pixel")
    array([0.4, 0.2, 0. , 0.6])
    """
    W = finite("weights", weights)
    used = np.abs(Q).astype(np.float64)
    return _group_sums(np.abs(W) * used, granularity) / np.maximum(_group_sums(used, granularity), 1)


def effective_weights(Q: IntArray, alpha: FloatArray, granularity: Granularity) -> FloatArray:
    """What = alpha_g * Q, the weights of the forward pass. Raises QuantizationError for nan, inf and as `group_index`.

    Source: PAPAA 2018, equations (6) to (8).

    >>> effective_weights(np.array([[[[1, -1]]]]), np.array([0.5]), "layer").tolist()
    [[[[0.5, -0.5]]]]
    """
    return finite("scales", alpha)[group_index(Q.shape, granularity)] * Q


def straight_through(weights: ArrayLike, Q: IntArray, alpha: ArrayLike, granularity: Granularity,
                     gradient: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """(dE/dW, dE/dalpha) from dE/dWhat: dE/dWhat * alpha_g * 1[|W| <= 1], and the sums of dE/dWhat * Q per group.

    eta carries no gradient. After an update clip alpha at 0. Shapes: weights, Q, gradient (C_out, C_in, K_h, K_w);
    alpha (groups,). Source: PAPAA 2018, equation (8). Raises QuantizationError for nan, inf and as `group_index`.

    >>> W, Q = np.array([[[[0.4, -0.2, 1.5, -0.6]]]]), np.array([[[[1, -1, 1, -1]]]])
    >>> dW, dalpha = straight_through(W, Q, [0.5], "layer", [[[[1, 2, 3, -1]]]])
    >>> dW.tolist(), dalpha.tolist()
    ([[[[0.5, 1.0, 0.0, -0.5]]]], [3.0])
    """
    W, dE, scales = finite("weights", weights), finite("gradient", gradient), finite("scales", alpha)
    passed = dE * scales[group_index(Q.shape, granularity)] * (np.abs(W) <= 1)
    return passed, _group_sums(dE * Q, granularity)


def activation_gradient(x: ArrayLike, gradient: ArrayLike, frac_bits: int, bits: int, signed: bool) -> FloatArray:
    """Straight-through gradient of `quantize`: the identity where x lies within the codes' range, 0 outside.

    Source: PAPAA 2018, equation (8).

    >>> activation_gradient([-0.5, 0.5, 9.0], [1.0, 1.0, 1.0], 2, 4, False)
    array([0., 1., 0.])
    """
    scaled, codes = scale_pow2(finite("activations", x), frac_bits), code_type(bits, signed)
    return np.where((scaled >= codes.lo) & (scaled <= codes.hi), finite("gradient", gradient), 0.0)


@dataclass(frozen=True, eq=False)
class FixedPointScales:
    """alpha_g ~ codes_g * 2^-frac_bits with unsigned codes."""

    codes: IntArray
    frac_bits: int


def fixed_point_scales(alpha: ArrayLike, bits: int) -> FixedPointScales:
    """Unsigned codes of the scales at F = floor_log2((2^b - 1) / max alpha); F = b if all are 0.

    Raises QuantizationError for a negative scale, nan and inf.
    Source: PAPAA 2018, SYQ part, with scales in fixed point.

    >>> scales = fixed_point_scales([0.4, 0.2, 0.0, 0.6], 8)
    >>> scales.codes.tolist(), scales.frac_bits
    ([102, 51, 0, 154], 8)
    """
    values = finite("scales", alpha)
    if np.any(values < 0):
        raise QuantizationError(f"the scale {float(np.min(values))} is negative; clip scales at 0")
    peak = float(np.max(values, initial=0))
    mantissa, exponent = math.frexp(peak)  # the largest code over a tiny peak itself would overflow
    frac_bits = floor_log2(code_type(bits, signed=False).hi / mantissa) - exponent if peak else bits
    return FixedPointScales(quantize_codes(values, frac_bits, bits, signed=False), frac_bits)


def accumulate(Q: IntArray, scales: FixedPointScales, granularity: Granularity, x: IntArray) -> IntArray:
    """total_i = sum_g codes_g * sum over taps in g of Q * x, (C_out,), for one window x (C_in, K_h, K_w).

    Source: PAPAA 2018, equations (6) to (8), in integers.

    >>> accumulate(np.array([[[[1, -1]]]]), FixedPointScales(np.array([3, 5]), 2), "pixel", np.array([[[10, 1]]]))
    array([25])
    """
    return as_int((scales.codes[group_index(Q.shape, granularity)] * Q * x).sum((1, 2, 3)))
