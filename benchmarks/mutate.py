"""Mutants of every area against the tests that should notice: `make mutate`. See docs/trust.md.

A sample that a seed draws, the same one every time; results are kept, so that a run that was stopped goes on where it
was, and a larger sample runs what is new. A mutant is killed if a test fails or takes many times as long.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.mutants import Mutant, mutants

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build/bench-mutate.json"
#: Survivors that change nothing that is promised, with the reason; committed.
EXPLAINED = ROOT / "benchmarks/survivors.json"
#: The tests do not pass in time without the mutant.
UNJUDGED = "not judged"
FOLDERS = ("benchmarks", "boards", "examples", "generator", "hls_templates", "rtl_sim", "tests")
FILES = ("pyproject.toml", "constraints.txt", "README.md", "CONTRIBUTING.md", "Makefile")


@dataclass(frozen=True)
class Area:
    """files: globs below the root. tests: pytest arguments, {stem} the file's; `other` where there are none such."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    other: tuple[str, ...]

    def tests_of(self, path: Path) -> tuple[str, ...]:
        """The tests that should notice a change of a file."""
        stem = path.stem.removeprefix("headrace_")
        named = tuple(test.format(stem=stem) for test in self.tests)
        return named if (ROOT / named[0]).exists() else self.other


AREAS: Mapping[str, Area] = {
    "rtl": Area(("rtl_sim/rtl/layers/*.sv", "rtl_sim/rtl/windows/*.sv", "rtl_sim/rtl/parts/*.sv"),
                ("tests/layers/test_{stem}.py", "-k", "rtl"),
                ("tests/rtl/test_primitives.py", "tests/layers/test_mvtu.py", "tests/layers/test_swu.py", "-k",
                 "rtl or primitive")),
    "hls": Area(("hls_templates/include/*.hpp",), ("tests/layers/test_{stem}.py", "-k", "hls"),
                ("tests/layers/test_mvtu.py", "tests/layers/test_swu.py", "tests/layers/test_acc_pool.py", "-k",
                 "hls")),
    "passes": Area(("generator/headrace/streamline/*.py",), ("tests/streamline/test_{stem}.py", "tests/streamline",
                   "tests/random_networks/test_random_networks.py", "-k", "not hardware"),
                   ("tests/streamline", "tests/random_networks/test_random_networks.py", "-k", "not hardware")),
    "dataflow": Area(("generator/headrace/dataflow/*.py", "generator/headrace/timing/*.py"),
                     ("tests/dataflow/test_{stem}.py", "tests/dataflow", "tests/timing", "tests/folding"),
                     ("tests/dataflow", "tests/timing", "tests/folding", "tests/test_several_ends.py")),
    "packing": Area(("generator/headrace/packing.py",),
                    ("tests/test_packing.py", "tests/render", "tests/layers/test_mvtu.py",
                    "tests/layers/test_threshold.py", "tests/layers/test_lookup.py"), ("tests/test_packing.py",)),
    "drivers": Area(("boards/driver/headrace_driver/*.py", "generator/headrace/drivers/*.py"),
                    ("tests/drivers/test_{stem}.py", "tests/drivers"), ("tests/drivers",)),
}


def sample(area: Area, count: int, seed: int) -> list[Mutant]:
    """So many mutants of an area, a larger sample beginning with the smaller one."""
    found = [mutant for pattern in area.files for path in sorted(ROOT.glob(pattern)) for mutant in mutants(ROOT, path)]
    random.Random(seed).shuffle(found)
    return found[:count]


@contextmanager
def copies(count: int) -> Iterator[SimpleQueue[Path]]:
    """Copies of the repository, in which files are changed."""
    with tempfile.TemporaryDirectory(prefix="mutants") as parent:
        waiting: SimpleQueue[Path] = SimpleQueue()
        for index in range(count):
            copy = Path(parent) / str(index)
            for folder in FOLDERS:
                shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
            for name in FILES:
                shutil.copy(ROOT / name, copy / name)
            waiting.put(copy)
        yield waiting


