"""g++ on the C++ of the HLS back end: several files at once, and never the same twice."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from headrace.errors import ToolError
from headrace.simulation import shelf

# Vitis HLS compiles the same sources, hence its standard; its pragmas mean nothing to g++.
_FLAGS = ("-std=c++14", "-w")
_SOURCES = (".cpp", ".hpp", ".h")


def require_tools() -> None:
    """Raise ToolError unless g++ and the ap_int headers are there."""
    _compiler()
    ap_int_folder()


def ap_int_folder() -> Path:
    """Where ap_int.h lies: in the Vitis HLS on PATH, else in the package data of hls4ml, which is not imported.

    Raises ToolError if neither is installed.
    """
    if vitis := shutil.which("vitis_hls"):
        folder = Path(vitis).resolve().parent.parent / "include"
        if (folder / "ap_int.h").is_file():
            return folder
    spec = importlib.util.find_spec("hls4ml")
    for package in (spec and spec.submodule_search_locations) or ():
        folder = Path(package) / "templates" / "vivado" / "ap_types"
        if (folder / "ap_int.h").is_file():
            return folder
    raise ToolError("C simulation needs the ap_int headers, which are not installed; pip install 'headrace[hls]', or "
                    "only the headers: pip install --no-deps hls4ml")


def _compiler() -> str:
    if compiler := shutil.which("g++"):
        return compiler
    raise ToolError("C simulation needs g++, which is not on PATH; install a C++ compiler, for example the package g++")


def compile_program(units: Sequence[Path], program: Path, folders: Sequence[Path], flags: Sequence[str],
                    done: Callable[[float], None] = lambda _: None) -> None:
    """Compile C++ files that include what lies in some folders, and link them, or take what was made of them before.

    done: is told how much is compiled, 0 to 1.
    Raises ToolError with the first error if they do not compile, or g++ or the ap_int headers are missing.
    """
    key = _key(units, folders, flags)
    kept = shelf.find(key)
    if kept is not None and shelf.copied(kept / "program", program):
        return
    # The stand-ins come first: the folder of ap_int.h has a stream of its own.
    includes = [f"-I{folder}" for folder in folders] + [f"-isystem{ap_int_folder()}"]
    objects = [unit.with_suffix(".o") for unit in units]
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        running = [pool.submit(_call, unit.name, [*_FLAGS, *flags, *includes, "-c", str(unit), "-o", str(made)])
                   for unit, made in zip(units, objects, strict=True)]
        try:
            for number, compiled in enumerate(running):
                compiled.result()
                done((number + 1) / len(running))
        except BaseException:  # a failure or a signal: what has not begun does not begin
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    _call(program.name, [*map(str, objects), "-o", str(program)])
    shelf.keep(key, {"program": program})


def _key(units: Sequence[Path], folders: Sequence[Path], flags: Sequence[str]) -> str:
    """The hash of all that decides what the compiler makes."""
    beside = [path for folder in folders if folder.is_dir() for path in sorted(folder.iterdir())
              if path.suffix in _SOURCES]
    texts = [(path.name, path.read_bytes()) for path in (*units, *beside)]
    headers = [(path.name, path.stat().st_size, path.stat().st_mtime_ns)
               for path in sorted(ap_int_folder().rglob("*.h"))]
    return shelf.digest("csim", shelf.program_identity(_compiler()), headers, _FLAGS, tuple(flags),
                        *(part for text in texts for part in text))


def _call(name: str, arguments: Sequence[str]) -> None:
    result = subprocess.run([_compiler(), *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        errors = [line for line in result.stderr.splitlines() if "error" in line]
        raise ToolError(f"g++ does not compile {name}: {(errors or ['no message'])[0]}")
