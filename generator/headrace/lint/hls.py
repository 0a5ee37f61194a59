"""Lint of the HLS C++ of a build: is it in the subset that more than one HLS compiler synthesises?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headrace.errors import InputError
from headrace.lint.clang import Sources, parse, precompile
from headrace.lint.findings import RULES, Finding
from headrace.lint.kernels import check_declarations, check_function, check_recursion, concrete_functions
from headrace.lint.network import check_dataflow, check_top
from headrace.lint.pragmas import Pragma, check_directives, check_max_width, read_pragmas
from headrace.render.rtl import TOP

__all__ = ["RULES", "Finding", "lint_hls", "precompile"]

_UNITS = ("top.cpp", "testbench.cpp")
_SUFFIXES = (".c", ".cc", ".cpp", ".cxx")
_ERROR = 3  # CXDiagnosticSeverity


def lint_hls(folder: Path, precompiled: Path | None = None) -> list[Finding]:
    """What of a build directory's hls/, or of such a folder itself, an HLS compiler may refuse; sorted by place.

    Only what is synthesised is looked at: the top and the concrete functions that it calls. precompiled: what
    `precompile` made, for many lints in a row. Raises InputError where there are no HLS sources, ToolError where
    libclang or the ap_int headers are missing.
    """
    hls = folder / "hls" if (folder / "hls").is_dir() else folder
    if not (hls / "top.cpp").is_file():
        raise InputError(f"{folder}: holds no HLS sources (no hls/top.cpp); build with --backend hls or both")
    sources = parse(hls, precompiled)
    return sorted(set(_findings(sources)))


def _findings(sources: Sources) -> Iterator[Finding]:
    for unit in sorted(sources.folder.iterdir()):
        if unit.suffix in _SUFFIXES and unit.name not in _UNITS:
            yield Finding(unit.name, 1, "one-unit", "another translation unit")
    pragmas = [pragma for path in sources.files for pragma in read_pragmas(path, sources.relative(path))]
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
    top = _top(sources)
    if top is None:
        yield Finding("top.cpp", 1, "extern-c", f"there is no function {TOP}")
        return
    yield from check_top(sources, top, pragmas)
    yield from check_recursion(sources, top)
    for function in concrete_functions(sources, top):
        yield from check_function(sources, function, pragmas)
        yield from check_dataflow(sources, function, pragmas)


def _top(sources: Sources) -> Any:
    functions = (item for item in sources.declarations if item.kind.name == "FUNCTION_DECL" and item.spelling == TOP)
    return next((function for function in functions if function.is_definition()), None)
