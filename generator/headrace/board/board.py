"""Boards: one TOML file each, in the folder `boards` or the user's own."""

from __future__ import annotations

import re
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from headrace.area.usage import Resources
from headrace.bounded_reading import read_toml
from headrace.errors import InputError
from headrace.paths import data_folder
from headrace.suggest import did_you_mean

DEFAULT_BOARD = "zcu104"
#: Most bytes of a board's file, and most that a device has of anything.
MAX_FILE_BYTES = 1 << 13
MAX_COUNT = (1 << 31) - 1
#: What the texts of a board may be: they are printed into Tcl, C++, SystemVerilog, Markdown and HTML as they are.
_WORD = r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}"
_WORDS = rf"({_WORD}( {_WORD}){{0,15}})?"
_TITLE = r"[A-Za-z0-9][A-Za-z0-9 .,:+()/_-]{0,99}"
_PATTERNS = {"name": _WORD, "title": _TITLE, "part": _WORD, "board_part": _WORDS, "board_connections": _WORDS,
             "clock_pin": _WORDS, "tx_pin": _WORDS, "rx_pin": _WORDS, "loader": _WORDS}
_SPELLED = {_WORD: "letters, digits, dots, colons, _ and -", _TITLE: "letters, digits, blanks and . , : + ( ) / _ -",
            _WORDS: "words of letters, digits, dots, colons, _ and -, a blank between them"}


@dataclass(frozen=True)
class Board:
    """A board and what its programmable logic offers; bram36 and uram count blocks of 36 and 288 Kb.

    board_connections: what Vivado is told of the carrier of a module, "" for a board in one piece. Of a board without a
    processor: the pins of its oscillator, of oscillator_mhz, and of the UART as the device sees it, and its name for
    openFPGALoader. Raises InputError for a text that Tcl, C++, SystemVerilog or Markdown could take for more than a
    name, and for absurd counts.
    """

    name: str
    title: str
    part: str
    board_part: str
    lut: int
    ff: int
    bram36: int
    uram: int
    dsp: int
    board_connections: str = ""
    clock_pin: str = ""
    oscillator_mhz: int = 0
    tx_pin: str = ""
    rx_pin: str = ""
    loader: str = ""

    def __post_init__(self) -> None:
        for key, pattern in _PATTERNS.items():
            if not re.fullmatch(pattern, text := getattr(self, key), re.ASCII):
                raise InputError(f"the board's {key} {text!r} has characters that scripts could read as commands, or "
                                 f"is too long; write {_SPELLED[pattern]}")
        for key in ("lut", "ff", "bram36", "uram", "dsp", "oscillator_mhz"):
            if not 0 <= (count := getattr(self, key)) <= MAX_COUNT:
                raise InputError(f"the board's {key}={count} is not what a device has; give 0 to {MAX_COUNT}")

    def use(self, taken: Resources) -> dict[str, tuple[int, int]]:
        """What is taken and what there is, of each resource."""
        return {"lut": (taken.all_luts, self.lut), "ff": (taken.ff, self.ff), "bram36": (taken.bram36, self.bram36),
                "uram": (taken.uram, self.uram), "dsp": (taken.dsp, self.dsp)}


def board_names() -> list[str]:
    """Names of the boards that come with headrace."""
    return sorted(path.stem for path in data_folder("boards").glob("*.toml"))


def load_board(name: str) -> Board:
    """A board by its name, or by the path of the user's own TOML file.

    Raises InputError for an unknown board, and for a file with missing, unknown or ill-typed entries.
    """
    path = Path(name) if name.endswith(".toml") else data_folder("boards") / f"{name}.toml"
    try:
        entries = read_toml(path, MAX_FILE_BYTES)
    except OSError:
        raise InputError(f"board {name!r} is unknown; {did_you_mean(name, board_names())}choose one of {board_names()} "
                         "or give a .toml file") from None
    except ValueError as error:
        raise InputError(f"{path}: is not TOML ({error}); correct the file") from None
    checked = _checked(path, entries)
    try:
        return Board(path.stem, **checked)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _checked(path: Path, entries: dict[str, Any]) -> dict[str, Any]:
    wanted = {field.name: {"str": str, "int": int}[str(field.type)] for field in fields(Board) if field.name != "name"}
    if unknown := sorted(set(entries) - set(wanted)):
        raise InputError(f"{path}: {unknown} are not entries of a board; choose from {list(wanted)}")
    optional = {field.name: field.default for field in fields(Board) if field.default is not MISSING}
    for key, kind in wanted.items():
        value = entries.get(key, optional.get(key))
        if type(value) is not kind or (isinstance(value, int) and value < 0):
            raise InputError(f"{path}: {key} must be {'a text' if kind is str else 'a whole number, 0 or more'}, "
                             f"not {value!r}")
    return entries
