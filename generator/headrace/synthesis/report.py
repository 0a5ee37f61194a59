"""synth.json: the figures of a build, whole and layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headrace.area.estimate import estimate
from headrace.area.usage import total
from headrace.atomic_files import write_json
from headrace.build_folder import Build
from headrace.errors import InputError
from headrace.layers.base import Layer
from headrace.layers.spec import layer_from_spec
from headrace.progress import Progress, Step, silent
from headrace.simulation.cases import Result
from headrace.synthesis.designs import layer_design, library, network_design
from headrace.synthesis.target import target_of
from headrace.synthesis.yosys import Design, Synthesis, default_cache, synthesize, yosys_version

RECORD = "synth.json"
#: Seconds that Yosys takes for a design, and for each of its LUTs.
_LAYER_S, _LUT_S = 1.0, 0.006


@dataclass(frozen=True)
class Request:
    """What to synthesize: the whole accelerator, with `per_layer` also every layer, or only the layers named."""

    layers: tuple[str, ...] = ()
    per_layer: bool = False
    jobs: int = 1
    cache: Path = field(default_factory=default_cache)


def synthesize_build(build: Build, request: Request,
                     progress: Progress = silent) -> dict[str, Any]:
    """Synthesize and write synth.json into the build directory; returns what it holds.

    `total` is the whole accelerator, flattened, or the sum of the layers where some are named. Raises InputError for a
    build without RTL or an unknown layer, ToolError where Yosys is missing or fails.
    """
    if not build.has_rtl:
        raise InputError(f"{build.folder}: holds no RTL; build it with --backend rtl or both")
    layers = _chosen(build, request)
    sources = library(build.folder / "rtl")
    designs = [layer_design(layer, sources) for layer in layers]
    whole = [] if request.layers else [network_design(build.folder / "rtl", target_of(build.recipe.prices))]
    names = [*(layer.name for layer in layers), *(["total"] if whole else [])]
    sizes = [*(estimate(layer).all_luts for layer in layers), *([build.resources.all_luts] if whole else [])]
    found = synthesize_all([*designs, *whole], request, progress, names, sizes)
    measured = found[: len(layers)]
    record = {
        "yosys": yosys_version(),
        "total": (found[-1] if whole else _sum(measured)).record(),
        "layers": [{"name": layer.name, "kind": layer.kind, **done.record()}
                   for layer, done in zip(layers, measured, strict=True)],
    }
    write_json(build.folder / RECORD, record)
    return record


def synthesize_specs(results: list[Result], weights: bool, request: Request,
                     progress: Progress = silent) -> None:
    """Add what Yosys counts to the results of simulate.cases.run_specs, as `resources`; illegal specs have none."""
    sources = library()
    legal = [(index, result) for index, result in enumerate(results) if result["cycles"] is not None]
    designs = [layer_design(layer_from_spec(result["spec"], index).layer, sources, weights) for index, result in legal]
    for (_, result), done in zip(legal, synthesize_all(designs, request, progress), strict=True):
        result["resources"] = done.record()


def synthesize_all(designs: Sequence[Design], request: Request, progress: Progress = silent,
                   names: Sequence[str] = (), sizes: Sequence[float] = ()) -> list[Synthesis]:
    """Synthesize each different design once, `request.jobs` at a time; results in the order of the designs.

    names: of the designs; where they are given, `progress` is told each result as it comes. sizes: estimates of their
    LUTs, which say how long each takes beside the others.
    """
    if request.jobs < 1:
        raise InputError(f"jobs={request.jobs} must be positive; use 1 or more")
    digests = [design.digest() for design in designs]
    different = list(dict(zip(digests, designs, strict=True)).items())
    named = dict(zip(digests, names, strict=False))
    luts = sizes or [0.0] * len(digests)
    effort = {digest: _LAYER_S + _LUT_S * size for digest, size in zip(digests, luts, strict=True)}
    found: dict[str, Synthesis] = {}
    with ThreadPoolExecutor(request.jobs) as pool:
        running = [(digest, pool.submit(synthesize, design, request.cache)) for digest, design in different]
        try:
            for digest, result in running:
                progress(_left(effort, found, named.get(digest, "layers")))
                found[digest] = result.result()
                if digest in named:
                    progress(Step(f"{named[digest]}: {_row(found[digest])}", kept=True))
        except BaseException:  # a failure or a signal: what has not begun does not begin
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [found[digest] for digest in digests]


def _left(effort: Mapping[str, float], found: Mapping[str, object], name: str) -> Step:
    """What Yosys is at, and how much is done, by the sizes of the designs."""
    whole, done = sum(effort.values()), sum(effort[digest] for digest in found)
    return Step(f"Yosys, {len(found) + 1} of {len(effort)}: {name}", "Yosys", done / whole, seconds=whole)


def _row(found: Synthesis) -> str:
    """The counts that are not 0, and the depth."""
    return ", ".join(f"{value} {name}" for name, value in found.record().items() if value)


def _chosen(build: Build, request: Request) -> list[Layer]:
    by_name = {layer.name: layer for layer in build.dataflow.layers}
    if unknown := [name for name in request.layers if name not in by_name]:
        raise InputError(f"{build.folder}: has no layer {unknown[0]!r}; choose from {list(by_name)}")
    if request.layers:
        return [by_name[name] for name in request.layers]
    return list(by_name.values()) if request.per_layer else []


def _sum(parts: Sequence[Synthesis]) -> Synthesis:
    return Synthesis(total([part.resources for part in parts]), max(part.depth for part in parts))
