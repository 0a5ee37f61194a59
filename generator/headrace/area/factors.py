"""Factors of the structures, fitted to a sweep of synthesized layers, and how far estimates are from synthesis."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

#: What was fitted to counts of the cells of a family (memory.Prices.cells).
FACTORS = {"xcup": "factors.json", "xc7": "factors_xc7.json", "ecp5": "factors_ecp5.json"}


@cache
def fitted(cells: str = "xcup") -> dict[str, Any]:
    """Factors of the structures, and how far estimates were from synthesis (benchmarks/estimator.py)."""
    data: dict[str, Any] = json.loads((files("headrace.area") / FACTORS[cells]).read_text())
    return data


def estimate_errors(cells: str = "xcup") -> dict[str, dict[str, float]]:
    """How far estimates are from synthesis: median and 90th percentile of the relative errors of single layers.

    For LUTs of logic, for all LUTs and for flip-flops, on layers that the factors were not fitted to; multipliers and
    memories are counted by the rules that build them.
    """
    found: dict[str, dict[str, float]] = fitted(cells)["error"]
    return found
