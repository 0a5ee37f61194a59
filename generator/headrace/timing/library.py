"""Compiles the C++ of the cycle models."""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from pathlib import Path

from headrace.errors import ToolError
from headrace.tools import run_tool

_FLAGS = ("-O2", "-std=c++17", "-shared", "-fPIC")


def load_library(source: Path) -> ctypes.CDLL:
    """The source compiled and loaded. Raises ToolError if g++ is missing."""
    if shutil.which("g++") is None:
        raise ToolError("the cycle model needs g++, which is not on PATH; install a C++ compiler, for example the "
                        "package g++")
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "library.so"
        run_tool("g++", ["g++", *_FLAGS, source, "-o", library], Path(folder))
        return ctypes.CDLL(str(library))
