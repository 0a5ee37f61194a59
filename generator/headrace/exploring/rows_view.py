"""The points of an exploration as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from headrace.reporting.view import View

_COLUMNS = ("board", "MHz", "core", "bits", "fps asked", "fps", "latency us", "accuracy", "LUT", "BRAM36", "DSP",
            "fits", "front", "stages")


def rows_view(model: str, rows: Sequence[Mapping[str, Any]]) -> View:
    """Every point, with what stopped it among the remarks; model: its name."""
    remarks = tuple(f"{row['board']}, {row['clock_mhz']:g} MHz, {_rate(row)}: {text}" for row in rows
                    if (text := row["error"] or ("" if row["fits"] else row["stopped_by"])))
    return View(f"{model}: {len(rows)} points", _COLUMNS, tuple(map(_cells, rows)), remarks)


def _cells(row: Mapping[str, Any]) -> tuple[str, ...]:
    bits = "" if row["weight_bits"] is None else f"w{row['weight_bits']}a{row['act_bits']}"
    return (row["board"], f"{row['clock_mhz']:g}", row["core"], bits, _rate(row), _number(row["fps"], ".0f"),
            _number(row["latency_us"], ".1f"), _number(row["accuracy"], ".2%"), _number(row["lut"], "d"),
            _number(row["bram36"], "d"), _number(row["dsp"], "d"), "yes" if row["fits"] else "no",
            "yes" if row["front"] else "", row["stages"])


def _rate(row: Mapping[str, Any]) -> str:
    return "fastest" if row["fps_asked"] is None else f"{row['fps_asked']:g}"


def _number(value: Any, form: str) -> str:
    return "" if value is None else format(value, form)
