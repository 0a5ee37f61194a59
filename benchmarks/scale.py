"""How the cost of planning grows: CPU seconds of every stage, peak memory, growth from half the layers to all.

`python -m benchmarks.scale [ROW...]`; a row is MODEL:BOARD[:FPS], MODEL the path of a file or chainN for N
convolutions. Without FPS the fastest folding that fits the board. Each row runs in a process of its own, so that its
memory is its own.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from math import log2
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import Any, TypeVar

from headrace.board.board import load_board
from headrace.dataflow.fold import fold
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.folding.choices import Choices
from headrace.folding.solver import Solver
from headrace.layers.base import Layer
from headrace.layers.spec import layer_from_spec
from headrace.model import load
from headrace.timing.fifo_sizing import size_fifos

T = TypeVar("T")

#: Chains that double twice; the last one against the one before gives the exponents.
ROWS = ("chain38:zcu104", "chain75:zcu104", "chain150:zcu104")
STAGES = ("load", "choices", "solve", "fifos")
CLOCK_HZ = 200e6


def chain(count: int) -> Dataflow:
    """So many 3x3 convolutions of 8 channels and 16x16 pixels, W4A4."""
    window = {"kind": "swu", "height": 16, "width": 16, "channels": 8, "kernel": [3, 3], "pad": [1, 1, 1, 1],
              "element": "uint4"}
    matrix = {"kind": "mvtu", "mw": 72, "mh": 8, "vectors": 256, "weight": "int4", "input": "uint4", "output": "uint4"}
    layers: list[Layer] = []
    for number in range(count):
        layers += [replace(layer_from_spec(spec).layer, name=f"conv{number}{suffix}")
                   for spec, suffix in ((window, "_swu"), (matrix, ""))]
    sources = [SOURCE, *(layer.name for layer in layers[:-1])]
    placed = tuple(Placed(layer, ((source, 0),)) for layer, source in zip(layers, sources, strict=True))
    return Dataflow(layers[0].inputs[0], placed)


def measured(row: str) -> dict[str, Any]:
    """CPU seconds by stage, cycles per frame and peak memory in MB of one row, planned in this process."""
    model, board, *fps = row.split(":")
    seconds: dict[str, float] = {}

    def timed(stage: str, work: Callable[[], T]) -> T:
        start = process_time()
        result = work()
        seconds[stage] = round(process_time() - start, 2)
        return result

    dataflow = timed("load", lambda: chain(int(model[5:])) if model.startswith("chain") else load(model).unfolded)
    solver = Solver(Choices(dataflow, {}), load_board(board))
    options = timed("choices", lambda: sum(map(len, solver.choices.of_layer.values())))
    found = timed("solve", lambda: solver.fitting(int(CLOCK_HZ / float(fps[0]))) if fps else
                  fastest.solution if (fastest := solver.fastest()) else None)
    if found:
        timed("fifos", lambda: size_fifos(fold(dataflow, found.folding)))
    return {"row": row, **seconds, "options": options, "cycles": found.cycles if found else None,
            "peak_mb": getrusage(RUSAGE_SELF).ru_maxrss // 1024}


def main(rows: list[str] | None = None) -> int:
    """Print the table, and the exponents where chains were measured."""
    table = []
    for row in rows or ROWS:
        run = subprocess.run([sys.executable, "-m", "benchmarks.scale", "--one", row], capture_output=True, text=True,
                             check=True)
        table.append(json.loads(run.stdout))
        print("  ".join(f"{key} {value}" for key, value in table[-1].items()), flush=True)
    for half, whole in pairwise(table):
        if half["row"].startswith("chain") and whole["row"].startswith("chain"):
            grown = {stage: round(log2(max(whole.get(stage, 0), 0.01) / max(half.get(stage, 0), 0.01)), 2)
                     for stage in STAGES}
            print(f"growth from {half['row']} to {whole['row']}:", grown)
    return 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(sys.argv[2])))
    else:
        sys.exit(main(sys.argv[1:]))
