"""What the batteries of the layers and the tests of boards reach of the SystemVerilog: `make coverage`.

Every battery's parameter sets run with Verilator's coverage: under all stall patterns, and after a reset in mid-frame.
So do the simulated boards of benchmarks.board_runs, with the shells and the serial port. See docs/trust.md.
A line, a branch or a signal's rise or fall counts as reached if one instance with any parameters reaches it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.board_runs import BOARD_RUNS
from benchmarks.covered import covered, points
from benchmarks.figures import save
from headrace.layers import LAYERS
from headrace.render.library import library_paths
from headrace.simulation.frames import Stalls
from tests.layer_battery import FRAMES, SEED, LayerBattery, Runs, batteries

OUT = Path("build/bench-coverage.json")
WHAT = ("line", "branch", "toggle")
#: A point of Verilator's file: keys and values between \\x01 and \\x02, and how often it was reached.
_POINT = re.compile(r"^C '(.*)' (\d+)$", re.MULTILINE)


@cache
def constant_lines(name: str) -> frozenset[int]:
    """Lines of functions that give parameters: they are calculated before anything runs."""
    text = next((path.read_text() for path in library_paths() if path.name == name), "")
    inside, found = False, []
    for number, line in enumerate(text.splitlines(), 1):
        inside = inside or "function automatic int" in line
        found += [number] * inside
        inside = inside and "endfunction" not in line
    return frozenset(found)


def _lines(keys: Mapping[str, str]) -> Iterable[int]:
    """The lines that a point stands for, where it is not one of a signal."""
    spans = [part.split("-") for part in keys.get("S", "").split(",") if part]
    return (line for span in spans for line in range(int(span[0]), int(span[-1]) + 1))


@dataclass
class Reached:
    """By file and kind, what there is and how often it was reached."""

    counts: dict[tuple[str, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, text: str) -> None:
        """The points of one run."""
        for point, count in _POINT.findall(text):
            keys = dict(part.split("\x02", 1) for part in point.split("\x01") if "\x02" in part)
            kind = keys["page"].split("/")[0].removeprefix("v_")
            path = Path(keys["f"])
            if kind != "line":
                self._count(path.name, kind, f"{keys['l']}:{keys.get('n', '')}:{keys.get('o', '')}", int(count))
            for line in _lines(keys):
                if line not in constant_lines(path.name):
                    self._count(path.name, "line", str(line), int(count))

    def _count(self, name: str, kind: str, place: str, count: int) -> None:
        known = self.counts[name, kind]
        known[place] = known.get(place, 0) + count

    def share(self, names: Iterable[str], kind: str) -> tuple[int, int]:
        """How many were reached, and how many there are."""
        counts = [count for name in names for count in self.counts.get((name, kind), {}).values()]
        return sum(count > 0 for count in counts), len(counts)

    def missed(self, name: str, kind: str) -> list[str]:
        """What was not reached in a file."""
        return [place for place, count in self.counts.get((name, kind), {}).items() if not count]


def run_battery(of_kind: type[LayerBattery]) -> list[str]:
    """The points of all runs of a battery."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        runs = Runs(of_kind.layers(), work)
        for stalls in Stalls:
            runs.rtl.run(runs.words, stalls, SEED)
        runs.rtl.run(runs.words, Stalls.RANDOM, SEED, True)
        return points(work)


def run_board(run: Callable[[Path], None]) -> list[str]:
    """The points of a run of boards."""
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder))
        return points(Path(folder))


def measure(kinds: Sequence[str], jobs: int) -> Reached:
    """All batteries of these kinds, some at a time; a kind may be the name of a run of boards."""
    runs = [partial(run_board, BOARD_RUNS[kind]) for kind in kinds if kind in BOARD_RUNS]
    runs += [partial(run_battery, item) for kind in kinds if kind not in BOARD_RUNS for item in batteries(kind)]
    reached = Reached()
    with covered(), ThreadPoolExecutor(jobs) as pool, Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task(f"boards, and {FRAMES} frames through every battery", total=len(runs))
        for texts in pool.map(lambda run: run(), runs):
            for text in texts:
                reached.add(text)
            progress.advance(task)
    return reached


def report(reached: Reached) -> float:
    """Print a row per file and what was missed of the lines; the share of lines that were reached."""
    names = sorted({name for name, _ in reached.counts} & {path.name for path in library_paths()})
    table = Table("file", *WHAT)
    for row in (*([name] for name in names), names):
        parts = [reached.share(row, kind) for kind in WHAT]
        cells = [f"{hit} of {all_of_it}, {hit / all_of_it:.1%}" if all_of_it else "-" for hit, all_of_it in parts]
        table.add_row(row[0] if len(row) == 1 else "all", *cells)
    Console(width=110).print(table)
    for name in names:
        if missed := reached.missed(name, "line"):
            print(f"{name}: lines {', '.join(sorted(missed, key=int))} were not reached")
    report_uncounted(reached, names)
    hit, there = reached.share(names, "line")
    return hit / max(1, there)


def report_uncounted(reached: Reached, names: Sequence[str]) -> None:
    """Print which files have no line to count, and which have not run."""
    texts = {path.name: path.read_text() for path in library_paths() if path.name not in names}
    packages = [name for name, text in texts.items() if re.search(r"^package ", text, re.MULTILINE)]
    for what, found in (
            ("connections and expressions, with signals but without a line to count",
             [name for name in names if not reached.share([name], "line")[1]]),
            ("calculated before anything runs", packages),
            ("in nothing that ran", sorted(texts.keys() - packages))):
        print(f"{what}: {', '.join(found) or 'none'}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make coverage", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND",
                        help=f"kinds of layers, or runs of boards: {', '.join(BOARD_RUNS)} (default all)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="runs at a time (default %(default)s)")
    options = parser.parse_args(arguments)
    reached = measure(options.kinds or [*BOARD_RUNS, *LAYERS], options.jobs)
    share = report(reached)
    save(OUT, {"lines": share, "missed": {name: reached.missed(name, kind) for name, kind in reached.counts
                                          if kind == "line" and name in {path.name for path in library_paths()}}})
    return int(share <= 0.97 and not options.kinds)


if __name__ == "__main__":
    sys.exit(main())
