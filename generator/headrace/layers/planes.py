"""Recoding for core planes, which compares bit planes of weights and activations and counts their XNOR matches.

With w & x = (w + x - 1 + (w XNOR x)) / 2 for single bits, a dot product of weights w = sum of sigma_i 2^i w_i and
activations x = sum of tau_j 2^j x_j, sigma and tau being -1 for a plane of signs and else +1, is

    factor * dot = sum of sigma_i tau_j 2^(i+j) matches(w_i, x_j) + lambda * sum of x + offset

where the factor is 2 and only the offset depends on the weights alone; the core leaves it out. A bipolar operand is
2 * bit - 1, one plane of bits; its factor is 1.
"""

from __future__ import annotations

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, IntArray
from headrace.packing import parity_code


def plane_scale(weight: DataType, element: DataType) -> int:
    """The factor: twice the dot product, or once where an operand is bipolar."""
    return 1 if BIPOLAR in (weight, element) else 2


def plane_offset(weights: IntArray, weight: DataType, element: DataType) -> IntArray:
    """What the core leaves out of every row: weights (MH, MW) -> (MH,).

    alpha * (sum of w) - omega * alpha * MW, where alpha and omega are the sums of the planes' signed powers of two of
    activations and weights; for bipolar weights alpha * (ones - MW), for bipolar activations -omega * MW.
    """
    columns = weights.shape[1]
    omega, alpha = _all_ones(weight), _all_ones(element)
    if weight == BIPOLAR:
        return np.asarray(alpha * ((weights > 0).sum(1) - columns), np.int64)
    if element == BIPOLAR:
        return np.full(len(weights), -omega * columns)
    return np.asarray(alpha * weights.sum(1) - omega * alpha * columns, np.int64)


def plane_words(words: IntArray, weight: DataType) -> IntArray:
    """Memory words (depth, PE, SIMD) -> the complements of their bit planes, recoded: (depth, PE, planes * SIMD)."""
    codes = weight.encode(words).astype(np.int64)
    planes = 1 - (codes[:, :, None, :] >> np.arange(weight.bits)[:, None] & 1)
    return parity_code(planes).reshape(*words.shape[:2], -1)


def _all_ones(dtype: DataType) -> int:
    """The value of a code of all ones: -1 in two's complement; for bipolar its one plane."""
    return 1 if dtype == BIPOLAR else -1 if dtype.signed else 2**dtype.bits - 1
