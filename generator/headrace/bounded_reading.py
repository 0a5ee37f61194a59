"""Files that a user names, read within bounds: regular files of so many bytes at most, JSON and TOML not too deep.

A device has no end, a pipe may have no writer, and a parser that recurses has an end of its own.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headrace.errors import InputError

#: Most bytes of a file with arrays, and of a text.
MAX_BINARY_BYTES = 1 << 30
MAX_TEXT_BYTES = 1 << 24
#: What is read at a time of a file that is larger than it says.
_CHUNK = 1 << 20
#: Traces, archives of weights, and what vendor tools write.
_MAY_BE_LARGE = (".vcd", ".npz", ".wdb", ".dcp", ".log")


def read_bytes(path: Path, limit: int = MAX_BINARY_BYTES) -> bytes:
    """The content of a file. Raises OSError as `open` does, InputError for what is not a regular file or larger."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # opening a pipe must not wait for its writer
    except ValueError:  # a name with a zero byte
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT)) from None
    with os.fdopen(descriptor, "rb") as file:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            raise InputError(f"{path}: is a device or a pipe, not a file; copy it into a file first")
        content = file.read(state.st_size) if state.st_size <= limit else b""  # read(n) sets n bytes aside
        while len(content) <= limit and state.st_size <= limit and (more := file.read(_CHUNK)):  # it has grown
            content += more
    if max(len(content), state.st_size) > limit:
        raise InputError(f"{path}: has more than {limit} bytes; give a smaller file")
    return content


def read_text(path: Path, limit: int = MAX_TEXT_BYTES) -> str:
    """A text of UTF-8. Raises as `read_bytes`, and ValueError for other bytes."""
    return read_bytes(path, limit).decode()


def read_json(path: Path) -> Any:
    """What a JSON file says. Raises as `read_bytes`, and ValueError for what is not JSON."""
    return parse_json(read_text(path))


def read_json_of_once(path: Path) -> Any:
    """The same of a file that people write; KeyTwiceError where a key comes twice, of which one would be lost."""
    return parse_json(read_text(path), _once)


def parse_json(text: str | bytes, made: Callable[[list[tuple[str, Any]]], Any] | None = None) -> Any:
    """What a JSON text says. made: of the keys and values of an object; a dict where it is left out.

    Raises ValueError for what is none, or too deep.
    """
    try:
        return json.loads(text, object_pairs_hook=made)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


class KeyTwiceError(ValueError):
    """A key of an object comes twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise KeyTwiceError(f"{key!r} comes twice")
        found[key] = value
    return found


def read_toml(path: Path, limit: int = MAX_TEXT_BYTES) -> dict[str, Any]:
    """What a TOML file says. Raises as `read_bytes`, and ValueError for what is not TOML."""
    try:
        return tomllib.loads(read_text(path, limit))
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def require_files(folder: Path) -> None:
    """Raise InputError for a device, a pipe or a huge file in a folder that outside programs are going to read."""
    for parent, _, names in os.walk(folder):
        for path in (Path(parent) / name for name in sorted(names)):
            try:
                state = path.stat()
            except OSError:  # a link to nothing is missed by whoever needs it
                continue
            if not stat.S_ISREG(state.st_mode):
                raise InputError(f"{path}: is a device or a pipe, not a file; build again")
            if state.st_size > MAX_BINARY_BYTES and path.suffix not in _MAY_BE_LARGE:
                raise InputError(f"{path}: has more than {MAX_BINARY_BYTES} bytes; build again")
