"""What a worker does with a point: it needs headrace and nothing of the disk from which it was sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from headrace import serialize
from headrace.benches.network import Simulation, simulate_build
from headrace.board.board import DEFAULT_BOARD, load_board
from headrace.board.family import RoutedFamily, find_family
from headrace.build_folder import Build
from headrace.building import build
from headrace.ecp5.flow import Options as Routing
from headrace.ecp5.flow import make_routed
from headrace.errors import HeadraceError
from headrace.exploring.cluster import require_version
from headrace.exploring.layers import spread_over
from headrace.exploring.parcels import pack, unpack
from headrace.exploring.stages import Stage, stage_versions
from headrace.model import Model
from headrace.request import Options
from headrace.simulation.by_layer import HERE, Spread
from headrace.synthesis.report import Request, synthesize_build
from headrace.synthesis.yosys import default_cache
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
    """A point as it comes back: the stages that are done now, and what stopped the next one."""

    key: str
    made: bytes
    stages: tuple[Stage, ...]
    error: str


def run_job(job: Job) -> Done:
    """Take a point through its stages. Raises InputError where another version of headrace is installed."""
    require_version(job.version)
    done: list[Stage] = []
    versions, error = stage_versions(job.stages), ""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / job.key[:16]
        if job.made:
            unpack(job.made, folder)
        try:
            for stage in job.stages:
                done.append(Stage(stage, versions[stage], _stage(stage, job, folder)))
        except HeadraceError as stopped:
            error = f"{job.stages[len(done)]}: {stopped}".replace(str(folder), folder.name)
        return Done(job.key, pack(folder), tuple(done), error)


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
        result = _bitstream(made, _board(job, folder))
    made.report()
    return result


def _bitstream(made: Build, board: str) -> dict[str, Any]:
    """By Vivado, or by open tools on a board that these route."""
    routed = isinstance(find_family(load_board(board)), RoutedFamily)
    found = make_routed(made, board, Routing()) if routed else make_bitstream(made, board, jobs=1)
    return {"bitstream": True, "slack_ns": found["timing"]["wns_ns"]}


def _build(job: Job, folder: Path) -> dict[str, Any]:
    network = folder.with_name("network.npz")
    network.write_bytes(job.network)
    model = Model(serialize.load_file(network), job.source_sha256, job.name)
    named = job.options.board is not None
    options = replace(job.options, board=_board(job, folder)) if named else job.options
    with _spread(options) as spread:
        made = build(model, folder, options, spread=spread)
    taken, record = made.resources, made.record
    return {"verified": bool(record["verified"]), "compared": record["verified_by"]["rtl"]["compared"],
            "built_cycles_per_frame": made.cycles, "built_lut": taken.all_luts, "built_ff": taken.ff,
            "built_bram36": taken.bram36, "built_uram": taken.uram, "built_dsp": taken.dsp}


@contextmanager
def _spread(options: Options) -> Iterator[Spread]:
    """Who compares the layers of a point: where each is compared by itself, all workers of the scheduler."""
    if not options.verify_layers:
        yield HERE
        return
    from distributed import worker_client

    with worker_client() as client:  # meanwhile the worker is free for layers
        yield spread_over(client)


def _board(job: Job, folder: Path) -> str:
    """The board of a job as a name or a path of this machine."""
    name = job.options.board or DEFAULT_BOARD
    if not job.board_file:
        return name
    path = folder.with_name(Path(name).name)
    path.write_text(job.board_file)
    return str(path)
