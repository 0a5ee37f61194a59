"""A plot of quantized tensors: the distribution of each with the range of its codes and their steps, as SVG."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from headrace.network.ops import FloatArray

#: Size of one panel and of the drawing area in it, in pixels.
WIDTH, HEIGHT, LEFT, TOP = 420, 150, 12, 34
AREA_WIDTH, AREA_HEIGHT = WIDTH - 2 * LEFT, HEIGHT - TOP - 26
COLUMNS, BARS = 2, 80
#: More steps than this are drawn as a range only.
MAX_STEPS = 64


@dataclass(frozen=True, eq=False)
class Panel:
    """Samples with their counts, and the values that codes can take, ascending, in the same units."""

    title: str
    values: FloatArray
    counts: FloatArray
    levels: FloatArray


def distributions_svg(panels: Sequence[Panel]) -> str:
    """An SVG document with one panel per tensor; equal panels give equal bytes."""
    rows = -(-len(panels) // COLUMNS)
    body = [_panel(panel, index % COLUMNS * WIDTH, index // COLUMNS * HEIGHT) for index, panel in enumerate(panels)]
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" width="{COLUMNS * WIDTH}" height="{rows * HEIGHT}" '
                      'font-family="sans-serif" font-size="11">', *body, "</svg>\n"])


def _panel(panel: Panel, x: int, y: int) -> str:
    low = min(float(panel.values.min(initial=0)), float(panel.levels[0]))
    high = max(float(panel.values.max(initial=0)), float(panel.levels[-1]))
    span = (high - low) or 1.0

    def at(value: float) -> float:
        return LEFT + AREA_WIDTH * (value - low) / span

    bottom = TOP + AREA_HEIGHT
    first, last = at(float(panel.levels[0])), at(float(panel.levels[-1]))
    parts = [f'<g transform="translate({x},{y})">',
             f'<text x="{LEFT}" y="15">{escape(panel.title)}</text>',
             f'<rect x="{first:.1f}" y="{TOP}" width="{last - first:.1f}" height="{AREA_HEIGHT}" fill="#e8f0fb"/>',
             *_bars(panel, low, high, bottom),
             f'<path d="{_steps(panel, at, bottom)}" stroke="#b03a2e" stroke-width="0.7"/>',
             f'<line x1="{LEFT}" y1="{bottom}" x2="{LEFT + AREA_WIDTH}" y2="{bottom}" stroke="#444"/>',
             f'<text x="{LEFT}" y="{bottom + 16}">{low:.3g}</text>',
             f'<text x="{LEFT + AREA_WIDTH}" y="{bottom + 16}" text-anchor="end">{high:.3g}</text>', "</g>"]
    return "\n".join(parts)


def _bars(panel: Panel, low: float, high: float, bottom: int) -> list[str]:
    """The histogram; heights are logarithmic, so that tails show."""
    heights, _ = np.histogram(panel.values, BARS, (low, high if high > low else low + 1), weights=panel.counts)
    logs = np.log1p(heights)
    logs = logs / (logs.max() or 1.0)
    width = AREA_WIDTH / BARS
    return [f'<rect x="{LEFT + index * width:.1f}" y="{bottom - AREA_HEIGHT * share:.1f}" width="{width:.1f}" '
            f'height="{AREA_HEIGHT * share:.1f}" fill="#4a78b5"/>' for index, share in enumerate(logs) if share > 0]


def _steps(panel: Panel, at: Callable[[float], float], bottom: int) -> str:
    """Ticks at the levels, or at the ends of the range alone."""
    levels = panel.levels if len(panel.levels) <= MAX_STEPS else panel.levels[[0, -1]]
    return " ".join(f"M{at(float(level)):.1f} {bottom}v-{AREA_HEIGHT if index in (0, len(levels) - 1) else 8}"
                    for index, level in enumerate(levels))
