"""Verilator's runtime is the same for every model that one process compiles, hence compiled only once.

It takes several seconds, about as much as a model of a few small layers.
"""

from __future__ import annotations

import shutil
import tempfile
from functools import cache
from pathlib import Path

#: The runtime's objects, which depend on Verilator and its switches alone; `make` takes those that it finds.
_OBJECTS = ("verilated.o", "verilated_threads.o")


@cache
def _shelf() -> tempfile.TemporaryDirectory[str]:
    """A folder that lives as long as the process."""
    return tempfile.TemporaryDirectory(prefix="headrace-")


def reuse_runtime(objects: Path) -> None:
    """Make the folder for a model's objects, with the runtime in it if a model was compiled before."""
    objects.mkdir(parents=True, exist_ok=True)
    for kept in Path(_shelf().name).iterdir():
        shutil.copyfile(kept, objects / kept.name)


def keep_runtime(objects: Path) -> None:
    """Keep the runtime of a compiled model for the next one."""
    for name in _OBJECTS:
        kept = Path(_shelf().name) / name
        if not kept.exists() and (objects / name).exists():
            shutil.copyfile(objects / name, kept)
