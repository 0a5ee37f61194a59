"""What compilers made, kept by the hash of all that decides it: one compilation per installation.

An entry is a folder that gets its name when it is whole, so processes that compile at the same time do not see half of
one. What has not been used for longest goes first when all entries together become too large.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path

#: Bytes of all entries, and the age in seconds up to which one may be in use and stays.
_LIMIT, _IN_USE_S = 2 << 30, 3600.0


def cache_folder() -> Path | None:
    """Where compiled programs are kept; None for users without a home."""
    try:
        return Path("~/.cache/headrace/simulation").expanduser()
    except RuntimeError:
        return None


def digest(*parts: object) -> str:
    """The name of an entry that these parts decide, and the machine."""
    text = hashlib.sha256()
    for part in (platform.platform(), *parts):
        data = part if isinstance(part, bytes) else repr(part).encode()
        text.update(len(data).to_bytes(8, "little") + data)
    return text.hexdigest()


def program_identity(program: str | Path) -> tuple[str, int, int]:
    """What tells one version of an installed program from another; of a missing one its name."""
    found = shutil.which(program)
    if found is None:
        return str(program), 0, 0
    status = Path(found).resolve().stat()
    return str(Path(found).resolve()), status.st_size, status.st_mtime_ns


def find(key: str) -> Path | None:
    """The entry's folder, None where there is none."""
    entry = _folder() / key
    try:
        os.utime(entry)
    except OSError:
        return None
    return entry


def copied(kept: Path, place: Path) -> bool:
    """Copy a file of an entry; False where another process has removed it meanwhile."""
    try:
        shutil.copy(kept, place)
    except OSError:
        return False
    return True


def keep(key: str, files: Mapping[str, Path]) -> None:
    """Copy files into a new entry, by their names in it; nothing happens where that cannot be."""
    with suppress(OSError):
        whole = Path(tempfile.mkdtemp(dir=_folder()))
        try:
            for name, file in files.items():
                shutil.copy(file, whole / name)
            whole.rename(_folder() / key)
        finally:
            shutil.rmtree(whole, ignore_errors=True)  # another process was faster, or the disk is full
        _shrink(_folder())


def _folder() -> Path:
    """The cache, or a folder that lives as long as the process where the cache cannot be written."""
    folder = cache_folder()
    if folder is not None:
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
    return Path(_own_folder().name)


@cache
def _own_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="headrace-")


def _shrink(folder: Path) -> None:
    """Remove the entries that were not used for longest until the others are small enough."""
    entries = []
    for entry in folder.iterdir():
        with suppress(OSError):  # another process removes entries too
            entries.append((entry.stat().st_mtime, sum(file.stat().st_size for file in entry.iterdir()), entry))
    total = sum(size for _, size, _ in entries)
    for used, size, entry in sorted(entries):
        if total <= _LIMIT or used > time.time() - _IN_USE_S:
            return
        shutil.rmtree(entry, ignore_errors=True)
        total -= size
