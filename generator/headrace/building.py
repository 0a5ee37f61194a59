"""The whole flow on one screen: a model becomes a build directory, or an error that leaves everything as it was."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from headrace import serialize
from headrace.area.factors import estimate_errors
from headrace.atomic_files import json_text, replacing, require_replaceable, write_files, write_json
from headrace.board.host_words import HostWords, exact_words, host_words
from headrace.build_folder import MODEL, RECORD, Build, Comparison, fifo_records, hls_record, not_verified
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import IntArray
from headrace.drivers.quantizer import has_quantizer
from headrace.drivers.render import render_driver, write_driver
from headrace.engines.host import to_stream
from headrace.errors import InputError, MismatchError
from headrace.fitting import require_fit
from headrace.layer_record import layer_record
from headrace.layers import Take
from headrace.layers.random_values import MAX_RANDOM_VALUES, random_values
from headrace.model import Model
from headrace.padded_planning import plan_padded
from headrace.padding.folds import padding_of
from headrace.planning import Planned
from headrace.progress import Progress, Step
from headrace.render.contents import render_contents
from headrace.render.hls import render_hls, write_hls_vectors
from headrace.render.rtl import render_rtl
from headrace.render.sim import render_sim, write_vectors
from headrace.render.vivado import render_vivado
from headrace.reporting.codes import CODES, code_distributions
from headrace.reporting.page import write_report
from headrace.request import Options, Request, resolve, samples_of
from headrace.samples import checked_samples
from headrace.simulation import csim, rtl
from headrace.simulation.backends import verify_hls, verify_rtl
from headrace.simulation.by_layer import HERE, Spread, verify_hls_layers, verify_rtl_layers
from headrace.version import file_header, headrace_version

VECTOR_SEED = 1
#: Seconds that a layer takes to be folded, and to be rendered.
_LAYER_S = 0.1


def build(model: Model, out: str | Path, options: Options | None = None, progress: Progress = lambda _: None,
          spread: Spread = HERE) -> Build:
    """Fold, render, verify against the golden model, and publish as the build directory `out`.

    spread: who compares the layers where each is compared by itself.
    Raises a HeadraceError, and leaves `out` untouched, if anything is illegal, missing or not bit-exact.
    """
    request, out = resolve(options or Options()), Path(out)
    require_possible(request, out, not spread.where)
    frames = verification_frames(model, request.options)
    seconds = _LAYER_S * len(model.unfolded.layers)
    progress(Step("choosing the folding", seconds=seconds))
    planned = plan_padded(model, request, progress)
    require_fit(model, planned)
    vectors = Vectors(planned.dataflow, frames)
    with replacing(out) as folder:
        progress(Step("rendering", seconds=seconds))
        _write_sources(folder, model, planned, vectors)
        compared = _verify(folder, model, planned.request, vectors, progress, spread)
        _write_record(folder, model, planned, compared)
        write_json(folder / CODES, code_distributions(vectors))
        write_report(folder, planned.dataflow)
        write_files(folder, _contents(folder, model, planned.request))
    return Build.open(out)


def require_possible(request: Request, out: Path, here: bool = True) -> None:
    """Raise what stands against a build before there is a model: a place that is taken, a tool that is missing.

    here: is it verified on this machine?
    """
    require_replaceable(out, RECORD)
    for engine in request.engines if here else ():
        {"hls": csim.require_tools, "rtl": rtl.require_tools}[engine]()


def verification_frames(model: Model, options: Options) -> IntArray:
    """Frames (N, elements) to verify with: the user's samples, or seeded random values of the input's range."""
    samples = samples_of(options)
    if samples is None:
        return random_frames(model.unfolded, options.verify, VECTOR_SEED)
    return to_stream(model.integer.host_input, checked_samples(model.integer.host_inputs, samples))


def random_frames(dataflow: Dataflow, frames: int, seed: int) -> IntArray:
    """Seeded random frames (N, elements) from the range of the input. Raises InputError for more than memory holds."""
    most = max(1, MAX_RANDOM_VALUES // dataflow.input.elements)
    if frames > most:
        raise InputError(f"{frames} frames of {dataflow.input.elements} values are asked for but at most {most} are "
                         f"drawn; give {most} or fewer")
    rng = np.random.default_rng(seed)
    drawn = random_values(rng, dataflow.input.element, (frames, dataflow.input.elements))
    for part in Take.among(dataflow.layers):  # the inputs of a model with several, each in a range of its own
        drawn[:, part.first : part.first + part.count] = random_values(rng, part.output, (frames, part.count))
    return drawn


def _write_sources(folder: Path, model: Model, planned: Planned, vectors: Vectors) -> None:
    request, dataflow, header = planned.request, planned.dataflow, file_header(model.source_sha256)
    serialize.save(model.integer, folder / MODEL)
    if request.processor:
        write_files(folder / "vivado", render_vivado(dataflow, request.board, request.engines[-1],
                                                     request.options.clock_mhz, model.source_sha256))
    if request.family and all(map(has_quantizer, model.integer.host_inputs)):
        host = _host_words(request, dataflow)
        write_driver(folder / "driver", render_driver(model.integer, vectors, request.board, model.source_sha256, host))
    if planned.design.hls is not None:
        period_ns, depths = 1e3 / request.options.clock_mhz, planned.design.hls.depths
        write_files(folder / "hls", render_hls(dataflow, period_ns, request.board.part, header, len(vectors), depths))
        write_hls_vectors(folder / "hls", vectors)
    if "rtl" in request.engines:
        write_files(folder / "rtl", render_rtl(dataflow, header))
        write_files(folder / "sim", render_sim(dataflow, header))
        write_vectors(folder / "sim", vectors)


def _host_words(request: Request, dataflow: Dataflow) -> HostWords:
    """Widths of the words on the DMA's side; without padding for a board without a DMA that is known."""
    if request.processor is None:
        return exact_words(dataflow)
    return host_words(dataflow, request.processor, request.options.clock_mhz)


