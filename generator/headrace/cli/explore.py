"""The command `headrace explore`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from headrace.board.board import DEFAULT_BOARD
from headrace.cli import tables
from headrace.cli.progress_bar import progress
from headrace.exploring.axes import Axes
from headrace.exploring.crew import Crew
from headrace.exploring.explore import Plan, explore
from headrace.exploring.rows_view import rows_view
from headrace.exploring.stages import STAGES, require_stages
from headrace.layers.cores import CORES
from headrace.layers.cores.choice import AUTO
from headrace.quantizing.settings import METHOD_NAMES, Settings
from headrace.request import Options

T = TypeVar("T")
_OUT = Path("exploration")


def add_explore(sub: argparse.ArgumentParser) -> None:
    """Declare the arguments; several values are separated by commas."""
    _add_axes(sub)
    sub.add_argument("--data", metavar="FILE", help="X.npz with inputs x and labels y, or file.py:function: for the "
                     "accuracy, and to quantize with")
    sub.add_argument("--method", choices=METHOD_NAMES, default=Settings.method,
                     help="how a float network is quantized (default %(default)s)")
    sub.add_argument("--stages", type=_values(str), default=["plan"], metavar="S,...",
                     help=f"how far the Pareto front is taken: {', '.join(STAGES)} (default plan)")
    sub.add_argument("--all", action="store_true", help="take all points that fit, not only the front")
    sub.add_argument("--verify-layers", action="store_true", help="compare every layer of a build by itself, all "
                     "workers those of a point together, for networks that take long as a whole")
    sub.add_argument("--scheduler", default="", metavar="ADDRESS", help="of a Dask scheduler whose workers have "
                     "headrace installed; default: workers on this machine")
    sub.add_argument("--workers", type=int, default=0, metavar="N", help="on this machine (default: one per core)")
    sub.add_argument("--memory", default=Crew.memory, metavar="SIZE", help="of each of these (default %(default)s)")
    sub.add_argument("--out", type=Path, default=_OUT, metavar="DIR", help="where points, tables and page are kept "
                     f"(default {_OUT})")
    sub.add_argument("--resume", action="store_true", help="go on with the finished points of DIR")


def _add_axes(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--boards", type=_values(str), default=[], metavar="B,...", help="names or .toml files, filled "
                     f"where no rate is given (default {DEFAULT_BOARD} at the default pace)")
    sub.add_argument("--fps", type=_values(float), default=[], metavar="F,...", help="frames per second to reach")
    sub.add_argument("--clock-mhz", type=_values(float), default=[Options.clock_mhz], metavar="C,...",
                     help=f"default {Options.clock_mhz:g}")
    sub.add_argument("--cores", type=_values(str), default=[AUTO], metavar="K,...",
                     help=f"compute cores of all layers: {', '.join((AUTO, *CORES))} (default {AUTO})")
    sub.add_argument("--weight-bits", type=_values(int), default=[], metavar="W,...",
                     help="of a float network that is quantized")
    sub.add_argument("--act-bits", type=_values(int), default=[], metavar="A,...", help="of its activations")


def _values(kind: Callable[[str], T]) -> Callable[[str], list[T]]:
    """What reads values that are separated by commas."""
    def read(text: str) -> list[T]:
        return [kind(part.strip()) for part in text.split(",")]

    read.__name__ = f"list of {kind.__name__}"
    return read


def run_explore(options: argparse.Namespace) -> int:
    """Explore, and print the points; 0 where every point of the front came through."""
    axes = Axes(options.boards, options.fps, options.clock_mhz, options.cores, options.weight_bits, options.act_bits)
    require_stages(options.stages)
    plan = Plan(axes, options.out, options.stages, options.data,
                Crew(options.scheduler, options.workers, options.memory), options.resume, options.all,
                options.verify_layers, Settings(method=options.method))
    with progress() as tell:
        found = explore(options.model, plan, tell)
    tables.show(rows_view(found.model, found.rows), options.json, lambda: list[Any](found.rows))
    return 1 if any(row["error"] for row in found.rows) or not any(row["fits"] for row in found.rows) else 0
