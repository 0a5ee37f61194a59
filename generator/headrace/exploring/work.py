"""What a worker does with a point: it needs headrace and nothing of the disk from which it was sent."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headrace import serialize
from headrace.benches.network import Simulation, simulate_build
from headrace.board.board import DEFAULT_BOARD
from headrace.build_folder import Build
from headrace.building import build
from headrace.errors import HeadraceError, InputError
from headrace.model import Model
from headrace.request import Options
from headrace.synthesis.report import Request, synthesize_build
from headrace.synthesis.yosys import default_cache
from headrace.version import headrace_version
from headrace.vivado.flow import make_bitstream


@dataclass(frozen=True, eq=False)
class Job:
    """A point as it travels.

    network: the integer network as an .npz file. board_file: the text of the user's own board, "" for one of
    headrace's. stages: still to be done. made: the build directory as far as it is, as a .zip file.
    """

    key: str
    network: bytes
    source_sha256: str
    name: str
    options: Options
    board_file: str
    stages: tuple[str, ...]
    made: bytes
    version: str


@dataclass(frozen=True, eq=False)
class Done:
    """A point as it comes back: the stages that are done now, what they measured, what stopped the next one."""

    key: str
    made: bytes
    stages: tuple[str, ...]
    measured: Mapping[str, Any]
    error: str


def run_job(job: Job) -> Done:
    """Take a point through its stages. Raises InputError where another version of headrace is installed."""
    if headrace_version() != job.version:
        raise InputError(f"a worker has headrace {headrace_version()}, who asks {job.version}; install the same there")
    done: list[str] = []
    measured: dict[str, Any] = {}
    error = ""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / job.key[:16]
        if job.made:
            unpack(job.made, folder)
        try:
            for stage in job.stages:
                measured |= _stage(stage, job, folder)
                done.append(stage)
        except HeadraceError as stopped:
            error = f"{job.stages[len(done)]}: {stopped}".replace(str(folder), folder.name)
        return Done(job.key, pack(folder), tuple(done), measured, error)


def _stage(stage: str, job: Job, folder: Path) -> dict[str, Any]:
    if stage == "build":
        return _build(job, folder)
    made = Build.open(folder)
    if stage == "sim":
        found = simulate_build(made, Simulation())
        result = {"sim_bit_exact": found["bit_exact"], "sim_cycles_per_frame": found.get("cycles_per_frame")}
    elif stage == "synth":
        total = synthesize_build(made, Request((), False, 1, default_cache()))["total"]
        result = {f"synth_{name}": total[name] for name in ("lut", "lutram", "ff", "bram18", "uram", "dsp")}
    else:
        found = make_bitstream(made, _board(job, folder), jobs=1)
        result = {"bitstream": True, "slack_ns": found["timing"]["wns_ns"]}
    made.report()
    return result


def _build(job: Job, folder: Path) -> dict[str, Any]:
    network = folder.with_name("network.npz")
    network.write_bytes(job.network)
    model = Model(serialize.load_file(network), job.source_sha256, job.name)
    named = job.options.board is not None
    made = build(model, folder, replace(job.options, board=_board(job, folder)) if named else job.options)
    taken = made.resources
    return {"verified": bool(made.record["verified"]), "built_cycles_per_frame": made.cycles,
            "built_lut": taken.all_luts, "built_ff": taken.ff, "built_bram36": taken.bram36, "built_uram": taken.uram,
            "built_dsp": taken.dsp}


def _board(job: Job, folder: Path) -> str:
    """The board of a job as a name or a path of this machine."""
    name = job.options.board or DEFAULT_BOARD
    if not job.board_file:
        return name
    path = folder.with_name(Path(name).name)
    path.write_text(job.board_file)
    return str(path)


def pack(folder: Path) -> bytes:
    """A folder as a .zip file; b"" where there is none."""
    if not folder.is_dir():
        return b""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            archive.write(path, path.relative_to(folder))
    return content.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Write what `pack` packed; nothing outside of the folder, whatever the names are."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
