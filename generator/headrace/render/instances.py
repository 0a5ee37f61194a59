"""How an instance of a library module is written: constants by name, options only where they are used."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

from headrace.dataflow.graph import Dataflow
from headrace.layers.base import Layer
from headrace.layers.cores import CORES
from headrace.render.library import library_path

#: The package that holds the constants.
PACKAGE: Final = "headrace_pkg"
#: Names in PACKAGE of the values 0, 1, ... of the parameters that end like this.
CONSTANTS: Final = {
    "KIND": ("UNSIGNED", "SIGNED", "BIPOLAR"),
    "CORE": tuple(name.upper() for name in CORES),
    "MODE": ("MAXIMUM", "MINIMUM", "PER_CHANNEL"),
    "FORM": ("MAP_FILTER", "MAP_BUFFER", "MAP_WIRES"),
}
#: In the head of a module: the parameters behind it are options.
_OPTIONS = "  // Options"
_PARAMETER = re.compile(r"^  parameter \w+ +(\w+) += ([^,/\s]+)", re.MULTILINE)
_COLUMNS = ("layer", "kind", "cycles", "PE", "SIMD", "core")


def parameter_texts(module: str, parameters: Iterable[tuple[str, object]]) -> tuple[tuple[str, str], ...]:
    """Names and values as an instance of `module` sets them: without options at their defaults.

    >>> parameter_texts("headrace_max_pool", [("PE", 2), ("E_KIND", 1), ("MODE", 0)])
    (('PE', '2'), ('E_KIND', 'headrace_pkg::SIGNED'))
    """
    given = {name: _constant(name, value) for name, value in parameters}
    defaults = {name: _resolved(name, value, given) for name, value in _options(module).items()}
    return tuple((name, value) for name, value in given.items() if defaults.get(name) != value)


def contents(dataflow: Dataflow) -> list[str]:
    """The table of all layers in their order: a line of titles, then one for each."""
    rows = [_COLUMNS, *(_row(layer) for layer in dataflow.layers)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) if 2 <= k <= 4 else cell.ljust(width)
                      for k, (cell, width) in enumerate(zip(row, widths, strict=True))).rstrip() for row in rows]


def _row(layer: Layer) -> tuple[str, ...]:
    sizes = {name.lower(): value for name, value in layer.parameters()}
    return (layer.name, layer.kind, str(layer.cycles), str(sizes.get("pe", "-")), str(sizes.get("simd", "-")),
            str(layer.facts.get("core", "")))


@cache
def _options(module: str) -> dict[str, str]:
    """The options of a module and their defaults."""
    head = library_path(module).read_text().partition(") (")[0]
    return dict(_PARAMETER.findall(head.partition(_OPTIONS)[2]))


def _constant(name: str, value: object) -> str:
    names = CONSTANTS.get(name.rpartition("_")[2])
    return f"{PACKAGE}::{names[value]}" if names and isinstance(value, int) else str(value)


def _resolved(name: str, default: str, given: dict[str, str]) -> str:
    """A default as `_constant` writes it; where it is another parameter, the value of that."""
    if default in CONSTANTS.get(name.rpartition("_")[2], ()):
        return f"{PACKAGE}::{default}"
    return given.get(default, default)
