"""A Dask scheduler and workers as on machines of their own: each a process in a folder of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Machines:
    """address: of the scheduler. running: its process, and after it those of the workers."""

    address: str
    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, *command: str, environment: Mapping[str, str] | None = None) -> None:
        """One more process of Dask's."""
        folder = self.folder / f"machine{len(self.running)}"
        folder.mkdir()
        self.running.append(subprocess.Popen(
            [sys.executable, "-m", "dask", *command], cwd=folder, env={**os.environ, **(environment or {})},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def worker(self, environment: Mapping[str, str] | None = None) -> None:
        """One more worker."""
        self.start("worker", self.address, "--nthreads", "1", "--no-dashboard", environment=environment)


@contextmanager
def machines(folder: Path, workers: int = 2) -> Iterator[Machines]:
    """A scheduler and so many workers, in folders below `folder`; they end with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    made = Machines(f"tcp://127.0.0.1:{port}", folder)
    made.start("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
    for _ in range(workers):
        made.worker()
    try:
        yield made
    finally:
        for process in reversed(made.running):
            process.terminate()
            process.wait(30)
