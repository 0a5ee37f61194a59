"""The compiled harness from Python: jobs out, traces in."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.errors import InputError, MismatchError
from headrace.layers.stream import Stream
from headrace.packing import Bytes
from headrace.simulation.frames import Stalls, Trace
from headrace.tools import run_tool

_DONE, _IDLE, _BROKEN, _TOO_LONG = range(4)
_BROKEN_RULE = re.compile(r"Assertion failed in \S+: (.*)")
#: Seeds of Verilator's random values.
_MOST_SEEDS = 1 << 31


class Side(Enum):
    """What the harness does at a stream: sends words, takes them, or only watches."""

    SOURCE = "Source"
    SINK = "Sink"
    TAP = "Tap"


@dataclass(frozen=True)
class Endpoint:
    """A stream of a compiled model. Streams of one group share a reset and their number of frames."""

    name: str
    group: int
    side: Side
    stream: Stream


@dataclass(frozen=True)
class Passed:
    """What passed a stream, compared as it came or not.

    count: words; first_cycle: of the first one. wrong: the number of the first word that is another than expected, None
    without one. trace: all words and cycles; of a compared stream the wrong word, and cycles of a sink only.
    """

    count: int
    first_cycle: int
    wrong: int | None
    trace: Trace


@dataclass(frozen=True)
class _Job:
    """A run: streams of groups in `frames` are driven and waited for; words: of each stream.

    given: words by stream, of all streams if the run compares.
    """

    frames: Mapping[int, int]
    words: tuple[int, ...]
    given: Mapping[str, Bytes]
    stalls: Stalls
    seed: int
    reset_after: Mapping[str, int]
    compares: bool


@dataclass(frozen=True)
class RtlModel:
    """An executable harness around one network or several layers.

    folder: where it runs, with the memories; work: for jobs and results; cycles: bound of the cycles of one frame.
    """

    executable: Path
    folder: Path
    work: Path
    endpoints: tuple[Endpoint, ...]
    cycles: int

    def run(self, inputs: Mapping[str, Bytes], stalls: Stalls = Stalls.NONE, seed: int = 0,
            reset_after_words: Mapping[str, int] | None = None, tap_frames: int | None = None) -> dict[str, Trace]:
        """Stream whole frames through the model; returns the accepted words of every stream of the groups that ran.

        inputs: words (n, bytes) by the name of a source; n is a multiple of the words per frame, and groups without
        input stand still. seed: of the stalls, and of what registers without a reset power up with, which differs
        between the patterns of stalls too. reset_after_words: by source, after how many accepted words its group is
        reset once; then all starts again from the first word and what came before is forgotten. tap_frames: how many
        frames are recorded at inner streams (all, if None). Raises MismatchError where a stream breaks the protocol or
        stops, InputError for unfit inputs.
        """
        frames = self._frames(inputs)
        words = tuple(self._words(e, frames.get(e.group, 0), tap_frames) for e in self.endpoints)
        job = _Job(frames, words, inputs, stalls, seed, reset_after_words or {}, compares=False)
        return {name: passed.trace for name, passed in self._execute(job, lambda _: None).items()}

    def compare(self, inputs: Mapping[str, Bytes], expected: Mapping[str, Bytes], stalls: Stalls = Stalls.NONE,
                seed: int = 0, progress: Callable[[float], None] = lambda _: None) -> dict[str, Passed]:
        """The same, but words are compared as they come, so that memory does not grow with what passes.

        expected: words by the name of every other stream of the groups that run. progress: is told the part of all
        words that has passed, now and then.
        """
        frames = self._frames(inputs)
        words = tuple(self._words(e, frames.get(e.group, 0), None) for e in self.endpoints)
        return self._execute(_Job(frames, words, {**expected, **inputs}, stalls, seed, {}, compares=True), progress)

    def _execute(self, job: _Job, progress: Callable[[float], None]) -> dict[str, Passed]:
        with tempfile.TemporaryDirectory(dir=self.work) as scratch:
            path, result = Path(scratch) / "job", Path(scratch) / "result"
            with path.open("wb") as file:
                file.writelines(self._parts(job))
            said = self._call(path, result, sum(job.words), progress)
            passed = self._passed(result.read_bytes(), job, said)
        return {e.name: item for e, item in zip(self.endpoints, passed, strict=True) if job.frames.get(e.group)}

    def _call(self, job: Path, result: Path, words: int, progress: Callable[[float], None]) -> str:
        """Run the program; returns what it says. words: that will pass all streams."""
        def watch() -> None:
            progress(_words_so_far(result) / max(1, words))

        return run_tool("the simulation", [self.executable, job, result], self.folder, watch)

    def _frames(self, inputs: Mapping[str, Bytes]) -> dict[int, int]:
        """Frames of each group that gets input."""
        frames: dict[int, int] = {}
        sources = {e.name: e for e in self.endpoints if e.side is Side.SOURCE}
        if unknown := sorted(set(inputs) - set(sources)):
            raise InputError(f"{unknown[0]}: the model has no such source; choose from {sorted(sources)}")
        for name, words in inputs.items():
            source = sources[name]
            count, rest = divmod(len(words), source.stream.words)
            agrees = frames.setdefault(source.group, count) == count
            if rest or not agrees or words.shape != (len(words), source.stream.bytes):
                raise InputError(f"{name}: {words.shape} words do not make frames of ({source.stream.words}, "
                                 f"{source.stream.bytes}), as many as at its sister streams")
        return frames

    @staticmethod
    def _words(endpoint: Endpoint, frames: int, tap_frames: int | None) -> int:
        if endpoint.side is Side.TAP and tap_frames is not None:
            frames = min(frames, tap_frames)
        return frames * endpoint.stream.words

    def _parts(self, job: _Job) -> Iterable[bytes]:
        """The file of a job, part by part."""
        # Between two transfers lies less than a frame, a pause of the other side included; all frames with pauses on
        # both sides stay far below sixteen times what they take without.
        idle_limit = 1000 + 2 * self.cycles
        frames = max(job.frames.values(), default=0)
        max_cycles = 10_000 + 16 * (frames + 2) * max(self.cycles, *job.words) * (2 if job.reset_after else 1)
        source_stalls, sink_stalls = (job.stalls in (kind, Stalls.RANDOM) for kind in (Stalls.SOURCE, Stalls.SINK))
        power_up = 1 + (8 * job.seed + 2 * list(Stalls).index(job.stalls) + bool(job.reset_after)) % (_MOST_SEEDS - 1)
        yield np.array([power_up, source_stalls, sink_stalls, job.seed, max_cycles, idle_limit, job.compares],
                       "<i8").tobytes()
        for endpoint, count in zip(self.endpoints, job.words, strict=True):
            yield np.array([count, job.reset_after.get(endpoint.name, 0)], "<i8").tobytes()
            if count and (job.compares or endpoint.side is Side.SOURCE):
                yield np.ascontiguousarray(job.given[endpoint.name], np.uint8).tobytes()

    def _passed(self, raw: bytes, job: _Job, said: str) -> list[Passed]:
        (status,) = np.frombuffer(raw, "<i8", 1).tolist()
        streams, waiting, offset = [], [], 8
        for endpoint, expected in zip(self.endpoints, job.words, strict=True):
            count, valid, ready, first, wrong = np.frombuffer(raw, "<i8", 5, offset).tolist()
            words, offset = _array(raw, offset + 40, np.dtype((np.uint8, (endpoint.stream.bytes,))))
            cycles, offset = _array(raw, offset, np.dtype("<i8"))
            trace = Trace(words.reshape(-1, endpoint.stream.bytes), cycles.astype(np.int64))
            streams.append(Passed(count, first, None if wrong < 0 else wrong, trace))
            if valid != ready and (count < expected or valid):
                signals = "valid without ready" if valid else "ready without valid"
                waiting.append(f"{endpoint.name} ({signals}, {count} of {expected} words)")
        if status != _DONE:
            raise MismatchError(f"RTL: {self._complaint(status, said, waiting)}")
        return streams

    @staticmethod
    def _complaint(status: int, said: str, waiting: list[str]) -> str:
        if status == _BROKEN:
            rule = _BROKEN_RULE.search(said)
            return rule.group(1) if rule else said.strip()
        what = "no stream moves any more" if status == _IDLE else "the frames do not end"
        return f"{what}; waiting: {', '.join(waiting) or 'nobody'}"


def _array(raw: bytes, offset: int, element: np.dtype[Any]) -> tuple[NDArray[Any], int]:
    """An array that follows its length, and where it ends."""
    (count,) = np.frombuffer(raw, "<i8", 1, offset).tolist()
    return np.frombuffer(raw, element, count, offset + 8), offset + 8 + count * element.itemsize


def _words_so_far(result: Path) -> int:
    """What a running program has written; 0 before it has."""
    with suppress(OSError), result.open("rb") as file:
        return int.from_bytes(file.read(8), "little")
    return 0
