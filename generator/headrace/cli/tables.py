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

from headrace.atomic_files import json_text
from headrace.board.board import Board
from headrace.build_folder import Build
from headrace.dataflow.graph import Dataflow
from headrace.errors import printable
from headrace.hls_lint.findings import RULES, Finding
from headrace.hls_lint.hls import Inspection
from headrace.layer_record import layer_record
from headrace.reporting.view import View
from headrace.reporting.views import FIGURES, in_words

#: Where there is no terminal nothing is cut or wrapped.
_ANY_WIDTH = 10_000


def show(table: Table | View | str, as_json: bool, value: Callable[[], Any]) -> None:
    """Print the table or text, or the value as JSON."""
    if as_json:
        print(json_text(value()), end="")
    elif isinstance(table, str):
        say(table)
    else:
        _print(_drawn(table) if isinstance(table, View) else table)


def _drawn(view: View) -> Table:
    """A view with lines, as wide as the terminal."""
    table = _table(*view.columns, title=view.title)
    for row in view.rows:
        table.add_row(*row)
    table.caption = "\n".join(view.remarks) or None
    return table


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


def _table(name: str, *columns: str, title: str | None = None) -> Table:
    """A table whose first column is never cut: one types the names that stand there."""
    return Table(Column(name, no_wrap=True), *columns, title=title)


def next_steps(build: Build) -> str:
    """Where a build lies and what to type next."""
    folder = shlex.quote(str(build.folder))
    return (f"built {build.folder}: its README.md says what is in it, {build.folder / 'report.html'} shows it\n"
            f"next: headrace sim {folder} --frames 4{' --stalls random' if build.has_rtl else ''}")


def does_not_fit(build: Build) -> str:
    """That a build is too large for its board, and by what."""
    over = ", ".join(f"{used} of {there} {name.upper()}" for name, (used, there)
                     in build.room.use(build.resources).items() if used > there)
    taken = over or "more than the share that was to be filled"
    return f"{build.folder} does not fit {build.board.name}: it takes {taken}, as estimated"


def boards_json(boards: Sequence[Board]) -> list[dict[str, Any]]:
    """Boards and what they offer."""
    return [asdict(board) for board in boards]


def cases_table(results: Sequence[Mapping[str, Any]]) -> Table:
    """Single layers: exact or not, cycles by model and by measurement."""
    synthesized = any(result["resources"] for result in results)
    table = _table("layer", "result", "cycles", "measured", *(FIGURES if synthesized else ()))
    for index, result in enumerate(results):
        wrong = "refused" if result["cycles"] is None else "differs"
        verdict = Text("bit-exact") if result["bit_exact"] else Text(wrong, style="red")
        kind = printable(str(result["spec"].get("kind")))[:40] if isinstance(result["spec"], Mapping) else "spec"
        figures = [str(result["resources"][key]) for key in FIGURES] if result["resources"] else []
        cycles = [in_words(result[key]) for key in ("cycles", "cycles_measured")]
        table.add_row(f"{kind}{index}", verdict, *cycles, *figures)
    return table


def bitstream_table(result: Mapping[str, Any]) -> Table:
    """What Vivado, or nextpnr, reports of a design."""
    title = f"{result['board']}, {result['backend']} back end, {result['clock_mhz']:g} MHz"
    table = _table("nextpnr" if "critical_path" in result else "Vivado", "value", title=title)
    for key, value in {**result["timing"], **result["utilization"]}.items():
        table.add_row(key, in_words(value))
    if path := result.get("critical_path"):
        table.add_row("critical path", f"{path['ns']:g} ns, {path['logic_ns']:g} ns of it logic, "
                      f"through {', '.join(path['layers']) or 'the shell'}")
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
