"""Words that wait in block RAM, of windows and in FIFOs, and the UltraRAM that takes them where that is short."""

from __future__ import annotations

from collections.abc import Collection

from headrace.area.estimate import estimate
from headrace.area.usage import Resources, total
from headrace.dataflow.graph import Dataflow
from headrace.layers.base import Layer


def buffers_in_uram(dataflow: Dataflow, names: Collection[str]) -> Dataflow:
    """The same layers, those of `names` with their words in UltraRAM if they take block RAM."""
    moved = (layer.in_uram() for layer in dataflow.layers if layer.name in names)
    return dataflow.with_layers([layer for layer in moved if layer is not None]) if names else dataflow


def buffers_to_move(dataflow: Dataflow, bram36: int, uram: int) -> tuple[str, ...]:
    """The buffers with which in UltraRAM the layers take no more memories than there are, in their order.

    Those that free most block RAM for their UltraRAM come first. None if block RAM is not short, or still too short.
    """
    taken = total([estimate(layer) for layer in dataflow.layers])
    excess, left = taken.bram18 - 2 * bram36, uram - taken.uram
    moved: set[str] = set()
    for layer, freed in _ways(dataflow) if excess > 0 and left > 0 else []:
        if excess > 0 and freed.uram <= left:
            excess, left = excess - freed.bram18, left - freed.uram
            moved.add(layer.name)
    return tuple(layer.name for layer in dataflow.layers if layer.name in moved) if excess <= 0 else ()


def _ways(dataflow: Dataflow) -> list[tuple[Layer, Resources]]:
    """The layers that can move, with the block RAM that they free and the UltraRAM that they take; the best first."""
    found = [(layer, Resources(bram18=estimate(layer).bram18, uram=estimate(moved).uram))
             for layer in dataflow.layers if (moved := layer.in_uram()) is not None]
    return sorted(found, key=lambda way: way[1].uram / way[1].bram18)
