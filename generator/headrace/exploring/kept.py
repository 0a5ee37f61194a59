"""Finished points on disk, each under the hash of what it depends on: whatever ends an exploration, they stay."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from itertools import takewhile
from pathlib import Path

from headrace import serialize
from headrace.atomic_files import replacing, write_json
from headrace.bounded_reading import read_json
from headrace.errors import InputError, ToolError
from headrace.exploring.parcels import pack, unpack
from headrace.exploring.stages import STAGES, Stage, Versions
from headrace.exploring.work import Done
from headrace.model import Model
from headrace.request import Options
from headrace.version import headrace_version

_MARK = "point.json"
_POINTS = "points"


class Kept:
    """The finished points of the folder of an exploration.

    versions: of the tools of those who would do each stage now; what was done by others counts as not done.
    """

    def __init__(self, out: Path, versions: Sequence[Versions] = ()) -> None:
        self.out, self.versions = out, versions

    def folder(self, key: str) -> Path:
        """The build directory of a point."""
        return self.out / _POINTS / key[:16]

    def count(self) -> int:
        """How many points there are."""
        return len(list((self.out / _POINTS).glob(f"*/{_MARK}")))

    def find(self, key: str) -> tuple[Stage, ...]:
        """What is done of a point, up to the first stage that is not; what cannot be read counts as not done."""
        try:
            found = read_json(self.folder(key) / _MARK)
            stages = {item["name"]: Stage(item["name"], item["tools"], dict(item["measured"]))
                      for item in found["stages"]} if found["key"] == key else {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return ()
        return tuple(takewhile(self._holds, (stages[name] for name in STAGES if name in stages)))

    def _holds(self, stage: Stage) -> bool:
        return any(known.get(stage.name, stage.tools) == stage.tools for known in self.versions)

    def made(self, key: str) -> bytes:
        """The build directory of a point, packed."""
        return pack(self.folder(key))

    def add(self, done: Done) -> tuple[Stage, ...]:
        """Keep a point with what was known of it before. Raises ToolError where the disk does not take it."""
        before = self.find(done.key)
        after = (*before, *done.stages)
        if not done.stages:
            return before
        try:
            with replacing(self.folder(done.key)) as folder:
                unpack(done.made, folder)
                write_json(folder / _MARK, {"key": done.key, "stages": [asdict(stage) for stage in after]})
        except OSError as error:
            raise ToolError(f"{self.out}: cannot be written ({error.strerror}); {self.count()} finished points are "
                            "kept, make room and go on with --resume") from None
        return after


def require_place(out: Path, resume: bool) -> None:
    """Raise InputError where a run is there already and nobody asked to go on with it."""
    if not resume and (count := Kept(out).count()):
        raise InputError(f"{out}: holds {count} finished points; give --resume to go on with them, or another --out")


def content_key(model: Model, options: Options, board_file: str) -> str:
    """SHA-256 of all that a point depends on but the tools of its stages: network, options, headrace's version."""
    chosen = {field.name: getattr(options, field.name) for field in fields(options)}
    depends = {"network": serialize.digest(model.integer), "source": model.source_sha256, "options": chosen,
               "board_file": board_file, "headrace": headrace_version()}
    return hashlib.sha256(json.dumps(depends, sort_keys=True, default=str).encode()).hexdigest()
