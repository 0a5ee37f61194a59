"""What the memories of a routed configuration hold: read from its text, replaced in it, and compared after packing.

A block RAM's contents stand behind its number (WID), those of a memory of LUTs are the tables of its LUTs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from headrace.errors import ToolError

_BLOCK = re.compile(r"^\.bram_init (\d+)\n((?:[0-9a-f ]+\n)+)", re.MULTILINE)
_TILE = re.compile(r"^\.tile (\S+)\n((?:[^.\n].*\n)*)", re.MULTILINE)
_TABLE = re.compile(r"^word: (SLICE[A-D]\.K[01])\.INIT ([01]{16})\n", re.MULTILINE)
_PLACE = re.compile(r"X(\d+)/Y(\d+)/(SLICE[A-D]\.K[01])")
#: The memory of LUTs that a LUT with this name belongs to, and which of its bits it holds.
_PART = re.compile(r"(.*)\$DPRAM_COMB([0-3])")
_ROWS, _BLOCK_WORDS, _EMPTY_TABLE = 64, 2048, "0" * 16

#: By the number of a block RAM, or the tile and the name of a LUT.
Contents = dict[int | tuple[str, str], str]


def placed_contents(routed: Mapping[str, Any], cells: Mapping[str, Any]) -> Contents:
    """Where the memories of a routed netlist lie and what they are to hold, in the texts of a configuration.

    routed: the cells as nextpnr placed them. cells: the same memories as Yosys made them, whose contents are taken.
    Raises ToolError for a memory that was not placed.
    """
    found: Contents = {}
    for name, cell in routed.items():
        if cell["type"] == "DP16KD":
            found[int(cell["attributes"]["WID"], 2)] = _block_text(_same(cells, name)["parameters"])
        elif part := _PART.fullmatch(name):
            place = _PLACE.fullmatch(cell["attributes"]["NEXTPNR_BEL"])
            if not place:
                raise ToolError(f"{name}: lies at {cell['attributes']['NEXTPNR_BEL']}, which is not a LUT; report this "
                                "as a defect")
            x, y, lut = place.groups()
            found[f"R{y}C{x}:PLC2", lut] = table_text(_same(cells, part[1])["parameters"], int(part[2]))
    return found


def _same(cells: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    if name not in cells:
        raise ToolError(f"{name}: is placed but is no memory of the netlist; report this as a defect")
    cell: Mapping[str, Any] = cells[name]
    return cell


def _number(bits: str) -> int:
    """What may be anything is 0, as nextpnr has it."""
    return int(bits.replace("x", "0"), 2)


def _block_text(parameters: Mapping[str, str]) -> str:
    """2048 words of 9 bits of a block RAM's 1024 of 18, eight to a line."""
    words: list[str] = []
    for row in range(_ROWS):
        bits = _number(parameters.get(f"INITVAL_{row:02X}", "0"))
        for k in range(16):
            word = bits >> 20 * k
            words += [f"{word & 0x1FF:03x}", f"{word >> 9 & 0x1FF:03x}"]
    return "".join(" ".join(words[k : k + 8]) + "\n" for k in range(0, _BLOCK_WORDS, 8))


def table_text(parameters: Mapping[str, str], part: int) -> str:
    """The table of the LUT that holds one of the four bits of 16 words."""
    words = _number(parameters.get("INITVAL", "0"))
    # Places of a table go by the inputs D, C, B, A, of which a memory's address takes A, C, B, D.
    table = 0
    for address in range(16):
        a, c, b, d = (address >> k & 1 for k in (3, 2, 1, 0))
        table |= (words >> 4 * address + part & 1) << (d << 3 | c << 2 | b << 1 | a)
    return f"{table:016b}"


def read_contents(config: str, places: Contents) -> Contents:
    """What a configuration holds at these places; what it does not mention is 0."""
    blocks: dict[int, str] = {int(number): text for number, text in _BLOCK.findall(config)}
    tiles: dict[str, dict[str, str]] = {name: dict(_TABLE.findall(body)) for name, body in _TILE.findall(config)}
    empty = _block_text({})

    def held(place: int | tuple[str, str]) -> str:
        if isinstance(place, int):
            return blocks.get(place, empty)
        return tiles.get(place[0], {}).get(place[1], _EMPTY_TABLE)

    return {place: held(place) for place in places}


def replaced(config: str, contents: Contents) -> str:
    """A configuration with other contents of its memories."""
    def block(match: re.Match[str]) -> str:
        return f".bram_init {match[1]}\n{contents.get(int(match[1]), match[2])}"

    def tile(match: re.Match[str]) -> str:
        body = match[2]
        for name in ("A", "B", "C", "D"):
            for k in "01":
                lut = f"SLICE{name}.K{k}"
                if (match[1], lut) in contents:
                    line = f"word: {lut}.INIT {contents[match[1], lut]}\n"
                    old = re.compile(rf"^word: {re.escape(lut)}\.INIT [01]+\n", re.MULTILINE)
                    body = old.sub(line, body) if old.search(body) else body + line
        return f".tile {match[1]}\n{body}"

    return _TILE.sub(tile, _BLOCK.sub(block, config))
