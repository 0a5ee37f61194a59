"""Rounding of weights that keeps a layer's output, in place of each weight's value.

With inputs of second moment H = E[x x^T] the error of a row q of codes is (q s - w) H (q s - w)^T. Rounding to nearest
is best only where H is diagonal.
Sources: M. Nagel et al., "Up or down? Adaptive rounding for post-training quantization", ICML 2020, equation (13), for
the objective; K. Behdin et al., "QuantEase", 2023, section 3, for its minimization by coordinates.
"""

from __future__ import annotations

import numpy as np

from headrace.datatypes import IntArray
from headrace.quantization.primitives import FloatArray, round_half_up

#: Passes over all columns; the first one quantizes them, the others correct. Few codes change after the fourth.
PASSES = 6


def adaptive_rounding(weights: FloatArray, moment: FloatArray, scale: FloatArray, largest: int) -> IntArray:
    """Codes (rows, columns) from -largest to largest that nearly minimize (q s - w) H (q s - w)^T for every row.

    weights: (rows, columns); moment: H (columns, columns), symmetric with a positive diagonal; scale: s (rows,). One
    column at a time takes the code that is best while all others stay as they are, so the error never rises after the
    first pass.

    >>> H = np.array([[1.0, 0.9], [0.9, 1.0]])
    >>> adaptive_rounding(np.array([[0.4, 0.4]]), H, np.ones(1), 7)
    array([[0, 1]])
    """
    values = weights.copy()
    for _ in range(PASSES):
        error = (values - weights) @ moment
        for column, own in enumerate(np.diag(moment)):
            wanted = values[:, column] - error[:, column] / own
            best = np.clip(round_half_up(wanted / scale), -largest, largest) * scale
            error += np.outer(best - values[:, column], moment[column])
            values[:, column] = best
    return np.asarray(round_half_up(values / scale[:, None]), np.int64)
