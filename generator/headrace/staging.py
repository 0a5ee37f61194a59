"""Atomic folders: written beside their place, then renamed; a failure leaves what was there untouched."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from headrace.errors import InputError

#: Longest name of a folder that leaves room for that of the staged one.
MAX_NAME = 200


def require_replaceable(folder: Path, marker: str) -> None:
    """Raise InputError if `folder` holds something but not `marker`, the file by which a build is known."""
    if not folder.parent.is_dir():
        raise InputError(f"{folder}: its parent folder does not exist; create it first")
    if folder.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise InputError(f"{folder}: is the current folder or one above it; choose another name for --out")
    if len(folder.name) > MAX_NAME:
        raise InputError(f"{folder}: its name has {len(folder.name)} characters; choose one of at most {MAX_NAME}")
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or (folder / marker).is_file())):
        raise InputError(f"{folder}: exists and is no build directory; choose another name for --out or remove it")


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder to fill; it takes the place of `folder` when the block ends without an exception."""
    try:
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); choose another name for --out") from None
    try:
        staged.chmod(0o755)
        yield staged
        previous = staged.with_name(f"{staged.name}.previous")
        if folder.exists():
            folder.rename(previous)
        try:
            staged.rename(folder)
        except OSError:
            if previous.exists():
                previous.rename(folder)
            raise
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts by their path relative to `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
