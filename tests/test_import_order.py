"""Imports between the packages and modules of headrace go one way: there is no circle."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import headrace

PACKAGE = Path(headrace.__file__).parent


def modules() -> dict[str, Path]:
    """Every module by its dotted name inside headrace."""
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sorted(PACKAGE.rglob("*.py"))}


def imported(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    """The modules of headrace that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "headrace":
            base = node.module.split(".")[1:]
            for alias in node.names:
                deeper = ".".join([*base, alias.name])
                yield deeper if deeper in known else ".".join(base) or "__init__"
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("headrace.") for alias in node.names
                        if alias.name.startswith("headrace."))


def floor_of(module: str) -> str:
    """What a module belongs to on the upper level: its package, or itself."""
    return module.split(".")[0]


def graph(level: str) -> dict[str, set[str]]:
    """Who imports whom, between packages or between modules."""
    known = modules()
    name = floor_of if level == "packages" else str
    edges: dict[str, set[str]] = {}
    for module, path in known.items():
        for target in imported(path, known):
            if name(target) != name(module):
                edges.setdefault(name(module), set()).add(name(target))
    return edges


@pytest.mark.parametrize("level", ["packages", "modules"])
def test_there_is_no_circle(level: str) -> None:
    try:
        TopologicalSorter(graph(level)).prepare()
    except CycleError as error:
        pytest.fail(f"the {level} import each other in a circle: {' <- '.join(error.args[1])}")


def test_the_graph_is_that_of_the_code() -> None:
    assert {"dataflow", "render", "simulation"} <= graph("packages")["building"]
