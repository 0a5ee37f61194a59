"""The table of docs/layers.md, from the layers themselves: `python3 -m headrace.layers.catalogue` prints it."""

from __future__ import annotations

from collections.abc import Iterable
from inspect import getdoc

from headrace.layers.base import Layer
from headrace.layers.registry import known_layers
from headrace.layers.spec import example_layer
from headrace.layers.stream import Stream

#: Lines of docs/layers.md between which the table stands.
BEGIN, END = "<!-- layers: begin -->\n", "<!-- layers: end -->\n"
_COLUMNS = ("layer", "what it computes", "folds", "in", "out", "cycles")


def catalogue() -> str:
    """A row for every layer with the streams and cycles of its example."""
    rows = [_row(example_layer(kind)) for kind in known_layers()]
    return "\n".join([_line(_COLUMNS), _line(["---"] * len(_COLUMNS)), *map(_line, rows), ""])


def _row(layer: Layer) -> tuple[str, ...]:
    text = " ".join((getdoc(type(layer)) or "").partition("\n\n")[0].split()).replace("|", "\\|")
    return (f"`{layer.kind}`", text, ", ".join(name.upper() for name in layer.fold_sizes),
            _streams(layer.inputs), _streams(layer.outputs), str(layer.cycles))


def _streams(streams: Iterable[Stream]) -> str:
    return "; ".join(f"{stream.words} words of {stream.lanes} x {stream.element}" for stream in streams)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(catalogue(), end="")
