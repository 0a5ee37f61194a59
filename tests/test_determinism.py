"""The same inputs give the same bytes wherever and however headrace runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from headrace import serialize
from tests.small_networks import small_network

pytestmark = pytest.mark.slow
GENERATOR = Path(__file__).parents[1] / "generator"


def built(folder: Path, umask: int, **environment: str) -> dict[str, bytes]:
    """All files of a build that is made in a folder, by a process of its own."""
    folder.mkdir(parents=True)
    serialize.save(small_network(), folder / "small")
    command = [sys.executable, "-m", "headrace", "build", "small.json", "--out", "b", "--backend", "both",
               "--verify", "2"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, umask=umask,
                   env={**os.environ, "PYTHONPATH": str(GENERATOR), **environment})
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted((folder / "b").rglob("*")) if path.is_file()}


def test_a_build_is_the_same_in_any_folder_locale_umask_zone_and_hash_seed(tmp_path: Path) -> None:
    first = built(tmp_path / "a", 0o022, PYTHONHASHSEED="1", LC_ALL="C.UTF-8", TZ="UTC")
    assert len(first) > 20
    other = tmp_path / "somewhere else" / "Ünder a long, odd name"
    for number, locale in enumerate(("C", "POSIX", "tr_TR.UTF-8")):
        again = built(other / str(number), 0o077, PYTHONHASHSEED=str(7 + number), LC_ALL=locale, TZ="Asia/Kolkata",
                      COLUMNS="40")
        assert list(again) == list(first)
        assert [name for name in first if first[name] != again[name]] == []
