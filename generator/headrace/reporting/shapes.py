"""Shapes of what comes and goes at each layer. A stream only has words: what layers know of frames says the rest."""

from __future__ import annotations

from headrace.dataflow.graph import Dataflow, Port
from headrace.layers.base import Grid


def layer_shapes(dataflow: Dataflow) -> dict[str, tuple[str, str]]:
    """Rows x columns x values per pixel of the first input and output by layer; a count where there are no pixels."""
    grids = _grids(dataflow)
    return {item.layer.name: (_shape(item.layer.inputs[0].elements, item.layer.in_grid or grids.get(item.sources[0])),
                              _shape(item.layer.outputs[0].elements, grids.get((item.layer.name, 0))))
            for item in dataflow.placed}


def _grids(dataflow: Dataflow) -> dict[Port, Grid]:
    """Rows and columns by stream: first of those in front of a layer that knows what comes, then of all behind."""
    grids: dict[Port, Grid] = {}
    for item in reversed(dataflow.placed):
        out = grids.get((item.layer.name, 0))
        grid = item.layer.in_grid or (out if item.layer.out_grid(out) == out else None)
        if grid is not None:
            grids |= dict.fromkeys(item.sources, grid)
    for item in dataflow.placed:
        grid = item.layer.out_grid(item.layer.in_grid or grids.get(item.sources[0]))
        if grid is not None:
            grids |= {(item.layer.name, port): grid for port in range(len(item.layer.outputs))}
    return grids


def _shape(elements: int, grid: Grid | None) -> str:
    if grid is None or grid == (1, 1) or elements % (grid[0] * grid[1]):
        return str(elements)
    return f"{grid[0]}×{grid[1]}×{elements // (grid[0] * grid[1])}"
