"""From a build to a bitstream of an ECP5, by tools that come with pip."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from headrace.atomic_files import write_json
from headrace.board.board import Board, load_board
from headrace.build_folder import RECORD, Build
from headrace.ecp5.part import part_of
from headrace.ecp5.place_and_route import (
    BITSTREAM,
    Progress,
    Routed,
    mapping,
    pack,
    require_room,
    route,
    synthesize,
)
from headrace.ecp5.tools import load_bitstream, tool_versions
from headrace.ecp5.top import Top, board_top, core_top, instances
from headrace.ecp5.weights import swap_weights
from headrace.errors import InputError, ToolError
from headrace.render.rtl import FILE_LIST
from headrace.request import MAX_CLOCK_MHZ, MIN_CLOCK_MHZ
from headrace.version import file_header

#: The folder of a build that holds what was placed and routed, and that of the accelerator by itself.
FOLDER, CORE_FOLDER = "ecp5", "ecp5-core"
#: In these the bitstream with other weights.
SWAPPED = "swapped"
MAX_SEEDS = 1000


@dataclass(frozen=True)
class Options:
    """How a bitstream is made.

    seeds: how many are tried until the clock is met; clock_mhz: None for that of the build; core: only the accelerator
    by itself, between pins; flash: load the bitstream into the board.
    """

    seeds: int = 1
    clock_mhz: float | None = None
    core: bool = False
    flash: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.seeds <= MAX_SEEDS:
            raise InputError(f"seeds={self.seeds}: at least one and at most {MAX_SEEDS} are tried")
        if self.clock_mhz is not None and not MIN_CLOCK_MHZ <= self.clock_mhz <= MAX_CLOCK_MHZ:
            raise InputError(f"clock_mhz={self.clock_mhz:g} must lie between {MIN_CLOCK_MHZ:g} and {MAX_CLOCK_MHZ:g}")
        if self.core and self.flash:
            raise InputError("the accelerator by itself has no serial line; leave --flash or --ooc out")


def make_routed(build: Build, board_name: str, options: Options, progress: Progress = lambda _: None) -> dict[str, Any]:
    """Write DIR/ecp5 (DIR/ecp5-core for the core), run the tools in it and record what they reached in build.json.

    Leaves accelerator.bit, and draws report.html anew. The same build, options and versions of the tools give the same
    bytes. Raises InputError for a board of another family, a build without SystemVerilog and a design that does not
    fit; ToolError where a tool is missing or fails, or where no seed reaches the clock, after all is recorded.
    """
    board = load_board(board_name)
    part_of(board)
    if not build.has_rtl:
        raise InputError(f"{build.folder}: was built without the rtl back end; build with --backend rtl or both")
    versions = tool_versions()
    folder = build.folder / (CORE_FOLDER if options.core else FOLDER)
    top = _top(build, board, options)
    progress(mapping("the design", build.resources))
    taken = synthesize(folder, top, sources(build.folder / "rtl"))
    require_room(board, taken)
    done = route(folder, board, top, instances(build.dataflow), options.seeds, progress)
    progress("packing the bitstream")
    pack(folder)
    result = _record(board, done, versions)
    write_json(build.folder / RECORD, dict(build.record) | {_key(options): result})
    Build.open(build.folder).report()
    _require_clock(done, options.seeds)
    if options.flash:
        progress("loading the bitstream into the board")
        load_bitstream(board.loader, folder / BITSTREAM)
    return result


def make_swapped(build: Build, other: Build, board_name: str, options: Options,
                 progress: Progress = lambda _: None) -> dict[str, Any]:
    """The bitstream of `build` with the weights of `other`, in DIR/ecp5/swapped (DIR/ecp5-core/swapped for the core).

    Nothing is placed or routed: the clock stays, and need not be given again. Returns which model it holds and how many
    memories were written. Raises what weights.swap_weights does, and InputError for another board.
    """
    board = load_board(board_name)
    part_of(board)
    tool_versions()
    folder = build.folder / (CORE_FOLDER if options.core else FOLDER)
    routed = build.record.get(_key(options))
    if routed and routed["part"] != board.part:
        raise InputError(f"{build.folder}: was routed for {routed['board']} with part {routed['part']}, not for "
                         f"{board.name} with part {board.part}; name the board that it was routed for")
    top = _top(other, board, replace(options, clock_mhz=options.clock_mhz or (routed["clock_mhz"] if routed else None)))
    memories = swap_weights(build, other, folder, top, sources(other.folder / "rtl"), folder / SWAPPED, progress)
    result = {"board": board.name, "weights_from": other.record["source_sha256"], "memories": memories,
              "read_back": True, "bitstream": (folder / SWAPPED / BITSTREAM).as_posix()}
    if options.flash:
        progress("loading the bitstream into the board")
        load_bitstream(board.loader, folder / SWAPPED / BITSTREAM)
    return result


def sources(rtl: Path) -> dict[str, str]:
    """Sources and memories in a build's folder `rtl` by name."""
    return {path.name: path.read_text() for path in sorted(rtl.iterdir()) if path.suffix in (".sv", ".mem")
            and path.name != FILE_LIST}


def _key(options: Options) -> Literal["out_of_context", "bitstream"]:
    """What build.json calls the result."""
    return "out_of_context" if options.core else "bitstream"


def _top(build: Build, board: Board, options: Options) -> Top:
    clock_mhz = options.clock_mhz or build.record["clock_mhz"]
    header = f"{file_header(build.record['source_sha256'])}, board {board.name}"
    if options.core:
        return core_top(build.dataflow, clock_mhz, header)
    return board_top(board, build.dataflow, build.host_words, clock_mhz, build.record["source_sha256"], header)


def _record(board: Board, done: Routed, versions: dict[str, str]) -> dict[str, Any]:
    report = done.report
    return {
        "board": board.name, "part": board.part, "backend": "rtl", "clock_mhz": report.asked_mhz,
        "timing": {"met": report.met, "fmax_mhz": report.fmax_mhz, "wns_ns": report.slack_ns, "seed": done.seed},
        "utilization": dict(report.used),
        "critical_path": report.path.record() if report.path else None,
        "tools": versions,
    }


def _require_clock(done: Routed, seeds: int) -> None:
    """Raise ToolError where the clock was missed, with what was reached and what limits it."""
    if done.report.met:
        return
    path = done.report.path
    where = f", limited by {path.ns:g} ns through {' and '.join(path.layers) or 'the shell'}" if path else ""
    raise ToolError(f"nextpnr reached {done.report.fmax_mhz:g} MHz instead of {done.report.asked_mhz:g} MHz with the "
                    f"best of {seeds} seeds{where}; try more --seeds or a lower --clock-mhz")
