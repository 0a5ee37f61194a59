"""The documentation: it builds without a warning and without a network, and what it shows runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from headrace.layers.catalogue import BEGIN, END, catalogue
from tests.chromium import chromium
from tests.doc_commands import ROOT, run_page, snippets
from tests.small_onnx import SHAPE, small_onnx

PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text()
    listed = re.findall(r": (\S+\.md)$", str(text), re.MULTILINE)
    assert sorted(listed) == PAGES


def test_much_of_it_runs() -> None:
    assert sum(len(list(snippets(page))) for page in PAGES) >= 60


def test_layers_are_those_that_there_are() -> None:
    """`python -m headrace.layers.catalogue` prints the table."""
    page = (ROOT / "docs" / "layers.md").read_text()
    assert page.partition(BEGIN)[2].partition(END)[0] == catalogue()


@pytest.mark.slow
def test_it_builds_without_warnings_and_asks_no_network(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "generator"), "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(tmp_path)],
                          cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    asked = re.compile(r"""<(?:script|img|iframe)[^>]*src="(?:https?:)?//|<link[^>]*href="(?:https?:)?//|fonts\.g""")
    for page in tmp_path.glob("*.html"):
        assert not asked.search(page.read_text()), page.name
    python = (tmp_path / "python.html").read_text()
    assert all(f'id="headrace.api.{name}"' in python for name in ("build", "quantize", "simulate"))
    assert found_by_search(tmp_path, "deadlock") >= 2


def found_by_search(site: Path, word: str) -> int:
    """Pages that the search box of a site finds, opened as files."""
    box = "document.querySelector('[data-md-component=search-query]')"
    results = "document.querySelectorAll('.md-search-result__item').length"
    with tempfile.TemporaryDirectory() as profile, chromium(Path(profile)) as page:
        page.open(site / "index.html", 1400)
        page.run(f"{box}.focus(); {box}.value = '{word}'; {box}.dispatchEvent(new Event('keyup', {{bubbles: true}}))")
        page.wait(f"{results} > 0")
        assert page.errors == []
        return page.count(results)


def run(page: str, folder: Path) -> dict[str, str]:
    """A page in a folder with a model and samples, which it may name."""
    rng = np.random.default_rng(0)
    (folder / "model.onnx").write_bytes(small_onnx(rng))
    shape = (1, 8, 8) if page == "brevitas.md" else SHAPE[1:]
    np.save(folder / "x.npy", rng.random((3, *shape), np.float32))
    return run_page(page, folder)


@pytest.mark.parametrize("page", ["index.md", "python.md"])
def test_pages_that_build_nothing(page: str, tmp_path: Path) -> None:
    run(page, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["tutorial.md", "brevitas.md", "choosing.md", "from-finn.md", "from-hls4ml.md",
                                  "layers.md", "troubleshooting.md"])
def test_pages_that_build(page: str, tmp_path: Path) -> None:
    run(page, tmp_path)


def test_messages_of_troubleshooting_are_those_of_the_code() -> None:
    """Every message in the first column of a table, between its dots and numbers, stands in a source."""
    sources = [path.read_text() for folder in ("generator/headrace", "boards/driver", "rtl_sim")
               for path in (ROOT / folder).rglob("*") if path.suffix in (".py", ".sv")]
    said = re.sub(r'"\s*f?"', "", " ".join(" ".join(sources).split()))
    rows = re.findall(r"^\| (`.*?) \| ", (ROOT / "docs" / "troubleshooting.md").read_text(), re.MULTILINE)
    parts = [part.strip() for row in rows for message in re.findall(r"`([^`]+)`", row)
             for part in re.split(r"\.\.\.|PE=3|MH=8|\[1, 2, 4, 8\]", message) if part.strip()]
    assert len(rows) > 15 and [part for part in parts if part not in said] == []
