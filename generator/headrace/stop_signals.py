"""Signals that end a command: its programs end with it, and what it has written aside is removed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(KeyboardInterrupt):
    """A signal ended the command. code: its exit status."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """In the block the first signal raises Stopped; later ones do not disturb the cleaning up that follows."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:  # as a shell gives it to what runs in the background
            signal.signal(number, _stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, _: FrameType | None) -> None:
    for other in _SIGNALS:
        signal.signal(other, signal.SIG_IGN)
    for child in descendants(os.getpid()):
        with suppress(OSError):
            os.kill(child, signal.SIGTERM)
    raise Stopped(128 + number)


def descendants(root: int) -> list[int]:
    """Processes that a process started, and those that they started; none where the system has no /proc."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # The name in parentheses may hold anything.
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [root]
    for process in found:  # grows while it is read
        found += [child for child, parent in parents.items() if parent == process]
    return found[1:]
