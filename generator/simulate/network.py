"""Simulation of a build: the cocotb bench on its RTL, C simulation of its HLS, one verdict in sim.json."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from generator.build import Build
from generator.compile import random_frames
from generator.datatypes import IntArray
from generator.errors import InputError, MismatchError
from generator.render.sim import write_vectors
from generator.simulate.backends import run_hls
from generator.simulate.bench import run_bench
from generator.simulate.frames import Stalls


def simulate_build(build: Build, frames: int, stalls: Stalls, seed: int, waves: bool,
                   progress: Callable[[str], None] = lambda _: None) -> dict[str, Any]:
    """Stream seeded random frames through what lies in the build directory; writes and returns sim.json.

    The HLS sources, where they were built, run the same frames under g++. Raises MismatchError naming the first layer
    that differs from the golden model.
    """
    if frames < 1 or seed < 0:
        raise InputError(f"frames={frames}, seed={seed}: give 1 frame or more and a seed of 0 or more")
    x = random_frames(build.dataflow, frames, seed)
    result: dict[str, Any] = {"frames": frames, "stalls": stalls.value, "seed": seed, "bit_exact": True}
    try:
        with tempfile.TemporaryDirectory() as work:
            result |= _simulate(build, x, stalls, seed, waves, Path(work), progress)
    except MismatchError as error:
        result |= {"bit_exact": False, "mismatch": str(error)}
        raise
    finally:
        (build.folder / "sim.json").write_text(json.dumps(result, indent=2) + "\n")
    return result


def _simulate(build: Build, x: IntArray, stalls: Stalls, seed: int, waves: bool, work: Path,
              progress: Callable[[str], None]) -> dict[str, Any]:
    """Both back ends, as far as they were built; returns what the bench measured."""
    if build.has_hls:
        progress("C simulation of the HLS sources")
        run_hls(build.folder, build.dataflow, x, work).require_golden(build.dataflow, x)
    if not build.has_rtl:
        return {}
    progress(f"RTL simulation, {len(x)} frames, stalls {stalls.value}")
    return run_bench(build.folder, len(x), stalls, seed, waves, write_vectors(work, build.dataflow, x))
