"""How far a step is that counts nothing: from what it usually takes, and what steps of its kind took here before."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from pathlib import Path

from headrace.atomic_files import write_file
from headrace.bounded_reading import read_json
from headrace.progress import Step
from headrace.simulation.remaining import duration
from headrace.simulation.shelf import cache_folder

#: Seconds below which nobody wants to know, and the weight of the last time beside those before.
_SHORT_S, _LAST = 2.0, 0.5


def pace_file() -> Path | None:
    """Where it is kept how much longer or shorter steps take here; None for users without a home."""
    folder = cache_folder()
    return None if folder is None else folder.parent / "steps.json"


class Pace:
    """The step that goes on. file: of factors by the kind of step; without one nothing is learnt."""

    def __init__(self, file: Path | None) -> None:
        self.file, self.factors = file, _read(file)
        self.step, self.started = Step(""), time.monotonic()
        self.told = self.started

    def begin(self, text: str) -> None:
        """The next step, or a next line about the same one."""
        step = text if isinstance(text, Step) else Step(text)
        if step.what != self.step.what:
            self._learn()
            self.started = time.monotonic()
        self.step, self.told = step, time.monotonic()

    @property
    def seconds(self) -> float | None:
        """What the step should take here, None where nobody knows: the more is done of it, the better."""
        if self.step.seconds is None:
            return None
        if self.step.part:
            return (self.told - self.started) / self.step.part
        return self.step.seconds * self.factors.get(self.step.what, 1.0)

    @property
    def part(self) -> float | None:
        """How much of the step is done, 0 to 1: counted or estimated; None where nobody knows."""
        if (expected := self.seconds) is None:
            return self.step.part
        return min(0.99, (time.monotonic() - self.started) / max(expected, 0.01))

    def line(self) -> str:
        """The step in words, with what is estimated of it."""
        expected, took = self.seconds, time.monotonic() - self.started
        if expected is None or max(expected, took) < _SHORT_S:
            return self.step
        if took >= expected:
            return f"{self.step}: {duration(took)}, longer than usual"
        return f"{self.step}: about {took / expected:.0%}, {duration(expected - took)} left"

    def finish(self) -> None:
        """The last step is done: keep what was learnt, where that can be."""
        self._learn()
        if self.file is not None and self.factors:
            with suppress(OSError):
                self.file.parent.mkdir(parents=True, exist_ok=True)
                write_file(self.file, json.dumps(self.factors, indent=1, sort_keys=True) + "\n")

    def _learn(self) -> None:
        took = time.monotonic() - self.started
        if self.step.seconds and took >= _SHORT_S:  # else it was taken from a cache
            found = took / self.step.seconds
            before = self.factors.get(self.step.what, found)
            self.factors[self.step.what] = _LAST * found + (1 - _LAST) * before


def _read(file: Path | None) -> dict[str, float]:
    """What is kept; nothing of what is damaged."""
    try:
        kept = {} if file is None else read_json(file)
    except (OSError, ValueError):
        return {}
    return {what: factor for what, factor in kept.items() if isinstance(factor, float) and 0 < factor < 1e3} \
        if isinstance(kept, dict) else {}
