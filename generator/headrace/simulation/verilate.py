"""SystemVerilog and a C++ main program become an executable: Verilator, then make.

Neither Verilator nor make takes every path: the one expands $NAME, the other splits at blanks. So both see only names
of links in the folder where they run.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from headrace.paths import data_folder
from headrace.simulation.runtime import keep_runtime, reuse_runtime
from headrace.tools import run_tool, verilator

# Registers that no reset reaches have the values that the run chooses, as in a chip.
_OPTIONS = ("--cc", "--exe", "-O3", "--x-assign", "fast", "--x-initial", "unique", "--assert", "-Wno-fatal")
# Verilator's model is compiled with little optimization where it runs once, and its runtime too: compiling takes
# longer than most runs.
_MAKE_VARIABLES = ("OPT_SLOW=-O0", "OPT_GLOBAL=-O0")
_MAKEFILE = "model.mk"


def verilate(top: str, sources: Iterable[Path], main: str, work: Path, optimization: str = "-O1",
             options: Sequence[str] = ()) -> Path:
    """Compile the module `top` and the C++ program `main` of rtl_sim/harness into `work`; returns the executable.

    Headers that `main` includes lie in `work` or beside it, the model's is V{top}.h. options: more of Verilator's own.
    Raises ToolError with the last lines of what Verilator or the compiler says.
    """
    rtl_sim = data_folder("rtl_sim")
    names = [_link(source, work / "sources") for source in (*sources, rtl_sim / "harness" / main)]
    for path in (rtl_sim / "tb" / _MAKEFILE, *(rtl_sim / "harness").glob("*.hpp")):
        _link(path, work / "sources")
    objects = work / "obj"
    reuse_runtime(objects)
    run_tool("Verilator", [
        verilator(), *_OPTIONS, *options, "--top-module", top, "--prefix", f"V{top}", "--Mdir", "obj",
        "-CFLAGS", "-std=c++17 -I..", "-o", "simulation", *names], work)
    run_tool("compiling Verilator's model", [
        "make", "-C", "obj", "-f", f"../sources/{_MAKEFILE}", f"MODEL=V{top}", "-j", "2", f"OPT_FAST={optimization}",
        *_MAKE_VARIABLES, python_variable(sys.executable)], work)
    keep_runtime(objects)
    return objects / "simulation"


def python_variable(interpreter: str) -> str:
    """The variable by which Verilator's makefile calls Python; its own value is a command that may be missing."""
    return f"PYTHON3={shlex.quote(interpreter)}".replace("$", "$$")


def _link(source: Path, folder: Path) -> str:
    """A link to a source in a folder, as it is called from above it."""
    folder.mkdir(exist_ok=True)
    link = folder / source.name
    link.unlink(missing_ok=True)
    link.symlink_to(source.resolve())
    return f"{folder.name}/{link.name}"
