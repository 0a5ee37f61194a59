"""Samples to the codes of the accelerator's input, exactly as the model rounds them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .packing import code_type


def make_quantizer(source: dict[str, Any], arrays: dict[str, np.ndarray]) -> Points | Formula:
    """source: `input` of model.json; arrays: those of model.npz. Inputs of few codes have a list of decision points."""
    return (Points if "decision_points" in arrays else Formula)(source, arrays)


class Points:
    """A sample is compared with the float32 numbers at which its code changes."""

    def __init__(self, source: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.source, self.signs, self.points = source, arrays["signs"], arrays["decision_points"]
        if source["bipolar"]:  # among inputs of other types -1 and +1 are numbers like all others
            self.step_codes = (np.array([0, 1], code_type(1)) if source["bits"] == 1
                               else _as_codes(np.array([-1, 1]), source["bits"]))
        else:
            self.step_codes = _as_codes(np.arange(source["low"], source["high"] + 1), source["bits"])

    def codes(self, x: np.ndarray, c: int) -> np.ndarray:
        """Codes of finite float32 samples of channel c. Raises ValueError for values outside the input's range."""
        values = x * self.signs[c]
        # points[0] and points[-1] bound the range, the others separate the codes.
        low, *_, high = self.points[c]
        if not self.source["saturates"] and ((values < low) | (values >= high)).any():
            _refuse(self.signs[c] * low, self.signs[c] * high)
        inner = self.points[c][1:-1]
        if len(inner) == 1:
            return np.asarray(self.step_codes[(values >= inner[0]).view(np.uint8)])
        return np.asarray(self.step_codes[np.searchsorted(inner, values, side="right")])


class Formula:
    """round(x * scale / divisor) in float64, for inputs of many codes; the build has proved that no rounding shows."""

    def __init__(self, source: dict[str, Any], arrays: dict[str, np.ndarray]) -> None:
        self.source, self.scale, self.divisor = source, arrays["input_scale"], arrays["input_divisor"]
        self.round = _ROUND[source["rounding"]]

    def codes(self, x: np.ndarray, c: int) -> np.ndarray:
        """Codes of finite float32 samples of channel c. Raises ValueError for values outside the input's range."""
        low, high = self.source["low"], self.source["high"]
        integers = self.round(x.astype(np.float64) * self.scale[c] / self.divisor[c])
        if not self.source["saturates"] and ((integers < low) | (integers > high)).any():
            _refuse(*(end * self.divisor[c] / self.scale[c] for end in (low, high)))
        return _as_codes(np.clip(integers, low, high).astype(np.int64), self.source["bits"])


def _as_codes(integers: np.ndarray, bits: int) -> np.ndarray:
    """Integers as they lie in a word: in two's complement."""
    return np.asarray(integers & ((1 << bits) - 1), code_type(bits))


def _refuse(*ends: float) -> None:
    raise ValueError(f"the input holds values outside the range from {min(ends):g} to {max(ends):g} in which the model "
                     "reads it")


def _half_up(y: np.ndarray) -> np.ndarray:
    whole = np.floor(y)
    return np.asarray(whole + (y - whole >= 0.5))


def _half_down(y: np.ndarray) -> np.ndarray:
    whole = np.floor(y)
    return np.asarray(whole + (y - whole > 0.5))


def _half_odd(y: np.ndarray) -> np.ndarray:
    whole = np.floor(y)
    return np.asarray(np.where(y - whole == 0.5, whole + (whole % 2 == 0), np.rint(y)))


_ROUND: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "half_even": np.rint,
    "half_odd": _half_odd,
    "half_up": _half_up,
    "half_away": lambda y: np.sign(y) * _half_up(np.abs(y)),
    "half_inward": lambda y: np.sign(y) * _half_down(np.abs(y)),
    "floor": np.floor,
    "ceil": np.ceil,
    "away": lambda y: np.sign(y) * np.ceil(np.abs(y)),
    "inward": np.trunc,
}
