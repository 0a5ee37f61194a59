"""Every example has a short README whose commands name what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
FOLDERS = sorted(path for path in EXAMPLES.iterdir() if path.is_dir() and path.name != "__pycache__")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_the_readme_is_short_and_true(folder: Path) -> None:
    text = (folder / "README.md").read_text()
    assert len(text.splitlines()) <= 20
    named = re.findall(r"examples/([\w/]+\.py)(?::(\w+))?", text)
    assert named or folder.name == "notebooks"
    for path, function in named:
        tree = ast.parse((EXAMPLES / path).read_text())
        assert not function or function in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    for link in re.findall(r"\]\(([^):]+)\)", text):
        assert (folder / link).exists(), link
    for notebook in re.findall(r"`(\w+\.ipynb)`", text):
        assert (folder / notebook).is_file()


def test_every_example_is_listed_and_has_a_test() -> None:
    listed = re.findall(r"^\| \[(\w+)\]\(\1/README.md\)", (EXAMPLES / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == [folder.name for folder in FOLDERS]
    tests = "".join(path.read_text() for path in (EXAMPLES.parent / "tests").rglob("test_*.py"))
    assert [name for name in listed if f'"{name}"' not in tests and f"/{name}/" not in tests] == []


@pytest.mark.parametrize("readme", [EXAMPLES.parent / "README.md", EXAMPLES / "README.md"])
def test_links_of_the_readme_lead_somewhere(readme: Path) -> None:
    for link in re.findall(r"\]\(([^):#]+)\)", readme.read_text()):
        assert (readme.parent / link).exists(), link
