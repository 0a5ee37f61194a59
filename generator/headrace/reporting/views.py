"""The tables of models, builds, boards and measurements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from headrace.area.estimate import estimate
from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.board.room import room
from headrace.board.shell_area import shell_area
from headrace.build_record import BuildRecord, verdict
from headrace.dataflow.graph import Dataflow
from headrace.design import estimated
from headrace.layer_record import layer_record
from headrace.layers.base import Layer
from headrace.padding.folds import padding_text
from headrace.reporting.view import View

#: What a synthesis counts.
FIGURES = ("lut", "lutram", "ff", "bram18", "uram", "dsp", "depth")
_SIZES, _FOLDS = ("layer", "kind", "size", "types"), ("PE", "SIMD", "cycles", "slack", "LUT")
#: How tables call what sim.json holds.
_MEASURED = {"bit_exact": "bit-exact", "cycles_per_frame": "cycles per frame", "latency_cycles": "latency in cycles",
             "fifo_max_occupancy": "most words in each FIFO, output registers included"}


def layers_view(dataflow: Dataflow) -> View:
    """Layers that a model becomes, before folding."""
    rows = tuple(_layer(layer) for layer in dataflow.layers)
    return View("supported: every layer has an exact hardware form", _SIZES, rows)


def build_view(folder: str, record: BuildRecord, dataflow: Dataflow, board: Board) -> View:
    """Layers of a build with their folds, and what they reach together; record: its build.json."""
    title = (f"{folder}: {verdict(record)}, {record['cycles_per_frame']} cycles per frame, "
             f"{record['fps']:.0f} fps at {record['clock_mhz']:g} MHz")
    slowest = dataflow.cycles_per_frame
    rows = tuple(_layer(layer) + _folded(layer, slowest) for layer in dataflow.layers)
    return View(title, (*_SIZES, *_FOLDS), rows, tuple(_remarks(record, dataflow, board)))


def _layer(layer: Layer) -> tuple[str, ...]:
    record = layer_record(layer)
    size = f"{record['mh']}x{record['mw']}" if "mh" in record else f"{layer.outputs[0].elements} out"
    types = " -> ".join(dict.fromkeys((record["input_type"], record["output_type"])))
    if "weight_type" in record:
        types += f", weights {record['weight_type']}"
    return (layer.name, layer.kind, size, types)


def _folded(layer: Layer, slowest: int) -> tuple[str, ...]:
    """Folds, cycles, how far below the slowest layer they are, and estimated LUTs."""
    record = layer_record(layer)
    return (str(record.get("pe", "")), str(record.get("simd", "")), str(layer.cycles),
            f"{1 - layer.cycles / slowest:.0%}", str(estimate(layer).all_luts))


def _remarks(record: BuildRecord, dataflow: Dataflow, board: Board) -> Iterable[str]:
    yield f"asked for: {record['asked']}"
    shell = shell_area(dataflow, board, record["clock_mhz"])
    yield _use(estimated(dataflow), board, shell)
    if shell != Resources():
        yield f"beside it the shell takes {shell.all_luts} LUT and {shell.ff} FF, as estimated"
    yield _errors(record["resources_error"])
    yield f"bottleneck: {record['bottleneck']}" + (
        f"; stopped by: {record['stopped_by']}" if record["stopped_by"] else "")
    if padded := record.get("padded"):
        yield padding_text(padded)
    if bound := record["board_bound"]:
        fps = record["clock_mhz"] * 1e6 / bound["cycles_per_frame"]
        yield (f"on {board.name} {bound['name']} takes {bound['cycles_per_frame']} cycles per frame: "
               f"at most {fps:.0f} fps there")
    if record["family"] is None:
        yield f"there is no block design for {board.name} ({board.part}): the build has no vivado and no driver folder"
    if record["not_verified"]:
        yield "not verified: " + "; ".join(record["not_verified"])


def _use(taken: Resources, board: Board, shell: Resources) -> str:
    """How much of a board an accelerator is estimated to take, and whether it fits with its shell."""
    parts = [f"{used} of {there} {name.upper()}" + (f" ({used / there:.1%})" if there else "")
             for name, (used, there) in board.use(taken).items() if used or there]
    over = [name.upper() for name, (used, there) in room(board, 100.0, shell).use(taken).items() if used > there]
    verdict = f"; does not fit: {', '.join(over)}" if over else ""
    return f"estimated use of {board.title}: {', '.join(parts)}{verdict}"


def _errors(errors: Mapping[str, Mapping[str, float]]) -> str:
    """How far estimates are off."""
    parts = [f"{title} {errors[name]['median']:.1%} ({errors[name]['percentile_90']:.1%} at the 90th percentile)"
             for name, title in (("all_luts", "LUT"), ("ff", "FF"))]
    return f"median error of such estimates against Yosys, by layer: {', '.join(parts)}"


def boards_view(boards: Sequence[Board]) -> View:
    """Boards and what they offer."""
    columns = ("board", "title", "part", "LUT", "FF", "BRAM36", "URAM", "DSP")
    return View("boards", columns, tuple(
        (board.name, board.title, board.part,
         *map(str, (board.lut, board.ff, board.bram36, board.uram, board.dsp))) for board in boards))


def sim_view(result: Mapping[str, Any]) -> View:
    """What a simulation measured."""
    rows = tuple((_MEASURED.get(key, key), in_words(value)) for key, value in result.items()
                 if key != "mismatch" or value is not None)
    return View("simulation", ("measured", "value"), rows)


def in_words(value: object) -> str:
    """A value as one writes it in a sentence."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {in_words(item)}" for key, item in value.items()) or "none"
    return "not measured" if value is None else str(value)


def synth_view(record: Mapping[str, Any]) -> View:
    """What Yosys counted, layer by layer and in total."""
    rows = [(layer["name"], layer["kind"], *(str(layer[key]) for key in FIGURES)) for layer in record["layers"]]
    total = ("total", "", *(str(record["total"][key]) for key in FIGURES))
    return View(f"synthesis by Yosys {record['yosys']}", ("layer", "kind", *FIGURES), (*rows, total))
