"""An exploration: all points planned, the Pareto front of them taken through the stages, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from headrace import serialize
from headrace.bounded_reading import read_text
from headrace.errors import InputError, ToolError
from headrace.exploring.axes import Axes
from headrace.exploring.crew import Crew, Failure, require_tools, results
from headrace.exploring.front import front
from headrace.exploring.kept import Kept, content_key, require_place
from headrace.exploring.outcome import Exploration, point_row, write_exploration
from headrace.exploring.points import plan_point
from headrace.exploring.stages import Stage, require_stages
from headrace.exploring.variants import Data, Variant, variants
from headrace.exploring.work import Done, Job
from headrace.model import Model
from headrace.progress import Progress, Step, silent
from headrace.quantizing.settings import Settings
from headrace.request import Options, resolve
from headrace.simulation.remaining import duration
from headrace.version import headrace_version


@dataclass(frozen=True, eq=False)
class Plan:
    """What is asked for: the points, how far the front of them is taken, and where all of it is kept.

    every: take all points that fit, not only the front. resume: go on with the finished points of `out`.
    verify_layers: compare the layers of a build one by one, all workers those of a point together.
    """

    axes: Axes
    out: Path
    stages: Sequence[str] = ("plan",)
    data: Data | None = None
    crew: Crew = field(default_factory=Crew)
    resume: bool = False
    every: bool = False
    verify_layers: bool = False
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, eq=False)
class _Entry:
    """A point with its network and its row of the table."""

    variant: Variant
    options: Options
    row: dict[str, Any]


def explore(source: Any, plan: Plan, progress: Progress = silent) -> Exploration:
    """Explore a model. What is finished stays in `plan.out`, whatever ends the exploration.

    Raises InputError for what cannot be asked for, ToolError where Dask, pandas or pyarrow is missing or the disk is
    full.
    """
    stages = require_stages(plan.stages)
    require_tools()
    require_place(plan.out, plan.resume)
    requests = [resolve(options) for _, options in _options(plan)]  # unknown boards are told before all work
    boards = list({request.board.name: request.board for request in requests}.values())
    entries = list(_planned(source, plan, len(requests), progress))
    for entry, kept in zip(entries, front([entry.row for entry in entries]), strict=True):
        entry.row["front"] = kept
    chosen = [entry for entry in entries if entry.row["fits"] and (entry.row["front"] or plan.every)]
    made = Exploration(entries[0].variant.model.name, [entry.row for entry in entries], boards,
                       plan.out)
    try:
        if stages[1:]:
            _take(chosen, stages[1:], plan, progress)
    except BaseException as stopped:  # signals and full disks included: the tables say what is finished
        with suppress(ToolError):  # where the disk is full; what stopped it is the better sentence
            write_exploration(made)
        if isinstance(stopped, KeyboardInterrupt):
            stopped.add_note(f"stopped; {Kept(plan.out).count()} finished points are kept in {plan.out}, go on with "
                             "--resume")
        raise
    write_exploration(made)
    return made


def _options(plan: Plan) -> list[tuple[str, Options]]:
    return plan.axes.options(verify_layers=plan.verify_layers)


def _planned(source: Any, plan: Plan, points: int, progress: Progress) -> Iterator[_Entry]:
    """Every point, planned."""
    total, number = points * len(plan.axes.widths()), 0
    for variant in variants(source, plan.axes, plan.data, plan.settings, progress):
        for core, options in _options(plan):
            request = resolve(options)
            progress(Step(f"planning point {number + 1} of {total}: {request.board.name}, {request.asked}", "planning",
                          number / total))
            number += 1
            yield _Entry(variant, options, point_row(variant, core, plan_point(variant.model, request)))


def _take(entries: Sequence[_Entry], stages: tuple[str, ...], plan: Plan, progress: Progress) -> None:
    """Take points through the stages; their rows tell what came of it."""
    kept, jobs = Kept(plan.out, plan.crew.versions(stages)), list[Job]()
    by_key: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        board_file = _board_file(entry.options)
        key = content_key(entry.variant.model, entry.options, board_file)
        finished = kept.find(key)
        if key not in by_key and (left := _left(stages, finished)):
            jobs.append(_job(key, entry, board_file, left, kept.made(key) if finished else b""))
        by_key.setdefault(key, []).append(entry.row)
        _tell(entry.row, finished, kept, key)
    progress(Step(f"{len(by_key) - len(jobs)} points are finished, {len(jobs)} are left", kept=True))
    started = time.monotonic()
    for number, result in enumerate(results(plan.crew, jobs) if jobs else (), 1):
        finished = kept.add(result) if isinstance(result, Done) else kept.find(result.key)
        for row in by_key[result.key]:
            _tell(row, finished, kept, result.key, result.error)
        left_s = (time.monotonic() - started) / number * (len(jobs) - number)
        text = f"[{number}/{len(jobs)}] {_line(by_key[result.key][0], result)}"
        progress(Step(f"{text}; {duration(left_s)} left" if number < len(jobs) else text, kept=True))


def _left(stages: Sequence[str], finished: Sequence[Stage]) -> tuple[str, ...]:
    """The stages that are still to be done."""
    return tuple(stage for stage in stages if stage not in {done.name for done in finished})


def _job(key: str, entry: _Entry, board_file: str, stages: tuple[str, ...], made: bytes) -> Job:
    model: Model = entry.variant.model
    return Job(key, serialize.npz_content(model.integer), model.source_sha256, model.name, entry.options, board_file,
               stages, made, headrace_version())


def _board_file(options: Options) -> str:
    """The text of the user's own board; workers do not see the file."""
    board = str(options.board or "")
    try:
        return read_text(Path(board)) if board.endswith(".toml") else ""
    except OSError:
        raise InputError(f"{board}: cannot be read; check the path") from None


def _tell(row: dict[str, Any], finished: Sequence[Stage], kept: Kept, key: str, error: str = "") -> None:
    """Write into a row what is known of its point."""
    for stage in finished:
        row |= stage.measured
    row["stages"] = ",".join(("plan", *(stage.name for stage in finished)))
    row["error"] = error
    row["build"] = kept.folder(key).relative_to(kept.out).as_posix() if finished else ""


def _line(row: dict[str, Any], result: Done | Failure) -> str:
    """A finished point in a line."""
    rate = "fastest" if row["fps_asked"] is None else f"{row['fps_asked']:g} fps"
    widths = "" if row["weight_bits"] is None else f", w{row['weight_bits']}a{row['act_bits']}"
    what = f"{row['board']}, {row['clock_mhz']:g} MHz, {rate}{widths}"
    return f"{what}: {result.error}" if result.error else f"{what}: {row['fps']:.0f} fps, {row['lut']} LUT"
