"""From a build to a bitstream: the vendor's tools, run where they are installed, explained where they are not."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from headrace.atomic_files import write_files, write_json
from headrace.board.board import Board, load_board
from headrace.board.family import family_of
from headrace.board.host_words import HostWords, host_words
from headrace.build_folder import RECORD, Build
from headrace.dataflow.hls_graph import hls_graph
from headrace.dataflow.vectors import Vectors
from headrace.drivers.render import PACKAGE, render_driver, write_driver
from headrace.errors import InputError, ToolError
from headrace.packing import unpack_stream
from headrace.render.hls import frames_of_a_call
from headrace.render.hls_project import HlsProject, render_project
from headrace.render.hls_views import process_name
from headrace.render.names import identifier
from headrace.render.vivado import FATAL, NAME, Backend, render_vivado
from headrace.timing.hls_clock import require_clock
from headrace.version import file_header
from headrace.vivado.hls_reports import REPORTS, compared, find_report, read_reasons, read_synthesis
from headrace.vivado.reports import read_hierarchy, read_timing, read_utilization

Progress = Callable[[str], None]

_VITIS_HLS = ("vitis_hls", "-f", "csynth.tcl")
_COSIM = ("vitis_hls", "-f", "cosim.tcl")
_VPP = ("v++", "-c", "--mode", "hls", "--config", "hls.cfg", "--work_dir", "project")
_VPP_COSIM = ("vitis-run", "--mode", "hls", "--cosim", "--config", "hls.cfg", "--work_dir", "project")
_LOG_LINES = 8
#: What the scripts leave in vivado/.
TIMING, UTILIZATION, HIERARCHY = "timing.rpt", "utilization.rpt", "utilization_hierarchy.rpt"
_RESULTS = (f"{NAME}.bit", f"{NAME}.hwh", TIMING, UTILIZATION, HIERARCHY)


def choose_backend(build: Build, backend: Backend | None) -> Backend:
    """The back end that becomes hardware: the one asked for, else SystemVerilog if it was built."""
    there: dict[Backend, bool] = {"rtl": build.has_rtl, "hls": build.has_hls}
    if backend is not None and not there[backend]:
        raise InputError(f"{build.folder}: was built without the {backend} back end; "
                         f"build with --backend {backend} or both")
    return backend or ("rtl" if there["rtl"] else "hls")


@dataclass(frozen=True)
class HlsRun:
    """How the HLS compiler runs: its project, and whether the co-simulation follows."""

    project: HlsProject = field(default_factory=HlsProject)
    cosim: bool = False


def make_bitstream(build: Build, board_name: str, jobs: int = 2, backend: Backend | None = None, quick: bool = False,
                   progress: Progress = lambda _: None, hls: HlsRun | None = None,
                   observe: bool = False) -> dict[str, Any]:
    """Write DIR/vivado, run the tools in it and record timing and utilization in build.json; returns the record.

    For the HLS back end the record also has what the compiler made of every process, and warnings where a layer is
    slower than one word per cycle; hls: how the compiler runs. observe: the shell counts stalls and how full
    FIFOs are, which the rtl back end tells.
    Leaves DIR/vivado/accelerator.bit and .hwh; with `quick` only the shell is synthesised, out of context. Raises
    ToolError where a tool is missing (the scripts are there then, and the sentence says how to run them elsewhere) or
    fails, or where the timing is not met.
    """
    if jobs < 1:
        raise InputError(f"jobs={jobs} must be positive; use 1 or more")
    board = load_board(board_name)
    chosen = choose_backend(build, backend)
    _require_run(build, chosen, hls, observe)
    sha256 = build.record["source_sha256"]
    files = render_vivado(build.dataflow, board, chosen, build.record["clock_mhz"], sha256, observe)
    host = host_words(build.dataflow, family_of(board), build.record["clock_mhz"])
    driver = _driver_for(build, board, host)
    folder = (build.folder / "vivado").resolve()
    write_files(folder, files)
    write_driver(build.folder / "driver", driver)
    build = replace(build, record={**build.record, "host_words": {"input": host.input, "output": host.output}})
    write_json(build.folder / RECORD, dict(build.record))
    steps = [*(_hls_steps(build, board, hls or HlsRun()) if chosen == "hls" else []), (folder, _vivado(jobs, quick))]
    _require_tools(steps)
    for stale in (*(folder / name for name in _RESULTS), *(build.folder / "hls" / name for name in REPORTS)):
        stale.unlink(missing_ok=True)
    for where, command in steps:
        progress(f"{command[0]} is running, its log is {where / _log(command)}")
        _run(where, command)
    compiled = {"hls": _hls_record(build)} if chosen == "hls" else {}
    return _record(build, board, chosen, folder, quick, compiled)


def _require_run(build: Build, backend: Backend, hls: HlsRun | None, observe: bool) -> None:
    if observe and backend == "hls":
        raise InputError("the hls back end does not tell how full its FIFOs are; leave --observe out, or give "
                         "--backend rtl")
    if hls is not None and backend != "hls":
        raise InputError("clock uncertainty and co-simulation belong to the HLS compiler, which the rtl back end does "
                         "not need; give --backend hls too")
    if backend == "hls":
        period_ns, project = 1e3 / build.record["clock_mhz"], (hls or HlsRun()).project
        project.require_period(period_ns)
        require_clock(hls_graph(build.dataflow), period_ns, project.uncertainty_ns(period_ns))


def _driver_for(build: Build, board: Board, host: HostWords) -> dict[str, bytes]:
    """The driver with the addresses of the board, which may be another one than the build was made for."""
    vectors = build.folder / "driver" / PACKAGE / "vectors.npz"
    if not vectors.is_file():
        return {}
    with np.load(vectors) as arrays:
        words = arrays["input"].reshape(-1, build.host_words.input)[:, : build.dataflow.input.bytes]
    x = unpack_stream(words, build.dataflow.input.lanes, build.dataflow.input.element)
    frames = x.reshape(-1, build.dataflow.input.elements)
    sha256 = build.record["source_sha256"]
    return render_driver(build.model.integer, Vectors(build.dataflow, frames), board, sha256, host)


def _vivado(jobs: int, quick: bool) -> tuple[str, ...]:
    script = ("-source", "ooc.tcl") if quick else ("-source", "bitstream.tcl", "-tclargs", str(jobs))
    return ("vivado", "-mode", "batch", "-nojournal", "-nolog", *script)


def _hls_steps(build: Build, board: Board, run: HlsRun) -> list[tuple[Path, tuple[str, ...]]]:
    """HLS synthesis for the board's part, and co-simulation where it is wanted, by the tool that is installed."""
    period_ns = 1e3 / build.record["clock_mhz"]
    header = file_header(build.record["source_sha256"])
    folder = (build.folder / "hls").resolve()
    frames = frames_of_a_call(hls_graph(build.dataflow))
    write_files(folder, render_project(period_ns, board.part, header, build.record["vectors"], frames, run.project))
    newer = shutil.which(_VITIS_HLS[0]) is None and shutil.which(_VPP[0]) is not None
    commands = (_VPP, _VPP_COSIM) if newer else (_VITIS_HLS, _COSIM)
    return [(folder, command) for command in commands[: 1 + run.cosim]]


