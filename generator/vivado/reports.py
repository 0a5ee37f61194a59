"""Vivado's reports as numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from generator.errors import ToolError

# Names of the rows in report_utilization, UltraScale+ first, then 7 series.
_ROWS = {
    "lut": ("CLB LUTs", "Slice LUTs"),
    "ff": ("CLB Registers", "Slice Registers"),
    "bram36": ("Block RAM Tile",),
    "uram": ("URAM",),
    "dsp": ("DSPs",),
}
_TIMING = ("wns_ns", "tns_ns", "tns_failing", "tns_endpoints", "whs_ns", "ths_ns", "ths_failing", "ths_endpoints")


def read_timing(path: Path) -> dict[str, Any]:
    """Slacks of report_timing_summary in ns: worst and total negative, of setup (wns, tns) and hold (whs, ths).

    `met` says that no path is late or early. Raises ToolError if the file has no such table.
    """
    lines = _text(path).splitlines()
    header = next((i for i, line in enumerate(lines) if line.split()[:2] == ["WNS(ns)", "TNS(ns)"]), None)
    numbers = lines[header + 2].split() if header is not None and header + 2 < len(lines) else []
    if len(numbers) < len(_TIMING):
        raise ToolError(f"{path}: holds no timing summary; look into vivado.log")
    values = dict(zip(_TIMING, (_number(word) for word in numbers), strict=False))
    kept = {name: values[name] for name in ("wns_ns", "tns_ns", "whs_ns", "ths_ns")}
    return kept | {"met": all(value is None or value >= 0 for value in kept.values())}


def read_utilization(path: Path) -> dict[str, float]:
    """What report_utilization counts: lut, ff, bram36, uram, dsp; 0 for what the part does not have.

    Raises ToolError if the file does not even count LUTs.
    """
    text = _text(path)
    found: dict[str, float] = {}
    for key, names in _ROWS.items():
        pattern = rf"^\|\s*(?:{'|'.join(names)})\*?\s*\|\s*([\d.]+)\s*\|"
        match = re.search(pattern, text, re.MULTILINE)
        found[key] = float(match[1]) if match else 0.0
        if key == "lut" and not match:
            raise ToolError(f"{path}: holds no table of utilization; look into vivado.log")
    return {key: int(value) if value.is_integer() else value for key, value in found.items()}


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        raise ToolError(f"{path}: was not written; look into vivado.log") from None


def _number(word: str) -> float | None:
    """A slack, or None where there are no paths ("NA")."""
    return None if word == "NA" else float(word)
