"""Vivado's reports as numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.errors import ToolError

# Names of the rows in report_utilization, UltraScale+ first, then 7 series.
_ROWS = {
    "lut": ("CLB LUTs", "Slice LUTs"),
    "ff": ("CLB Registers", "Slice Registers"),
    "bram36": ("Block RAM Tile",),
    "uram": ("URAM",),
    "dsp": ("DSPs",),
}
# Columns of the hierarchical report; the last names are those of older versions.
_COLUMNS = {
    "lut": ("Total LUTs",),
    "ff": ("FFs",),
    "ramb36": ("RAMB36",),
    "ramb18": ("RAMB18",),
    "uram": ("URAM",),
    "dsp": ("DSP Blocks", "DSP48 Blocks"),
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
    return {key: _whole(value) for key, value in found.items()}


def read_hierarchy(path: Path, layers: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """What report_utilization -hierarchical counts of every layer that it shows: name, lut, ff, bram36, uram, dsp.

    layers: names of layers by the names of the instance around them and of their own. A layer that implementation
    merged with others is missing. Raises ToolError if the file has no such table.
    """
    rows = [line.strip().strip("|").split("|") for line in _text(path).splitlines() if line.lstrip().startswith("|")]
    head = next((i for i, row in enumerate(rows) if row[0].strip() == "Instance"), None)
    if head is None:
        raise ToolError(f"{path}: holds no utilization by hierarchy; look into vivado.log")
    columns = [cell.strip() for cell in rows[head]]
    places = {key: next((columns.index(name) for name in names if name in columns), None)
              for key, names in _COLUMNS.items()}
    return [{"name": layers[place]} | _counts(row, places)
            for row, place in _with_parents(rows[head + 1 :]) if place in layers]


def _with_parents(rows: Sequence[Sequence[str]]) -> Iterator[tuple[Sequence[str], tuple[str, str]]]:
    """Every row, and the names of the instance around it and of its own: two blanks more are a level deeper."""
    around: list[tuple[int, str]] = []
    for row in rows:
        indent, name = len(row[0]) - len(row[0].lstrip()), row[0].strip()
        while around and around[-1][0] >= indent:
            around.pop()
        yield row, (around[-1][1] if around else "", name)
        around.append((indent, name))


def _counts(row: Sequence[str], places: Mapping[str, int | None]) -> dict[str, float]:
    found = {key: 0.0 if place is None else float(row[place]) for key, place in places.items()}
    counts = {"lut": found["lut"], "ff": found["ff"], "bram36": found["ramb36"] + found["ramb18"] / 2,
              "uram": found["uram"], "dsp": found["dsp"]}
    return {key: _whole(value) for key, value in counts.items()}


def _whole(value: float) -> float:
    return int(value) if value.is_integer() else value


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        raise ToolError(f"{path}: was not written; look into vivado.log") from None


def _number(word: str) -> float | None:
    """A slack, or None where there are no paths ("NA")."""
    return None if word == "NA" else float(word)
