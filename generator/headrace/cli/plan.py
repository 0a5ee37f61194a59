"""The command `headrace plan`."""

from __future__ import annotations

import argparse

from headrace.board.board import DEFAULT_BOARD
from headrace.cli import tables
from headrace.cli.progress_bar import progress
from headrace.dataflow.choose_cores import parse_cores
from headrace.exploring.points import Space, plan_points
from headrace.exploring.points_view import points_view
from headrace.model import load
from headrace.request import Options


def add_plan(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    sub.add_argument("--board", action="append", default=[], metavar="B", help="board name or .toml file, filled where "
                     f"no rate is given (may be repeated; default {DEFAULT_BOARD} at the default pace)")
    sub.add_argument("--fps", action="append", type=float, default=[], metavar="F",
                     help="frames per second to reach with the least hardware (may be repeated)")
    sub.add_argument("--clock-mhz", action="append", type=float, default=[], metavar="C",
                     help=f"may be repeated; default {Options.clock_mhz:g}")
    sub.add_argument("--core", action="append", default=[], metavar="[LAYER=]NAME", help="as of build")
    sub.add_argument("--backend", choices=("rtl", "hls", "both"), default=Options.backend, help="as of build")
    sub.add_argument("--weights", choices=("on-chip", "external"), default=Options.weights, help="as of build")
    sub.add_argument("--fifos", choices=("estimated", "exact", "safe"), default="estimated", help="estimated: known at "
                     "once, and sized exactly where they alone do not fit; exact, safe: as of build (default "
                     "%(default)s)")


def run_plan(options: argparse.Namespace) -> int:
    """Plan every point and print them; 0 where at least one fits its board."""
    space = Space(options.board, options.clock_mhz or [Options.clock_mhz], options.fps)
    others = Options(cores=parse_cores(options.core), backend=options.backend, weights=options.weights)
    space.options(others)  # what cannot be is said before the model is read
    with progress() as tell:
        tell(f"loading {options.model}")
        points = list(plan_points(load(options.model, kernels=options.kernels), space, others, tell,
                                  options.fifos))
    tables.show(points_view(options.model, points), options.json, lambda: [point.json() for point in points])
    return 0 if any(point.fits for point in points) else 1
