"""The command `headrace bitstream`: its arguments, and the boards that open tools place and route."""

from __future__ import annotations

import argparse
from pathlib import Path

from headrace.build_folder import Build
from headrace.cli import tables
from headrace.cli.progress_bar import progress
from headrace.ecp5.flow import Options, make_routed, make_swapped
from headrace.errors import InputError
from headrace.render.hls_project import HlsProject

#: Processes of Vivado.
JOBS = 2
#: Options of each of the two flows that mean nothing to the other.
_OF_VIVADO = ("jobs", "backend", "clock_uncertainty", "cosim", "observe")
_OF_NEXTPNR = ("seeds", "clock_mhz", "flash", "weights_from")


def add_bitstream(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("directory", type=Path, metavar="DIR", help="a directory that `headrace build` wrote")
    sub.add_argument("--board", required=True, metavar="B", help="board name or .toml file")
    sub.add_argument("--ooc", action="store_true",
                     help="only the accelerator: by Vivado in its shell, out of context; on an ECP5 between pins")
    sub.add_argument("--jobs", type=int, metavar="N", help=f"Vivado: its processes (default {JOBS})")
    sub.add_argument("--backend", choices=("rtl", "hls"), help="Vivado: default rtl if it was built")
    sub.add_argument("--clock-uncertainty", metavar="U",
                     help=f"HLS: taken off the period, in ns or as a percentage (default {HlsProject.uncertainty})")
    sub.add_argument("--cosim", action="store_true", help="HLS: simulate its Verilog with random stalls too")
    sub.add_argument("--observe", action="store_true", help="Vivado: count stalls and the most words that each "
                     "FIFO held, for some hundred LUTs; on an ECP5 they are counted in any case")
    sub.add_argument("--seeds", type=int, metavar="N",
                     help=f"ECP5: how many are tried until the clock is met (default {Options.seeds})")
    sub.add_argument("--clock-mhz", type=float, metavar="F", help="ECP5: default that of the build")
    sub.add_argument("--flash", action="store_true", help="ECP5: load the bitstream into the board that is connected")
    sub.add_argument("--weights-from", type=Path, metavar="DIR2", help="ECP5: put the weights of another build of the "
                     "same network into the bitstream that is there, without placing and routing anew")
    sub.add_argument("--json", action="store_true", help="print machine-readable results on stdout")


def require_vivado(options: argparse.Namespace) -> None:
    """Raise InputError for an option that only boards of an ECP5 have."""
    _refuse(options, _OF_NEXTPNR, "belongs to boards with an ECP5")


def run_routed(build: Build, options: argparse.Namespace) -> int:
    """Place and route a build for a board with an ECP5."""
    _refuse(options, _OF_VIVADO, "belongs to boards that Vivado makes bitstreams of")
    chosen = Options(options.seeds if options.seeds is not None else Options.seeds, options.clock_mhz, options.ooc,
                     options.flash)
    if options.weights_from is not None:
        return _swap(build, options, chosen)
    with progress() as tell:
        result = make_routed(build, options.board, chosen, tell)
    tables.show(tables.bitstream_table(result), options.json, lambda: result)
    return 0


def _swap(build: Build, options: argparse.Namespace, chosen: Options) -> int:
    """Other weights into the bitstream that is there."""
    other = Build.open(options.weights_from)
    with progress() as tell:
        result = make_swapped(build, other, options.board, chosen, tell)
    tables.show(f"{result['bitstream']}: has the weights of {other.folder} in {result['memories']} memories, as read "
                "back from it", options.json, lambda: result)
    return 0


def _refuse(options: argparse.Namespace, names: tuple[str, ...], why: str) -> None:
    for name in names:
        if getattr(options, name) not in (None, False):
            raise InputError(f"--{name.replace('_', '-')} {why}; {options.board} is none of them")
