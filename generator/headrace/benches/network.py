"""Simulation of a build: the cocotb bench on its RTL, C simulation of its HLS, one verdict in sim.json."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.atomic_files import write_json
from headrace.benches.cocotb_bench import run_bench
from headrace.benches.verilog import run_verilog
from headrace.build_folder import Build
from headrace.building import random_frames
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.vectors import Vectors
from headrace.errors import InputError, MismatchError
from headrace.progress import Step
from headrace.render.sim import write_vectors
from headrace.simulation.backends import verify_hls
from headrace.simulation.frames import Stalls
from headrace.simulation.memories import require_hls_memories, require_rtl_memories

#: Seconds of a bench: for itself, for each layer to be compiled, and for each cycle.
_START_S, _COMPILE_S, _CYCLE_S = 8.0, 0.5, 1e-4


@dataclass(frozen=True)
class Simulation:
    """What to simulate: `frames` random frames from `seed`, which also seeds the stalls.

    verilog: where an HLS compiler wrote the network, to be simulated in the place of the build's own sources.
    """

    frames: int = 4
    stalls: Stalls = Stalls.NONE
    seed: int = 0
    waves: bool = False
    verilog: Path | None = None

    def __post_init__(self) -> None:
        if self.frames < 1 or self.seed < 0:
            raise InputError(f"frames={self.frames}, seed={self.seed}: give 1 frame or more and a seed of 0 or more")


def simulate_build(build: Build, what: Simulation, progress: Callable[[str], None] = lambda _: None,
                   work: Path | None = None) -> dict[str, Any]:
    """Stream frames through what lies in the build directory; writes and returns sim.json.

    The HLS sources, where they were built, run the same frames under g++. work: a folder that keeps the compiled bench
    for the next simulation of the same sources. Raises MismatchError naming the first layer that differs from the
    golden model.
    """
    result = {"frames": what.frames, "stalls": what.stalls.value, "seed": what.seed}
    try:
        with tempfile.TemporaryDirectory() as scratch:
            measured = _simulate(build, what, Path(scratch), work or Path(scratch), progress)
    except MismatchError as error:
        _write(build, result | {"bit_exact": False, "mismatch": str(error)})
        raise
    return _write(build, result | {"bit_exact": True} | measured)


def _write(build: Build, result: dict[str, Any]) -> dict[str, Any]:
    write_json(build.folder / "sim.json", result)
    return result


def _bench_seconds(dataflow: Dataflow, what: Simulation) -> float:
    """What the bench takes on a usual machine: it is compiled, and then streams pass through Python."""
    cycles = what.frames * dataflow.cycles_per_frame * (1 if what.stalls is Stalls.NONE else 3)
    return _START_S + _COMPILE_S * len(dataflow.layers) + _CYCLE_S * cycles


def _simulate(build: Build, what: Simulation, scratch: Path, work: Path,
              progress: Callable[[str], None]) -> dict[str, Any]:
    """Both back ends, as far as they were built; returns what the bench measured."""
    x = random_frames(build.dataflow, what.frames, what.seed)
    if what.verilog is not None:
        progress(f"simulation of {what.verilog}, {what.frames} frames, stalls {what.stalls.value}")
        return run_verilog(build, what.verilog, x, what.stalls, what.seed, scratch, work, what.waves)
    golden = Vectors(build.dataflow, x)
    if build.has_hls:
        require_hls_memories(build.folder / "hls", build.dataflow)
        verify_hls(build.folder, golden, scratch, progress=progress)
    if not build.has_rtl:
        return {}
    text = f"RTL simulation, {what.frames} frames, stalls {what.stalls.value}"
    progress(Step(text, "RTL simulation", seconds=_bench_seconds(build.dataflow, what)))
    require_rtl_memories(build.folder / "rtl", build.dataflow)
    vectors = write_vectors(scratch, golden)
    return run_bench(build.folder, what.frames, what.stalls, what.seed, what.waves, vectors, work)
