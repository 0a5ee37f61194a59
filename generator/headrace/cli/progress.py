"""What goes on, on stderr: a moving bar in a terminal, lines with the time elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from headrace.cli.voice import current_voice
from headrace.telling import Progress, Sieve, Step, logged, silent

#: Seconds before the first line where there is no terminal: what is faster says nothing.
QUIET_S = 30.0


@contextmanager
def progress() -> Iterator[Progress]:
    """In the block, a function that is told what goes on."""
    voice, console = current_voice(), Console(stderr=True)
    if voice.quiet or voice.verbose:  # the log prints what a verbose command says
        yield logged(silent)
    elif console.is_terminal:
        with bars(console) as shown:
            yield logged(_Moving(shown).update)
    else:
        lines = _Lines()
        try:
            yield logged(lines.update)
        finally:
            lines.timer.cancel()


def bars(console: Console) -> Bars:
    """A line that moves, with a bar where it is known how far a job is, and the time since its start."""
    return Bars(SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn(),
                console=console, transient=True)


class _Moving:
    """Steps of a long job in a terminal; results stay above the line."""

    def __init__(self, shown: Bars) -> None:
        self.shown, self.task = shown, shown.add_task("starting", total=None)

    def update(self, text: str) -> None:
        """The next step, or how far this one is."""
        if isinstance(text, Step) and text.kept:
            self.shown.console.print(text, markup=False, highlight=False)
            return
        part = text.part if isinstance(text, Step) else None
        self.shown.update(self.task, description=escape(text), total=None if part is None else 1.0, completed=part or 0)


class _Lines:
    """Steps of a long job as lines, each with the seconds since its start."""

    def __init__(self) -> None:
        self.started, self.text, self.lock, self.sieve = time.monotonic(), "", threading.Lock(), Sieve()
        self.timer = threading.Timer(QUIET_S, self._print)
        self.timer.daemon = True
        self.timer.start()

    def update(self, text: str) -> None:
        """The next step."""
        with self.lock:
            changed, self.text = self.sieve.passes(text), text
        if changed and time.monotonic() - self.started >= QUIET_S:
            self._print()

    def _print(self) -> None:
        with self.lock:
            if self.text:
                print(f"headrace: [{time.monotonic() - self.started:4.0f} s] {self.text}", file=sys.stderr, flush=True)
