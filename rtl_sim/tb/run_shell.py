#!/usr/bin/env python3
"""Run shell_bench.py: the shell around the accelerator of a build directory, as the processor drives it."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

from run import compile_model, prepare_tools
from run_layer import passed

TB = Path(__file__).resolve().parent
#: Of Verilator: what was reached of lines, branches and signals.
COVERAGE = ("--coverage-line", "--coverage-toggle")


def run_shell(build_folder: Path, dma_bytes: int, folder: Path, coverage: bool = False) -> bool:
    """Compile and run in `folder`; whether all tests passed. coverage: leaves Verilator's coverage.dat there."""
    from headrace.benches.shell_job import shell_job
    from headrace.benches.simulated_board import write_shell
    from headrace.build_folder import Build

    build = Build.open(build_folder)
    sources = write_shell(build, folder, dma_bytes)
    (folder / "job.json").write_text(json.dumps(shell_job(build)))
    for memory in (build_folder / "rtl").glob("*.mem"):
        shutil.copy(memory, folder)
    (folder / "shell.vlt").write_text('`verilator_config\npublic_flat_rw -module "headrace_shell" -var "*"\n')
    compile_model("headrace_shell", [folder / "shell.vlt", *sources], folder, options=COVERAGE if coverage else ())
    return passed("shell_bench", "headrace_shell", folder, ["shell"])


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=Path, metavar="DIR", help="a build directory with rtl/")
    parser.add_argument("--dma-bytes", type=int, default=16, help="width of the DMA's streams (default %(default)s)")
    parser.add_argument("--coverage", type=Path, metavar="FILE", help="write what Verilator counts as reached here")
    options = parser.parse_args()
    prepare_tools()
    sys.path[:0] = [str(TB), str(TB.parent.parent)]
    with tempfile.TemporaryDirectory() as folder:
        good = run_shell(options.build.resolve(), options.dma_bytes, Path(folder), options.coverage is not None)
        if options.coverage:
            shutil.copy(Path(folder) / "coverage.dat", options.coverage)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
