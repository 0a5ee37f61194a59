"""Factors of the structures, fitted to a sweep of synthesized layers, and how far estimates are from synthesis."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

#: By the inputs of a device's LUTs: what was fitted to counts of such a device.
FACTORS = {6: "factors.json", 4: "factors_ecp5.json"}


@cache
def fitted(lut_inputs: int = 6) -> dict[str, Any]:
    """Factors of the structures, and how far estimates were from synthesis (benchmarks/estimator.py)."""
    data: dict[str, Any] = json.loads((files("headrace.area") / FACTORS[lut_inputs]).read_text())
    return data


def estimate_errors(lut_inputs: int = 6) -> dict[str, dict[str, float]]:
    """How far estimates are from synthesis: median and 90th percentile of the relative errors of single layers.

    For LUTs of logic, for all LUTs and for flip-flops, on layers that the factors were not fitted to; multipliers and
    memories are counted by the rules that build them.
    """
    found: dict[str, dict[str, float]] = fitted(lut_inputs)["error"]
    return found
