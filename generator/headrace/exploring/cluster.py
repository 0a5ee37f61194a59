"""Dask, whose schedulers and workers people already run. It is imported here and in `crew`, at its first use."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from typing import Any

from headrace.errors import HeadraceError, InputError, ToolError
from headrace.version import headrace_version

#: Seconds in which a scheduler answers and has a worker.
_ANSWERS_S = 30


def require_dask() -> None:
    """Raise ToolError where what a scheduler is talked to with is not installed."""
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        raise ToolError(f"a cluster needs {error.name}, which is not installed; run pip install 'headrace[explore]'"
                        ) from None


@contextmanager
def connected(scheduler: str) -> Iterator[Any]:
    """A client of the scheduler at an address.

    Raises ToolError without Dask, InputError where no scheduler answers, it has no workers, or one of these has no
    headrace or another version of it.
    """
    require_dask()
    from distributed import Client

    try:
        client = Client(scheduler, timeout=_ANSWERS_S)
    except (OSError, ValueError) as error:
        raise InputError(f"scheduler {scheduler}: does not answer ({error}); start one by `dask scheduler`, or leave "
                         "--scheduler out") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=_ANSWERS_S)
        except TimeoutError:
            raise InputError(f"scheduler {scheduler}: has no workers; start some by `dask worker {scheduler}` where "
                             "headrace is installed") from None
        for worker, found in client.run(headrace_version, on_error="return").items():
            _require_version(f"scheduler {scheduler}: its worker {worker}", found)
        yield client


def _require_version(who: str, found: object) -> None:
    if isinstance(found, BaseException):
        raise InputError(f"{who} cannot use headrace ({found}); install headrace {headrace_version()} there")
    if found != headrace_version():
        raise InputError(f"{who} has headrace {found}, who asks {headrace_version()}; install the same there")


def require_version(asked: str) -> None:
    """For a worker that came later: raise InputError where another version of headrace is installed here."""
    if headrace_version() != asked:
        raise InputError(f"a worker has headrace {headrace_version()}, who asks {asked}; install the same there")


def outcome(future: Any) -> tuple[Any, Exception | None]:
    """What a future gave, or what was raised in its place, by its function or by Dask."""
    try:
        return future.result(), None
    except Exception as error:
        return None, error


def reason(error: Exception) -> str:
    """What went wrong, for a sentence."""
    from distributed import KilledWorker

    if isinstance(error, KilledWorker):
        return f"{error.allowed_failures + 1} workers died over it; give each more memory than they had"
    if isinstance(error, CancelledError):
        return "the scheduler has gone; start it again"
    return str(error) if isinstance(error, HeadraceError) else f"{type(error).__name__}: {error}"
