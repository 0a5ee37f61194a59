"""Which buffers move to UltraRAM where block RAM is short: those that free most of it for theirs, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import pytest

from headrace.area.usage import Resources
from headrace.dataflow import buffers
from headrace.dataflow.graph import Dataflow


@dataclass(frozen=True)
class Buffer:
    """A layer with block RAM and UltraRAM, and how much of the latter takes the place of the former."""

    name: str
    bram18: int
    uram: int = 0
    moved: int | None = None

    def in_uram(self) -> Buffer | None:
        return None if self.moved is None else Buffer(self.name, 0, self.moved)


LAYERS = [Buffer("a", 4, moved=1), Buffer("b", 10, moved=1), Buffer("c", 6, moved=3), Buffer("d", 5, uram=1)]


@pytest.mark.parametrize(("bram36", "uram", "wanted"), [
    (8, 9, ("b",)), (6, 9, ("a", "b")), (6, 3, ("a", "b")), (6, 2, ()), (13, 9, ()), (8, 1, ()), (8, 2, ("b",)),
    (3, 6, ("a", "b", "c")), (3, 5, ()), (2, 9, ())])
def test_the_best_move_until_block_ram_is_enough(monkeypatch: pytest.MonkeyPatch, bram36: int, uram: int,
                                                 wanted: tuple[str, ...]) -> None:
    monkeypatch.setattr(buffers, "estimate", lambda layer: Resources(bram18=layer.bram18, uram=layer.uram))
    dataflow: Any = SimpleNamespace(layers=LAYERS)
    assert buffers.buffers_to_move(cast(Dataflow, dataflow), bram36, uram) == wanted
