"""The pages of docs/: their commands run as they stand there, and their links lead somewhere."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.doc_commands import ROOT, commands, copy_repository, run_page, small_example


def test_the_pages_have_commands() -> None:
    assert [line.split()[:2] for line in commands("boards.md")] == [
        ["headrace", "plan"], ["headrace", "build"], ["headrace", "sim"], ["headrace", "lint-hls"],
        ["python", "examples/digits/on_simulated_board.py"], ["headrace", "bitstream"],
    ]
    assert len(commands("hls.md")) == 8


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_links_and_paths_lead_somewhere(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (ROOT / "docs" / link).exists(), link


@pytest.mark.slow
def test_from_clone_to_bitstream(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "digits", tmp_path / "examples" / "digits")
    outputs = {line.split()[1]: printed for line, printed in run_page("boards.md", tmp_path).items()}
    assert outputs["examples/digits/on_simulated_board.py"].startswith("self-test: exact; 50 digits: exact, ")
    for path in ("vivado/accelerator.bit", "vivado/accelerator.hwh", "driver/registers.md"):
        assert (tmp_path / "build" / "zcu104" / path).is_file()


@pytest.mark.slow
def test_the_first_hour(tmp_path: Path) -> None:
    copy_repository(tmp_path)
    small_example(tmp_path)
    printed = run_page("first-hour.md", tmp_path)
    broken, mended = (text for line, text in printed.items() if "headrace layer" in line)
    assert "instead of" in broken and "bit-exact" in mended
    assert (tmp_path / "hls_templates" / "include" / "add.hpp").read_text() == (
        ROOT / "hls_templates" / "include" / "add.hpp").read_text()


def test_the_recipes(tmp_path: Path) -> None:
    assert "zcu104" in run_page("recipes.md", tmp_path)["headrace boards"]


@pytest.mark.slow
def test_the_mismatch_page(tmp_path: Path) -> None:
    small_example(tmp_path)
    run_page("mismatch.md", tmp_path)


@pytest.mark.slow
def test_the_hls_page(tmp_path: Path) -> None:
    small_example(tmp_path)
    printed = run_page("hls.md", tmp_path)
    found = next(text for line, text in printed.items() if line.startswith("! headrace lint-hls"))
    assert "II=1" in found and "include/mvtu.hpp" in found
    assert "recurrences of" in printed["headrace lint-hls build/digits"]
    assert "HLS compiler" in (tmp_path / "build" / "digits" / "report.html").read_text()


@pytest.mark.slow
def test_the_ecp5_page(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples" / "digits", tmp_path / "examples" / "digits")
    printed = run_page("ecp5.md", tmp_path)
    assert len(printed) == 4 and all("exact" in text for line, text in printed.items() if "--routed" in line)
    assert (tmp_path / "build" / "ulx3s" / "ecp5" / "accelerator.bit").is_file()


@pytest.mark.slow
def test_the_page_about_exploring(tmp_path: Path) -> None:
    small_example(tmp_path)
    printed = run_page("exploring.md", tmp_path)
    assert "best" not in next(text for line, text in printed.items() if "headrace precision" in line)
    assert len(list((tmp_path / "build" / "many" / "points").iterdir())) >= 3
    for path in ("many/exploration.html", "widths/exploration.parquet", "cnn/build.json"):
        assert (tmp_path / "build" / path).is_file()


@pytest.mark.parametrize("page", ["docs/architecture.md", "docs/recipes.md", "docs/first-hour.md", "CONTRIBUTING.md"])
def test_named_files_exist(page: str) -> None:
    """Those with a folder in front; NAME and x stand for a name of one's own, and build/ is made."""
    named = re.findall(r"`([\w.]+/[\w/.]*)`", (ROOT / page).read_text())
    known = [name for name in named if not re.search(r"NAME|\bx\.|_x\.|^build/", name)]
    assert known
    assert [name for name in known if not any((root / name).exists() for root in (
        ROOT, ROOT / "generator" / "headrace"))] == []
