"""Cross-layer equalisation: channels between two layers are rescaled so that the weights on both sides use one range.

relu(s x) = s relu(x) for s > 0, so a channel may be divided by s where it is made and multiplied by s where it is read.
Source: M. Nagel et al., "Data-free quantization through weight equalization and bias correction", ICCV 2019.
"""

from __future__ import annotations

import numpy as np

from headrace.quantization.primitives import FloatArray


def equalising_scales(made: FloatArray, read: FloatArray) -> FloatArray:
    """s = sqrt(r1 / r2) per channel, equation (11); 1 where a channel is never used.

    made: (channels,) largest |weight| of the rows that make each channel; read: of the columns that read it.

    >>> equalising_scales(np.array([4.0, 1.0, 0.0]), np.array([1.0, 1.0, 5.0]))
    array([2., 1., 1.])
    """
    used = (made > 0) & (read > 0)
    return np.sqrt(np.where(used, made, 1.0) / np.where(used, read, 1.0))
