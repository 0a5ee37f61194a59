from pathlib import Path

import pytest

from headrace.atomic_files import replacing, require_replaceable, write_files
from headrace.errors import InputError


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with replacing(out) as folder:
        write_files(folder, {"a/b.txt": "x"})
        assert not out.exists()
    assert (out / "a" / "b.txt").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_the_previous_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "keep").write_text("old")
    with pytest.raises(RuntimeError), replacing(out) as folder:
        (folder / "keep").write_text("new")
        raise RuntimeError
    assert (out / "keep").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_success_replaces_everything(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "stale").touch()
    with replacing(out) as folder:
        (folder / "fresh").touch()
    assert [path.name for path in out.iterdir()] == ["fresh"]


def test_what_may_be_replaced(tmp_path: Path) -> None:
    require_replaceable(tmp_path / "new", "build.json")
    (tmp_path / "empty").mkdir()
    require_replaceable(tmp_path / "empty", "build.json")
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").touch()
    with pytest.raises(InputError, match=r"photos: exists and is not a build directory; choose another name"):
        require_replaceable(tmp_path / "photos", "build.json")
    (tmp_path / "photos" / "build.json").touch()
    require_replaceable(tmp_path / "photos", "build.json")
    with pytest.raises(InputError, match=r"is the current folder or one above it; choose another name"):
        require_replaceable(Path(), "build.json")
    with pytest.raises(InputError, match=r"its name has 250 bytes; choose one of at most 200"):
        require_replaceable(tmp_path / ("x" * 250), "build.json")
    with pytest.raises(InputError, match=r"x: cannot be written \("), replacing(Path("/proc/x")):
        pass
    require_replaceable(tmp_path / "a" / "b", "build.json")  # parents are made
