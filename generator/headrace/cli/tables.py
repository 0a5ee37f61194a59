"""Results as tables for people, or as JSON for machines."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.table import Column, Table
from rich.text import Text

from headrace.area.estimate import estimate
from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.board.room import room
from headrace.build_folder import Build, layer_record
from headrace.dataflow.graph import Dataflow
from headrace.errors import printable
from headrace.layers.base import Layer
from headrace.lint.findings import RULES, Finding
from headrace.lint.hls import Inspection
from headrace.record import verdict
from headrace.staging import json_text

#: Where there is no terminal nothing is cut or wrapped.
_ANY_WIDTH = 10_000


def show(table: Table | str, as_json: bool, value: Callable[[], Any]) -> None:
    """Print the table or text, or the value as JSON."""
    if as_json:
        print(json_text(value()), end="")
    elif isinstance(table, str):
        say(table)
    else:
        _print(table)


def _print(table: Table) -> None:
    """A table between its title and its caption, which are lines as long as they are."""
    console = Console(markup=False)  # what a file or a user names is not markup
    title, caption, table.title, table.caption = table.title, table.caption, None, None
    if title:
        console.print(title, soft_wrap=True, highlight=False)
    wide = console.options.update(width=_ANY_WIDTH)
    least = _ANY_WIDTH if not console.is_terminal else Measurement.get(console, wide, table).minimum
    Console(width=max(console.width, least), markup=False).print(table)
    if caption:
        console.print(caption, soft_wrap=True, highlight=False)


def say(text: str) -> None:
    """Print a text as it is."""
    print(text)


def layers_json(dataflow: Dataflow) -> dict[str, Any]:
    """Layers that a model becomes."""
    return {"supported": True, "layers": [layer_record(layer) for layer in dataflow.layers]}


def layers_table(dataflow: Dataflow) -> Table:
    """Layers that a model becomes, before folding."""
    return _layers(dataflow, "supported: every layer has an exact hardware form", cycles=False)


def _layers(dataflow: Dataflow, title: str, cycles: bool) -> Table:
    columns = ["layer", "kind", "size", "types"] + (["PE", "SIMD", "cycles", "slack", "LUT"] if cycles else [])
    slowest = dataflow.cycles_per_frame
    table = _table(*columns, title=title)
    for layer in dataflow.layers:
        record = layer_record(layer)
        size = f"{record['mh']}x{record['mw']}" if "mh" in record else f"{layer.outputs[0].elements} out"
        types = " -> ".join(dict.fromkeys((record["input_type"], record["output_type"])))
        if "weight_type" in record:
            types += f", weights {record['weight_type']}"
        table.add_row(layer.name, layer.kind, size, types, *(_folded(layer, record, slowest) if cycles else ()))
    return table


def _table(name: str, *columns: str, title: str | None = None) -> Table:
    """A table whose first column is never cut: one types the names that stand there."""
    return Table(Column(name, no_wrap=True), *columns, title=title)


def _folded(layer: Layer, record: Mapping[str, Any], slowest: int) -> tuple[str, ...]:
    """Folds, cycles, how far below the slowest layer they are, and estimated LUTs."""
    return (str(record.get("pe", "")), str(record.get("simd", "")), str(layer.cycles),
            f"{1 - layer.cycles / slowest:.0%}", str(estimate(layer).all_luts))


def build_table(build: Build) -> Table:
    """Layers of a build with their folds, and what they reach together."""
    record = build.record
    table = _layers(build.dataflow, f"{build.folder}: {verdict(record)}, "
                    f"{record['cycles_per_frame']} cycles per frame, "
                    f"{record['fps']:.0f} fps at {record['clock_mhz']:g} MHz", cycles=True)
    remarks = [f"asked for: {record['asked']}", _use(build.resources, build.board), _errors(record["resources_error"])]
    remarks.append(f"bottleneck: {record['bottleneck']}"
                   + (f"; stopped by: {record['stopped_by']}" if record["stopped_by"] else ""))
    if bound := record["board_bound"]:
        fps = record["clock_mhz"] * 1e6 / bound["cycles_per_frame"]
        remarks.append(f"on {build.board.name} {bound['name']} takes {bound['cycles_per_frame']} cycles per frame: "
                       f"at most {fps:.0f} fps there")
    if record["family"] is None:
        remarks.append(f"there is no block design for {build.board.name} ({build.board.part}): the build has no vivado "
                       "and no driver folder")
    if record["not_verified"]:
        remarks.append("not verified: " + "; ".join(record["not_verified"]))
    table.caption = "\n".join(remarks)
    return table


def next_steps(build: Build) -> str:
    """Where a build lies and what to type next."""
    folder = shlex.quote(str(build.folder))
    return (f"built {build.folder}: its README.md says what is in it, {build.folder / 'report.html'} shows it\n"
            f"next: headrace sim {folder} --frames 4{' --stalls random' if build.has_rtl else ''}")


def does_not_fit(build: Build) -> str:
    """That a build is too large for its board, and by what."""
    over = ", ".join(f"{used} of {there} {name.upper()}" for name, (used, there)
                     in room(build.board, 100.0).use(build.resources).items() if used > there)
    taken = over or "more than the share that was to be filled"
    return f"{build.folder} does not fit {build.board.name}: it takes {taken}, as estimated"


def _use(taken: Resources, board: Board) -> str:
    """How much of a board an accelerator is estimated to take."""
    parts = [f"{used} of {there} {name.upper()}" + (f" ({used / there:.1%})" if there else "")
             for name, (used, there) in board.use(taken).items() if used or there]
    over = [name.upper() for name, (used, there) in room(board, 100.0).use(taken).items() if used > there]
    verdict = f"; does not fit: {', '.join(over)}" if over else ""
    return f"estimated use of {board.title}: {', '.join(parts)}{verdict}"


def _errors(errors: Mapping[str, Mapping[str, float]]) -> str:
    """How far estimates are off."""
    parts = [f"{title} {errors[name]['median']:.1%} ({errors[name]['percentile_90']:.1%} at the 90th percentile)"
             for name, title in (("all_luts", "LUT"), ("ff", "FF"))]
    return f"median error of such estimates against Yosys, by layer: {', '.join(parts)}"


def boards_json(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """Boards and what they offer."""
    return [asdict(board) for board in boards]


def boards_table(boards: Sequence[Board]) -> Table:
    """Boards and what they offer."""
    table = _table("board", "title", "part", "LUT", "FF", "BRAM36", "URAM", "DSP", title="boards")
    for board in boards:
        offers = (board.lut, board.ff, board.bram36, board.uram, board.dsp)
        table.add_row(board.name, board.title, board.part, *map(str, offers))
    return table


def sim_table(result: Mapping[str, Any]) -> Table:
    """What a simulation measured."""
    table = _table("measured", "value", title="simulation")
    for key, value in result.items():
        if key != "mismatch" or value is not None:
            table.add_row(_MEASURED.get(key, key), _words(value))
    return table


#: How tables call what sim.json holds.
_MEASURED = {"bit_exact": "bit-exact", "cycles_per_frame": "cycles per frame", "latency_cycles": "latency in cycles",
             "fifo_max_occupancy": "most words in each FIFO, output registers included"}


def _words(value: Any) -> str:
    """A value as one writes it in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_words(item)}" for key, item in value.items()) or "none"
    return "not measured" if value is None else str(value)