def run_tests(copy: Path, tests: tuple[str, ...], limit: float) -> str:
    """"passed", "failed", or "too long" after so many seconds."""
    environment = {**os.environ, "PYTHONPATH": f"{copy / 'generator'}:{copy}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not slow", *tests]
    running = subprocess.Popen(command, cwd=copy, env=environment, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        return "passed" if running.wait(limit) == 0 else "failed"
    except subprocess.TimeoutExpired:
        return "too long"
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()


def tree() -> str:
    """A digest of all that the tests see."""
    digest = hashlib.sha256()
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.*") if path.is_file()):
        if "__pycache__" not in path.parts:
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Known:
    """Results by key in a file that is written after every mutant."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.results: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def keep(self, key: str, result: str) -> None:
        """Add a result."""
        self.results[key] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(json.dumps(self.results, indent=1) + "\n")


def are_clean(copy: Path, tests: tuple[str, ...], known: Known, limit: float, state: str) -> bool:
    """Do the tests pass in time without a mutant? Else they judge nothing."""
    key = f"{state} {' '.join(tests)}"
    if key not in known.results:
        known.keep(key, run_tests(copy, tests, limit))
    return known.results[key] == "passed"


def judge(mutant: Mutant, area: Area, waiting: SimpleQueue[Path], known: Known, limit: float, state: str,
          end: float) -> str:
    """The result of one mutant, from the file or by running the tests, if the time has not come to its end."""
    text = (ROOT / mutant.path).read_text()
    tests = area.tests_of(Path(mutant.path))
    key = mutant.key(text, tests)
    if key not in known.results:
        if time.monotonic() > end:
            return "not run"
        copy = waiting.get()
        try:
            (copy / mutant.path).write_text(mutant.applied(text))
            result = run_tests(copy, tests, limit)
            (copy / mutant.path).write_text(text)
            if result != "passed" and not are_clean(copy, tests, known, limit, state):
                return UNJUDGED
            known.keep(key, result)
        finally:
            (copy / mutant.path).write_text(text)
            waiting.put(copy)
    return known.results[key]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"which of {', '.join(AREAS)} (default all)")
    parser.add_argument("--per-area", type=int, default=70, metavar="N", help="mutants of each (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="no mutant starts later (default %(default)s)")
    parser.add_argument("--limit", type=float, default=300, help="seconds of one mutant (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="at a time (default %(default)s)")
    options = parser.parse_args(arguments)
    names = options.areas or list(AREAS)
    drawn = [(name, mutant) for name in names for mutant in sample(AREAS[name], options.per_area, options.seed)]
    random.Random(options.seed).shuffle(drawn)  # a run that is stopped has some of each area
    end, known, state = time.monotonic() + 60 * options.minutes, Known(OUT), tree()
    with copies(options.jobs) as waiting, ThreadPoolExecutor(options.jobs) as pool, Progress(
            console=Console(stderr=True)) as progress:
        task = progress.add_task("mutants", total=len(drawn))

        def one(item: tuple[str, Mutant]) -> str:
            result = judge(item[1], AREAS[item[0]], waiting, known, options.limit, state, end)
            progress.advance(task)
            return result

        results = list(pool.map(one, drawn))
    return report(drawn, results)


def report(drawn: list[tuple[str, Mutant]], results: list[str]) -> int:
    """Print the scores and the survivors; 1 if one is not explained."""
    explained = json.loads(EXPLAINED.read_text())
    table = Table("area", "run", "killed", "explained", "survived", "score", "not judged")
    left = []
    for area in dict.fromkeys(name for name, _ in drawn):
        own = [(mutant, result) for (name, mutant), result in zip(drawn, results, strict=True) if name == area]
        alive = [mutant.name for mutant, result in own if result == "passed"]
        known = [name for name in alive if name in explained]
        killed = sum(result in ("failed", "too long") for _, result in own)
        left += [name for name in alive if name not in explained]
        counted = killed + len(alive) - len(known)
        table.add_row(area, *map(str, (killed + len(alive), killed, len(known), len(alive) - len(known))),
                      f"{killed / counted:.1%}" if counted else "-",
                      str(sum(result in ("not run", UNJUDGED) for _, result in own)))
    Console().print(table)
    for name in left:
        print(f"survived: {name}")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
