"""Rows of hostile input: a command, the files that it meets, and the sentence that it has to end with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from headrace.__main__ import main

#: CPU time that any refusal may take.
SECONDS = 5.0
#: Writes what a row needs into an empty folder.
Maker = Callable[[Path], object]


@dataclass(frozen=True)
class Row:
    """A command line, with {dir} for the row's folder, what is in that folder, and what the sentence contains."""

    command: str
    make: Maker
    says: str


def rows(command: str, *pairs: tuple[Maker, str]) -> list[Row]:
    """Rows of one command."""
    return [Row(command, make, says) for make, says in pairs]


def table(*groups: Iterable[Row]) -> pytest.MarkDecorator:
    """The rows as parameters of a test, named after their sentences."""
    made = [row for group in groups for row in group]
    names = [f"{row.command.split()[0]}-{''.join(c if c.isalnum() else ' ' for c in row.says)[:50].strip()}"
             for row in made]
    return pytest.mark.parametrize("row", made, ids=[f"{k}-{name.replace(' ', '_')}" for k, name in enumerate(names)])


def state(folder: Path) -> dict[str, object]:
    """Every name in a folder with its size and time."""
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in sorted(folder.rglob("*"))}


def refused(row: Row, folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """The sentence of a row, after its rules were checked: exit 1, nothing on stdout, nothing written, soon."""
    row.make(folder)
    before, start = state(folder), time.process_time()
    code = main([word.replace("{dir}", str(folder)) for word in row.command.split()])
    spent = time.process_time() - start
    said = capsys.readouterr()
    assert (code, said.out) == (1, ""), said
    assert said.err.startswith("headrace: ") and "Traceback" not in said.err, said.err
    assert len(said.err) < 6000 and all(len(line) < 1100 for line in said.err.splitlines())
    assert spent < SECONDS, f"{spent:.1f} s"
    assert state(folder) == before
    return said.err


def file(name: str, content: bytes | str) -> Maker:
    """One file."""
    data = content.encode() if isinstance(content, str) else content

    def make(folder: Path) -> None:
        (folder / name).write_bytes(data)
    return make


def link(name: str, target: str) -> Maker:
    """A link to something outside."""
    return lambda folder: (folder / name).symlink_to(target)


def sparse(name: str, size: int) -> Maker:
    """A file that has a size and no blocks."""
    def make(folder: Path) -> None:
        with (folder / name).open("wb") as opened:
            opened.truncate(size)
    return make


def both(*makers: Maker) -> Maker:
    """Everything that the makers make."""
    def make(folder: Path) -> None:
        for maker in makers:
            maker(folder)
    return make


def nothing(folder: Path) -> None:
    """An empty folder."""


def missing_pipe(name: str) -> Maker:
    """A named pipe that nobody writes to."""
    import os

    return lambda folder: os.mkfifo(folder / name)
