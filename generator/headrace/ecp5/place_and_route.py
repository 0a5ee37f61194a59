"""Sources become a bitstream: Yosys, nextpnr with one seed after the other until the clock is met, ecppack."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headrace.area.usage import Resources
from headrace.atomic_files import write_files
from headrace.board.board import Board, load_board
from headrace.ecp5.part import part_of, routed_boards
from headrace.ecp5.reports import Report, read_report
from headrace.ecp5.tools import run_trellis
from headrace.ecp5.top import LPF, Top
from headrace.errors import InputError, ToolError
from headrace.progress import Step
from headrace.synthesis.netlist import measure_trellis
from headrace.synthesis.target import ECP5
from headrace.synthesis.yosys import run_yosys

Progress = Callable[[str], None]

#: What a run leaves in its folder; LOGIC: the design before gates were made of it.
LOGIC, NETLIST, ROUTED, CONFIG, BITSTREAM = (
    "logic.json", "netlist.json", "routed.json", "accelerator.config", "accelerator.bit")
LOG, REPORT = "nextpnr.log", "nextpnr.json"
#: Seconds of Yosys and of nextpnr for themselves, for each LUT to be mapped, and for each cell to be placed and routed.
_START_S, _MAP_S, _CELL_S = 10.0, 0.02, 0.008
_ERROR = re.compile(r"^ERROR: (.*)$", re.MULTILINE)
#: The last line of a kind in nextpnr's log, and what it says of the progress.
_STEPS = ((re.compile(r"Info:\s+\d+ \|(?:\s+\d+){2} \|(?:\s+\d+){2} \|\s+(\d+)\|"), "routing, {} arcs left"),
          (re.compile(r"at iteration #(\d+)"), "placing, round {}"))


@dataclass(frozen=True)
class Routed:
    """What nextpnr made of a design with a seed."""

    seed: int
    report: Report


def mapping(what: str, taken: Resources) -> Step:
    """That Yosys is at work, with what it takes on a usual machine."""
    return Step(f"Yosys maps {what} to cells of an ECP5", "Yosys maps to an ECP5",
                seconds=_START_S + _MAP_S * taken.all_luts)


def synthesize(folder: Path, top: Top, sources: Mapping[str, str]) -> Resources:
    """Write all sources into `folder` and map them to cells of an ECP5, to LOGIC and NETLIST there.

    Returns what they take.
    """
    write_files(folder, {**sources, **top.slang, **top.plain} | ({LPF: top.constraints} if top.constraints else {}))
    read = " ".join(sorted(name for name in {**sources, **top.slang} if name.endswith((".sv", ".v"))))
    plain = [f"read_verilog {' '.join(sorted(top.plain))}"] if top.plain else []
    run_yosys("; ".join([
        f"read_slang -j 1 --ignore-assertions --top {top.slang_top} {read}", *plain,
        *ECP5.commands(top.module, LOGIC), "delete */t:$scopeinfo", f"write_json {NETLIST}"]), folder)
    netlist: dict[str, Any] = json.loads((folder / NETLIST).read_text())
    return measure_trellis(netlist["modules"][top.module], frozenset({"EHXPLLL"}))[0]


def require_room(board: Board, taken: Resources) -> None:
    """Raise InputError where a design takes more than a board has, with the boards that would hold it."""
    if not (over := _over(board, taken)):
        return
    larger = [name for name in routed_boards() if not _over(load_board(name), taken)]
    helps = (f"{', '.join(larger)} would hold it" if larger else
             "no board of the family holds it: ask for fewer frames per second, or quantize to fewer bits")
    raise InputError(f"{board.name}: the design takes {', '.join(over)}; {helps}")


def _over(board: Board, taken: Resources) -> list[str]:
    there = (("LUT4", taken.all_luts, board.lut), ("flip-flops", taken.ff, board.ff),
             ("DP16KD", taken.bram18, 2 * board.bram36), ("MULT18X18D", taken.dsp, board.dsp))
    return [f"{used} of {most} {name}" for name, used, most in there if used > most]


def route(folder: Path, board: Board, top: Top, layers: Mapping[str, str], seeds: int, progress: Progress) -> Routed:
    """Place and route NETLIST with seeds 1, 2, ... until one meets the clock, else the best of all.

    Leaves ROUTED, CONFIG, REPORT and LOG. layers: names of layers by their instances. Raises ToolError where nextpnr is
    missing or fails.
    """
    best: Routed | None = None
    cells = json.loads((folder / NETLIST).read_text())["modules"][top.module]["cells"]

    def tell(text: str) -> None:
        progress(Step(text, text.partition(":")[0], seconds=_START_S + _CELL_S * len(cells)))

    for seed in range(1, seeds + 1):
        found = Routed(seed, _run(folder, board, top, layers, seed, tell))
        if best is None or found.report.fmax_mhz > best.report.fmax_mhz:
            best = found
            for name in (ROUTED, CONFIG, REPORT, LOG):
                (folder / _trial(name)).replace(folder / name)
        if best.report.met:
            break
    for name in (ROUTED, CONFIG, REPORT, LOG):
        (folder / _trial(name)).unlink(missing_ok=True)
    assert best is not None  # at least one seed
    return best


def _trial(name: str) -> str:
    return f"trial-{name}"


def _run(folder: Path, board: Board, top: Top, layers: Mapping[str, str], seed: int, progress: Progress) -> Report:
    """One run of nextpnr; its files have the names of a trial."""
    pins = ["--lpf", LPF] if top.constraints else ["--lpf-allow-unconstrained"]
    log = folder / _trial(LOG)

    def watch() -> None:
        progress(f"nextpnr, seed {seed}: {_step(log)}")

    watch()
    routing = ["--tmg-ripup"] if seed % 2 == 0 else []  # slow paths torn up: better for some designs, worse for others
    arguments = [*part_of(board).options, "--json", NETLIST, "--textcfg", _trial(CONFIG), "--write", _trial(ROUTED),
                 "--report", _trial(REPORT), "--log", log.name, "--freq", f"{top.clock_mhz:g}", "--seed", str(seed),
                 *routing, "--timing-allow-fail", "--quiet", *pins]
    try:
        run_trellis("nextpnr_ecp5", arguments, folder, watch)
    except ToolError as error:
        if log.is_file() and (said := _ERROR.findall(log.read_text(errors="replace"))):
            raise ToolError(f"nextpnr failed, see {log}: {said[0]}") from None
        raise error
    return read_report(folder / _trial(REPORT), layers)


def _step(log: Path) -> str:
    """What nextpnr is at, by its log."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    return next((said.format(found[-1]) for lines, said in _STEPS if (found := lines.findall(text))), "packing")


def pack(folder: Path, config: str = CONFIG, bitstream: str = BITSTREAM) -> None:
    """A routed configuration becomes a bitstream."""
    run_trellis("ecppack", ["--compress", config, bitstream], folder)
