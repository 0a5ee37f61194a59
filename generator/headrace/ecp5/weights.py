"""The weights of another build of the same network into a bitstream that is there, without placing or routing anew.

The two are the same but for the contents of memories if they are so before gates are made: which LUTs become of the
same logic also depends on the order in which it is looked at, and that on the contents.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.atomic_files import write_file
from headrace.build_folder import Build
from headrace.ecp5.contents import Contents, placed_contents, read_contents, replaced, table_text
from headrace.ecp5.place_and_route import BITSTREAM, CONFIG, LOGIC, ROUTED, Progress, mapping, pack, synthesize
from headrace.ecp5.reports import layer_of
from headrace.ecp5.tools import run_trellis
from headrace.ecp5.top import Top, instances
from headrace.errors import InputError, ToolError

_MEMORIES = frozenset({"DP16KD", "TRELLIS_DPR16X4"})
_UNPACKED = "unpacked.config"


def swap_weights(build: Build, other: Build, folder: Path, top: Top, sources: Mapping[str, str], out: Path,
                 progress: Progress) -> int:
    """Write CONFIG, BITSTREAM and ROUTED with the weights of `other` into `out`; returns how many memories they have.

    folder: where `build` was routed; top: that of `other`, sources: its files. Raises InputError where nothing was
    routed there, or where the two differ in more than what their memories hold; ToolError where the configuration does
    not hold what was routed, or the bitstream not what it is to hold.
    """
    routed, logic, config = _routed(build, folder)
    progress(mapping("the other build", other.resources))
    with tempfile.TemporaryDirectory() as work:
        synthesize(Path(work), top, sources)
        theirs = _cells(json.loads((Path(work) / LOGIC).read_text()), top.module)
    ours = _cells(logic, top.module)
    _require_same(build, other, ours, theirs)
    (design,) = routed["modules"].values()
    before, after = (placed_contents(design["cells"], cells) for cells in (ours, theirs))
    if read_contents(config, before) != before:
        raise ToolError(f"{folder / CONFIG}: does not hold the memories of {build.folder}; run the command again")
    out.mkdir(exist_ok=True)
    write_file(out / CONFIG, replaced(config, after))
    write_file(out / ROUTED, json.dumps(_with_contents(routed, theirs)))
    progress("packing the bitstream and reading it back")
    pack(out)
    require_packed(out, after)
    return len(after)


def _routed(build: Build, folder: Path) -> tuple[dict[str, Any], dict[str, Any], str]:
    try:
        routed, logic = (json.loads((folder / name).read_text()) for name in (ROUTED, LOGIC))
        return routed, logic, (folder / CONFIG).read_text()
    except OSError:
        raise InputError(f"{build.folder}: has nothing in {folder.name} that was routed; run headrace bitstream "
                         "without --weights-from first") from None


def _cells(netlist: Mapping[str, Any], module: str) -> dict[str, Any]:
    cells: dict[str, Any] = netlist["modules"][module]["cells"]
    return cells


def _require_same(build: Build, other: Build, ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> None:
    """Raise InputError for the first cell that differs in more than the contents of a memory."""
    names = sorted({*ours, *theirs})
    first = next((name for name in names if _frame(ours.get(name)) != _frame(theirs.get(name))), None)
    if first is not None:
        layer = layer_of(first, instances(build.dataflow))
        where = f"layer {layer}" if layer else "the shell"
        raise InputError(f"{other.folder}: differs from {build.folder} in more than what memories hold, first in "
                         f"{where} ({first}); build both with the same options and every layer with weights --writable")


def _frame(cell: Mapping[str, Any] | None) -> object:
    """A cell without the contents of a memory and without where it comes from."""
    if cell is None:
        return None
    memory = cell["type"] in _MEMORIES
    parameters = {name: value for name, value in cell["parameters"].items() if not (memory and "INITVAL" in name)}
    return cell["type"], parameters, cell["connections"]


def _with_contents(routed: dict[str, Any], cells: Mapping[str, Any]) -> dict[str, Any]:
    """The routed netlist with other contents, for its simulation."""
    (design,) = routed["modules"].values()
    for name, cell in design["cells"].items():
        if cell["type"] == "DP16KD":
            contents = {key: value.replace("x", "0") for key, value in cells[name]["parameters"].items()
                        if key.startswith("INITVAL")}
            cell["parameters"] = {key: value for key, value in cell["parameters"].items()
                                  if not key.startswith("INITVAL")} | contents
        elif "$DPRAM_COMB" in name:
            memory, _, part = name.rpartition("$DPRAM_COMB")
            cell["parameters"]["INITVAL"] = table_text(cells[memory]["parameters"], int(part))
    return routed


def require_packed(folder: Path, contents: Contents) -> None:
    """Raise ToolError where BITSTREAM in `folder`, unpacked again, does not hold these contents."""
    run_trellis("ecpunpack", [BITSTREAM, _UNPACKED], folder)
    path = folder / _UNPACKED
    held = read_contents(path.read_text(), contents)
    path.unlink()
    if wrong := [place for place, text in contents.items() if held[place] != text]:
        raise ToolError(f"{folder / BITSTREAM}: {len(wrong)} of {len(contents)} memories do not hold what was packed, "
                        f"first {wrong[0]}; report this as a defect")
