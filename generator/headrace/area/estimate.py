"""What a layer will take of the device, before any synthesis: closed formulas of its parameters, one per kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from headrace.area import moves, windows
from headrace.area.amounts import Amounts
from headrace.area.usage import Resources
from headrace.area.weighted import weighted
from headrace.layers import (
    AccPool,
    Add,
    Concat,
    Dwc,
    Fifo,
    Fork,
    LabelSelect,
    MaxPool,
    Mvtu,
    ParallelSwu,
    Requant,
    Swu,
    Threshold,
    Upsample,
    Vvtu,
)
from headrace.layers.base import Layer

FACTORS = "factors.json"


def estimate(layer: Layer) -> Resources:
    """Resources of a layer with its memories, as synthesis is expected to count them."""
    return amounts(layer).total(fitted())


def amounts(layer: Layer) -> Amounts:
    """The structures that a layer consists of."""
    found = Amounts()
    _KINDS[type(layer)](found, layer)
    return found


@cache
def fitted() -> dict[str, Any]:
    """Factors of the structures, and how far estimates were from synthesis (benchmarks/estimator.py)."""
    data: dict[str, Any] = json.loads((files("headrace.area") / FACTORS).read_text())
    return data


def estimate_errors() -> dict[str, dict[str, float]]:
    """How far estimates are from synthesis: median and 90th percentile of the relative errors of single layers.

    For LUTs of logic, for all LUTs and for flip-flops, on layers that the factors were not fitted to; multipliers and
    memories are counted by the rules that build them.
    """
    found: dict[str, dict[str, float]] = fitted()["error"]
    return found


_KINDS: dict[type[Layer], Callable[[Amounts, Any], None]] = {
    Mvtu: weighted, Vvtu: weighted, Swu: windows.swu, ParallelSwu: windows.parallel_swu,
    Threshold: moves.threshold, Requant: moves.requant, MaxPool: moves.pool, AccPool: moves.pool, Dwc: moves.dwc,
    Fifo: moves.fifo, Fork: moves.fork, Add: moves.add, Concat: moves.concat, Upsample: moves.upsample,
    LabelSelect: moves.label_select,
}
