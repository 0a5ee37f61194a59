"""Distributions of the codes of weights and activations, as a build records them in codes.json."""

from __future__ import annotations

from html import escape
from typing import TypedDict

import numpy as np

from headrace.dataflow.vectors import Vectors
from headrace.datatypes import DataType, IntArray, as_int
from headrace.layers.weighted import WeightedLayer
from headrace.reporting.charts import svg_document

CODES = "codes.json"
#: Bars of a distribution at most; more codes share one.
_BARS = 64
#: Size of a panel and of what is drawn in it, and panels beside each other.
_WIDTH, _HEIGHT, _AREA_WIDTH, _AREA_HEIGHT, _COLUMNS = 290, 112, 256, 56, 4


class Distribution(TypedDict):
    """Codes from `low` to `high`, the ends of their type, in equal bars; shares of codes that are 0 and at the ends.

    A 0 at an end is what a ReLU gives, so it is not counted there.
    """

    type: str
    low: int
    high: int
    counts: list[int]
    zero: float
    ends: float


class LayerCodes(TypedDict):
    """A layer with weights: their distribution, and that of what it puts out for the vectors of the build."""

    name: str
    weights: Distribution
    output: Distribution


def code_distributions(vectors: Vectors) -> list[LayerCodes]:
    """Those of all layers with weights, in the order of the streams."""
    return [{"name": layer.name, "weights": distribution(as_int(layer.weights), layer.weight),
             "output": distribution(vectors.values[layer.name, 0], layer.output)}
            for layer in WeightedLayer.among(vectors.dataflow.layers)]


def distribution(codes: IntArray, dtype: DataType) -> Distribution:
    """The distribution of codes of a type.

    >>> from headrace.datatypes import uint_type
    >>> distribution(np.array([0, 0, 1, 3]), uint_type(2))["counts"]
    [2, 1, 0, 1]
    """
    low, high = dtype.lo, dtype.hi
    bars = min(_BARS, high - low + 1)
    counts, _ = np.histogram(codes, bars, (low - 0.5, high + 0.5))
    ends = ((codes == low) | (codes == high)) & (codes != 0)
    return {"type": str(dtype), "low": low, "high": high, "counts": counts.tolist(),
            "zero": float(np.mean(codes == 0)), "ends": float(np.mean(ends))}


def codes_svg(layers: list[LayerCodes]) -> str:
    """Two panels for every layer: its weights, and what it puts out."""
    panels = [(f"{layer['name']} {part}", layer[part], style) for layer in layers  # type: ignore[literal-required]
              for part, style in (("weights", "busy"), ("output", "lut"))]
    body = [_panel(title, found, style, index % _COLUMNS * _WIDTH, index // _COLUMNS * _HEIGHT)
            for index, (title, found, style) in enumerate(panels)]
    return svg_document(_COLUMNS * _WIDTH, -(-len(panels) // _COLUMNS) * _HEIGHT, body)


def _panel(title: str, found: Distribution, style: str, x: int, y: int) -> str:
    counts, base = np.asarray(found["counts"], float), 22 + _AREA_HEIGHT
    heights = _AREA_HEIGHT * np.sqrt(counts / counts.max(initial=1.0))
    width = _AREA_WIDTH / max(1, len(counts))
    bars = "".join(f'<rect class="{style}" x="{index * width:.1f}" y="{base - height:.1f}" width="{width:.1f}" '
                   f'height="{height:.1f}"/>' for index, height in enumerate(heights) if height)
    facts = f"{found['zero']:.0%} zero, {found['ends']:.1%} at the ends"
    heading = escape(f"{title}, {found['type']}")
    return (f'<g transform="translate({x},{y})"><text x="0" y="14">{heading}</text>{bars}'
            f'<path class="stream" d="M0 {base}H{_AREA_WIDTH}"/><text class="head" x="0" y="{base + 14}">{found["low"]}'
            f'</text><text class="head" x="{_AREA_WIDTH // 2}" y="{base + 14}" text-anchor="middle">{facts}</text>'
            f'<text class="head" x="{_AREA_WIDTH}" y="{base + 14}" text-anchor="end">{found["high"]}</text></g>')
