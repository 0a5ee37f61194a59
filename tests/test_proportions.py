"""Functions and modules are short: nine of ten functions have at most 15 lines, all at most 40, modules 300, those in
SystemVerilog and C++ too."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for folder in ("generator", "tests", "benchmarks", "rtl_sim", "boards", "examples")
                 for path in (ROOT / folder).rglob("*.py"))
KERNELS = sorted(path for folder in ("generator", "rtl_sim", "hls_templates", "boards", "benchmarks")
                 for path in (ROOT / folder).rglob("*") if path.suffix in (".sv", ".hpp", ".cpp"))
MOST_MODULE_LINES, MOST_LINES, MANY_LINES = 300, 40, 15


def functions(path: Path) -> Iterator[tuple[str, int]]:
    """Every function of a module with its lines, docstring included."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def test_no_module_is_long() -> None:
    assert [path for path in (*MODULES, *KERNELS) if len(path.read_text().splitlines()) > MOST_MODULE_LINES] == []


def test_no_function_is_long() -> None:
    assert [(path, name) for path in MODULES for name, lines in functions(path) if lines > MOST_LINES] == []


def test_nine_functions_of_ten_are_very_short() -> None:
    lines = [count for path in MODULES for _, count in functions(path)]
    assert len(lines) > 3000
    assert sum(count <= MANY_LINES for count in lines) >= 0.9 * len(lines)
