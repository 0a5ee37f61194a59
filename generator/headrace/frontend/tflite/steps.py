"""Step functions: from which integer on a kernel gives each code, found by bisection over what can occur."""

from __future__ import annotations

import numpy as np

from headrace.datatypes import IntArray, Interval
from headrace.errors import UnsupportedError
from headrace.frontend.tflite.kernels import Rescale
from headrace.streamline.quantizers import MAX_THRESHOLDS


def thresholds(function: Rescale, lowest: IntArray, highest: IntArray, output: Interval) -> IntArray:
    """The smallest integers (C, N) that reach the codes of `output` above its lowest, `highest` + 1 if none does.

    function: (C, N) -> (C, N), rising; lowest, highest: (C,) what can occur.

    >>> thresholds(lambda x: x // 10, np.array([-20]), np.array([25]), Interval(-1, 3))
    array([[ 0, 10, 20, 26]])
    """
    codes = np.arange(output.lo + 1, output.hi + 1)
    if len(lowest) * len(codes) > MAX_THRESHOLDS:
        raise UnsupportedError(f"has {len(lowest)} channels of {len(codes)} steps and at most {MAX_THRESHOLDS} steps "
                               "are possible; use fewer channels")
    below = np.repeat(lowest[:, None] - 1, len(codes), axis=1)
    reached = np.repeat(highest[:, None] + 1, len(codes), axis=1)
    while np.any(reached - below > 1):
        middle = np.maximum((below + reached) // 2, lowest[:, None])
        there = (function(middle) >= codes) & (reached - below > 1)
        reached = np.where(there, middle, reached)
        below = np.where(there | (reached - below <= 1), below, middle)
    return reached
