"""The whole flow on one screen: a model becomes a build directory, or an error that leaves everything as it was."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from generator.boards import Board, load_board
from generator.build import (
    MODEL,
    RECORD,
    Build,
    Design,
    elaborate,
    estimated,
    fifo_records,
    headrace_version,
    layer_record,
    not_verified,
)
from generator.dataflow.folding import (
    DEFAULT_CYCLES_PER_FRAME,
    Folding,
    folding_target,
    solve_folding,
)
from generator.dataflow.graph import Dataflow
from generator.datatypes import IntArray
from generator.drivers.render import render_driver, write_driver
from generator.errors import InputError, MismatchError
from generator.layers.spec import random_values
from generator.model import Model
from generator.network import serialize
from generator.passes.choose_cores import Cores
from generator.render.hls import render_hls, write_hls_vectors
from generator.render.rtl import render_rtl
from generator.render.sim import render_sim, write_vectors
from generator.simulate import csim, rtl
from generator.simulate.backends import Observed, run_hls, run_rtl
from generator.simulate.frames import Stalls
from generator.simulate.host import to_stream
from generator.staging import replacing, require_replaceable, write_files
from generator.vivado.families import find_family
from generator.vivado.project import render_vivado

Backend = Literal["rtl", "hls", "both"]
Progress = Callable[[str], None]

DEFAULT_BOARD = "zcu104"
DEFAULT_CLOCK_MHZ = 200.0
DEFAULT_VECTORS = 4
VECTOR_SEED = 1


@dataclass(frozen=True, eq=False)
class Options:
    """What a user can choose about a build; `fps` and `folding` exclude each other.

    cores: compute cores by layer name, or "*" for all layers; the others are chosen by cost.
    """

    board: str = DEFAULT_BOARD
    clock_mhz: float = DEFAULT_CLOCK_MHZ
    fps: float | None = None
    folding: Folding | None = None
    cores: Cores = field(default_factory=dict)
    backend: Backend = "rtl"
    verify: int = DEFAULT_VECTORS
    verify_input: ArrayLike | None = None


def build(model: Model, out: str | Path, options: Options | None = None, progress: Progress = lambda _: None) -> Build:
    """Fold, render, verify against the golden model, and publish as the build directory `out`.

    Raises a HeadraceError, and leaves `out` untouched, if anything is illegal, missing or not bit-exact.
    """
    options, out = options or Options(), Path(out)
    folding = choose_folding(model, options)
    _require_tools(options)
    progress("sizing FIFOs")
    design = elaborate(model.integer, folding, options.cores)
    dataflow = design.dataflow
    x = verification_frames(model, dataflow, options)
    require_replaceable(out, RECORD)
    with replacing(out) as folder:
        progress("rendering")
        _write_sources(folder, model, dataflow, options, x)
        measured = _verify(folder, model, dataflow, x, progress)
        _write_record(folder, model, design, folding, options, len(x), measured)
    return Build.open(out)


def choose_folding(model: Model, options: Options) -> Folding:
    """The folding that the options ask for, complete for every layer that folds."""
    rates = {"clock_mhz": options.clock_mhz, "fps": options.fps if options.fps is not None else 1.0}
    for name, rate in rates.items():
        if not (isfinite(rate) and rate > 0):
            raise InputError(f"{name}={rate:g} must be a positive number; correct it")
    if options.fps is not None and options.folding is not None:
        raise InputError("fps and a folding were both given but exclude each other; leave one out")
    if options.folding is not None:
        target = folding_target(model.unfolded, options.folding)
    elif options.fps is not None:
        target = max(1, int(options.clock_mhz * 1e6 / options.fps))
    else:
        target = DEFAULT_CYCLES_PER_FRAME
    return solve_folding(model.unfolded, target, options.folding)


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
    """Seeded random frames (N, elements) from the range of the input."""
    return random_values(np.random.default_rng(seed), dataflow.input.element, (frames, dataflow.input.elements))


def _require_tools(options: Options) -> None:
    if options.backend in ("hls", "both"):
        csim.require_tools()
    if options.backend in ("rtl", "both"):
        rtl.require_tools()


def _write_sources(folder: Path, model: Model, dataflow: Dataflow, options: Options, x: IntArray) -> None:
    board = load_board(options.board)
    header = f"headrace {headrace_version()}, model {model.source_sha256[:16]}"
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


def _write_record(folder: Path, model: Model, design: Design, folding: Folding, options: Options,
                  vectors: int, measured: Observed | None) -> None:
    dataflow, sizing = design.dataflow, design.sizing
    record: dict[str, Any] = {
        "headrace": headrace_version(),
        "source_sha256": model.source_sha256,
        "backend": options.backend,
        "board": options.board,
        "clock_mhz": options.clock_mhz,
        "verified": True,  # _verify raises otherwise
        "vectors": vectors,
        "not_verified": not_verified(dataflow) if options.backend in ("hls", "both") else [],
        "cycles_per_frame": sizing.cycles_per_frame,
        "latency_cycles": measured.latency_cycles if measured else sizing.latency_cycles,
        "fps": options.clock_mhz * 1e6 / sizing.cycles_per_frame,
        "folding": folding,
        "cores": dict(options.cores),
        "resources": asdict(estimated(dataflow)),
        "layers": [layer_record(layer) for layer in dataflow.layers],
        "fifos": fifo_records(design),
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")


