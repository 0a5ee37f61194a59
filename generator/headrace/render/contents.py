"""README.md and files.txt of a build directory: what is in it and what to type next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from headrace.render.templates import load_template

README, FILES = "README.md", "files.txt"
#: What lies in a build directory, and what it is.
_CONTENTS = (
    ("build.json", "the record: recipe, layers, cycles, what was compared"),
    ("report.html", "the pipeline in a picture; `report.json` has its numbers"),
    ("codes.json", "distributions of weights and of what layers put out for the vectors"),
    ("model.json", "with `model.npz` the integer network that was built"),
    ("rtl/", "SystemVerilog: `top.sv`, the library of modules, a `.mem` file per memory"),
    ("hls/", "C++ for Vitis HLS and g++, its Tcl, and a testbench with vectors"),
    ("sim/", "a cocotb bench of `rtl/` with the golden words of every stream"),
    ("vivado/", "scripts that make a bitstream of the board from the sources"),
    ("driver/", "Python and C++ that run the accelerator on the board"),
    (FILES, "the path of every file that the build wrote"),
)


def render_contents(folder: Path, engines: Sequence[str], board: str, header: str) -> dict[str, str]:
    """Both files for a folder that holds all others. header: one line that says where they come from."""
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} | {README, FILES}
    rows = [(name, text) for name, text in _CONTENTS
            if name in written or any(path.startswith(name) for path in written if name.endswith("/"))]
    values = {"header": header, "rows": rows, "engines": engines, "board": board}
    readme = load_template(Path(__file__).parent, "contents.md.j2").render(values)
    return {README: readme, FILES: "\n".join(sorted(written)) + "\n"}
