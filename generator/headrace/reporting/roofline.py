"""The roofline of a build: what its multipliers and its memory port allow, and where the network is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from headrace.reporting.charts import svg_document

#: Size of the picture, its margins, and the width of a letter at most, in pixels.
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 640, 300, 90, 20, 34, 44
_LETTER = 7.5


@dataclass(frozen=True)
class Roofline:
    """All per second: what is reached and what the folding allows, in MACs; what the memory port passes, in bytes.

    bytes_per_frame: what passes it for a frame. bandwidth: None for a board without one.
    """

    macs_per_frame: int
    bytes_per_frame: int
    reached: float
    compute: float
    bandwidth: float | None

    @property
    def intensity(self) -> float:
        """MACs for every byte that passes the memory port."""
        return self.macs_per_frame / max(1, self.bytes_per_frame)

    @property
    def bound(self) -> float:
        """The lower of the two roofs over the network."""
        return min(self.compute, math.inf if self.bandwidth is None else self.bandwidth * self.intensity)

    def json(self) -> dict[str, float | int | None]:
        """As report.json has it."""
        return {"macs_per_frame": self.macs_per_frame, "bytes_per_frame": self.bytes_per_frame,
                "macs_per_second": self.reached, "compute_bound": self.compute, "bytes_per_second": self.bandwidth}


def roofline(build: Mapping[str, Any], layers: list[dict[str, Any]], words: tuple[int, int],
             bandwidth: float | None) -> Roofline | None:
    """That of a build; words: of a frame in and out. None for a network without products."""
    macs = sum(layer.get("macs", 0) for layer in layers)
    if not macs:
        return None
    lanes = sum(layer["macs"] / layer["least_cycles"] for layer in layers if "macs" in layer)
    host = build["host_words"]
    passed = words[0] * host["input"] + words[1] * host["output"] + build.get("weight_bytes_per_frame", 0)
    return Roofline(macs, passed, macs * build["fps"], lanes * build["clock_mhz"] * 1e6, bandwidth)


def roofline_svg(found: Roofline) -> str:
    """Both roofs over the intensity, on logarithmic axes, and the network below them."""
    ends = [found.intensity, *([found.compute / found.bandwidth] if found.bandwidth else [])]
    left, right = 10.0 ** math.floor(math.log10(min(ends)) - 0.5), 10.0 ** math.ceil(math.log10(max(ends)) + 0.5)
    high = 10.0 ** math.ceil(math.log10(max(found.compute, found.reached)))
    low = min(high / 1e4, 10.0 ** math.floor(math.log10(found.reached)))

    def x(value: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * math.log(value / left) / math.log(right / left)

    def y(value: float) -> float:
        part = math.log(min(max(value, low), high) / low) / math.log(high / low)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * part

    return svg_document(_WIDTH, _HEIGHT, [*_axes(left, right, low, high), *_roofs(found, left, right, low, x, y),
                                          *_network(found, x, y)])


def _axes(left: float, right: float, low: float, high: float) -> list[str]:
    end, floor = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    return [f'<path class="stream" d="M{_LEFT} {_TOP}V{floor}H{end}"/>', _text(4, 14, "MACs per second", "start"),
            _text(_LEFT - 6, _TOP + 4, f"{high:.0e}", "end"), _text(_LEFT - 6, floor, f"{low:.0e}", "end"),
            _text(_LEFT, floor + 16, f"{left:g}", "start"), _text(end, floor + 16, f"{right:g}", "end"),
            _text((_LEFT + end) // 2, floor + 34, "MACs for every byte of the memory port", "middle")]


def _roofs(found: Roofline, left: float, right: float, low: float, x: Any, y: Any) -> list[str]:
    parts = [f'<path class="roof" d="M{x(left):.1f} {y(found.compute):.1f}H{x(right):.1f}"/>',
             _text(x(right), y(found.compute) - 6, f"multipliers of this folding: {found.compute:.3g}", "end")]
    if found.bandwidth is not None:
        first = min(max(left, low / found.bandwidth), right)
        knee = min(max(found.compute / found.bandwidth, first), right)
        points = " ".join(f"{x(at):.1f},{y(found.bandwidth * at):.1f}" for at in (first, knee))
        parts += [f'<polyline class="roof" points="{points}"/>',
                  _text(x(math.sqrt(first * knee)) + 12, y(found.bandwidth * math.sqrt(first * knee)) + 12,
                        f"memory port: {found.bandwidth / 1e9:.3g} GB/s", "start")]
    return parts


def _network(found: Roofline, x: Any, y: Any) -> list[str]:
    at, up = x(found.intensity), y(found.reached)
    text = f"this network: {found.reached:.3g}, {found.reached / found.bound:.0%} of its roof"
    half = _LETTER * len(text) / 2  # the text stays within the drawing
    middle = min(max(at, _LEFT + half), _WIDTH - half)
    return [f'<circle class="busiest" cx="{at:.1f}" cy="{up:.1f}" r="5"/>',
            _text(middle, up + 20, text, "middle")]


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text class="head" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{text}</text>'
