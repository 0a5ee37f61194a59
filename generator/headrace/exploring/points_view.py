"""Points of the design space as a table."""

from __future__ import annotations

from collections.abc import Sequence

from headrace.exploring.points import Point
from headrace.padding.folds import padding_text
from headrace.reporting.view import View

_COLUMNS = ("board", "MHz", "fps asked", "fps", "cycles", "latency", "LUT", "FF", "BRAM36", "URAM", "DSP", "FIFOs",
            "fits", "bottleneck")


def points_view(model: str, points: Sequence[Point]) -> View:
    """Every point, with what stops it among the remarks; model: its name."""
    rows = tuple((point.board, f"{point.clock_mhz:g}", _rate(point), *_figures(point), "yes" if point.fits else "no",
                  point.hardware.bottleneck if point.hardware else "") for point in points)
    return View(f"{model}: what would be built, estimated", _COLUMNS, rows, tuple(
        f"{point.board}, {point.clock_mhz:g} MHz, {_rate(point)}: {remark}"
        for point in points for remark in _remarks(point)))


def _remarks(point: Point) -> list[str]:
    """What stops a point, and what of it is padded."""
    padded = padding_text(point.hardware.padded) if point.hardware else ""
    return [remark for remark in (point.stopped_by, padded) if remark]


def _rate(point: Point) -> str:
    if point.fps_asked is not None:
        return f"{point.fps_asked:.12g}"
    return "fastest" if point.fills else "default"


def _figures(point: Point) -> list[str]:
    if (found := point.hardware) is None:
        return [""] * 9
    taken = found.resources
    return [f"{found.fps:.0f}", *map(str, (found.cycles_per_frame, found.latency_cycles, taken.all_luts, taken.ff,
                                           taken.bram36, taken.uram, taken.dsp)), found.fifos]
