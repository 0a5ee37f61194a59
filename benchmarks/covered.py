"""Models that count what they reach, and the files in which they say it. As a plugin of pytest: in all of its tests.

A simulated board then ends with its input rather than by a signal, so that it writes its file.
"""

from __future__ import annotations

import subprocess
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

import pytest

from headrace.benches import serial_board, simulated_board
from headrace.simulation import rtl
from headrace.simulation.remaining import Progress
from headrace.simulation.verilate import verilate

COVERAGE = ("--coverage-line", "--coverage-toggle")
#: Seconds for a board to notice the end of its input.
_PATIENCE_S = 60


def _verilate(top: str, sources: Iterable[Path], main: str, work: Path, optimization: str = "-O1",
              options: Sequence[str] = (), progress: Progress = lambda _: None) -> Path:
    return verilate(top, sources, main, work, optimization, (*options, *COVERAGE), progress)


@contextmanager
def covered() -> Iterator[None]:
    """All models that are compiled count what they reach. For all threads: enter it once, before there are some."""
    with ExitStack() as stack:
        for module in (rtl, simulated_board, serial_board):
            stack.enter_context(patch.object(module, "verilate", _verilate))
        yield


def points(work: Path) -> list[str]:
    """What the runs below a folder have written."""
    return [path.read_text(errors="replace") for path in sorted(work.rglob("coverage*.dat"))]


class _Ending(subprocess.Popen[bytes]):
    """A process whose input ends before it is killed."""

    def kill(self) -> None:
        with suppress(OSError, subprocess.TimeoutExpired):
            if self.stdin is not None:
                self.stdin.close()
                self.wait(_PATIENCE_S)
        super().kill()


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Generator[None, object, object]:
    """Around all tests."""
    with covered(), patch.object(subprocess, "Popen", _Ending):
        return (yield)
