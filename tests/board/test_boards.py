
from __future__ import annotations

import json
from pathlib import Path

import pytest

from headrace.__main__ import main
from headrace.area.usage import Resources
from headrace.board.board import board_names, load_board
from headrace.board.family import find_family
from headrace.errors import InputError

GOOD = 'title = "T"\npart = "p"\nboard_part = "b"\nlut = 1\nff = 2\nbram36 = 3\nuram = 0\ndsp = 4\n'


# Name: part, LUT, FF, BRAM36, URAM, DSP (the vendor's selection guides).
BOARDS = {
    "arty-z7-20": ("xc7z020clg400-1", 53200, 106400, 140, 0, 220),
    "aup-zu3": ("xczu3eg-sfvc784-2-e", 70560, 141120, 216, 0, 360),
    "colorlight-i9": ("LFE5U-45F-6BG381C", 43848, 43848, 54, 0, 72),
    "ecpix5-85f": ("LFE5UM5G-85F-8BG554I", 83640, 83640, 104, 0, 156),
    "kr260": ("xck26-sfvc784-2LV-c", 117120, 234240, 144, 64, 1248),
    "kv260": ("xck26-sfvc784-2LV-c", 117120, 234240, 144, 64, 1248),
    "orangecrab-85f": ("LFE5U-85F-8MG285C", 83640, 83640, 104, 0, 156),
    "pynq-z1": ("xc7z020clg400-1", 53200, 106400, 140, 0, 220),
    "pynq-z2": ("xc7z020clg400-1", 53200, 106400, 140, 0, 220),
    "rfsoc4x2": ("xczu48dr-ffvg1517-2-e", 425280, 850560, 1080, 80, 4272),
    "ultra96v2": ("xczu3eg-sbva484-1-i", 70560, 141120, 216, 0, 360),
    "u250": ("xcu250-figd2104-2L-e", 1728000, 3456000, 2688, 1280, 12288),
    "u55c": ("xcu55c-fsvh2892-2L-e", 1303680, 2607360, 2016, 960, 9024),
    "ulx3s-45f": ("LFE5U-45F-6BG381C", 43848, 43848, 54, 0, 72),
    "ulx3s-85f": ("LFE5U-85F-6BG381C", 83640, 83640, 104, 0, 156),
    "vck190": ("xcvc1902-vsva2197-2MP-e-S", 899840, 1799680, 967, 463, 1968),
    "zcu102": ("xczu9eg-ffvb1156-2-e", 274080, 548160, 912, 0, 2520),
    "zcu104": ("xczu7ev-ffvc1156-2-e", 230400, 460800, 312, 96, 1728),
    "zcu111": ("xczu28dr-ffvg1517-2-e", 425280, 850560, 1080, 80, 4272),
    "zedboard": ("xc7z020clg484-1", 53200, 106400, 140, 0, 220),
}
#: Those to plan for: there is no block design for them.
PLANNED_ONLY = {"u250", "u55c", "vck190"}


def test_boards_that_come_with_headrace() -> None:
    found = {name: load_board(name) for name in board_names()}
    offers = {name: (board.part, board.lut, board.ff, board.bram36, board.uram, board.dsp)
              for name, board in found.items()}
    assert offers == BOARDS
    assert {name for name, board in found.items() if find_family(board) is None} == PLANNED_ONLY


def test_boards_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["boards", "--json"]) == 0
    assert {board["name"]: board["lut"] for board in json.loads(capsys.readouterr().out)} == {
        name: offer[1] for name, offer in BOARDS.items()
    }
    assert main(["boards"]) == 0
    assert "zcu104" in capsys.readouterr().out


def test_use_of_a_board() -> None:
    taken = Resources(lut=10, lutram=5, ff=7, bram18=3, uram=1, dsp=2)
    use = load_board("pynq-z1").use(taken)
    assert use == {"lut": (15, 53200), "ff": (7, 106400), "bram36": (2, 140), "uram": (1, 0), "dsp": (2, 220)}


def test_a_board_of_the_users(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert (load_board(str(path)).name, load_board(str(path)).dsp) == ("mine", 4)


@pytest.mark.parametrize(("text", "sentence"), [
    (GOOD.replace("dsp = 4", ""), "dsp must be a whole number, 0 or more, not None"),
    (GOOD.replace("dsp = 4", "dsp = -4"), "dsp must be a whole number, 0 or more, not -4"),
    (GOOD.replace("dsp = 4", "dsp = 4.5"), "dsp must be a whole number, 0 or more, not 4.5"),
    (GOOD.replace('part = "p"', "part = 7", 1), "part must be a text, not 7"),
    (GOOD + "luts = 3\n", "['luts'] are not entries of a board"),
    (GOOD + "luts\n", "is not TOML"),
])
def test_bad_board_files(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_board(str(path))
    assert sentence in str(error.value)


def test_unknown_board() -> None:
    with pytest.raises(InputError, match=r"board 'zcu999' is unknown; choose one of \['arty-z7-20', .*'zedboard'\]"):
        load_board("zcu999")
