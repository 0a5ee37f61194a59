"""Pictures of a report as SVG; equal numbers give equal bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

#: Height of a layer's row, of the heading above, and where the columns of the pipeline stand, in pixels.
ROW, HEAD = 26, 24
BOX_LEFT, BOX_WIDTH, BAR_WIDTH = 90, 250, 210
BUSY_LEFT, LUT_LEFT, BRAM_LEFT = 360, 640, 920
#: A skipping edge keeps so many pixels from the next one.
LANE = 12
#: Room of the numbers behind a bar.
LABEL_WIDTH = 60


def pipeline_svg(layers: Sequence[Mapping[str, Any]], slowest: int) -> str:
    """The layers from top to bottom with the streams between them; bars show where cycles and logic go."""
    rows = {layer["name"]: index for index, layer in enumerate(layers)}
    used = [_used(layer) for layer in layers]
    luts, brams = [item["lut"] + item["lutram"] for item in used], [item["bram18"] for item in used]
    body = [_heading(BUSY_LEFT, "cycles per frame"), _heading(LUT_LEFT, "LUT"), _heading(BRAM_LEFT, "BRAM18")]
    for layer, lut, bram in zip(layers, luts, brams, strict=True):
        y = HEAD + rows[layer["name"]] * ROW
        busy = "busiest" if layer["cycles"] == slowest else "busy"
        body += [_box(layer, y), _bar(BUSY_LEFT, y, layer["cycles"], slowest, busy),
                 _bar(LUT_LEFT, y, lut, max(luts), "lut"), _bar(BRAM_LEFT, y, bram, max(brams), "bram")]
    body += _streams(layers, rows)
    return svg_document(BRAM_LEFT + BAR_WIDTH + LABEL_WIDTH, HEAD + len(layers) * ROW, body)


def usage_svg(rows: Sequence[tuple[str, int, int]]) -> str:
    """What is used of what there is: (name, used, there)."""
    body = []
    for index, (name, used, there) in enumerate(rows):
        y = index * ROW
        share = f"{used} of {there}" + (f", {used / there:.1%}" if there else "")
        body += [f'<text x="0" y="{y + 17}">{escape(name)}</text>',
                 f'<rect class="free" x="{BOX_LEFT}" y="{y + 4}" width="{BAR_WIDTH}" height="{ROW - 8}"/>',
                 _bar(BOX_LEFT, y, min(used, there), there, "lut" if used <= there else "busiest", share, BAR_WIDTH)]
    return svg_document(BOX_LEFT + BAR_WIDTH + 4 * LABEL_WIDTH, len(rows) * ROW, body)


def fifos_svg(fifos: Sequence[Mapping[str, Any]]) -> str:
    """Depths of the FIFOs, in them what the throughput needs, a line at what a simulation saw."""
    deepest, left = max((fifo["depth"] for fifo in fifos), default=1), BOX_WIDTH - 40
    body = []
    for index, fifo in enumerate(fifos):
        y, seen = index * ROW, fifo["max_occupancy"]
        label = f"{fifo['smallest_depth']} of {fifo['depth']} words of {fifo['bits']} bits" + (
            "" if seen is None else f", {seen} seen")
        body += [f'<text x="0" y="{y + 17}">{escape(fifo["name"])}</text>',
                 _bar(left, y, fifo["depth"], deepest, "free", label),
                 _bar(left, y, fifo["smallest_depth"], deepest, "lut", "")]
        if seen is not None:
            body.append(f'<rect class="busiest" x="{left + BAR_WIDTH * seen / deepest:.1f}" y="{y + 2}" width="2" '
                        f'height="{ROW - 4}"/>')
    return svg_document(left + BAR_WIDTH + 5 * LABEL_WIDTH, len(fifos) * ROW, body)


def _used(layer: Mapping[str, Any]) -> Mapping[str, int]:
    """What a layer takes: as counted, or as estimated."""
    resources: Mapping[str, Any] = layer["resources"]
    found: Mapping[str, int] = resources["synthesized"] or resources["estimated"]
    return found


def _box(layer: Mapping[str, Any], y: int) -> str:
    folds = " ".join(f"{name.upper()} {value}" for name, value in layer["folding"].items() if name in ("pe", "simd"))
    types = " → ".join(dict.fromkeys((layer["input_type"], layer["output_type"])))
    weights = f", weights {layer['weight_type']}" if "weight_type" in layer else ""
    hint = escape(f"{layer['name']}: {layer['kind']}, {types}{weights}, {layer['cycles']} cycles", quote=True)
    return (f'<g><title>{hint}</title><rect class="{escape(layer["kind"])} layer" x="{BOX_LEFT}" y="{y + 2}" rx="4" '
            f'width="{BOX_WIDTH}" height="{ROW - 6}"/><text x="{BOX_LEFT + 8}" y="{y + 16}">{escape(layer["name"])}'
            f'</text><text class="fold" x="{BOX_LEFT + BOX_WIDTH - 8}" y="{y + 16}" text-anchor="end">{escape(folds)}'
            "</text></g>")


def _streams(layers: Sequence[Mapping[str, Any]], rows: Mapping[str, int]) -> list[str]:
    """A line down to the next layer; streams that pass layers by go around them on the left."""
    parts, lanes = [], 0
    for layer in layers:
        row = rows[layer["name"]]
        for source in layer["reads"]:
            before = rows.get(source, -1)
            y, end = HEAD + (before + 1) * ROW - 4, HEAD + row * ROW + 2
            if row - before == 1:
                parts.append(f'<path class="stream" d="M{BOX_LEFT + BOX_WIDTH // 2} {y}V{end}"/>')
                continue
            x = BOX_LEFT - LANE * (1 + lanes % (BOX_LEFT // LANE - 1))
            lanes += 1
            parts.append(f'<path class="stream" d="M{BOX_LEFT} {y - ROW // 2 + 3}H{x}V{end + ROW // 2 - 5}'
                         f'H{BOX_LEFT}"/>')
    return parts


def _bar(left: int, y: int, value: int, most: int, style: str, label: str | None = None, width: int = BAR_WIDTH) -> str:
    length = width * value / most if most else 0
    text = str(value) if label is None else label
    behind = left + (width if style == "free" or label else length) + 5
    return (f'<rect class="{style}" x="{left}" y="{y + 4}" width="{length:.1f}" height="{ROW - 8}"/>'
            + (f'<text x="{behind:.1f}" y="{y + 17}">{escape(text)}</text>' if text else ""))


def _heading(x: int, text: str) -> str:
    return f'<text class="head" x="{x}" y="15">{escape(text)}</text>'


def svg_document(width: int, height: int, body: Sequence[str]) -> str:
    """A drawing of that size with the classes of charts.css."""
    return "\n".join([f'<svg class="headrace" xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
                      f'viewBox="0 0 {width} {height}">', *body, "</svg>"])
