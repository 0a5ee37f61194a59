"""The cocotb bench of a build, run as anybody would run it: sim/run.py in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from headrace.errors import InputError, MismatchError, ToolError
from headrace.simulation.frames import Stalls
from headrace.versions import warn_if_untested

_MISMATCH = 1  # exit status of run.py where a word is wrong
_LINES = 20  # of what it says


def run_bench(
    build: Path,
    frames: int = 2,
    stalls: Stalls = Stalls.NONE,
    seed: int = 0,
    waves: bool = False,
    vectors: Path | None = None,
    work: Path | None = None,
) -> dict[str, Any]:
    """Stream `frames` frames through the accelerator of a build directory and compare every stream with its vectors.

    vectors: an .npz file as `render.sim.write_vectors` writes it; without one the build's own. work: a folder that
    keeps compiled models, so that the next run with the same sources starts at once; without one nothing is kept.
    waves: leave sim/waves.vcd in the build.

    Returns frames, stalls, seed, bit_exact (true), mismatch (None), cycles_per_frame (steady state, None for a single
    frame and under stalls), latency_cycles (first word in to last word of the first frame out), fifo_max_occupancy
    (by FIFO, the most words that were in its module at once, its output registers included).
    Raises MismatchError naming the first stream, frame, pixel and channel that differ, or what else is wrong;
    ToolError where Verilator, make or the C++ compiler is missing or fails; InputError where there is no bench.
    """
    script = build.resolve() / "sim" / "run.py"
    if not script.exists():
        raise InputError(f"{build}: there is no sim/run.py in it; give a directory that `headrace build` wrote")
    warn_if_untested("cocotb")
    with tempfile.TemporaryDirectory() as scratch:
        result = Path(scratch) / "result.json"
        options = ["--frames", str(frames), "--stalls", stalls.value, "--seed", str(seed), "--json", str(result),
                   "--build-dir", str((work or Path(scratch)).resolve())]
        options += ["--waves"] if waves else []
        options += ["--vectors", str(vectors.resolve())] if vectors else []
        done = subprocess.run([sys.executable, str(script), *options], capture_output=True, text=True, check=False)
        measured = _measured(result) if done.returncode in (0, _MISMATCH) else None
        if measured is None:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()[-_LINES:]
            reason = "\n".join(said) or f"it said nothing, left no result and ended with exit status {done.returncode}"
            raise ToolError(f"sim/run.py of {build} failed: {reason}")
    if not measured["bit_exact"]:
        raise MismatchError(measured["mismatch"])
    return measured


def _measured(path: Path) -> dict[str, Any] | None:
    """What run.py wrote; None where that is nothing, or not a result."""
    try:
        result = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return result if isinstance(result, dict) and {"bit_exact", "mismatch"} <= set(result) else None
