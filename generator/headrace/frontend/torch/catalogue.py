"""The list of what is read from modules, as docs/torch.md has it.

`python3 -m headrace.frontend.torch.catalogue` prints it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any

import torch
from torch.nn import functional

from headrace.frontend.onnx.reader import HANDLERS
from headrace.frontend.torch import brevitas_layers, float_layers, structure
from headrace.frontend.torch.rows import Row


def read_rows(rows: Iterable[Row]) -> list[Row]:
    """Rows whose operation has a reader."""
    return [row for row in rows if not row.needs or row.needs in HANDLERS]


def titles(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows that are read, by their title."""
    found: dict[str, list[Row]] = {}
    for row in read_rows(rows):
        found.setdefault(row.title, []).append(row)
    return found


def catalogue() -> str:
    """Three tables in Markdown: layers of Brevitas, float layers, and what all modules share."""
    return "\n".join([
        "### Layers of a quantized model\n", *_table(brevitas_layers.ROWS, False),
        "\n### Layers of a float model, for `headrace quantize`\n", *_table(float_layers.ROWS, False),
        "\n### Operations of both\n", *_table(structure.ROWS, True), ""])


def _table(rows: Iterable[Row], routes: bool) -> list[str]:
    head = ["operation", "modules", *(["functions and methods", "`headrace quantize`", "what of it"] if routes else [])]
    lines = [_line(head), _line(["---"] * len(head))]
    for title, members in titles(rows).items():
        cells = [title, _listed(_module(kind) for row in members for kind in row.modules)]
        if routes:
            names = [*(_function(item) for row in members for item in row.functions),
                     *(f"Tensor.{name}" for row in members for name in row.methods if not name.startswith("_"))]
            notes = "; ".join(dict.fromkeys(row.note for row in members if row.note))
            cells += [_listed(names), "yes" if all(row.calibrated for row in members) else "no", notes]
        lines.append(_line(cells))
    return lines


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _module(kind: Any) -> str:
    """How one writes the class of a module."""
    place = {"brevitas": "qnn.", "torch": "nn."}.get(kind.__module__.partition(".")[0], "")
    return f"{place}{kind.__name__}"


def _function(function: Any) -> str:
    """How one writes a function."""
    for prefix, place in (("F", functional), ("torch", torch), ("operator", operator)):
        for name, found in vars(place).items():
            if found is function and not name.startswith("_"):
                return f"{prefix}.{name}"
    return str(function.__name__)


#: Lines of docs/torch.md between which the list stands.
BEGIN, END = "<!-- what is read: begin -->\n", "<!-- what is read: end -->\n"


if __name__ == "__main__":
    print(catalogue(), end="")
