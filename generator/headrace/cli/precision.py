"""The command `headrace precision`. Torch is needed to run it, not to import this."""

from __future__ import annotations

import argparse
from pathlib import Path

from headrace.atomic_files import require_writable_file
from headrace.board.board import DEFAULT_BOARD
from headrace.cli import tables
from headrace.cli.progress_bar import progress
from headrace.exploring.searching import searching_for_precision
from headrace.quantizing.settings import METHOD_NAMES, Settings
from headrace.request import Options, resolve


def add_precision(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("--data", required=True, metavar="FILE", help="X.npz with inputs x and labels y, or "
                     "file.py:function: to calibrate with and for the accuracy")
    sub.add_argument("--test", metavar="FILE", help="more of them, on which only what is found is tested")
    sub.add_argument("--board", default=DEFAULT_BOARD, metavar="B",
                     help="board name or .toml file (default %(default)s)")
    sub.add_argument("--fps", type=float, required=True, metavar="F", help="frames per second at which hardware is "
                     "compared")
    sub.add_argument("--clock-mhz", type=float, default=Options.clock_mhz, metavar="C", help="default %(default)s")
    sub.add_argument("--widths", type=int, nargs="+", default=[2, 4, 8], metavar="N",
                     help="that weights and activations may have, rising (default 2 4 8)")
    sub.add_argument("--accuracy-drop", type=float, nargs="+", default=[1.0], metavar="P",
                     help="percentage points that may be lost against the float network, rising (default 1)")
    sub.add_argument("--rank", choices=("sensitivity", "sqnr", "weight-difference"), default="sensitivity",
                     help="what is lowered first: what loses least for what it saves, what has the highest SQNR, or "
                     "what training moves least (the subject of US patent 12,393,828) (default %(default)s)")
    sub.add_argument("--evaluations", type=int, default=100, metavar="N",
                     help="networks that may be looked at for each drop (default %(default)s)")
    sub.add_argument("--exhaustive", action="store_true", help="look at all networks too, and say how far the search "
                     "is from the best")
    sub.add_argument("--method", choices=METHOD_NAMES, default="affine", help="as of quantize (default %(default)s)")
    sub.add_argument("--samples", type=int, default=Settings.samples, metavar="N", help="as of quantize (default "
                     "%(default)s)")
    sub.add_argument("--out", type=Path, metavar="M.npz", help="where the network of the last drop is written")


def run_precision(options: argparse.Namespace) -> int:
    """Search and print a row for every budget."""
    searching = searching_for_precision()
    budget = searching.Budget(options.widths, options.accuracy_drop, options.rank, options.evaluations)
    request = resolve(Options(options.board, options.clock_mhz, options.fps))
    settings = Settings(method=options.method, samples=options.samples)
    if options.out is not None:
        require_writable_file(options.out)
    task = searching.Task(options.data, budget, request, settings, options.test, options.exhaustive)
    with progress() as tell:
        made = searching.find_precision(options.model, task, tell)
    if options.out is not None:
        made.save(options.out)
    tables.show(made.view, options.json, made.json)
    return 0
