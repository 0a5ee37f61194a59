"""Fractional lengths from the range (Ristretto), and from the range and the error (WQ).

Source: Kim et al., "Convolutional Neural Network Quantization using Generalized Gamma Distribution",
arXiv:1810.13329, section 2.1.1, Algorithm 1, equations (1) and (8).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from headrace.errors import QuantizationError
from headrace.quantization.primitives import Choice, FloatArray, ceil_log2, code_type, finite, least_error, peak_of


def range_frac_bits(peak: float, bits: int, signed: bool) -> int:
    """The largest FL at which codes reach up to `peak`, rounded up to a power of two; bits - signed for peak 0.

    Source: arXiv:1810.13329, equation (1).

    >>> range_frac_bits(0.9, 8, True), range_frac_bits(300.0, 8, True), range_frac_bits(3.1, 8, False)
    (7, -2, 6)
    """
    magnitude_bits = bits - 1 if signed else bits
    return magnitude_bits - ceil_log2(peak) if peak else magnitude_bits


def ristretto(x: ArrayLike, bits: int, signed: bool = True) -> int:
    """Fractional length of the range rule, the baseline: FL = bits - 1 - ceil_log2(max|x|); unsigned one more.

    x: any shape, empty included. An empty or all-zero tensor has FL = bits - 1 (signed) or bits.
    Source: arXiv:1810.13329, equation (1).
    Raises QuantizationError for nan, inf, impossible widths and negative samples in unsigned codes.

    >>> ristretto([0.3, -0.9, 0.1], 8), ristretto([0.0, 0.2, 3.1], 8, signed=False)
    (7, 6)
    """
    code_type(bits, signed)
    samples = finite("tensor", x)
    if not signed:
        require_non_negative(samples)
    return range_frac_bits(peak_of(samples), bits, signed)


def require_non_negative(x: FloatArray) -> None:
    """Raise QuantizationError if unsigned codes cannot hold the samples."""
    lowest = float(np.min(x, initial=0))
    if lowest < 0:
        raise QuantizationError(f"tensor: the sample {lowest} is negative, which unsigned codes have no value for; "
                                "use signed codes")


def wq(weights: ArrayLike, bits: int, candidates: int = 2) -> Choice:
    """Weight quantization: the FL of least squared error among {m, ..., m + candidates - 1}.

    m = bits - 1 - ceil_log2(max|w|); D(FL) = sum (w - Q(w, FL))^2, a tie keeps the smaller FL. Never worse than
    `ristretto`. weights: any shape, one group (a layer, a channel or its biases). Two candidates are enough from
    6 bits on; take 4 for heavy-tailed weights of 4 bits or fewer. All-zero and empty groups: FL = bits - 1, D = 0.
    Source: arXiv:1810.13329, Algorithm 1, equation (8).
    Raises QuantizationError for nan, inf, impossible widths and candidates < 1.

    >>> choice = wq([0.9, -0.4, 0.2, 0.1], 4)
    >>> choice.frac_bits, choice.candidates, [round(error, 7) for error in choice.errors]
    (3, (3, 4), [0.004375, 0.2153125])
    """
    code_type(bits, signed=True)
    if candidates < 1:
        raise QuantizationError(f"wq: {candidates} candidates are not a search; use 1 or more")
    samples = finite("weights", weights)
    peak = peak_of(samples)
    first = range_frac_bits(peak, bits, signed=True)
    if peak == 0:
        return Choice(first, (first,), (0.0,))
    return least_error(samples, range(first, first + candidates), bits, signed=True)


def wq_per_channel(weights: ArrayLike, bits: int, candidates: int = 2) -> tuple[Choice, ...]:
    """`wq` of every output channel on its own. weights: (C_out, ...).

    Raises QuantizationError as `wq`, and for a single number.
    Source: arXiv:1810.13329, Algorithm 1, equation (8).

    >>> [choice.frac_bits for choice in wq_per_channel([[0.9, 0.1], [0.02, -0.01]], 4)]
    [3, 8]
    """
    values = finite("weights", weights)
    if not values.ndim:
        raise QuantizationError(f"the weight {values} has no output channels; give (C_out, ...)")
    return tuple(wq(channel, bits, candidates) for channel in values)
