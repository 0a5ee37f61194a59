"""Files as they travel and come back: .zip files in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path


def pack(folder: Path) -> bytes:
    """A folder with all that is in it; b"" where there is none."""
    if not folder.is_dir():
        return b""
    return pack_files(folder, (path for path in folder.rglob("*") if path.is_file()))


def pack_files(folder: Path, paths: Iterable[Path]) -> bytes:
    """Files of a folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(paths):
            archive.write(path, path.relative_to(folder))
    return content.getvalue()


def unpack(content: bytes, folder: Path) -> None:
    """Write what was packed; nothing outside of the folder, whatever the names are."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(folder)
