"""Outside of layers/ nobody looks which class a streaming layer is: the layer is asked."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import headrace
from headrace.layers.base import Layer

PACKAGE = Path(headrace.__file__).parent
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if PACKAGE / "layers" not in path.parents)


def layer_names(tree: ast.Module) -> set[str]:
    """The names under which a module has imported streaming layers."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("headrace.layers"):
            module = importlib.import_module(node.module)
            found |= {alias.asname or alias.name for alias in node.names
                      if inspect.isclass(kind := getattr(module, alias.name)) and issubclass(kind, Layer)}
    return found


def compared_classes(tree: ast.Module) -> Iterator[ast.AST]:
    """What a value's class is compared with."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("isinstance",
                                                                                              "issubclass"):
            yield node.args[1]
        elif isinstance(node, ast.MatchClass):
            yield node.cls
        elif isinstance(node, ast.Compare) and "type(" in ast.unparse(node):
            yield node


def looks_at_layers(text: str) -> list[str]:
    """The comparisons of classes with streaming layers in a module."""
    tree = ast.parse(text)
    names = layer_names(tree)
    return [ast.unparse(found) for found in compared_classes(tree)
            if names & {node.id for node in ast.walk(found) if isinstance(node, ast.Name)}]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_asks_for_the_class_of_a_layer(path: Path) -> None:
    assert looks_at_layers(path.read_text()) == []


@pytest.mark.parametrize("line", ["isinstance(x, Swu)", "isinstance(x, int | Swu)", "type(x) is Swu",
                                  "match x:\n    case Swu(): pass"])
def test_every_way_to_ask_is_seen(line: str) -> None:
    assert looks_at_layers(f"from headrace.layers import Swu\n{line}")
