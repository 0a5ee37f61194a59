"""The examples in docstrings; those of the quantization methods are in tests/quantization/test_doctests.py."""

import doctest
import importlib
from pathlib import Path

import pytest

import headrace
from headrace import api

PACKAGE = Path(headrace.__file__).parent
MODULES = [path.relative_to(PACKAGE.parent).with_suffix("") for path in sorted(PACKAGE.rglob("*.py"))
           if ">>> " in path.read_text() and path.parent.name != "quantization" and path.stem != "api"]


@pytest.mark.parametrize("module", [".".join(module.parts) for module in MODULES])
def test_examples_in_docstrings(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0 and result.attempted > 0


def test_examples_of_the_public_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one folder; what `build` makes is `made` in the others."""
    monkeypatch.chdir(tmp_path)
    tests = {test.name.removeprefix("headrace.api."): test for test in doctest.DocTestFinder().find(api)}
    runner, build = doctest.DocTestRunner(), tests.pop("build")
    assert runner.run(build, clear_globs=False).failed == 0
    with_examples = [test for test in tests.values() if test.examples]
    for test in with_examples:
        test.globs["made"] = build.globs["made"]
        assert runner.run(test).failed == 0
    assert {test.name.rpartition(".")[2] for test in with_examples} == {
        "boards", "check", "example", "plan", "report", "simulate", "synth"}
