"""What goes on, on stderr: a moving bar in a terminal, lines with the time elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from rich.console import Console, RenderableType
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from headrace.cli.pace import Pace, pace_file
from headrace.cli.verbosity import Voice, current_voice
from headrace.progress import Progress, Sieve, Step, logged, silent

#: Seconds before the first line where there is no terminal, for what is faster says nothing; and between two of a step.
QUIET_S, AGAIN_S = 30.0, 30.0


@contextmanager
def progress() -> Iterator[Progress]:
    """In the block, a function that is told what goes on."""
    voice, console, pace = current_voice(), Console(stderr=True), Pace(pace_file())
    if voice.quiet or voice.verbose:  # the log prints what a verbose command says
        yield logged(silent)
    elif console.is_terminal:
        with _Moving(console, pace) as shown:
            yield logged(shown.tell)
    else:
        lines = _Lines(pace)
        try:
            yield logged(lines.update)
        finally:
            lines.done.set()
    pace.finish()  # not after an error: the step did not come to its end


@contextmanager
def tracking(what: str) -> Iterator[tuple[Callable[[Any], Any], Progress]]:
    """The same, and a function that shows how many items of a sequence are through, where there is a terminal."""
    console, pace = Console(stderr=True), Pace(pace_file())
    if current_voice() != Voice() or not console.is_terminal:
        with progress() as tell:
            yield lambda items: items, tell
        return
    with _Moving(console, pace) as shown:
        yield partial(shown.track, description=what), logged(shown.tell)
    pace.finish()


class _Moving(Bars):
    """Steps of a long job in a terminal, drawn anew while one goes on; results stay above the line."""

    def __init__(self, console: Console, pace: Pace) -> None:
        self.pace = pace
        columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=20), TimeElapsedColumn()
        super().__init__(*columns, console=console, transient=True)
        self.line = self.add_task("starting", total=None)

    def tell(self, text: str) -> None:
        """The next step, or how far this one is."""
        if isinstance(text, Step) and text.kept:
            self.console.print(text, markup=False, highlight=False)
        else:
            self.pace.begin(text)

    def get_renderables(self) -> Iterable[RenderableType]:
        """The line as it is now."""
        if hasattr(self, "line"):
            part, text = self.pace.part, self.pace.line() or "starting"
            self.update(self.line, description=escape(text), total=None if part is None else 1.0, completed=part or 0)
        return super().get_renderables()


class _Lines:
    """Steps of a long job as lines, each with the seconds since its start."""

    def __init__(self, pace: Pace) -> None:
        self.pace, self.started, self.sieve = pace, time.monotonic(), Sieve()
        self.lock, self.done = threading.Lock(), threading.Event()
        threading.Thread(target=self._now_and_then, daemon=True).start()

    def update(self, text: str) -> None:
        """The next step."""
        with self.lock:
            kept = isinstance(text, Step) and text.kept
            if not kept:
                self.pace.begin(text)
            if self.sieve.passes(text) and time.monotonic() - self.started >= QUIET_S:
                self._print(text if kept else self.pace.line())

    def _now_and_then(self) -> None:
        wait_s = QUIET_S
        while not self.done.wait(wait_s):
            with self.lock:
                self._print(self.pace.line())
            wait_s = AGAIN_S

    def _print(self, line: str) -> None:
        if line:
            print(f"headrace: [{time.monotonic() - self.started:4.0f} s] {line}", file=sys.stderr, flush=True)
