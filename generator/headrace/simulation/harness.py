"""The compiled harness from Python: jobs out, traces in."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np

from headrace.errors import InputError, MismatchError, ToolError
from headrace.layers.stream import Stream
from headrace.packing import Bytes
from headrace.simulation.frames import Stalls, Trace

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
        words = [self._words(e, frames.get(e.group, 0), tap_frames) for e in self.endpoints]
        job = self._job(inputs, words, stalls, seed, reset_after_words or {}, max(frames.values(), default=0))
        with tempfile.TemporaryDirectory(dir=self.work) as scratch:
            (Path(scratch) / "job").write_bytes(job)
            command = [self.executable, Path(scratch) / "job", Path(scratch) / "result"]
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ToolError(f"the simulation ended with exit status {done.returncode}: {done.stderr.strip()}")
            raw = (Path(scratch) / "result").read_bytes()
        traces = self._traces(raw, words, done.stdout)
        return {e.name: trace for e, trace in zip(self.endpoints, traces, strict=True) if frames.get(e.group)}

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

    def _job(self, inputs: Mapping[str, Bytes], words: list[int], stalls: Stalls, seed: int,
             reset_after: Mapping[str, int], frames: int) -> bytes:
        # Between two transfers lies less than a frame, a pause of the other side included; all frames with pauses on
        # both sides stay far below sixteen times what they take without.
        idle_limit = 1000 + 2 * self.cycles
        max_cycles = 10_000 + 16 * (frames + 2) * max(self.cycles, *words) * (2 if reset_after else 1)
        source_stalls, sink_stalls = (stalls in (kind, Stalls.RANDOM) for kind in (Stalls.SOURCE, Stalls.SINK))
        power_up = 1 + (8 * seed + 2 * list(Stalls).index(stalls) + bool(reset_after)) % (_MOST_SEEDS - 1)
        parts = [np.array([power_up, source_stalls, sink_stalls, seed, max_cycles, idle_limit], "<i8").tobytes()]
        for endpoint, count in zip(self.endpoints, words, strict=True):
            parts.append(np.array([count, reset_after.get(endpoint.name, 0)], "<i8").tobytes())
            if endpoint.name in inputs:
                parts.append(np.ascontiguousarray(inputs[endpoint.name], np.uint8).tobytes())
        return b"".join(parts)

    def _traces(self, raw: bytes, words: list[int], said: str) -> list[Trace]:
        (status,) = np.frombuffer(raw, "<i8", 1).tolist()
        traces, waiting, offset = [], [], 8
        for endpoint, expected in zip(self.endpoints, words, strict=True):
            count, valid, ready = np.frombuffer(raw, "<i8", 3, offset).tolist()
            offset += 24
            size = endpoint.stream.bytes
            data = np.frombuffer(raw, np.uint8, count * size, offset).reshape(count, size)
            offset += count * size
            traces.append(Trace(data, np.frombuffer(raw, "<i8", count, offset).astype(np.int64)))
            offset += 8 * count
            if valid != ready and (count < expected or valid):
                signals = "valid without ready" if valid else "ready without valid"
                waiting.append(f"{endpoint.name} ({signals}, {count} of {expected} words)")
        if status != _DONE:
            raise MismatchError(f"RTL: {self._complaint(status, said, waiting)}")
        return traces

    @staticmethod
    def _complaint(status: int, said: str, waiting: list[str]) -> str:
        if status == _BROKEN:
            rule = _BROKEN_RULE.search(said)
            return rule.group(1) if rule else said.strip()
        what = "no stream moves any more" if status == _IDLE else "the frames do not end"
        return f"{what}; waiting: {', '.join(waiting) or 'nobody'}"