_FIGURES = ("lut", "lutram", "ff", "bram18", "uram", "dsp", "depth")


def synth_table(record: Mapping[str, Any]) -> Table:
    """What Yosys counted, layer by layer and in total."""
    table = _table("layer", "kind", *_FIGURES, title=f"synthesis by Yosys {record['yosys']}")
    for layer in record["layers"]:
        table.add_row(layer["name"], layer["kind"], *(str(layer[key]) for key in _FIGURES))
    table.add_section()
    table.add_row("total", "", *(str(record["total"][key]) for key in _FIGURES))
    return table


def cases_table(results: Sequence[Mapping[str, Any]]) -> Table:
    """Single layers: exact or not, cycles by model and by measurement."""
    synthesized = any(result["resources"] for result in results)
    table = _table("layer", "result", "cycles", "measured", *(_FIGURES if synthesized else ()))
    for index, result in enumerate(results):
        wrong = "refused" if result["cycles"] is None else "differs"
        verdict = Text("bit-exact") if result["bit_exact"] else Text(wrong, style="red")
        kind = printable(str(result["spec"].get("kind")))[:40] if isinstance(result["spec"], Mapping) else "spec"
        figures = [str(result["resources"][key]) for key in _FIGURES] if result["resources"] else []
        cycles = [_words(result[key]) for key in ("cycles", "cycles_measured")]
        table.add_row(f"{kind}{index}", verdict, *cycles, *figures)
    return table


def bitstream_table(result: Mapping[str, Any]) -> Table:
    """What Vivado reports of a design."""
    title = f"{result['board']}, {result['backend']} back end, {result['clock_mhz']:g} MHz"
    table = _table("Vivado", "value", title=title)
    for key, value in {**result["timing"], **result["utilization"]}.items():
        table.add_row(key, _words(value))
    return table


def findings_table(findings: Sequence[Finding]) -> Table | str:
    """What the lint of HLS C++ found."""
    if not findings:
        return f"0 findings, {len(RULES)} rules"
    table = _table("place", "rule", "finding", title=f"{len(findings)} findings, {len(RULES)} rules")
    for finding in findings:
        table.add_row(f"{finding.file}:{finding.line}", finding.rule, f"{finding.text}; {RULES[finding.rule]}")
    return table


def loops_table(seen: Inspection) -> Table:
    """The estimate for every pipelined loop, against the clock."""
    clock = f", a clock of {seen.clock.period_ns:g} ns leaves {seen.clock.budget_ns:.2f} ns" if seen.clock else ""
    table = _table("process", "loop", "recurrence", "through", title=f"recurrences of {len(seen.loops)} loops{clock}")
    for loop in seen.loops:
        table.add_row(loop.process, f"{loop.file}:{loop.line}", f"{loop.recurrence_ns:.2f} ns", ", ".join(loop.through))
    return table


def inspection_json(seen: Inspection) -> dict[str, Any]:
    """Findings, rules and the estimate for every loop."""
    return {"findings": [asdict(finding) for finding in seen.findings], "rules": RULES,
            "clock": asdict(seen.clock) if seen.clock else None, "loops": [asdict(loop) for loop in seen.loops]}
