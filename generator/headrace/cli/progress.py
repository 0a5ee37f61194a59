"""What goes on, on stderr: a moving line in a terminal, lines with the time elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape

#: Seconds before the first line where there is no terminal: what is faster says nothing.
QUIET_S = 30.0


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """In the block, a function that is told what goes on."""
    console = Console(stderr=True)
    if console.is_terminal:
        with console.status("starting") as status:
            yield lambda text: status.update(escape(text))
        return
    lines = _Lines()
    try:
        yield lines.update
    finally:
        lines.timer.cancel()


class _Lines:
    """Steps of a long job as lines, each with the seconds since its start."""

    def __init__(self) -> None:
        self.started, self.text, self.lock = time.monotonic(), "", threading.Lock()
        self.timer = threading.Timer(QUIET_S, self._print)
        self.timer.daemon = True
        self.timer.start()

    def update(self, text: str) -> None:
        """The next step."""
        with self.lock:
            changed, self.text = text != self.text, text
        if changed and time.monotonic() - self.started >= QUIET_S:
            self._print()

    def _print(self) -> None:
        with self.lock:
            if self.text:
                print(f"headrace: [{time.monotonic() - self.started:4.0f} s] {self.text}", file=sys.stderr, flush=True)
