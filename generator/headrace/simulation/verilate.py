"""SystemVerilog and a C++ main program become an executable: Verilator, then make.

Neither Verilator nor make takes every path: the one expands $NAME, the other splits at blanks. So both see only names
of links in the folder where they run. What was compiled before from the same sources is taken from the shelf.
"""

from __future__ import annotations

import itertools
import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from headrace.paths import data_folder
from headrace.progress import Step
from headrace.simulation import shelf
from headrace.simulation.remaining import Progress, remaining
from headrace.simulation.runtime import COLD, provide_runtime
from headrace.tools import run_tool, verilator

# Registers that no reset reaches have the values that the run chooses, as in a chip. Loops stay loops: unrolled, the
# wide arithmetic is megabytes of C++ that take long to make, to compile and, as no cache holds them, to run. The C++
# comes in functions of a size that the compiler takes in linear time, and in files of up to 6 MB: each costs the
# compiler most of a second before its first line.
_OPTIONS = ("--cc", "--exe", "-O3", "--x-assign", "fast", "--x-initial", "unique", "--assert", "-Wno-fatal",
            "--unroll-count", "2", "--output-split-cfuncs", "2000", "--output-split", "100000",
            "--output-groups", "0")
_MAKEFILE = "model.mk"
_PROGRAM = "simulation"
#: Compilers at once.
_JOBS = "2"
#: Seconds that Verilator takes for a byte of the module that instantiates all others.
_TRANSLATE_S = 1e-4


def verilate(top: str, sources: Iterable[Path], main: str, work: Path, optimization: str = "-O1",
             options: Sequence[str] = (), progress: Progress = lambda _: None) -> Path:
    """Compile the module `top` and the C++ program `main` of rtl_sim/harness into `work`; returns the executable.

    Headers that `main` includes lie in `work` or beside it, the model's is V{top}.h. options: more of Verilator's own.
    progress: is told what goes on. Raises ToolError with the last lines of what Verilator or the compiler says.
    """
    rtl_sim = data_folder("rtl_sim")
    modules = [*sources, rtl_sim / "harness" / main]
    headers = [*(rtl_sim / "harness").glob("*.hpp"), *work.glob("*.hpp")]
    program = work / "obj" / _PROGRAM
    program.parent.mkdir(parents=True, exist_ok=True)
    texts = [(path.name, path.read_bytes()) for path in (*modules, *sorted(headers), rtl_sim / "tb" / _MAKEFILE)]
    key = shelf.digest("model", _tools(), _OPTIONS, top, optimization, tuple(options), *itertools.chain(*texts))
    kept = shelf.find(key)
    if kept is None or not shelf.copied(kept / _PROGRAM, program):
        for path in (rtl_sim / "tb" / _MAKEFILE, *(rtl_sim / "harness").glob("*.hpp")):
            _link(path, work / "sources")
        _compile(top, [_link(path, work / "sources") for path in modules], work, optimization, options, progress)
        shelf.keep(key, {_PROGRAM: program})
    return program


def _compile(top: str, names: Sequence[str], work: Path, optimization: str, options: Sequence[str],
             progress: Progress) -> None:
    """names: of all sources in `work`. Leaves the program in its folder obj."""
    whole = sum((work / name).stat().st_size for name in names if Path(name).stem in (top, "top"))
    progress(Step("Verilator translates the RTL to C++", seconds=whole * _TRANSLATE_S))
    run_tool("Verilator", [
        verilator(), *_OPTIONS, *options, "--top-module", top, "--prefix", f"V{top}", "--Mdir", "obj",
        "-CFLAGS", "-std=c++17 -I..", "-o", _PROGRAM, *names], work)
    done = remaining("compiling the C++ of the RTL", progress)

    def make(targets: Sequence[str] = (), switches: Sequence[str] = ()) -> None:
        run_tool("compiling Verilator's model", [
            "make", "-C", "obj", "-f", f"../sources/{_MAKEFILE}", f"MODEL=V{top}", "-j", _JOBS,
            f"OPT_FAST={optimization}", f"OPT_SLOW={COLD}", f"OPT_GLOBAL={COLD}", python_variable(sys.executable),
            *switches, *targets], work, lambda: done(_compiled_part(work / "obj")))

    ready = provide_runtime(work / "obj", f"V{top}", optimization, _tools(), make)
    make(switches=[f"MAIN_HEADER=V{top}__pch.h.fast", *(part for name in ready for part in ("-o", name))])


def _compiled_part(objects: Path) -> float:
    """How much of the C++ in a folder has been compiled, 0 to 1; code that runs once takes a third of the time."""
    sizes = {path.with_suffix(".o"): path.stat().st_size / (3 if path.stem.endswith("Slow") else 1)
             for path in objects.glob("V*.cpp")}
    return sum(size for path, size in sizes.items() if path.exists()) / max(1, sum(sizes.values()))


def _tools() -> tuple[object, ...]:
    command = verilator()
    return tuple(shelf.program_identity(program) for program in (command, command.with_name("verilator_bin"), "g++"))


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
