"""The rounding rules of quantizers: in floating point, and as exact answers about one decision between two codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
#: half_up sends ties towards +inf; half_away and half_inward away from and towards 0; away and inward every fraction.
#: half_odd is half_even of codes that have moved by one.
Rounding = Literal["half_even", "half_odd", "half_up", "half_away", "half_inward", "floor", "ceil", "away", "inward"]

#: Whether a tie between code - 1 and code goes up, for every rounding to nearest.
TIES_UP: dict[str, Callable[[int], bool]] = {
    "half_up": lambda code: True,
    "half_even": lambda code: code % 2 == 0,
    "half_odd": lambda code: code % 2 == 1,
    "half_away": lambda code: code > 0,
    "half_inward": lambda code: code <= 0,
}
#: Whether every fraction between code - 1 and code goes up, for the directed roundings.
FRACTIONS_UP: dict[str, Callable[[int], bool]] = {
    "floor": lambda code: False,
    "ceil": lambda code: True,
    "away": lambda code: code > 0,
    "inward": lambda code: code <= 0,
}


def _half_up(x: FloatArray) -> FloatArray:
    whole = np.floor(x)
    return np.asarray(whole + (x - whole >= 0.5))  # floor(x + 0.5) is wrong for 0.49999999999999994


def _half_down(x: FloatArray) -> FloatArray:
    whole = np.floor(x)
    return np.asarray(whole + (x - whole > 0.5))


def _half_odd(x: FloatArray) -> FloatArray:
    whole = np.floor(x)
    return np.asarray(whole + (x - whole > 0.5) + ((x - whole == 0.5) & (whole % 2 == 0)))


_ROUND: dict[str, Callable[[FloatArray], FloatArray]] = {
    "half_even": np.rint, "half_odd": _half_odd, "half_up": _half_up, "floor": np.floor, "ceil": np.ceil,
    "half_away": lambda x: np.sign(x) * _half_up(np.abs(x)),
    "half_inward": lambda x: np.sign(x) * _half_down(np.abs(x)),
    "away": lambda x: np.sign(x) * np.ceil(np.abs(x)), "inward": np.trunc,
}


def round_to_integer(x: FloatArray, rounding: Rounding) -> FloatArray:
    """Nearest integers by the named rule, in floating point."""
    return np.asarray(_ROUND[rounding](x))
