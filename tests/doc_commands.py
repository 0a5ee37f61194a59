"""The snippets of a page of docs/, run as they stand there; mock tools take the place of the vendor's.

A block marked `sh` is run line by line, one marked `python` in a namespace of the page, and one with a title is a file.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: A model that builds in seconds, where a page names one that must be trained first.
SMALL_MODEL = """from tests.small_networks import small_network


def trained():
    return small_network()
"""
_BLOCK = re.compile(r'^```(sh|python)(?: title="([^"]+)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Snippet:
    """A line for the shell, a block of Python, or with a title the text of a file."""

    language: str
    text: str
    title: str = ""


def snippets(page: str) -> Iterator[Snippet]:
    """Those of a page, in order."""
    for language, title, text in _BLOCK.findall((ROOT / "docs" / page).read_text()):
        if title or language == "python":
            yield Snippet(language, text, title)
        else:
            yield from (Snippet(language, line) for line in text.splitlines())


def commands(page: str) -> list[str]:
    """The lines for the shell."""
    return [snippet.text for snippet in snippets(page) if snippet.language == "sh"]


def run_page(page: str, folder: Path) -> dict[str, str]:
    """Run the snippets of a page in a folder; returns what each line for the shell printed, by the line."""
    environment = _environment(folder)
    (folder / "build").mkdir(exist_ok=True)
    printed: dict[str, str] = {}
    values: dict[str, object] = {}
    for snippet in snippets(page):
        if snippet.title:
            (folder / snippet.title).write_text(snippet.text)
        elif snippet.language == "python":
            _run_python(snippet.text, folder, values)
        else:
            printed[snippet.text] = _run_line(snippet.text, folder, environment)
    return printed


def _environment(folder: Path) -> Mapping[str, str]:
    """Where `headrace`, `python` and `pytest` are those of the tests, and vendors' tools are stand-ins."""
    tools = folder / "tools"
    shutil.copytree(ROOT / "tests" / "mock_tools", tools)
    for name, arguments in (("headrace", "-m headrace"), ("python", ""), ("pytest", "-m pytest")):
        (tools / name).write_text(f'#!/bin/sh\nexec {sys.executable} {arguments} "$@"\n')
        (tools / name).chmod(0o755)
    root = folder if (folder / "generator").is_dir() else ROOT
    return os.environ | {"PATH": f"{tools}:{os.environ['PATH']}", "PYTHONPATH": f"{root / 'generator'}:{root}"}


def _run_line(line: str, folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(line, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def _run_python(text: str, folder: Path, values: dict[str, object]) -> None:
    """Run a block in the folder, whose modules it can import; they are forgotten afterwards."""
    known = set(sys.modules)
    with contextlib.chdir(folder):
        sys.path.insert(0, str(folder))
        try:
            exec(compile(text, f"{folder}/snippet", "exec"), values)
        finally:
            sys.path.remove(str(folder))
            for name in set(sys.modules) - known:
                if Path(str(getattr(sys.modules[name], "__file__", ""))).parent == folder:
                    del sys.modules[name]


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
