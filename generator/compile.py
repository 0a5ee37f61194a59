"""The whole flow on one screen: a model becomes a build directory, or an error that leaves everything as it was."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from math import ceil, isfinite
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from generator.boards import DEFAULT_BOARD, Board, load_board
from generator.build import (
    MODEL,
    RECORD,
    Build,
    Design,
    elaborate,
    estimated,
    fifo_records,
    folded,
    headrace_version,
    layer_record,
    not_verified,
)
from generator.dataflow.folding import (
    DEFAULT_CYCLES_PER_FRAME,
    Folding,
    Plan,
    Terms,
    folding_target,
    plan_fastest,
    plan_folding,
)
from generator.dataflow.graph import Dataflow
from generator.dataflow.solver import LAYERS_SHARE
from generator.datatypes import IntArray
from generator.drivers.quantizer import has_quantizer
from generator.drivers.render import render_driver, write_driver
from generator.errors import FoldingError, InputError, MismatchError
from generator.layers.cores import AUTO
from generator.layers.mvtu import URAM
from generator.layers.spec import random_values
from generator.model import Model
from generator.network import serialize
from generator.passes.choose_cores import Cores, choose_cores
from generator.passes.make_external import MAX_EXTERNAL, external_candidates, make_external
from generator.passes.make_writable import Writable
from generator.render.hls import MAX_WORD_BITS, render_hls, write_hls_vectors
from generator.render.rtl import render_rtl
from generator.render.sim import render_sim, write_vectors
from generator.report.page import write_report
from generator.simulate import csim, rtl
from generator.simulate.backends import Observed, run_hls, run_rtl
from generator.simulate.frames import Stalls
from generator.simulate.host import to_stream
from generator.staging import replacing, require_replaceable, write_files
from generator.vivado.families import find_family
from generator.vivado.project import render_vivado

Backend = Literal["rtl", "hls", "both"]
Progress = Callable[[str], None]

DEFAULT_CLOCK_MHZ = 200.0
DEFAULT_VECTORS = 4
VECTOR_SEED = 1
#: Shares of a board that the layers get where with larger ones the FIFOs did not fit any more.
_SMALLER_SHARES = (0.9, 0.8, 0.6)


@dataclass(frozen=True, eq=False)
class Options:
    """What a user can choose about a build; `fps` and `folding` exclude each other.

    A board without either is filled with the fastest folding; no board is the default one at the default pace.
    cores: compute cores by layer name, or "*" for all layers; the others are chosen by cost.
    writable: layers whose weights the processor can write, and where these lie (passes.make_writable).
    external: layers whose weights come from memory outside; weights="external" adds those with the largest weights,
    as many as it takes for the rest to fit the board.
    """

    board: str | None = None
    clock_mhz: float = DEFAULT_CLOCK_MHZ
    fps: float | None = None
    folding: Folding | None = None
    cores: Cores = field(default_factory=dict)
    writable: Writable = field(default_factory=dict)
    external: Sequence[str] = ()
    weights: Literal["on-chip", "external"] = "on-chip"
    backend: Backend = "rtl"
    verify: int = DEFAULT_VECTORS
    verify_input: ArrayLike | None = None


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
    plan, design = _elaborate(model, options)
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


def choose_folding(model: Model, options: Options, share: float = LAYERS_SHARE) -> Plan:
    """The folding that the options ask for, complete for every layer that folds.

    A board alone asks for the fastest folding whose layers take no more than `share` of it.
    """
    terms = folding_terms(model, options)
    unfolded = _unfolded(model, options)
    if options.folding is not None:
        target = folding_target(unfolded, options.folding)
    elif options.fps is not None:
        target = max(1, int(options.clock_mhz * 1e6 / options.fps))
    elif options.board is not None:
        return plan_fastest(unfolded, terms, share)
    else:
        target = DEFAULT_CYCLES_PER_FRAME
    return plan_folding(unfolded, target, terms, options.folding)


def resolve_external(model: Model, options: Options) -> Options:
    """The same options with the layers of external weights named: those that do not fit are chosen here.

    Raises InputError for layers that cannot have such weights, and where the board is too small even with them.
    """
    given = list(dict.fromkeys(options.external))
    make_external(model.unfolded, given)
    if options.weights == "on-chip":
        return replace(options, external=given)
    cored = choose_cores(model.unfolded, options.cores)
    more = [layer.name for layer in external_candidates(cored)
            if layer.name not in (*given, *options.writable) and layer.core in (AUTO, "plain")]
    for count in range(min(len(more), MAX_EXTERNAL - len(given)) + 1):
        chosen = replace(options, external=[*given, *more[:count]])
        if _fits(model, chosen):
            return chosen
    raise InputError(f"{options.board or DEFAULT_BOARD}: the accelerator does not fit even with the weights of "
                     f"{chosen.external} outside; choose a larger board or ask for fewer frames per second")


def _fits(model: Model, options: Options) -> bool:
    """True if the layers at the folding that the options ask for fit the board."""
    board = load_board(options.board or DEFAULT_BOARD)
    try:
        folding = choose_folding(model, options).folding
    except FoldingError:  # the board is full before all layers have their smallest folding
        return False
    layers = folded(model.integer, folding, options.cores, options.writable, options.external)
    return all(used <= there * LAYERS_SHARE for used, there in board.use(estimated(layers)).values())


def _unfolded(model: Model, options: Options) -> Dataflow:
    """What is to be folded, with PE = SIMD = 1."""
    return make_external(model.unfolded, options.external)


def folding_terms(model: Model, options: Options) -> Terms:
    """What the options demand of any folding. Raises InputError for rates that are none or contradict each other."""
    rates = {"clock_mhz": options.clock_mhz, "fps": options.fps if options.fps is not None else 1.0}
    for name, rate in rates.items():
        if not (isfinite(rate) and rate > 0):
            raise InputError(f"{name}={rate:g} must be a positive number; correct it")
    if options.fps is not None and options.folding is not None:
        raise InputError("fps and a folding were both given but exclude each other; leave one out")
    board = load_board(options.board or DEFAULT_BOARD)
    max_word_bits = 0 if options.backend == "rtl" else MAX_WORD_BITS
    port = find_family(board)
    if options.board is None or port is None:
        return Terms(board, options.clock_mhz, max_word_bits)
    unfolded = _unfolded(model, options)
    sides = {f"the DMA's {way}": stream.elements * stream.element.bits for way, stream in (
        ("input", unfolded.input), ("output", unfolded.streams[unfolded.output_port]))}
    sides["the DMA's weights"] = sum(stream.elements * stream.element.bits for layer in unfolded.layers
                                     if (stream := layer.weight_stream))
    bound = max(sides, key=lambda side: sides[side])
    # A word per cycle of the slower clock.
    cycles = sides[bound] / (8 * port.stream_bytes) * max(1.0, options.clock_mhz / port.bus_mhz)
    return Terms(board, options.clock_mhz, max_word_bits, ceil(cycles), bound)


def _elaborate(model: Model, options: Options) -> tuple[Plan, Design]:
    """The folding and the hardware; where a board is to be filled, FIFOs included."""
    board = load_board(options.board or DEFAULT_BOARD)
    fills = options.board is not None and options.fps is None and options.folding is None
    for share in (LAYERS_SHARE, *_SMALLER_SHARES):
        plan = choose_folding(model, options, share)
        design = elaborate(model.integer, plan.folding, options.cores, options.writable, options.external)
        if not fills or all(used <= there for used, there in board.use(estimated(design.dataflow)).values()):
            break
    return plan, design


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
        "resources": asdict(estimated(dataflow)),
        "layers": [layer_record(layer) for layer in dataflow.layers],
        "fifos": fifo_records(design),
    }
    (folder / RECORD).write_text(json.dumps(record, indent=2) + "\n")