def _require_tools(steps: Sequence[tuple[Path, tuple[str, ...]]]) -> None:
    for _, command in steps:
        if shutil.which(command[0]) is None:
            lines = " && ".join(f"cd {shlex.quote(str(where))} && {shlex.join(words)}" for where, words in steps)
            raise ToolError(f"{command[0]} is not on PATH; the scripts are written, so run them where it is installed: "
                            f"{lines}")


def _run(folder: Path, command: Sequence[str]) -> None:
    """Run a tool in a folder, its output in a log there. Raises ToolError with the lines that tell why it failed."""
    log = folder / _log(command)
    with log.open("w") as output:
        done = subprocess.run(command, cwd=folder, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise ToolError(f"{command[0]} failed with exit status {done.returncode}, see {log}:\n{relevant_lines(log)}")
    for path in sorted({log, *folder.rglob("runme.log")}):  # Vivado's runs are processes with logs of their own
        if bad := fatal_lines(path):
            raise ToolError(f"{command[0]} ended well, but what it made would compute something else, see {path}:\n"
                            f"{bad}")


def fatal_lines(log: Path) -> str:
    """The first lines of a log of Vivado that say that memories have no contents or that nets have two drivers."""
    found = [line.strip() for line in log.read_text(errors="replace").splitlines()
             if any(f"[{message}]" in line for message in FATAL)]
    return "\n".join(found[:_LOG_LINES])


def _log(command: Sequence[str]) -> str:
    return "cosim.log" if command in (_COSIM, _VPP_COSIM) else f"{command[0]}.log"


def relevant_lines(log: Path) -> str:
    """The first errors of a log; where it has none, critical warnings, else its end."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    for mark in ("ERROR", "CRITICAL WARNING"):
        if found := [line for line in lines if line.startswith(mark)]:
            return "\n".join(found[:_LOG_LINES])
    return "\n".join(lines[-_LOG_LINES:]) or "(the log is empty)"


def _hls_record(build: Build) -> dict[str, Any]:
    """What the HLS compiler made of every layer."""
    synthesis = read_synthesis(find_report(build.folder / "hls"))
    processes = {process_name(item): item for item in hls_graph(build.dataflow).processes}
    layers = {name: item.layer.name for name, item in processes.items()}
    planned = {name: item.process.loop.iterations for name, item in processes.items()}
    return synthesis.record() | {"layers": compared(synthesis, layers, planned),
                                 "warnings": synthesis.warnings(layers, read_reasons(build.folder / "hls"))}


def _instances(build: Build, backend: Backend) -> dict[tuple[str, str], str]:
    """Names of layers by the instance around them and by their own, as the templates and HLS compilers name them."""
    if backend == "hls":
        return {("u_hls", f"{process_name(item)}_U0"): item.layer.name
                for item in hls_graph(build.dataflow).processes}
    return {("u_core", f"u_{identifier(layer.name)}"): layer.name for layer in build.dataflow.layers}


def _record(build: Build, board: Board, backend: Backend, folder: Path, quick: bool,
            compiled: dict[str, Any]) -> dict[str, Any]:
    """Check what the tools left and add it, and what the HLS compiler said, to build.json."""
    if not quick:
        for name in (f"{NAME}.bit", f"{NAME}.hwh"):
            if not (folder / name).is_file():
                raise ToolError(f"vivado ended without {name}, see {folder / 'vivado.log'}:\n"
                                f"{relevant_lines(folder / 'vivado.log')}")
    result = {
        "board": board.name, "part": board.part, "backend": backend, "clock_mhz": build.record["clock_mhz"],
        "timing": read_timing(folder / TIMING), "utilization": read_utilization(folder / UTILIZATION),
        **({} if quick else {"layers": read_hierarchy(folder / HIERARCHY, _instances(build, backend))}), **compiled,
    }
    key = "out_of_context" if quick else "bitstream"
    record = dict(build.record) | {key: result}
    write_json(build.folder / RECORD, record)
    if not result["timing"]["met"]:
        worst = min(value for value in (result["timing"]["wns_ns"], result["timing"]["whs_ns"]) if value is not None)
        raise ToolError(f"the design misses its timing by {-worst:g} ns at {build.record['clock_mhz']:g} MHz; "
                        "build with a lower --clock-mhz")
    return result
