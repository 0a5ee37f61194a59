"""The part of a board as nextpnr wants it: device, package and speed grade."""

from __future__ import annotations

import re
from dataclasses import dataclass

from headrace.board.board import Board, board_names, load_board
from headrace.board.family import RoutedFamily, find_family
from headrace.errors import InputError

_PART = re.compile(r"(?P<device>LFE5\w+-\w+?F)-(?P<speed>\d)(?P<package>[A-Z]{2}\d+)[CI]?")


@dataclass(frozen=True)
class Part:
    """device, package, speed: as nextpnr's options have them."""

    device: str
    package: str
    speed: str

    @property
    def options(self) -> tuple[str, ...]:
        """Of nextpnr."""
        return (f"--{self.device}", "--package", self.package, "--speed", self.speed)


def routed_family(board: Board) -> RoutedFamily:
    """The family of a board's part. Raises InputError for a part that is not placed and routed by open tools."""
    family = find_family(board)
    if isinstance(family, RoutedFamily):
        return family
    raise InputError(f"{board.name}: part {board.part} is not one that nextpnr places and routes; choose one of "
                     f"{routed_boards()}")


def routed_boards() -> list[str]:
    """Names of the boards that come with headrace and are placed and routed by open tools."""
    return [name for name in board_names() if isinstance(find_family(load_board(name)), RoutedFamily)]


def part_of(board: Board) -> Part:
    """Device, package and grade of a board's part. Raises InputError for one that does not exist."""
    family = routed_family(board)
    if not (found := _PART.fullmatch(board.part)):
        raise InputError(f"{board.name}: part {board.part!r} is not a device with a speed grade and a package; "
                         "write it like LFE5U-85F-6BG381C")
    known = {"device": family.devices, "package": family.packages, "speed": {name: name for name in family.speeds}}
    for what, names in known.items():
        if found[what] not in names:
            raise InputError(f"{board.name}: {what} {found[what]!r} of part {board.part} does not exist; choose one of "
                             f"{list(names)}")
    return Part(*(known[what][found[what]] for what in ("device", "package", "speed")))
