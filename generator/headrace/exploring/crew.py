"""The workers: Dask's, on this machine or behind any scheduler."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from headrace.errors import InputError, ToolError
from headrace.exploring.cluster import connected, outcome, reason
from headrace.exploring.stages import Versions, stage_versions
from headrace.exploring.work import Done, Job, run_job

#: Workers that may die over a point before it counts as failed.
_DEATHS = 3


@dataclass(frozen=True)
class Crew:
    """Where points are worked on: a scheduler by its address, or so many processes here with so much memory each.

    Raises InputError for a number of workers that does nothing.
    """

    scheduler: str = ""
    workers: int = 0
    memory: str = "4GB"

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise InputError(f"workers={self.workers} do nothing; use 1 or more")
        if self.scheduler and self.workers:
            raise InputError(f"scheduler {self.scheduler} has workers of its own; leave --workers out")

    def versions(self, stages: Sequence[str]) -> list[Versions]:
        """What the workers have of the tools of every stage. Raises InputError where no worker can be reached."""
        if not self.scheduler:
            return [stage_versions(stages)]
        with connected(self.scheduler) as client:
            return list(client.run(stage_versions, tuple(stages)).values())


@dataclass(frozen=True, eq=False)
class Failure:
    """A point that no worker could finish, and why."""

    key: str
    error: str


def require_tools() -> None:
    """Raise ToolError where what only an exploration needs is not installed."""
    try:
        import distributed  # noqa: F401
        import pandas  # noqa: F401
        import pyarrow  # noqa: F401
    except ImportError as error:
        raise ToolError(f"exploring needs {error.name}, which is not installed; run pip install 'headrace[explore]'"
                        ) from None


def results(crew: Crew, jobs: Sequence[Job]) -> Iterator[Done | Failure]:
    """What becomes of the jobs, in the order in which they end. Raises InputError where no worker can be reached."""
    from distributed import as_completed

    with _client(crew, len(jobs)) as client:
        running = {client.submit(run_job, job, key=f"headrace-{job.key}-{'-'.join(job.stages)}", pure=False): job.key
                   for job in jobs}
        try:
            for future in as_completed(running):
                yield _result(future, running[future])
        finally:  # a scheduler that serves others too shall not go on with what nobody waits for
            client.cancel(list(running))


def _result(future: Any, key: str) -> Done | Failure:
    found, error = outcome(future)
    if error is not None:
        return Failure(key, reason(error))
    done: Done = found
    return done


@contextmanager
def _client(crew: Crew, jobs: int) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    if crew.scheduler:
        with connected(crew.scheduler) as client:
            yield client
        return
    import dask

    count = min(crew.workers or os.cpu_count() or 1, jobs)
    with (dask.config.set({"distributed.scheduler.allowed-failures": _DEATHS}),
          LocalCluster(n_workers=count, threads_per_worker=1, memory_limit=crew.memory, dashboard_address=None,
                       silence_logs=50) as cluster, Client(cluster) as client):
        yield client
