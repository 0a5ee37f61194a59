"""Ranges of feature maps and scales of weights that give up rare values for a finer step.

A tensor is given by its distinct values and how often each occurs, as a histogram has them. Every function returns a
range [low, high] that holds 0; `affine.affine_params` makes codes of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from headrace.errors import QuantizationError
from headrace.quantization.affine import AffineParams, affine_params
from headrace.quantization.primitives import FloatArray, code_type, finite, round_half_up

Range = tuple[float, float]

#: Bins of the distribution that entropy_range compares, as its source has them.
BINS = 2048

#: Shares of the full range that are tried: 1, 0.98, ... 0.04.
SHARES = np.arange(50, 1, -1) / 50


def percentile_range(values: ArrayLike, counts: ArrayLike, share: float = 0.9999) -> Range:
    """The range that leaves out at most (1 - share) / 2 of the samples on either side.

    values, counts: (n,). Raises QuantizationError unless 0 < share <= 1.
    Source: H. Wu et al., "Integer quantization for deep learning inference", 2020, section 5.1.

    >>> percentile_range(range(1001), np.ones(1001), 0.9)
    (0.0, 950.0)
    """
    if not 0 < share <= 1:
        raise QuantizationError(f"a share of {share} of the samples is impossible; use one above 0 and at most 1")
    samples, often = _sorted(values, counts)
    reached = np.cumsum(often)
    tail = reached[-1] * (1 - share) / 2
    low = samples[np.searchsorted(reached, tail, side="right")]
    high = samples[np.searchsorted(reached, reached[-1] - tail, side="left")]
    return min(float(low), 0.0), max(float(high), 0.0)


def least_error_range(values: ArrayLike, counts: ArrayLike, bits: int) -> Range:
    """The range whose codes have the least squared error, among shares of the full one; both ends, then each alone.

    values, counts: (n,). Raises QuantizationError for nan, inf and impossible widths.
    Source: M. Nagel et al., "A white paper on neural network quantization", 2021, equation (9).
    """
    samples, often = _sorted(values, counts)
    low, high = min(samples[0], 0.0), max(samples[-1], 0.0)

    def error(bounds: Range) -> float:
        return float(often @ np.square(_rounded(samples, affine_params(*bounds, bits)) - samples))

    low, high = min(((low * share, high * share) for share in SHARES), key=error)
    low, high = min(((low * share, high) for share in SHARES), key=error) if low < 0 else (low, high)
    low, high = min(((low, high * share) for share in SHARES), key=error) if high > 0 else (low, high)
    return float(low), float(high)


def entropy_range(values: ArrayLike, counts: ArrayLike, bits: int) -> Range:
    """The range whose codes are distributed most like the samples (least Kullback-Leibler divergence).

    values, counts: (n,), taken in BINS equal bins; zeros, which every range has exactly, stay out. Samples outside
    count at the last bin inside. Raises QuantizationError for nan, inf and impossible widths.
    Source: S. Migacz, "8-bit inference with TensorRT", GTC 2017.
    """
    samples, often = _sorted(values, counts)
    low, high = float(min(samples[0], 0.0)), float(max(samples[-1], 0.0))
    if low == high:
        return low, high
    hist, edges = np.histogram(samples[samples != 0], BINS, (low, high), weights=often[samples != 0])
    centres = (edges[:-1] + edges[1:]) / 2
    return min(((low * share, high * share) for share in SHARES),
               key=lambda bounds: _divergence(centres, hist.astype(np.float64), bounds, bits))


def _divergence(samples: FloatArray, often: FloatArray, bounds: Range, bits: int) -> float:
    """Sum of p log(p / q): p the samples clipped to the range, q those inside, spread evenly over a code's values."""
    inside = (samples >= bounds[0]) & (samples <= bounds[1]) & (often > 0)
    if not inside.any():
        return float("inf")
    kept = often[inside]
    clipped = kept.copy()
    clipped[0] += often[samples < bounds[0]].sum()
    clipped[-1] += often[samples > bounds[1]].sum()
    codes = affine_params(*bounds, bits).quantize(samples[inside])
    spread = np.bincount(codes, kept) / np.maximum(np.bincount(codes), 1)
    p, q = clipped / clipped.sum(), spread[codes] / kept.sum()
    return float(np.sum(p * np.log(p / q)))


def least_error_scales(rows: FloatArray, bits: int, importance: FloatArray | None = None) -> FloatArray:
    """Scale per row of symmetric codes with the least squared error, among shares of max|row| / (2^(bits-1) - 1).

    rows: (n, columns); importance: weight of each column's error, 1 where absent. A row of zeros gets the scale 1.
    Raises QuantizationError for nan, inf and impossible widths. Source: as least_error_range.

    >>> least_error_scales(np.array([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]), 3)
    array([1., 1.])
    """
    largest = code_type(bits, signed=True).hi
    values = finite("weights", rows)
    full = np.abs(values).max(1)
    full = np.where(full > 0, full / largest, 1.0)
    tried = [full * share for share in SHARES]
    errors = [_row_errors(values, scales, largest, importance) for scales in tried]
    return np.asarray(np.take_along_axis(np.array(tried), np.argmin(errors, 0)[None], 0)[0])


def _row_errors(values: FloatArray, scales: FloatArray, largest: int, importance: FloatArray | None) -> FloatArray:
    codes = np.clip(round_half_up(values / scales[:, None]), -largest, largest)
    errors = np.square(codes * scales[:, None] - values)
    return np.asarray((errors if importance is None else errors * importance).sum(1))


def _sorted(values: ArrayLike, counts: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The samples in ascending order with their counts."""
    samples, often = finite("tensor", values).reshape(-1), finite("counts", counts).reshape(-1)
    if not samples.size:
        raise QuantizationError("the tensor holds no sample; calibrate with data")
    order = np.argsort(samples)
    return samples[order], often[order]


def _rounded(samples: FloatArray, params: AffineParams) -> FloatArray:
    """The values of the samples' codes."""
    return params.dequantize(params.quantize(samples))
