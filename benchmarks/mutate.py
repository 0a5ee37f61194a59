"""Mutants of every area against the tests that should notice: `make mutate`. See docs/trust.md.

A sample that a seed draws, the same one every time; results are kept, so that a run that was stopped goes on where it
was, and a larger sample runs what is new. A mutant is killed if a test fails or takes many times as long. Mutants of
Python meet the tests that run their line, the cheapest first: an earlier run watched them.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.mutants import Mutant, mutants
from benchmarks.mutation_results import Known, tree
from benchmarks.mutation_tests import Group, checks_of, groups_of, judges_of_line, judges_of_module, proofs_of

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "build/bench-mutate.json"
#: Survivors that change nothing that is promised, with the reason, by name or by place; committed.
EXPLAINED = ROOT / "benchmarks/survivors.json"
#: The tests do not pass in time without the mutant.
UNJUDGED = "not judged"
#: Results of tests that notice a mutant.
KILLED = ("failed", "too long")
FOLDERS = ("benchmarks", "boards", "docs", "examples", "generator", "hls_templates", "rtl_sim", "tests")
FILES = ("pyproject.toml", "constraints.txt", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "mkdocs.yml")
#: Seconds for the tests of an area, watched.
WATCH_S = 1500.0
_BATTERIES = tuple(f"tests/layers/test_{kind}.py" for kind in ("mvtu", "threshold", "lookup", "requant", "vvtu"))


@dataclass(frozen=True)
class Area:
    """files: globs below the root. tests: arguments of pytest; of hardware, where no layer uses a file."""

    files: tuple[str, ...]
    tests: tuple[str, ...]
    imported: tuple[str, ...] = ()

    @property
    def watched(self) -> bool:
        """Are tests chosen by the lines that they run?"""
        return self.files[0].endswith(".py")


_HARDWARE = ("benchmarks.mutation_bench", "headrace.engines.fast")
AREAS: Mapping[str, Area] = {
    "rtl": Area(("rtl_sim/rtl/*/*.sv",), ("tests/rtl/test_primitives.py", "tests/simulation/test_rtl.py"),
                _HARDWARE),
    "hls": Area(("hls_templates/include/*.hpp",), ("tests/hls/test_kernels.py", "tests/simulation/test_csim.py"),
                _HARDWARE),
    "passes": Area(("generator/headrace/streamline/*.py",),
                   ("tests/streamline", "tests/random_networks/test_random_networks.py")),
    "dataflow": Area(("generator/headrace/dataflow/*.py", "generator/headrace/timing/*.py"),
                     ("tests/dataflow", "tests/timing", "tests/folding", "tests/test_several_ends.py",
                      "tests/simulation/test_external.py")),
    "packing": Area(("generator/headrace/packing.py",), ("tests/test_packing.py", "tests/render", *_BATTERIES)),
    "drivers": Area(("boards/driver/headrace_driver/*.py", "generator/headrace/drivers/*.py"), ("tests/drivers",)),
}
#: Tests of the shells, which no layer has.
_SHELL = {"headrace_serial": ("tests/drivers/test_serial.py", "tests/drivers/test_external.py"),
          "headrace_shell": ("tests/benches/test_shell.py", "tests/drivers/test_python.py",
                             "tests/drivers/test_writable.py")}


def sample(area: Area, count: int, seed: int) -> list[Mutant]:
    """So many mutants of an area, a larger sample beginning with the smaller one.

    They are drawn one by one, so that an edit draws others in its own lines alone; those of C++, which seldom changes,
    are shuffled.
    """
    found = [mutant for pattern in area.files for path in sorted(ROOT.glob(pattern)) for mutant in mutants(ROOT, path)]
    if not area.files[0].endswith(".hpp"):
        return sorted(found, key=lambda mutant: hashlib.sha256(f"{seed} {mutant.place}".encode()).digest())[:count]
    random.Random(seed).shuffle(found)
    return found[:count]


@contextmanager
def workers(count: int) -> Iterator[SimpleQueue[Worker]]:
    """Processes in copies of the repository, in which files are changed; they keep nothing in the user's cache."""
    with tempfile.TemporaryDirectory(prefix="mutants") as parent:
        home, waiting, made = Path(parent) / "home", SimpleQueue[Worker](), []
        (home / ".cache").mkdir(parents=True)
        if (cached := Path("~/.cache/YoWASP").expanduser()).exists():  # compiled tools, which no mutant is part of
            (home / ".cache/YoWASP").symlink_to(cached)
        for index in range(count):
            copy = Path(parent) / str(index)
            for folder in FOLDERS:
                shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
            for name in FILES:
                shutil.copy(ROOT / name, copy / name)
            (copy / "tmp").mkdir()
            made.append(Worker(copy, home))
            waiting.put(made[-1])
        try:
            yield waiting
        finally:
            for worker in made:
                worker.close()


