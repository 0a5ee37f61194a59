"""Points of the design space as a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from headrace.reporting.charts import svg_document

#: Size of the picture and of the margins around its area, in pixels.
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 320, 80, 40, 20
_RIGHT = 120


def points_svg(points: Sequence[tuple[float, float, str, bool]]) -> str:
    """Points (LUTs, frames per second, label, does it fit?) on logarithmic axes; equal points give equal bytes."""
    xs = [max(float(luts), 1.0) for luts, *_ in points] or [1.0]
    ys = [max(float(fps), 1.0) for _, fps, *_ in points] or [1.0]
    left, right, low, high = *_decades(xs), *_decades(ys)
    body = [_axis_text(_LEFT, _HEIGHT - 8, f"LUT, {left:g} to {right:g}"),
            _axis_text(4, 14, f"frames per second, {low:g} to {high:g}"),
            f'<path class="stream" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>']
    for x, y, (_, _, label, fits) in zip(xs, ys, points, strict=False):
        at = _LEFT + (_WIDTH - _RIGHT - _LEFT) * _share(x, left, right)
        up = _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * _share(y, low, high)
        body.append(f'<circle class="{"busy" if fits else "stream"}" cx="{at:.1f}" cy="{up:.1f}" r="5"><title>'
                    f'{escape(label)}: {x:.0f} LUT, {y:.0f} fps</title></circle>'
                    f'<text x="{at + 9:.1f}" y="{up + 4:.1f}">{escape(label)}</text>')
    return svg_document(_WIDTH, _HEIGHT, body)


def _axis_text(x: int, y: int, text: str) -> str:
    return f'<text class="head" x="{x}" y="{y}">{escape(text)}</text>'


def _decades(values: Sequence[float]) -> tuple[float, float]:
    """Powers of ten around the values."""
    low = 10.0 ** math.floor(math.log10(min(values)))
    return low, max(10.0 ** math.ceil(math.log10(max(values))), 10 * low)


def _share(value: float, low: float, high: float) -> float:
    """Where a value lies between two others on a logarithmic axis, 0 to 1."""
    return math.log(value / low) / math.log(high / low)
