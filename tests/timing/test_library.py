"""The compiled cycle model is kept, and made anew where it cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from headrace.errors import ToolError
from headrace.timing import library
from headrace.timing.graph import flow_header

SOURCE, HEADERS = Path(library.__file__).parent / "model" / "cycle_model.cpp", {"flow.hpp": flow_header()}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of its own."""
    monkeypatch.setattr(library, "cache_folder", lambda: tmp_path / "cache")
    return tmp_path / "cache"


def load() -> None:
    assert library.load_library(SOURCE, HEADERS).simulate


def test_it_is_compiled_once_and_again_when_damaged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.mkdir()
    kept = folder / f"{library.digest(SOURCE, HEADERS)}.so"
    kept.write_bytes(b"nothing")
    with monkeypatch.context() as none:
        none.setattr(shutil, "which", lambda program: None)
        with pytest.raises(ToolError, match=r"the cycle model needs g\+\+, which is not on PATH"):
            load()
    load()
    assert kept.stat().st_size > 1000 and list(folder.iterdir()) == [kept]
    monkeypatch.setattr(library, "_compile", None)
    load()


def test_a_cache_that_cannot_be_written_is_done_without(folder: Path) -> None:
    folder.write_text("a file where the folder should be")
    load()


def test_other_sources_have_another_name() -> None:
    assert library.digest(SOURCE, HEADERS) != library.digest(SOURCE, {"flow.hpp": flow_header() + "// another"})


def test_the_header_follows_the_dataclasses() -> None:
    text = flow_header()
    assert "struct PipelineFields { int64_t stages, reads_ahead, direct, spaced, single; };" in text
    assert "enum Kind : int64_t { kPipeline, kWindow, kRing, kCopies, kNarrow, kWiden, kQueue, kSelection };" in text
