"""Rows of the tables that say what is read from a module: constructs of one kind with their reader."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True)
class Row:
    """Modules, functions and methods of one kind.

    read: called with a Site and the arguments of the call. For a module it also gets the module's `attributes` by name,
    or the module itself as its second argument where `whole`.
    For the documentation `note` says what is left out, `needs` the reader of ONNX without which nothing is read, and
    `calibrated` whether `headrace quantize` has it too.
    """

    title: str
    read: Callable[..., Any]
    modules: tuple[Any, ...] = ()
    functions: tuple[Any, ...] = ()
    methods: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    whole: bool = False
    note: str = ""
    needs: str = ""
    calibrated: bool = True

    def bound(self, module: object) -> Callable[..., Any]:
        """The reader of a call of one module."""
        if self.whole:
            return lambda site, *args, **kwargs: self.read(site, module, *args, **kwargs)
        return partial(self.read, **{name: getattr(module, name) for name in self.attributes if hasattr(module, name)})


def by_module(rows: Iterable[Row]) -> list[tuple[Any, Row]]:
    """Kinds of modules with their rows; the first match counts."""
    return [(kind, row) for row in rows for kind in row.modules]


def by_call(rows: Iterable[Row]) -> dict[Any, Row]:
    """Rows by function or name of a method; the first counts."""
    return {key: row for row in reversed(list(rows)) for key in (*row.functions, *row.methods)}
