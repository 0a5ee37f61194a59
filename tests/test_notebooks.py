"""The notebooks of examples/notebooks run from the first cell to the last, in a folder of their own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "notebooks"
SECONDS = 600
READ: Callable[..., nbformat.NotebookNode] = nbformat.read  # it has no types
SLOW = ("brevitas", "float_to_board", "mismatch")


def run(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> nbformat.NotebookNode:
    """The notebook with its outputs."""
    root = FOLDER.parents[1]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(root / "generator"), os.environ.get("PYTHONPATH", "")]))
    notebook = READ(FOLDER / f"{name}.ipynb", as_version=4)
    NotebookClient(notebook, timeout=SECONDS, kernel_name="python3", resources={"metadata": {"path": folder}}).execute()
    return notebook


def shown(notebook: nbformat.NotebookNode) -> set[str]:
    """The forms in which cells show themselves."""
    return {form for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs
            for form in output.get("data", ())}


def test_the_notebooks_are_those_that_run() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted([*SLOW, "exploring"])
    for path in FOLDER.glob("*.ipynb"):
        notebook = READ(path, as_version=4)
        assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code"), path.name


def test_exploring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert {"text/html", "image/svg+xml"} <= shown(run("exploring", tmp_path, monkeypatch))


@pytest.mark.slow
@pytest.mark.parametrize("name", SLOW)
def test_notebooks_that_build(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(name, tmp_path, monkeypatch)
