"""Atomic outputs: written beside their place, then renamed; a failure leaves what was there untouched."""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from headrace.errors import InputError

#: Longest name of a file or folder that leaves room for that of the staged one.
MAX_NAME = 200
#: What the names of staged files and folders end with; PREVIOUS: what had the place before, for the time of a rename.
_STAGED, _PREVIOUS = ".headrace-", ".previous"


def json_text(value: object) -> str:
    """JSON as every file of headrace has it. Raises ValueError for numbers that JSON does not have."""
    return json.dumps(value, indent=2, allow_nan=False) + "\n"


def require_replaceable(folder: Path, marker: str) -> None:
    """Raise InputError if `folder` holds something but not `marker`, the file by which a build is known."""
    _require_place(folder)
    if folder.resolve() in (Path.cwd(), *Path.cwd().parents):
        raise InputError(f"{folder}: is the current folder or one above it; choose another name for --out")
    if folder.is_symlink() and not folder.exists():
        raise InputError(f"{folder}: is a link to what does not exist; choose another name for --out or remove it")
    if folder.exists() and not (folder.is_dir() and (not any(folder.iterdir()) or (folder / marker).is_file())):
        raise InputError(f"{folder}: exists and is not a build directory; choose another name for --out or remove it")


def require_writable_file(path: Path) -> None:
    """Raise InputError if `path` cannot be written as a file, before the work that gives what it shall hold."""
    _require_place(path)
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")


def _require_place(path: Path) -> None:
    """Raise InputError for a name that cannot be staged, and for a parent that is not a folder or is read-only."""
    if "\0" in str(path):
        raise InputError(f"{str(path)!r}: a path cannot hold a NUL character; choose another name")
    if len(os.fsencode(path.name)) > MAX_NAME:
        raise InputError(f"{path}: its name has {len(os.fsencode(path.name))} bytes; choose one of at most {MAX_NAME}")
    parent = path.absolute().parent
    while not parent.exists() and not parent.is_symlink():
        parent = parent.parent
    if not parent.is_dir():
        raise InputError(f"{path}: {parent} is not a folder; choose another name")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written, {parent} is read-only; choose another name")


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """A new folder to fill; it takes the place of `folder` when the block ends without an exception.

    Parents are made. What builds that were killed have left beside it is removed first.
    """
    folder = folder.absolute()
    made = _make_parents(folder)
    _remove_leftovers(folder)
    staged, lock = _stage(folder)
    published = False
    try:
        yield staged
        previous = staged.with_name(f"{staged.name}{_PREVIOUS}")
        if folder.exists():
            folder.rename(previous)
        try:
            staged.rename(folder)
        except OSError:
            if previous.exists():
                previous.rename(folder)
            raise
        published = True
        shutil.rmtree(previous, ignore_errors=True)
    finally:
        if not published:
            shutil.rmtree(staged, ignore_errors=True)
            _remove_empty(made)
        os.close(lock)


def _make_parents(path: Path) -> list[Path]:
    """Make the folders above a path; returns those that were not there, the innermost first."""
    missing = [parent for parent in path.parents if not parent.exists()]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another name") from None
    return missing


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


def _stage(folder: Path) -> tuple[Path, int]:
    """A new folder beside `folder`, with the rights that the user's umask gives, and its lock.

    The lock is held as long as this process lives: by it others tell what is still being written.
    """
    while True:
        staged = folder.with_name(f".{folder.name}{_STAGED}{secrets.token_hex(4)}")
        try:
            staged.mkdir()
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(f"{folder}: cannot be written ({error.strerror}); choose another name for --out") from None
        if (lock := _lock(staged)) is not None:
            return staged, lock


def _lock(staged: Path) -> int | None:
    """The lock of a staged folder; None if another process has it or has removed the folder."""
    try:
        lock = os.open(staged, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if staged.stat().st_ino == os.fstat(lock).st_ino:
            return lock
    except OSError:
        pass
    os.close(lock)
    return None


def _remove_leftovers(folder: Path) -> None:
    """Remove the staged folders of builds that were killed: ours by their name, and locked by nobody.

    What had the place before gets it back where the build was killed between two renames.
    """
    ours = re.compile(re.escape(f".{folder.name}{_STAGED}") + rf"[0-9a-f]{{8}}({re.escape(_PREVIOUS)})?")
    # In this order what had the place before comes before what should have taken it.
    for found in sorted(folder.parent.iterdir(), reverse=True):
        if not ours.fullmatch(found.name) or found.is_symlink():
            continue
        staged = found.with_name(found.name.removesuffix(_PREVIOUS))
        lock = _lock(staged)
        if lock is None and staged.exists():
            continue  # its build still runs
        with suppress(OSError):
            if found != staged and not folder.exists():
                found.rename(folder)
            else:
                shutil.rmtree(found, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def write_file(path: Path, content: str | bytes) -> None:
    """Write a file beside its place and rename it; parents are made. Raises OSError, and leaves `path` as it was."""
    data = content.encode() if isinstance(content, str) else content
    if path.exists() and not path.is_file():  # a device or a pipe
        path.write_bytes(data)
        return
    place = path.resolve()
    made = _make_parents(place)
    staged = place.with_name(f".{place.name}{_STAGED}{secrets.token_hex(4)}")
    try:
        staged.write_bytes(data)
        staged.replace(place)
    except OSError as error:
        with suppress(OSError):
            staged.unlink()
        _remove_empty(made)
        raise OSError(error.errno, error.strerror, str(path)) from None


def write_json(path: Path, value: object) -> None:
    """Write a value as a JSON file, whole or not at all."""
    write_file(path, json_text(value))


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write texts by their path relative to `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
