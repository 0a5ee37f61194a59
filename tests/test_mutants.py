"""make mutate: what a mutant is, and that the sample and its results can be relied on."""

from __future__ import annotations

import ast
import json
import shutil
import time
from pathlib import Path
from queue import SimpleQueue
from typing import cast

import pytest

from benchmarks import mutate, mutation_tests
from benchmarks.mutants import mutants
from benchmarks.mutation_bench import few_layers, passes
from benchmarks.mutation_results import Known
from benchmarks.mutation_tests import Group, checks_of, groups_of, judges_of_line, judges_of_module, proofs_of

PYTHON = '''"""Not > here."""


def f(a: int = 3) -> int:
    if a < 2 and not a:
        raise ValueError(f"{a + 1}")
    assert a + 1
    return min(a, 4) // 2 + sum(zip("a", "b", strict=True))
'''
VERILOG = """// a == b
assign x = b + 1'b1;
assign y = a == b && c;
parameter int N = 1 + 1;
"""


def test_python_is_changed_outside_of_texts_and_errors(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text(PYTHON)
    found = mutants(tmp_path, path)
    changes = {(mutant.old.strip(), mutant.new.strip()) for mutant in found}
    assert changes == {("3", "4"), ("<", "<="), ("and", "or"), ("2", "3"), ("not a", "(a)"), ("min", "max"), ("4", "5"),
                       ("//", "*"), ("+", "-")}
    for mutant in found:
        assert ast.dump(ast.parse(mutant.applied(PYTHON))) != ast.dump(ast.parse(PYTHON))


def test_verilog_is_changed_outside_of_comments_and_parameters(tmp_path: Path) -> None:
    path = tmp_path / "x.sv"
    path.write_text(VERILOG)
    assert [(mutant.line, mutant.old, mutant.new) for mutant in mutants(tmp_path, path)] == [
        (2, " + ", " - "), (2, "1'b1", "1'b0"), (3, " == ", " != "), (3, " && ", " || ")]


def test_every_area_has_mutants_and_tests_that_are_there() -> None:
    assert sum(len(mutate.sample(area, 10**6, 1)) for area in mutate.AREAS.values()) >= 400
    for area in mutate.AREAS.values():
        groups = [Group("tests/test_x.py::test_x", 1.0, {mutant.path: frozenset({mutant.line})})
                  for mutant in mutate.sample(area, 10, 1)]
        for mutant in mutate.sample(area, 10, 1):
            runs = mutate.runs_of(area, mutant, groups)
            assert runs
            for run in () if area.watched else runs:
                paths = [part.split("::")[0] for part in run if part.startswith("tests/")]  # beside options
                assert run[0].startswith("few layers: ") or paths
                assert all((mutate.ROOT / path).exists() for path in paths)


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    area = mutate.AREAS["packing"]
    assert mutate.sample(area, 20, 1)[:5] == mutate.sample(area, 5, 1)


def test_an_edit_elsewhere_draws_the_same_mutants(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of Python, by what a line says, not by where it is."""
    monkeypatch.setattr(mutate, "ROOT", tmp_path)
    area, path = mutate.Area(("*.py",), ()), tmp_path / "x.py"
    path.write_text(PYTHON)
    before = mutate.sample(area, 99, 1)
    path.write_text(PYTHON.replace("\n\n", "\n\nb = 3\n\n", 1))
    after = [mutant for mutant in mutate.sample(area, 99, 1) if not mutant.place.startswith("x.py: b = 3")]
    assert len(after) == len(before) > 8 and after != before
    assert [mutant.place for mutant in after] == [mutant.place for mutant in before]


class Broken:
    """A worker whose tests fail whatever is in its copy."""

    seconds = 0.0

    def __init__(self, copy: Path) -> None:
        self.copy = copy

    def run(self, *_: object) -> str:
        return "failed"


def test_tests_that_fail_by_themselves_kill_nothing(tmp_path: Path) -> None:
    area = mutate.AREAS["hls"]
    (mutant,) = mutate.sample(area, 1, 1)
    copy = tmp_path / mutant.path
    copy.parent.mkdir(parents=True)
    waiting: SimpleQueue[mutate.Worker] = SimpleQueue()
    waiting.put(cast(mutate.Worker, Broken(tmp_path)))
    judge = mutate.Judge(waiting, Known(tmp_path / "known.json"), 1.0, "state", time.monotonic() + 9)
    assert judge.judged(mutant, area, ()) == mutate.UNJUDGED
    assert copy.read_text() == (mutate.ROOT / mutant.path).read_text()


#: A function that has no test for one of its two lines.
PLACE = "generator/headrace/packing.py"


def test_tests_of_a_line_come_first_then_those_of_its_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation_tests, "_functions", lambda _: [(1, 20), (10, 14)])
    groups = [Group(f"tests/{name}", seconds, {PLACE: frozenset(lines)}) for name, seconds, lines in (
        ("a.py::far", 0.1, {2}), ("a.py::same", 0.2, {11}), ("b.py::line", 1.0, {12}), ("b.py::beside", 2.0, {3}),
        ("c.py::long", 99.0, {12}))]
    assert judges_of_line(groups, PLACE, 12) == ("tests/b.py::line", "tests/a.py::same", "tests/a.py::far",
                                                "tests/b.py::beside")
    assert judges_of_line(groups, PLACE, 30)[0] == "tests/a.py::far"


def test_a_constant_is_judged_by_tests_of_what_uses_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation_tests, "ROOT", tmp_path)
    (tmp_path / "x.py").write_text("A = 1\nB = 3, \\\n    2\n\n\ndef f():\n    return B\n\n\ndef g():\n    return 3\n")
    (tmp_path / "y.py").write_text("from x import A\nC = 2 + A\n")
    groups = [Group(f"tests/{name}.py::t", seconds, {path: frozenset(lines)}) for name, seconds, path, lines in (
        ("g", 0.1, "x.py", {1, 3, 11}), ("f", 1.0, "x.py", {7}), ("h", 1.0, "y.py", {2}))]
    assert judges_of_line(groups, "x.py", 3) == ("tests/f.py::t",)
    assert judges_of_line(groups, "x.py", 1) == ("tests/h.py::t",)


def test_tests_of_hardware_are_those_of_the_layers_that_use_it() -> None:
    runs = judges_of_module(Path("headrace_swu.sv"), "rtl", ())
    assert runs[0] == ("few layers: swu rtl",) and ("tests/layers/test_swu.py", "-k", "rtl") in runs
    assert ("few layers: vvtu hls",) in judges_of_module(Path("dot_product.hpp"), "hls", ())
    assert [run[0] for run in judges_of_module(Path("axis.hpp"), "hls", ("other",))] == ["other"]
    proved = "tests/test_proofs.py::test_modules_are_proved[shell counters]"
    assert proofs_of(Path("headrace_shell_mark.sv")) == [("-m", "slow", proved)]
    assert proofs_of(Path("headrace_serial_rx.sv")) == [] and checks_of(Path("headrace_serial_rx.sv"))


def test_few_layers_judge_a_kind() -> None:
    """Of mvtu one of each of its many batteries."""
    assert len(few_layers("mvtu")) == 11 and len(few_layers("dwc")) == 6
    assert passes("fork", hls=True)


def test_a_worker_watches_and_judges(tmp_path: Path) -> None:
    """In processes of its own: a changed file is what a fork of the tests sees."""
    for folder in ("generator", "boards/driver", "tmp", "code"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copytree(mutate.ROOT / "benchmarks", tmp_path / "benchmarks")
    source, test = tmp_path / "code" / "two.py", tmp_path / "test_two.py"
    source.write_text("def two() -> int:\n    return 2\n")
    test.write_text("from two import two\n\n\ndef test_two() -> None:\n    assert two() == 2\n")
    (tmp_path / "conftest.py").write_text("import sys\nsys.path.insert(0, 'code')\n")
    worker = mutate.Worker(tmp_path, tmp_path)
    try:
        assert worker.run((), ["test_two.py"], 60, watch=str(tmp_path / "w"), files=["code/two.py"]) == "passed"
        (group,) = groups_of(json.loads((tmp_path / "w").read_text()))
        assert group.name == "test_two.py::test_two" and group.lines["code/two.py"] == {1, 2}
        assert worker.run((), [group.name], 60) == "passed"
        source.write_text("def two() -> int:\n    return 3\n")
        assert worker.run((), [group.name], 60) == "failed"
        source.write_text("def two() -> int:\n    while True:\n        pass\n")
        assert worker.run((), [group.name], 3) == "too long"
    finally:
        worker.close()


def test_explained_survivors_are_mutants() -> None:
    """By their names, or by their places, which stay when lines move."""
    found = [mutant for area in mutate.AREAS.values() for mutant in mutate.sample(area, 10**6, 1)]
    names = {mutant.name for mutant in found} | {mutant.place for mutant in found}
    assert set(json.loads(mutate.EXPLAINED.read_text())) <= names
