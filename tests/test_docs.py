"""The commands of docs/boards.md, run as they stand there; mock tools take the place of the vendor's."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def commands() -> list[str]:
    """Lines of the blocks that run here."""
    text = (ROOT / "docs" / "boards.md").read_text()
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def test_the_page_has_commands() -> None:
    assert [line.split()[:2] for line in commands()] == [
        ["headrace", "build"], ["headrace", "sim"], ["headrace", "lint-hls"],
        ["python", "examples/digits/on_simulated_board.py"], ["headrace", "bitstream"],
    ]


@pytest.mark.slow
def test_from_clone_to_bitstream(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "digits", tmp_path / "examples" / "digits")
    tools = tmp_path / "tools"
    shutil.copytree(ROOT / "tests" / "mock_tools", tools)
    for name, arguments in (("headrace", "-m headrace"), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        (tools / name).chmod(0o755)
    environment = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    (tmp_path / "build").mkdir()
    outputs = {}
    for line in commands():
        done = subprocess.run(line, shell=True, cwd=tmp_path, env=environment, capture_output=True, text=True,
                              check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        outputs[line.split()[1]] = done.stdout
    assert outputs["examples/digits/on_simulated_board.py"].startswith("self-test: exact; 50 digits: exact, ")
    for path in ("vivado/accelerator.bit", "vivado/accelerator.hwh", "driver/registers.md"):
        assert (tmp_path / "build" / "zcu104" / path).is_file()
