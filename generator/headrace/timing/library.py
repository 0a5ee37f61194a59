"""The compiled C++ of the cycle models, kept by the hash of its sources: one compilation per installation."""

from __future__ import annotations

import ctypes
import hashlib
import platform
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from headrace.errors import ToolError
from headrace.tools import run_tool

_FLAGS = ("-O3", "-std=c++17", "-shared", "-fPIC")


def load_library(source: Path, generated: Mapping[str, str] | None = None) -> ctypes.CDLL:
    """The source compiled and loaded; it may include *.hpp beside it and the headers `generated`, by file name.

    Raises ToolError if it has to be compiled and g++ is missing.
    """
    headers = generated or {}
    kept = _kept(cache_folder(), source, headers)
    if kept is not None:
        return kept
    with tempfile.TemporaryDirectory() as work:
        return ctypes.CDLL(str(_compile(source, headers, Path(work))))


def cache_folder() -> Path | None:
    """Where compiled programs are kept; None for users without a home."""
    try:
        return Path("~/.cache/headrace/cycle_model").expanduser()
    except RuntimeError:
        return None


def digest(source: Path, headers: Mapping[str, str]) -> str:
    """The hash of all that decides what the compiler makes."""
    sources = (path.read_text() for path in (source, *sorted(source.parent.glob("*.hpp"))))
    texts = [repr(_FLAGS), platform.platform(), repr(sorted(headers.items())), *sources]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def _kept(folder: Path | None, source: Path, headers: Mapping[str, str]) -> ctypes.CDLL | None:
    """The program in the cache, compiled into it where it is missing or damaged; None where that cannot be written.

    It gets its name when it is whole, so processes that compile at the same time do not see half of it.
    """
    if folder is None:
        return None
    path = folder / f"{digest(source, headers)}.so"
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        pass  # missing or damaged
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            _compile(source, headers, Path(work)).replace(path)
        return ctypes.CDLL(str(path))
    except OSError:
        return None


def _compile(source: Path, headers: Mapping[str, str], work: Path) -> Path:
    if shutil.which("g++") is None:
        raise ToolError("the cycle model needs g++, which is not on PATH; install a C++ compiler, for example the "
                        "package g++")
    for name, text in headers.items():
        (work / name).write_text(text)
    compiled = work / "library.so"
    run_tool("g++", ["g++", *_FLAGS, f"-I{work}", source, "-o", compiled], work)
    return compiled
