"""How far a long job is, in words, with the time that it will still take."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import ceil

from headrace.progress import Progress, Step

__all__ = ["Progress", "counted", "duration", "remaining"]

#: Seconds and part of the job up to the first word about the time left, and seconds between two of them.
_FIRST_S, _FIRST_PART, _AGAIN_S = 2.0, 0.05, 1.0


def remaining(what: str, progress: Progress) -> Callable[[float], None]:
    """A function that is told which part of a job is done, 0 to 1, and tells `progress` that and the time left."""
    started = told = time.monotonic()
    progress(what)

    def done(part: float) -> None:
        nonlocal told
        now = time.monotonic()
        if not _FIRST_PART <= part < 1 or now - started < _FIRST_S or (told > started and now - told < _AGAIN_S):
            return
        told = now
        progress(counted(what, part, now - started))

    return done


def counted(what: str, part: float, seconds: float) -> Step:
    """A line about a job of which a part is done, which took so many seconds."""
    return Step(f"{what}: {part:.0%}, {duration(seconds * (1 - part) / part)} left", what, part)


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(4.2), duration(75), duration(5000)
    ('5 s', '2 min', '1 h 24 min')
    """
    if seconds <= 60:
        return f"{ceil(seconds)} s"
    minutes = ceil(seconds / 60)
    return f"{minutes} min" if minutes <= 60 else f"{minutes // 60} h {minutes % 60} min"
