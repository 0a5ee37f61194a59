"""Digits from an ONNX file to a simulated routed netlist, with the packages of `headrace[ecp5]` and no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import tomllib
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from headrace.sources import save_qonnx

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def required() -> dict[str, set[str]]:
    """Names of all packages that `headrace[ecp5]` brings, with their extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for text in (*project["dependencies"], *project["optional-dependencies"]["ecp5"])]
    found: dict[str, set[str]] = {}
    while waiting:
        package = waiting.pop()
        if package.name in found and package.extras <= found[package.name]:
            continue
        found.setdefault(package.name, set()).update(package.extras)
        for text in distribution(package.name).requires or ():
            needed = Requirement(text)
            if not needed.marker or any(needed.marker.evaluate({"extra": extra}) for extra in ("", *package.extras)):
                waiting.append(needed)
    return found


def virtual_environment(folder: Path) -> Path:
    """An environment that shares these packages, and no others, with the one that runs the tests; its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages, shared = Path(sysconfig.get_path("purelib", vars={"base": str(folder)})), sysconfig.get_path("purelib")
    tops = {path.parts[0] for name in required() for path in distribution(name).files or ()}
    own = {path.parts[0] for path in distribution("headrace").files or () if ".dist-info" in path.parts[0]}
    for top in (tops | own) - {"..", "__pycache__"}:
        (packages / top).symlink_to(Path(shared) / top)
    return folder / "bin" / "python"


def test_what_the_extra_brings_is_enough(tmp_path: Path) -> None:
    save_qonnx(f"{ROOT}/examples/digits/model.py:trained", tmp_path / "digits.onnx")
    python = virtual_environment(tmp_path / "venv")
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT / "generator")}

    def run(*arguments: str) -> str:
        done = subprocess.run([python, *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("-c", "import importlib.util as u; assert not any(u.find_spec(name) for name in ('torch', 'dask', 'sklearn'))")
    board = ("--board", "ulx3s-85f", "--clock-mhz", "50")
    run("-m", "headrace", "build", "digits.onnx", *board, "--fps", "5000", "--out", "digits")
    run("-m", "headrace", "bitstream", "digits", *board, "--ooc")
    run("-m", "headrace", "sim", "digits", "--routed")
    record = json.loads((tmp_path / "digits" / "build.json").read_text())
    assert record["out_of_context"]["timing"]["met"]
    assert record["routed_simulation"]["bit_exact"] and record["routed_simulation"]["vectors"] == 4
    assert (tmp_path / "digits" / "ecp5-core" / "accelerator.bit").is_file()
