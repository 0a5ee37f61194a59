"""The layers of one build, compared by the workers of a Dask scheduler. They need headrace and nothing of this disk."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from headrace.errors import HeadraceError, InputError, ToolError
from headrace.exploring.cluster import connected, outcome, reason, require_version
from headrace.exploring.parcels import pack_files, unpack
from headrace.request import Options
from headrace.simulation.by_layer import HERE, Spread
from headrace.simulation.layer_task import Task, Verdict
from headrace.version import headrace_version

#: Parcels on their way for every thread of the workers: one is worked on while the next one comes.
_AHEAD = 2
#: Layers come before whole points, which wait for them.
_PRIORITY = 10


@dataclass(frozen=True, eq=False)
class Parcel:
    """A task as it travels. version: of headrace, without which `task` means nothing. files: what it reads, packed."""

    version: str
    task: bytes
    files: bytes


@contextmanager
def layers_spread(scheduler: str, options: Options) -> Iterator[Spread]:
    """Who compares the layers of a build: the workers of a scheduler, or without one this machine.

    Raises InputError for options that compare the network as a whole, and what cluster.connected does.
    """
    if not scheduler:
        yield HERE
        return
    if not options.verify_layers:
        raise InputError(f"scheduler {scheduler}: its workers compare layers, but the network is to be compared as a "
                         "whole; add --verify-layers, or leave --scheduler out")
    with connected(scheduler) as client:
        yield spread_over(client)


def spread_over(client: Any) -> Spread:
    """The workers of a client's scheduler as those who compare layers; ToolError where one of these fails."""
    def run(tasks: Sequence[Task], sources: Path, _: Path) -> Iterator[Verdict]:
        return _run(client, tasks, sources)

    return Spread(run, "workers of a Dask scheduler")


def _run(client: Any, tasks: Sequence[Task], sources: Path) -> Iterator[Verdict]:
    """Few parcels at a time: together they may be more than memory holds."""
    from distributed import as_completed

    waiting, running = iter(tasks), {}

    def submitted(task: Task) -> Any:
        future = client.submit(run_parcel, _parcel(task, sources), priority=_PRIORITY, pure=False)
        running[future] = task
        return future

    try:
        ended = as_completed([submitted(task) for task in islice(waiting, _AHEAD * sum(client.nthreads().values()))])
        for future in ended:
            yield from _verdicts(future, running.pop(future))
            for task in islice(waiting, 1):
                ended.add(submitted(task))
    finally:  # a scheduler that serves others too shall not go on with what nobody waits for
        client.cancel(list(running))


def _parcel(task: Task, sources: Path) -> Parcel:
    return Parcel(headrace_version(), pickle.dumps(task), pack_files(sources, task.files(sources)))


def _verdicts(future: Any, task: Task) -> list[Verdict]:
    found, error = outcome(future)
    if isinstance(error, HeadraceError):
        raise error
    if error is not None:
        names = ", ".join(item.layer.name for item in task.items.values())
        raise ToolError(f"no worker could compare {names}: {reason(error)}")
    verdicts: list[Verdict] = found
    return verdicts


def run_parcel(parcel: Parcel) -> list[Verdict]:
    """Compare the layers of a parcel, on a worker.

    Raises InputError where another version of headrace is installed, ToolError where a tool is missing or fails.
    """
    require_version(parcel.version)
    task: Task = pickle.loads(parcel.task)
    with tempfile.TemporaryDirectory() as scratch:
        sources = Path(scratch) / "sources"
        unpack(parcel.files, sources)
        try:
            return list(task.run(sources, Path(scratch) / "work"))
        except ToolError as error:
            raise ToolError(f"worker {_address()}: {error}") from None


def _address() -> str:
    from distributed import get_worker

    return str(get_worker().address)
