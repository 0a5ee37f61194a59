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


def test_links_of_the_readme_lead_somewhere() -> None:
    root = EXAMPLES.parent
    for link in re.findall(r"\]\(([^):#]+)\)", (root / "README.md").read_text()):
        assert (root / link).exists(), link
