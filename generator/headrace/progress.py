"""What goes on, for whoever wants to hear it: a callback of the caller's, and the logger `headrace`."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

#: Is told what goes on; what is counted is told as a Step.
Progress = Callable[[str], None]
#: Steps at INFO, warnings at WARNING, programs that are run at DEBUG. Without a handler of the user's it says nothing.
LOG = logging.getLogger("headrace")
LOG.addHandler(logging.NullHandler())
#: Seconds between two lines of a log about the same step.
AGAIN_S = 15.0


class Step(str):
    """A line about what goes on. what: the same for all lines of a job; part: of it that is done, 0 to 1.

    kept: a result, not to be overwritten by the next line. seconds: what the job takes on a usual machine, from known
    amounts; its lines then say no percentage, for it is added where they are shown.
    """

    what: str
    part: float | None
    kept: bool
    seconds: float | None

    def __new__(cls, text: str, what: str = "", part: float | None = None, kept: bool = False,
                seconds: float | None = None) -> Step:
        """The line with its facts."""
        step = super().__new__(cls, text)
        step.what, step.part, step.kept, step.seconds = what or text, part, kept, seconds
        return step


class Sieve:
    """Which lines are worth a line of a log: new steps and results, and how far one is from time to time."""

    def __init__(self) -> None:
        self.what, self.told = "", 0.0

    def passes(self, text: str) -> bool:
        """True for a line that should be written."""
        step, now = text if isinstance(text, Step) else Step(text), time.monotonic()
        if not step.kept and step.what == self.what and now - self.told < AGAIN_S:
            return False
        if not step.kept:
            self.what, self.told = step.what, now
        return True


def silent(_: str) -> None:
    """Tells nobody."""


def logged(progress: Progress) -> Progress:
    """The same, and its lines are in the log."""
    sieve = Sieve()

    def tell(text: str) -> None:
        if sieve.passes(text):
            LOG.info("%s", text)
        progress(text)

    return tell
