"""Compiled programs are kept, found again by what decides them, and the oldest leave."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from headrace.datatypes import uint_type
from headrace.layers import Fifo
from headrace.simulation import rtl, shelf, verilate


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own."""
    monkeypatch.setattr(shelf, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def file_of(path: Path, size: int = 10) -> Path:
    path.write_bytes(bytes(size))
    return path


def test_an_entry_is_found_by_its_key_alone(folder: Path, tmp_path: Path) -> None:
    assert shelf.find(shelf.digest("a", 1)) is None
    shelf.keep(shelf.digest("a", 1), {"x": file_of(tmp_path / "x")})
    found = shelf.find(shelf.digest("a", 1))
    assert found is not None and [path.name for path in found.iterdir()] == ["x"]
    assert shelf.find(shelf.digest("a1")) is None


def test_the_first_of_two_stays(folder: Path, tmp_path: Path) -> None:
    shelf.keep("key", {"x": file_of(tmp_path / "x", 1)})
    shelf.keep("key", {"x": file_of(tmp_path / "x", 2)})
    assert [path.stat().st_size for path in folder.rglob("x")] == [1]
    assert [path.name for path in folder.iterdir()] == ["key"]


def test_what_was_not_used_for_longest_leaves(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_LIMIT", 25)
    for age, key in enumerate(("old", "older", "oldest"), start=2):
        shelf.keep(key, {"x": file_of(tmp_path / "x")})
        os.utime(folder / key, (time.time() - age * 3600,) * 2)
    shelf.keep("new", {"x": file_of(tmp_path / "x")})
    assert sorted(path.name for path in folder.iterdir()) == ["new", "old"]
    shelf.keep("newer", {"x": file_of(tmp_path / "x")})
    shelf.keep("newest", {"x": file_of(tmp_path / "x")})
    assert sorted(path.name for path in folder.iterdir()) == ["new", "newer", "newest"], "they may be in use"


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path, tmp_path: Path) -> None:
    folder.write_text("a file where the folder should be")
    shelf.keep(shelf.digest("here"), {"x": file_of(tmp_path / "x")})
    assert shelf.find(shelf.digest("here")) is not None


def test_a_model_is_compiled_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = np.arange(12, dtype=np.uint8).reshape(-1, 1)

    def passed(layer: Fifo, name: str) -> bool:
        (tmp_path / name).mkdir()
        model = rtl.compile_layers([layer], tmp_path / name)
        return bool(np.array_equal(model.run({rtl.layer_source(0): words})[rtl.layer_sink(0)].words, words))

    fifo = Fifo("fifo", 4, lanes=1, element=uint_type(8), words=6)
    assert passed(fifo, "first")
    assert len(list(folder.iterdir())) == 5, "two objects and two headers of the runtime, and the model"
    with monkeypatch.context() as none:
        none.setattr(verilate, "run_tool", None)
        assert passed(fifo, "again")
        with pytest.raises(TypeError):
            passed(Fifo("fifo", 5, lanes=1, element=uint_type(8), words=6), "another")
    (model,) = folder.glob("*/simulation")
    shutil.rmtree(model.parent)
    assert passed(fifo, "with the runtime that is kept")
