"""What a precision search found as a table and as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from headrace.exploring.precision import Found
from headrace.reporting.view import View

_COLUMNS = ("points lost at most", "accuracy", "test", "LUT", "BRAM36", "DSP", "cost in LUT", "fps", "networks",
            "widths")


def precision_view(model: str, found: Sequence[Found], optimum: Sequence[Found] = ()) -> View:
    """A row for every budget; optimum: the cheapest of all networks, where they were enumerated."""
    rows = [*(_cells(item, f"{item.drop:g}") for item in found),
            *(_cells(item, f"{item.drop:g}, best of all") for item in optimum)]
    remarks = tuple(f"{item.drop:g}: {away(item, best):.1%} above the cheapest of all {best.evaluations} networks"
                    for item, best in zip(found, optimum, strict=False))
    return View(f"{model}: the cheapest hardware that was found", _COLUMNS, tuple(rows), remarks)


def away(found: Found, optimum: Found) -> float:
    """How much dearer a network is than the cheapest, as a share of that."""
    return found.cost / optimum.cost - 1


def precision_json(found: Sequence[Found], optimum: Sequence[Found] = ()) -> dict[str, Any]:
    """The same for machines."""
    return {"found": [_record(item) for item in found], "optimum": [_record(item) for item in optimum],
            "above_optimum": [away(item, best) for item, best in zip(found, optimum, strict=False)]}


def _record(found: Found) -> dict[str, Any]:
    hardware = found.hardware
    return {"accuracy_drop": found.drop, "accuracy": found.accuracy,
            "test_accuracy": found.test_accuracy, "widths": found.widths, "cost_lut": found.cost, "fps": hardware.fps,
            "resources": asdict(hardware.resources), "evaluations": found.evaluations}


def _cells(found: Found, name: str) -> tuple[str, ...]:
    taken = found.hardware.resources
    widths = " ".join(str(bits) for bits in found.widths.values())
    test = "" if found.test_accuracy is None else f"{found.test_accuracy:.2%}"
    return (name, f"{found.accuracy:.2%}", test, str(taken.all_luts), str(taken.bram36), str(taken.dsp),
            f"{found.cost:.0f}", f"{found.hardware.fps:.0f}", str(found.evaluations), widths)
