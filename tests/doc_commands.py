"""The commands of a page of docs/, run as they stand there; mock tools take the place of the vendor's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: A model that builds in seconds, where a page names one that must be trained first.
SMALL_MODEL = """from tests.small_networks import small_network


def trained():
    return small_network()
"""


def commands(page: str) -> list[str]:
    """Lines of the blocks that run here: those marked sh."""
    text = (ROOT / "docs" / page).read_text()
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def run_page(page: str, folder: Path) -> dict[str, str]:
    """Run the commands of a page in a folder; returns what each printed, by its line."""
    tools = folder / "tools"
    shutil.copytree(ROOT / "tests" / "mock_tools", tools)
    for name, arguments in (("headrace", "-m headrace"), ("python", ""), ("pytest", "-m pytest")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        (tools / name).chmod(0o755)
    root = folder if (folder / "generator").is_dir() else ROOT
    paths = f"{root / 'generator'}:{root}"
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": paths}
    (folder / "build").mkdir(exist_ok=True)
    printed = {}
    for line in commands(page):
        done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        printed[line] = done.stdout + done.stderr
    return printed


def copy_repository(folder: Path) -> None:
    """What a page may change: the package, the kernels and the tests."""
    for name in ("generator", "hls_templates", "rtl_sim", "boards", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)


def small_example(folder: Path) -> None:
    """examples/digits/model.py with a small network in the place of the trained one."""
    path = folder / "examples" / "digits" / "model.py"
    path.parent.mkdir(parents=True)
    path.write_text(SMALL_MODEL)
