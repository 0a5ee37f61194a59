"""A process that runs tests again and again in a copy of the repository, each time in a fork of itself.

What all runs import is imported once. Started by `mutate.py`, to which it talks in lines of JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

#: Imported before a fork in any case; nothing of the repository.
LIBRARIES = ("hypothesis", "jinja2", "numpy", "onnx.checker", "onnx.helper", "onnx.numpy_helper", "onnx.parser",
             "onnx.reference", "onnxruntime", "pytest", "rich.console", "scipy.stats", "threadpoolctl")
#: Processor seconds of one process; tests of a mutant take much less.
PROCESSOR_S = 60
#: Begins a run that is none of pytest: "few layers: KIND rtl" or "hls".
BENCH = "few layers: "
#: What is slow, and what judges no results: the lint of hardware, networks drawn with hardware.
_PLAIN = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow", "-k", "not lint and not hardware"]
_Line = tuple[str, int]
#: Calls of a function that are watched in one test: later ones seldom run other lines.
_CALLS = 40


class Watch:
    """A plugin of pytest: by group of tests (a function or a class) its seconds, the lines it ran, and if it passed."""

    def __init__(self, files: Sequence[str]) -> None:
        self.groups: dict[str, dict[str, Any]] = {}
        self._files = {_end(name): name for name in files}
        self._lines: set[_Line] = set()
        self._known: dict[CodeType, str | None] = {}
        self._calls: Counter[CodeType] = Counter()

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Trace a test with its fixtures."""
        parts = item.nodeid.split("::")
        name = "::".join((*parts[:-1], parts[-1].split("[")[0])) if len(parts) == 2 else "::".join(parts[:2])
        self._own = self.groups.setdefault(name, {"seconds": 0.0, "lines": [], "passed": True})
        self._lines, started = set(), _processor_s()
        self._calls.clear()
        sys.settrace(self._call)
        yield
        sys.settrace(None)
        self._own["seconds"] += _processor_s() - started
        self._own["lines"] = sorted({*map(tuple, self._own["lines"]), *self._lines})

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test that fails or is skipped judges nothing."""
        self._own["passed"] &= report.passed

    def _call(self, frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        code = frame.f_code
        if code not in self._known:
            self._known[code] = self._files.get(_end(code.co_filename))
        name = self._known[code]
        if name is None or self._calls[code] >= _CALLS:
            return None
        self._calls[code] += 1

        def line(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
            self._lines.add((name, frame.f_lineno))
            return line

        return line(frame, event, argument)


def _processor_s() -> float:
    """Of this process and those that it waited for."""
    return sum(os.times()[:4])


def _end(path: str) -> str:
    """A file and its folder: a driver is a copy in a build."""
    return "/".join(Path(path).parts[-2:])


def _run(request: dict[str, Any], log: Path) -> int:
    """In the fork: pytest, its output into a file."""
    os.setsid()
    if "watch" not in request:  # a loop without an end, also in a program that was compiled
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_S, PROCESSOR_S))
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if "watch" in request:
        watch = Watch(request["files"])
        pytest.main([*_PLAIN, *request["tests"]], plugins=[watch])
        Path(request["watch"]).write_text(json.dumps(watch.groups))
        return 0
    for test in request["tests"]:
        if test.startswith(BENCH):  # a few layers of a kind, which are compiled in no time
            kind, engine = test.removeprefix(BENCH).split()
            return int(not importlib.import_module("benchmarks.mutation_bench").passes(kind, engine == "hls"))
    return int(pytest.main(["-x", *_PLAIN, *request["tests"]]))


def _waited(child: int, limit: float) -> tuple[str, float]:
    """"passed", "failed", or "too long", and processor seconds; the child's own children are gone then."""
    end, status, before = time.monotonic() + limit, None, _processor_s()
    while status is None and time.monotonic() < end:
        done, code = os.waitpid(child, os.WNOHANG)
        if done:
            status = os.waitstatus_to_exitcode(code)
        else:
            time.sleep(0.03)
    with suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if status is None:
        os.waitpid(child, 0)
    result = "too long" if status is None else "passed" if status == 0 else "failed"
    return result, _processor_s() - before


def main() -> None:
    """Arguments: the copy, and modules of it that are imported before a fork."""
    os.chdir(sys.argv[1])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.path[:0] = [f"{sys.argv[1]}/generator", f"{sys.argv[1]}/boards/driver", sys.argv[1]]
    for name in (*LIBRARIES, *sys.argv[2:]):
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if not child:
            code = 1
            try:
                code = _run(request, Path(sys.argv[1]) / "tests.log")
            finally:
                os._exit(code)
        print(json.dumps(_waited(child, request["limit"])), file=answers, flush=True)


if __name__ == "__main__":
    main()
