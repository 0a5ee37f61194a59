"""Builds side by side, as one page and as numbers: what they share stands once, what differs is marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.render.templates import load_template

#: What is compared of reports: the heading of the row, and where the value stands.
_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("model", ("model",)), ("board", ("board",)), ("back end", ("backend",)), ("clock in MHz", ("clock_mhz",)),
    ("asked for", ("asked",)), ("verified", ("verified",)), ("fits", ("fits",)),
    ("frames per second", ("fps",)), ("cycles per frame", ("cycles_per_frame",)),
    ("latency in cycles", ("latency_cycles",)), ("bottleneck", ("bottleneck",)),
    *((f"{name.upper()}, estimated", ("resources", "estimated", name))
      for name in ("lut", "lutram", "ff", "bram18", "uram", "dsp")),
    *((f"{name.upper()}, counted", ("resources", "synthesized", name))
      for name in ("lut", "lutram", "ff", "bram18", "uram", "dsp", "depth")),
    *((f"accuracy, engine {name}", ("accuracy", name, "accuracy")) for name in ("golden", "fast", "hls", "rtl")),
    ("accuracy, test samples of quantization", ("quantized", "accuracy", "test", "quantized")),
)
#: What is compared of layers.
_OF_LAYER = ("kind", "input_type", "output_type", "weight_type", "core", "cycles")


def compare_reports(names: Sequence[str], reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The reports of builds side by side; names: of their folders.

    Returns {builds, rows: [{name, values, differs}], layers: [{name, values, differs}]}; the value of a layer is None
    where a build has none of that name, else what is compared of it.
    """
    rows = [_row(heading, [_value(report, path) for report in reports]) for heading, path in _ROWS]
    by_name = [{layer["name"]: layer for layer in report["layers"]} for report in reports]
    order = dict.fromkeys(name for layers in by_name for name in layers)
    return {"builds": list(names),
            "rows": [row for row in rows if any(value is not None for value in row["values"])],
            "layers": [_row(name, [_layer(layers.get(name)) for layers in by_name]) for name in order]}


def render_comparison(compared: Mapping[str, Any], links: Sequence[str]) -> str:
    """The page; links: to the reports of the builds."""
    folder = Path(__file__).parent
    return load_template(folder, "side_by_side.html.j2", html=True).render(compared=compared, links=links)


def _row(name: str, values: list[Any]) -> dict[str, Any]:
    return {"name": name, "values": values, "differs": any(value != values[0] for value in values)}


def _value(report: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = report
    for key in path:
        value = None if value is None else value.get(key)
    return value


def _layer(layer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if layer is None:
        return None
    taken = layer["resources"]["estimated"]
    return {key: layer[key] for key in _OF_LAYER if key in layer} | dict(layer["folding"]) | {
        "lut": taken["lut"] + taken["lutram"], "bram18": taken["bram18"]}