class Worker:
    """A copy of the repository and the processes that run tests in it, one for what each of them has imported."""

    def __init__(self, copy: Path, home: Path) -> None:
        self.copy, self._home = copy, home
        self._processes: dict[tuple[str, ...], subprocess.Popen[str]] = {}
        self.seconds = 0.0  # of processors, in all runs

    def run(self, imported: tuple[str, ...], tests: Sequence[str], limit: float, **more: object) -> str:
        """"passed", "failed", or "too long" after so many seconds."""
        process = self._processes.get(imported) or self._started(imported)
        assert process.stdin and process.stdout
        print(json.dumps({"tests": tests, "limit": limit, **more}), file=process.stdin, flush=True)
        result, seconds = json.loads(process.stdout.readline())
        self.seconds += seconds
        return str(result)

    def _started(self, imported: tuple[str, ...]) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": f"{self.copy / 'generator'}:{self.copy}", "HOME": str(self._home),
                       "TMPDIR": str(self.copy / "tmp"), "PYTHONDONTWRITEBYTECODE": "1"}
        command = [sys.executable, "-m", "benchmarks.mutation_worker", str(self.copy), *imported]
        self._processes[imported] = subprocess.Popen(command, cwd=self.copy, env=environment, text=True,
                                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                                     stderr=subprocess.DEVNULL)
        return self._processes[imported]

    def close(self) -> None:
        """End the processes."""
        for process in self._processes.values():
            process.kill()
            process.wait()


@dataclass(frozen=True)
class Judge:
    """What judges mutants: state: of the tree; limit: seconds for one run of tests; end: after it none starts."""

    waiting: SimpleQueue[Worker]
    known: Known
    limit: float
    state: str
    end: float

    def watch(self, name: str) -> list[Group]:
        """The tests of an area, and what lines they run."""
        area, kept = AREAS[name], Known(OUT.with_name(f"bench-mutate-{name}.json"))
        if kept.results.get("state") != self.state:
            worker = self.waiting.get()
            files = [str(path.relative_to(ROOT)) for pattern in area.files for path in sorted(ROOT.glob(pattern))]
            report = worker.copy / "watched.json"
            worker.run(area.imported, area.tests, WATCH_S, watch=str(report), files=files)
            kept.keep("groups", json.loads(report.read_text()))
            kept.keep("state", self.state)
            self.waiting.put(worker)
        return groups_of(kept.results["groups"])

    def judged(self, mutant: Mutant, area: Area, groups: Sequence[Group]) -> str:
        """The result of one mutant, from the file or by running tests, if the time has not come to its end.

        One that was killed stays so until its file changes; one that survived meets the tests of another tree again.
        """
        text = (ROOT / mutant.path).read_text()
        key = mutant.key(text)
        found = self.known.results.get(key, {})
        if found.get("result") in KILLED or found.get("state") == self.state:
            return str(found["result"])
        if time.monotonic() > self.end:
            return "not run"
        worker = self.waiting.get()
        before = worker.seconds
        try:
            result = self._run(worker, mutant.path, mutant.applied(text), area, runs_of(area, mutant, groups))
        finally:
            (worker.copy / mutant.path).write_text(text)
            self.waiting.put(worker)
        if result != UNJUDGED:
            seconds = round(worker.seconds - before, 1)
            self.known.keep(key, {"name": mutant.name, "result": result, "seconds": seconds, "state": self.state})
        return result

    def seconds(self, drawn: Sequence[tuple[str, Mutant]]) -> float:
        """Processor seconds of these mutants' tests, in this run or one before it."""
        keys = [mutant.key((ROOT / mutant.path).read_text()) for _, mutant in drawn]
        return sum(float(self.known.results.get(key, {}).get("seconds", 0)) for key in keys)

    def _run(self, worker: Worker, path: str, changed: str, area: Area, runs: Sequence[Sequence[str]]) -> str:
        text, unjudged = (ROOT / path).read_text(), False
        for run in runs:
            (worker.copy / path).write_text(changed)
            result = worker.run(area.imported, run, self.limit)
            (worker.copy / path).write_text(text)
            if result != "passed":
                if self._clean(worker, area, run):
                    return result
                unjudged = True
        return UNJUDGED if unjudged else "passed"

    def _clean(self, worker: Worker, area: Area, run: Sequence[str]) -> bool:
        """Do the tests pass in time without a mutant? Else they judge nothing. Watched ones have passed."""
        key = f"{self.state} {' '.join(run)}"
        if not area.watched and key not in self.known.results:
            self.known.keep(key, worker.run(area.imported, run, self.limit))
        return area.watched or self.known.results[key] == "passed"


