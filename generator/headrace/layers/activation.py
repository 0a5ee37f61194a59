"""The multi-threshold activation as several layers apply it: y = base + #{k : acc >= T_ck}."""

from __future__ import annotations

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, IntArray
from headrace.errors import InputError

#: Outputs of 8 bits.
MAX_THRESHOLDS = 255


def base_code(output: DataType) -> int:
    """What a kernel puts out for a count of zero: the lowest value, or the code of -1."""
    return 0 if output == BIPOLAR else output.lo


def multi_threshold(acc: IntArray, thresholds: IntArray, output: DataType) -> IntArray:
    """acc (..., C) and thresholds (C, N) -> values of `output`, (..., C)."""
    count = (acc[..., None] >= thresholds).sum(-1)
    return np.asarray(2 * count - 1 if output == BIPOLAR else output.lo + count, np.int64)


def require_thresholds_fit(layer: str, output: DataType) -> None:
    """Raise InputError if `output` has more values than thresholds are made for."""
    if output.steps > MAX_THRESHOLDS:
        raise InputError(f"{layer}: an output of {output} would need {output.steps} thresholds per row; "
                         "use 8 bits or fewer, or acc")


def require_thresholds(layer: str, thresholds: IntArray, rows: int, output: DataType) -> None:
    """Raise InputError unless `thresholds` are what `output` needs, ascending in each of `rows` rows."""
    require_thresholds_fit(layer, output)
    if thresholds.shape != (rows, output.steps):
        raise InputError(f"{layer}: an output of type {output} needs thresholds of shape "
                         f"({rows}, {output.steps}), not {thresholds.shape}")
    if np.any(np.diff(thresholds, axis=1) < 0):
        raise InputError(f"{layer}: the thresholds of a row do not ascend; sort them")
