"""The whole flow on one screen: a model becomes a build directory, or an error that leaves everything as it was."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

import numpy as np

from headrace import serialize
from headrace.area.estimate import estimate_errors
from headrace.board.board import DEFAULT_BOARD, Board, load_board
from headrace.board.family import find_family
from headrace.build_folder import MODEL, RECORD, Build, fifo_records, layer_record, not_verified
from headrace.dataflow.graph import Dataflow
from headrace.datatypes import IntArray
from headrace.design import Design, estimated
from headrace.drivers.quantizer import has_quantizer
from headrace.drivers.render import render_driver, write_driver
from headrace.engines.host import to_stream
from headrace.errors import InputError, MismatchError
from headrace.folding.plan import Plan
from headrace.layers.spec import MAX_RANDOM_VALUES, random_values
from headrace.layers.weighted import URAM
from headrace.model import Model
from headrace.render.hls import render_hls, write_hls_vectors
from headrace.render.rtl import render_rtl
from headrace.render.sim import render_sim, write_vectors
from headrace.render.vivado import render_vivado
from headrace.reporting.page import write_report
from headrace.request import Options, folding_terms, plan_design, resolve_external
from headrace.simulation import csim, rtl
from headrace.simulation.backends import Observed, run_hls, run_rtl
from headrace.simulation.frames import Stalls
from headrace.staging import replacing, require_replaceable, write_files
from headrace.version import file_header, headrace_version

Progress = Callable[[str], None]

VECTOR_SEED = 1


def build(model: Model, out: str | Path, options: Options | None = None, progress: Progress = lambda _: None) -> Build:
    """Fold, render, verify against the golden model, and publish as the build directory `out`.

    Raises a HeadraceError, and leaves `out` untouched, if anything is illegal, missing or not bit-exact.
    """
    options, out = options or Options(), Path(out)
    folding_terms(model, options)
    _require_writable(options)
    _require_tools(options)
    progress("choosing the folding and sizing FIFOs")
    options = resolve_external(model, options)
    plan, design = plan_design(model, options)
    dataflow = design.dataflow
    x = verification_frames(model, dataflow, options)
    require_replaceable(out, RECORD)
    with replacing(out) as folder:
        progress("rendering")
        _write_sources(folder, model, dataflow, options, x)
        measured = _verify(folder, model, dataflow, x, progress)
        _write_record(folder, model, design, plan, options, len(x), measured)
        write_report(folder, dataflow)
    return Build.open(out)


def verification_frames(model: Model, dataflow: Dataflow, options: Options) -> IntArray:
    """Frames (N, elements) to verify with: the user's samples, or seeded random values of the input's range."""
    if options.verify < 1:
        raise InputError(f"verify={options.verify} vectors: a build is verified with at least 1; give 1 or more")
    if options.verify_input is not None:
        samples = np.asarray(options.verify_input, np.float32)[: options.verify]
        model.predict(samples)  # checks shape and values
        return to_stream(model.integer.host_input, samples)
    return random_frames(dataflow, options.verify, VECTOR_SEED)


def random_frames(dataflow: Dataflow, frames: int, seed: int) -> IntArray:
    """Seeded random frames (N, elements) from the range of the input. Raises InputError for more than memory holds."""
    most = max(1, MAX_RANDOM_VALUES // dataflow.input.elements)
    if frames > most:
        raise InputError(f"{frames} frames of {dataflow.input.elements} values are asked for but at most {most} are "
                         f"drawn; give {most} or fewer")
    return random_values(np.random.default_rng(seed), dataflow.input.element, (frames, dataflow.input.elements))


def _require_tools(options: Options) -> None:
    if options.backend in ("hls", "both"):
        csim.require_tools()
    if options.backend in ("rtl", "both"):
        rtl.require_tools()


def _require_writable(options: Options) -> None:
    """Raise InputError where the chosen storage of weights is not to be had."""
    if options.writable and options.backend == "hls":
        raise InputError(f"{next(iter(options.writable))}: writable weights need the rtl back end; "
                         "build with --backend rtl or both")
    in_uram = [name for name, storage in options.writable.items() if storage == URAM]
    board = load_board(options.board or DEFAULT_BOARD)
    if in_uram and not board.uram:
        raise InputError(f"{in_uram[0]}: board {board.name} has no UltraRAM; name the layer with --writable instead")


def _write_sources(folder: Path, model: Model, dataflow: Dataflow, options: Options, x: IntArray) -> None:
    board = load_board(options.board or DEFAULT_BOARD)
    header = file_header(model.source_sha256)
    serialize.save(model.integer, folder / MODEL)
    if find_family(board):
        _write_board_files(folder, model, dataflow, board, options, x)
    if options.backend in ("hls", "both"):
        write_files(folder / "hls", render_hls(dataflow, 1e3 / options.clock_mhz, board.part, header, len(x)))
        write_hls_vectors(folder / "hls", dataflow, x)
    if options.backend in ("rtl", "both"):
        write_files(folder / "rtl", render_rtl(dataflow, header))
        write_files(folder / "sim", render_sim(dataflow, header))
        write_vectors(folder / "sim", dataflow, x)


def _write_board_files(folder: Path, model: Model, dataflow: Dataflow, board: Board, options: Options,
                       x: IntArray) -> None:
    """What turns the sources into a bitstream of the board, and what runs it."""
    backend: Literal["rtl", "hls"] = "hls" if options.backend == "hls" else "rtl"
    sha256 = model.source_sha256
    write_files(folder / "vivado", render_vivado(dataflow, board, backend, options.clock_mhz, sha256))
    if has_quantizer(model.integer.host_input):
        write_driver(folder / "driver", render_driver(model.integer, dataflow, board, sha256, x))


def _verify(folder: Path, model: Model, dataflow: Dataflow, x: IntArray, progress: Progress) -> Observed | None:
    """Compare golden with fast, HLS and RTL at every boundary; returns what the RTL measured."""
    golden = dataflow.golden(x)[dataflow.output_port]
    if not np.array_equal(golden, model.engines["fast"](x)):
        raise MismatchError("the fast engine differs from the golden model; report this as a defect")
    measured = None
    with tempfile.TemporaryDirectory() as work:
        if (folder / "hls").is_dir():
            progress("verifying HLS with g++")
            run_hls(folder, dataflow, x, Path(work)).require_golden(dataflow, x)
        if (folder / "rtl").is_dir():
            progress("verifying RTL with Verilator")
            measured = run_rtl(folder, dataflow, x, Path(work), Stalls.NONE)
            measured.require_golden(dataflow, x)
    return measured


def _write_record(folder: Path, model: Model, design: Design, plan: Plan, options: Options,
                  vectors: int, measured: Observed | None) -> None:
    dataflow, sizing = design.dataflow, design.sizing
    record: dict[str, Any] = {
        "headrace": headrace_version(),
        "source_sha256": model.source_sha256,
        "backend": options.backend,
        "board": options.board or DEFAULT_BOARD,
        "clock_mhz": options.clock_mhz,
        "verified": True,  # _verify raises otherwise
        "vectors": vectors,
        "not_verified": not_verified(dataflow) if options.backend in ("hls", "both") else [],
        "cycles_per_frame": sizing.cycles_per_frame,
        "latency_cycles": measured.latency_cycles if measured else sizing.latency_cycles,
        "fps": options.clock_mhz * 1e6 / sizing.cycles_per_frame,
        "folding": plan.folding,
        "bottleneck": plan.bottleneck,
        "stopped_by": plan.stopped_by,
        "cores": dict(options.cores),
        "writable": dict(options.writable),
        "external": list(options.external),
        "weight_bytes_per_frame": sum(stream.words * stream.bytes for layer in dataflow.layers
                                      if (stream := layer.weight_stream)),
        "resources": asdict(estimated(dataflow)),
        "resources_error": estimate_errors(),
        "layers": [layer_record(layer) for layer in dataflow.layers],
        "fifos": fifo_records(design),
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")


