"""make mutate: what a mutant is, and that the sample and its results can be relied on."""

from __future__ import annotations

import ast
import json
import time
from pathlib import Path
from queue import SimpleQueue

import pytest

from benchmarks import mutate
from benchmarks.mutants import mutants

PYTHON = '''"""Not > here."""


def f(a: int = 3) -> int:
    if a < 2 and not a:
        raise ValueError(f"{a + 1}")
    return min(a, 4) // 2
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
                       ("//", "*")}
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
        for mutant in mutate.sample(area, 10, 1):
            tests = mutate.ROOT / area.tests_of(Path(mutant.path))[0]
            assert tests.exists()


def test_a_larger_sample_begins_with_the_smaller_one() -> None:
    area = mutate.AREAS["packing"]
    assert mutate.sample(area, 20, 1)[:5] == mutate.sample(area, 5, 1)


def test_tests_that_fail_by_themselves_kill_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutate, "run_tests", lambda *_: "failed")
    area = mutate.AREAS["packing"]
    (mutant,) = mutate.sample(area, 1, 1)
    copy = tmp_path / mutant.path
    copy.parent.mkdir(parents=True)
    waiting: SimpleQueue[Path] = SimpleQueue()
    waiting.put(tmp_path)
    known = mutate.Known(tmp_path / "known.json")
    assert mutate.judge(mutant, area, waiting, known, 1.0, "state", time.monotonic() + 9) == mutate.UNJUDGED
    assert copy.read_text() == (mutate.ROOT / mutant.path).read_text()


def test_explained_survivors_are_mutants() -> None:
    names = {mutant.name for area in mutate.AREAS.values() for mutant in mutate.sample(area, 10**6, 1)}
    assert set(json.loads(mutate.EXPLAINED.read_text())) <= names
