"""Hostile board files: whatever is printed into scripts and sources has a pattern, and nothing of it is a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from headrace import serialize
from headrace.board.board import board_names, load_board
from headrace.errors import InputError
from tests.hostile.table import Maker, Row, both, file, link, missing_pipe, refused, rows, sparse, table
from tests.small_networks import small_network

GOOD = ('title = "T"\npart = "xczu7ev-ffvc1156-2-e"\nboard_part = "a.com:b:part0:1.0"\nlut = 230400\nff = 460800\n'
        "bram36 = 312\nuram = 96\ndsp = 1728\n")
EVIL = {
    "part": ["xczu7ev; exec touch canary", "x[exec touch canary]", "x$env(HOME)", 'x"', "x\\", "{x", "x}", "x\ny",
             "x y", "", "-x", "x" * 101, "ünicode", "x#y", "x`y`", "x<b>", "x|y", "x*/ y", "x\x1b[31m"],
    "board_part": ["a\nputs evil [exec touch canary]", "a [exec x]", "a;b", "a  b", " a", "a ", "{a}"],
    "title": ["t\nputs evil", "[exec x]", "t\\", "$t", '"t"', "<script>", "`t`", "t | t", "", " t", "# t", "t;"],
    "board_connections": ["som } ; exec touch canary ; set x {", "a\nb", "a;b", "a [b]", "a  b"],
}
WAY_OUT = "has characters that scripts could read as commands, or is too long; write "


def network(folder: Path) -> None:
    serialize.save(small_network(), folder / "net")


def board(**entries: object) -> Maker:
    lines = [line for line in GOOD.splitlines() if line.split()[0] not in entries]
    lines += [f"{key} = {value}" for key, value in entries.items()]
    return both(network, file("b.toml", "\n".join(lines)))


def basic(text: str) -> str:
    """A TOML string."""
    import json

    return json.dumps(text)


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in EVIL.items() for text in texts])
def test_texts_that_scripts_could_execute(tmp_path: Path, key: str, text: str) -> None:
    board(**{key: basic(text)})(tmp_path)
    if (key, text) in (("board_part", ""), ("board_connections", "")):
        return
    with pytest.raises(InputError) as error:
        load_board(str(tmp_path / "b.toml"))
    assert f"b.toml: the board's {key} " in str(error.value) and WAY_OUT in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("stem", ["evil\nputs INJECTED; exec touch canary2;", "a b", "a;b", "[a]", "$a", "-a",
                                  "a" * 101, "ä", "a\"b", "a\\b", "a*b"])
def test_names_that_scripts_could_execute(tmp_path: Path, stem: str) -> None:
    (tmp_path / f"{stem}.toml").write_text(GOOD)
    with pytest.raises(InputError) as error:
        load_board(str(tmp_path / f"{stem}.toml"))
    assert ": the board's name " in str(error.value) and WAY_OUT in str(error.value)


def test_the_boards_that_come_with_headrace_are_sound(tmp_path: Path) -> None:
    assert len(board_names()) >= 8
    for name in board_names():
        load_board(name)
    (tmp_path / "my_board-2.v1.toml").write_text(GOOD)
    assert load_board(str(tmp_path / "my_board-2.v1.toml")).name == "my_board-2.v1"


BUILD = "build {dir}/net.json --out {dir}/b --board {dir}/b.toml"
ROWS = rows(
    BUILD,
    (network, "or give a .toml file"),
    (both(network, link("b.toml", "/dev/zero")), "b.toml: is a device or a pipe, not a file; copy it into a file"),
    (both(network, missing_pipe("b.toml")), "b.toml: is a device or a pipe, not a file"),
    (both(network, sparse("b.toml", 1 << 40)), "b.toml: has more than 8192 bytes; give a smaller file"),
    (both(network, file("b.toml", "a = " + "[" * 8000)), "b.toml: is not TOML ("),
    (both(network, file("b.toml", "a = " + "{b = " * 1500)), "b.toml: is not TOML ("),
    (both(network, file("b.toml", "a." * 4000 + "b = 1")), "['a'] are not entries of a board"),
    (both(network, file("b.toml", b"\xff\xfe")), "b.toml: is not TOML ("),
    (both(network, file("b.toml", "lut = " + "9" * 5000)), "b.toml: is not TOML ("),
    (both(network, file("b.toml", "")), "b.toml: title must be a text, not None"),
    (board(lut=2**31), "the board's lut=2147483648 is not what a device has; give 0 to 2147483647"),
    (board(dsp=-1), "dsp must be a whole number, 0 or more, not -1"),
    (board(ff="true"), "ff must be a whole number, 0 or more, not True"),
    (board(uram="inf"), "uram must be a whole number, 0 or more, not inf"),
    (board(extra=1), "['extra'] are not entries of a board; choose from"),
    (board(part='"xczu7ev; exec touch canary"'),
     "b.toml: the board's part 'xczu7ev; exec touch canary' has characters that scripts"),
) + rows("build {dir}/net.json --out {dir}/b --board ../../../etc/passwd", (network,
    "board '../../../etc/passwd' is unkn")
) + rows("bitstream {dir}/none --board zcu104", (network, "none: is not a build directory (it has no build.json)"))


@table(ROWS)
def test_boards(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.says in refused(row, tmp_path, capsys)
