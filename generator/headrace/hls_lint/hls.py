"""Lint of the HLS C++ of a build: is it in the subset that more than one HLS compiler synthesises?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.errors import InputError
from headrace.hls_lint.clang import Sources, parse, precompile
from headrace.hls_lint.constructs import check_constructs, check_state
from headrace.hls_lint.directives import check_directives
from headrace.hls_lint.findings import RULES, Finding
from headrace.hls_lint.kernels import check_declarations, check_function, check_recursion, concrete_functions
from headrace.hls_lint.loops import Loop
from headrace.hls_lint.network import check_dataflow, check_top, is_dataflow
from headrace.hls_lint.pragmas import Pragma, check_max_width, read_pragmas
from headrace.hls_lint.processes import check_pipelines, check_process
from headrace.hls_lint.timing import Clock, LoopTiming, check_loop, loop_timing, pipelined_loops, read_clock
from headrace.render.rtl import TOP

__all__ = ["RULES", "Finding", "Inspection", "inspect_hls", "lint_hls", "lint_seconds", "precompile"]

_UNITS = ("top.cpp", "testbench.cpp")
_SUFFIXES = (".c", ".cc", ".cpp", ".cxx")
#: Seconds for itself, and for each byte of the top.
_START_S, _BYTE_S = 3.0, 4e-4
_ERROR = 3  # CXDiagnosticSeverity
#: Findings behind which the code has no iterations to look at.
_UNREADABLE = frozenset({"c++14", "recursion", "unbounded-loop", "trip-count"})


@dataclass(frozen=True)
class Inspection:
    """What the lint sees: findings, sorted by place, and the timing of the loops where the code can be read at all.

    clock: None where the folder has no csynth.tcl.
    """

    findings: tuple[Finding, ...]
    loops: tuple[LoopTiming, ...]
    clock: Clock | None


def lint_seconds(folder: Path) -> float:
    """What `inspect_hls` takes on a usual machine, by the size of the C++."""
    top = folder / "hls" / "top.cpp"
    return _START_S + (_BYTE_S * top.stat().st_size if top.is_file() else 0.0)


def lint_hls(folder: Path, precompiled: Path | None = None) -> list[Finding]:
    """The findings of `inspect_hls`."""
    return list(inspect_hls(folder, precompiled).findings)


def inspect_hls(folder: Path, precompiled: Path | None = None) -> Inspection:
    """What of a build directory's hls/, or of such a folder itself, an HLS compiler may refuse or make slowly.

    Only what is synthesised is looked at: the top and the concrete functions that it calls. precompiled: what
    `precompile` made, for many lints in a row. Raises InputError where there are no HLS sources, ToolError where
    libclang or the ap_int headers are missing.
    """
    hls = folder / "hls" if (folder / "hls").is_dir() else folder
    if not (hls / "top.cpp").is_file():
        raise InputError(f"{folder}: holds no HLS sources (no hls/top.cpp); build with --backend hls or both")
    sources, clock = parse(hls, precompiled), read_clock(hls)
    pragmas = [pragma for path in sources.files for pragma in read_pragmas(path, sources.relative(path))]
    findings = set(_findings(sources, pragmas))
    loops = [] if {finding.rule for finding in findings} & _UNREADABLE else _loops(sources, pragmas)
    findings |= {finding for loop in loops for finding in check_loop(loop, clock)}
    return Inspection(tuple(sorted(findings)), tuple(loop_timing(loop) for loop in loops), clock)


def _loops(sources: Sources, pragmas: list[Pragma]) -> list[Loop]:
    top = _top(sources)
    return [] if top is None else pipelined_loops(sources, top, pragmas)


def _findings(sources: Sources, pragmas: list[Pragma]) -> Iterator[Finding]:
    for unit in sorted(sources.folder.iterdir()):
        if unit.suffix in _SUFFIXES and unit.name not in _UNITS:
            yield Finding(unit.name, 1, "one-unit", "another translation unit")
    yield from check_directives(pragmas)
    names = {path: sources.relative(path) for path in sources.files}
    yield from check_max_width(sources.folder / "top.cpp", [sources.folder, sources.folder / "include"], names)
    errors = [item for item in sources.unit.diagnostics if item.severity >= _ERROR]
    for error in errors:
        file = error.location.file.name if error.location.file else "top.cpp"
        yield Finding(sources.relative(file), error.location.line, "c++14", error.spelling)
    if not errors:
        yield from _check_code(sources, pragmas)


def _check_code(sources: Sources, pragmas: list[Pragma]) -> Iterator[Finding]:
    yield from check_declarations(sources)
    yield from check_state(sources)
    top = _top(sources)
    if top is None:
        yield Finding("top.cpp", 1, "extern-c", f"there is no function {TOP}")
        return
    yield from check_top(sources, top, pragmas)
    yield from check_recursion(sources, top)
    for function in concrete_functions(sources, top):
        yield from check_function(sources, function, pragmas)
        yield from check_constructs(sources, function)
        yield from check_pipelines(sources, function, pragmas)
        if is_dataflow(sources, function, pragmas):
            yield from check_dataflow(sources, function)
            for _, process in sources.callees(function):
                yield from check_process(sources, process, pragmas)


def _top(sources: Sources) -> Any:
    functions = (item for item in sources.declarations if item.kind.name == "FUNCTION_DECL" and item.spelling == TOP)
    return next((function for function in functions if function.is_definition()), None)