def _contents(folder: Path, model: Model, request: Request) -> dict[str, str]:
    return render_contents(folder, request.engines, request.board.name, file_header(model.source_sha256))


def _verify(folder: Path, model: Model, request: Request, vectors: Vectors, progress: Progress,
            spread: Spread) -> list[Comparison]:
    """Compare golden with fast, and with every back end at every boundary; returns the comparisons that took place."""
    if not np.array_equal(vectors.output, model.engines["fast"](vectors.frames)):
        raise MismatchError("the fast engine differs from the golden model; report this as a defect")
    compared = []
    for engine in request.engines:
        with tempfile.TemporaryDirectory() as work:
            progress("verifying HLS with g++" if engine == "hls" else "verifying RTL with Verilator")
            compared.append(_verify_layers(engine, folder, vectors, Path(work), progress, spread)
                            if request.options.verify_layers else
                            _verify_network(engine, folder, vectors, Path(work), progress))
    return compared


def _verify_network(engine: str, folder: Path, vectors: Vectors, work: Path, progress: Progress) -> Comparison:
    if engine == "rtl":
        return Comparison(engine, len(vectors), verify_rtl(folder, vectors, work, progress).latency)
    verify_hls(folder, vectors, work, scheduled=True, progress=progress)
    return Comparison(engine, len(vectors))


def _verify_layers(engine: str, folder: Path, vectors: Vectors, work: Path, progress: Progress,
                   spread: Spread) -> Comparison:
    {"rtl": verify_rtl_layers, "hls": verify_hls_layers}[engine](folder, vectors, work, progress, spread)
    return Comparison(engine, len(vectors), whole=False, where=spread.where)


def _write_record(folder: Path, model: Model, planned: Planned, compared: Sequence[Comparison]) -> None:
    request, design = planned.request, planned.design
    options, dataflow, cycles = request.options, design.dataflow, design.sizing.cycles_per_frame
    measured = [item.latency_cycles for item in compared if item.latency_cycles is not None]
    record: dict[str, Any] = {
        "headrace": headrace_version(),
        "model": model.name,
        "source_sha256": model.source_sha256,
        "backend": options.backend,
        "board": request.board.name,
        "family": request.family.title if request.family else None,
        "device": asdict(request.board),
        "clock_mhz": options.clock_mhz,
        **_verdict(request, compared),
        "not_verified": not_verified(design.hls is not None, compared),
        "asked": request.asked,
        "fps_asked": options.fps,
        "cycles_per_frame": cycles,
        "latency_cycles": measured[0] if measured else design.sizing.latency_cycles,
        **hls_record(design),
        "fps": options.clock_mhz * 1e6 / (cycles if "rtl" in request.engines else design.cycles_per_frame),
        "board_bound": planned.board_bound,
        "fits": planned.fits,
        "bottleneck": planned.plan.bottleneck,
        "stopped_by": planned.plan.stopped_by,
        "recipe": design.recipe.record(),
        **_recipe_of_before(planned),
        **_padding(model, planned),
        "host_words": asdict(_host_words(request, dataflow)),
        "weight_bytes_per_frame": sum(stream.words * stream.bytes for layer in dataflow.layers
                                      if (stream := layer.weight_stream)),
        "resources": asdict(planned.resources),
        "resources_error": estimate_errors(request.recipe.prices.cells),
        "inputs": [{"name": host.name, "shape": list(host.shape)} for host in model.integer.host_inputs],
        "outputs": [{"name": host.name, "shape": list(host.model_shape)} for host in model.integer.host_outputs],
        "layers": [layer_record(layer) for layer in dataflow.layers],
        "fifos": fifo_records(design),
    }
    write_files(folder, {RECORD: json_text(record)})


def _verdict(request: Request, compared: Sequence[Comparison]) -> dict[str, Any]:
    """What was compared with the golden model; verified only if every back end was."""
    by = {item.engine: item.record() for item in compared}
    verified = set(by) == set(request.engines) and all(item.whole for item in compared)
    return {"verified": verified, "verified_by": by,
            "vectors": min((item.vectors for item in compared), default=0) if verified else 0}


def _padding(model: Model, planned: Planned) -> dict[str, Any]:
    """The convolutions with padded channels, which are then before and after; nothing where there are none."""
    found = padding_of(model.integer, planned.plan.folds)
    return {"padded": {name: list(counts) for name, counts in found.items()}} if found else {}


def _recipe_of_before(planned: Planned) -> dict[str, Any]:
    """The parts of the recipe under the names that they had before it was one; the folding with given depths only."""
    recipe = planned.design.recipe
    return {"folding": planned.plan.folding, "cores": dict(recipe.cores), "writable": dict(recipe.writable),
            "external": list(recipe.external)}