def runs_of(area: Area, mutant: Mutant, groups: Sequence[Group]) -> list[tuple[str, ...]]:
    """Runs of pytest that judge a mutant, one after the other: their arguments."""
    path = Path(mutant.path)
    if area.watched:
        return [judges_of_line(groups, mutant.path, mutant.line)]
    for start, tests in _SHELL.items():
        if path.name.startswith(start):
            return [*proofs_of(path), *((test,) for test in tests), *checks_of(path)]
    return judges_of_module(path, "hls" if path.suffix == ".hpp" else "rtl", area.tests)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"which of {', '.join(AREAS)} (default all)")
    parser.add_argument("--per-area", type=int, default=70, metavar="N", help="mutants of each (default %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the sample (default %(default)s)")
    parser.add_argument("--minutes", type=float, default=58, help="no mutant starts later (default %(default)s)")
    parser.add_argument("--limit", type=float, default=240, help="seconds of one run of tests (default %(default)s)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="at a time (default %(default)s)")
    options = parser.parse_args(arguments)
    end, started = time.monotonic() + 60 * options.minutes, time.perf_counter()
    names = options.areas or list(AREAS)
    with workers(options.jobs) as waiting, ThreadPoolExecutor(options.jobs) as pool, Progress(
            console=Console(stderr=True)) as progress:
        state = tree(ROOT, (folder for folder in FOLDERS if folder not in ("benchmarks", "docs")))
        judge = Judge(waiting, Known(OUT), options.limit, state, end)
        watched = [name for name in names if AREAS[name].watched]
        groups = dict(zip(watched, pool.map(judge.watch, watched), strict=True))
        drawn = [(name, mutant) for name in names for mutant in sample(AREAS[name], options.per_area, options.seed)]
        random.Random(options.seed).shuffle(drawn)  # a run that is stopped has some of each area
        task = progress.add_task("mutants", total=len(drawn))

        def one(item: tuple[str, Mutant]) -> str:
            result = judge.judged(item[1], AREAS[item[0]], groups.get(item[0], ()))
            progress.advance(task)
            return result

        results = list(pool.map(one, drawn))
    status = report(drawn, results)
    minutes = (time.perf_counter() - started) / 60
    print(f"{minutes:.0f} minutes; the tests of these mutants took {judge.seconds(drawn) / 60:.0f} processor minutes")
    return status


def report(drawn: list[tuple[str, Mutant]], results: list[str]) -> int:
    """Print the scores and the survivors; 1 if one is not explained."""
    explained = json.loads(EXPLAINED.read_text())
    table = Table("area", "run", "killed", "explained", "survived", "score", "not judged")
    left: list[Mutant] = []
    for area in dict.fromkeys(name for name, _ in drawn):
        own = [(mutant, result) for (name, mutant), result in zip(drawn, results, strict=True) if name == area]
        alive = [mutant for mutant, result in own if result == "passed"]
        known = [mutant for mutant in alive if mutant.name in explained or mutant.place in explained]
        killed = sum(result in KILLED for _, result in own)
        left += [mutant for mutant in alive if mutant not in known]
        counted = killed + len(alive) - len(known)
        table.add_row(area, *map(str, (killed + len(alive), killed, len(known), len(alive) - len(known))),
                      f"{killed / counted:.1%}" if counted else "-",
                      str(sum(result in ("not run", UNJUDGED) for _, result in own)))
    Console().print(table)
    for mutant in left:
        print(f"survived: {mutant.name} ({mutant.place})")
    return int(bool(left))


if __name__ == "__main__":
    sys.exit(main())
