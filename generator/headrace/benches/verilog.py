"""Simulation of Verilog that an HLS compiler wrote for a build: the same bench, around the adapter."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

from headrace.atomic_files import write_files
from headrace.benches.cocotb_bench import run_bench
from headrace.build_folder import Build
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import IntArray
from headrace.errors import InputError
from headrace.render.rtl import ADAPTER, TOP, render_adapter
from headrace.render.sim import render_boundary_sim, write_vectors
from headrace.simulation.frames import Stalls

_SOURCES = (".v", ".sv", ".vh", ".svh")
_MEMORIES = (".dat", ".mem")


def run_verilog(build: Build, path: Path, x: IntArray, stalls: Stalls, seed: int, scratch: Path,
                work: Path, waves: bool = False) -> dict[str, Any]:
    """Stream the frames x (frames, elements) through the Verilog in a folder or file; see bench.run_bench.

    Input and output are compared with the golden model; what lies between is not known. scratch: an empty folder.
    Raises InputError where `path` does not hold the module of the network.
    """
    folder = scratch / "bench"
    (folder / "rtl").mkdir(parents=True)
    for file in _verilog_files(path):
        shutil.copy(file, folder / "rtl")
    write_files(folder / "rtl", {f"{ADAPTER}.sv": render_adapter(build.dataflow, "headrace sim")})
    write_files(folder / "sim", render_boundary_sim(build.dataflow, "headrace sim", ADAPTER))
    vectors = write_vectors(folder / "sim", Vectors(build.dataflow, x))
    result = run_bench(folder, len(x), stalls, seed, waves, vectors, work)
    if waves:
        shutil.copy(folder / "sim" / "waves.vcd", build.folder / "sim")
    return result


def _verilog_files(path: Path) -> list[Path]:
    """Sources and memories; a file stands for all that lies beside it."""
    folder = path.parent if path.is_file() else path
    if not folder.is_dir():
        raise InputError(f"{path}: there is no such file or folder; give the Verilog that an HLS compiler wrote, for "
                         "example hls/project/solution/syn/verilog")
    files = sorted(file for file in folder.iterdir() if file.suffix in (*_SOURCES, *_MEMORIES))
    module = re.compile(rf"\bmodule\s+{TOP}\b")
    if not any(module.search(file.read_text(errors="replace")) for file in files if file.suffix in _SOURCES):
        raise InputError(f"{path}: no .v or .sv file there defines the module {TOP}; give the folder of the Verilog "
                         "that an HLS compiler wrote for this build")
    return files
