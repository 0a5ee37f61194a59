"""report.html and report.json of a build directory: pictures for people, the same numbers for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from headrace.area.usage import Resources
from headrace.atomic_files import write_file, write_json
from headrace.board.board import Board
from headrace.build_record import verdict
from headrace.dataflow.graph import Dataflow
from headrace.render.templates import load_template
from headrace.reporting.charts import fifos_svg, pipeline_svg, usage_svg
from headrace.reporting.codes import codes_svg
from headrace.reporting.roofline import Roofline, roofline_svg
from headrace.reporting.summary import summarize

PAGE, DATA = "report.html", "report.json"


def write_report(folder: Path, dataflow: Dataflow) -> dict[str, Any]:
    """Write both files into a build directory; returns what report.json holds.

    They show what `headrace sim` and `headrace synth` have measured so far.
    """
    report = summarize(folder, dataflow)
    write_json(folder / DATA, report)
    write_file(folder / PAGE, render_page(report))
    return report


def render_page(report: Mapping[str, Any]) -> str:
    """One HTML file with its pictures in it."""
    board = Board(**report["device"])
    whole = report["resources"]["synthesized"] or report["resources"]["estimated"]
    taken = Resources(**{key: value for key, value in whole.items() if key != "depth"})
    usage = [(name.upper(), used, there) for name, (used, there) in board.use(taken).items() if used or there]
    slowest = max(layer["cycles"] for layer in report["layers"])
    return load_template(Path(__file__).parent, "page.html.j2", html=True).render(
        report=report, board=board, verdict=verdict(report), pipeline=pipeline_svg(report["layers"], slowest),
        roofline=roofline_svg(Roofline(*report["roofline"].values())) if report["roofline"] else "",
        codes=codes_svg(report["codes"]) if report["codes"] else "",
        usage=usage_svg(usage), fifos=fifos_svg(report["fifos"]),
        macs=sum(layer.get("macs", 0) for layer in report["layers"]), resources=_taken(report["layers"]),
        routed=any(layer["resources"]["routed"] for layer in report["layers"]),
        counted=any(layer["resources"]["synthesized"] for layer in report["layers"]))


def _taken(layers: Sequence[Mapping[str, Any]]) -> list[str]:
    """The resources of which any layer takes some, LUTs and flip-flops in any case."""
    names = ("lut", "lutram", "ff", "bram18", "uram", "dsp")
    return [name for name in names
            if name in ("lut", "ff") or any(layer["resources"]["estimated"][name] for layer in layers)]
