"""Boards with an ECP5: their parts, pins and clocks, and what is said where one of these is wrong."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headrace.area.usage import Resources
from headrace.board.board import Board, load_board
from headrace.board.family import ECP5, find_family
from headrace.ecp5.flow import Options
from headrace.ecp5.part import Part, part_of, routed_boards
from headrace.ecp5.place_and_route import require_room
from headrace.errors import InputError

BOARDS = ["colorlight-i9", "ecpix5-85f", "orangecrab-85f", "ulx3s-45f", "ulx3s-85f"]
ULX3S = load_board("ulx3s-85f")


def test_every_board_has_a_part_and_pins() -> None:
    assert routed_boards() == BOARDS
    parts = {name: part_of(load_board(name)) for name in BOARDS}
    assert parts == {
        "colorlight-i9": Part("45k", "CABGA381", "6"), "ecpix5-85f": Part("um5g-85k", "CABGA554", "8"),
        "orangecrab-85f": Part("85k", "CSFBGA285", "8"), "ulx3s-45f": Part("45k", "CABGA381", "6"),
        "ulx3s-85f": Part("85k", "CABGA381", "6")}
    assert part_of(ULX3S).options == ("--85k", "--package", "CABGA381", "--speed", "6")
    for board in map(load_board, BOARDS):
        assert find_family(board) is ECP5
        assert all((board.clock_pin, board.tx_pin, board.rx_pin, board.loader)) and board.oscillator_mhz >= 25


@pytest.mark.parametrize(("part", "sentence"), [
    ("LFE5U-85F", "mine: part 'LFE5U-85F' is not a device with a speed grade and a package; "
                  "write it like LFE5U-85F-6BG381C"),
    ("LFE5U-35F-6BG381C", "mine: device 'LFE5U-35F' of part LFE5U-35F-6BG381C does not exist; choose one of "
                          "['LFE5U-12F', 'LFE5U-25F'"),
    ("LFE5U-85F-5BG381C", "mine: speed '5' of part LFE5U-85F-5BG381C does not exist; choose one of ['6', '7', '8']"),
    ("LFE5U-85F-6BG382C", "mine: package 'BG382' of part LFE5U-85F-6BG382C does not exist; choose one of ['BG256'"),
    ("xc7z020clg400-1", "mine: part xc7z020clg400-1 is not one that nextpnr places and routes; choose one of "
                        "['colorlight-i9'"),
])
def test_parts_that_do_not_exist(part: str, sentence: str) -> None:
    with pytest.raises(InputError) as error:
        part_of(replace(ULX3S, name="mine", part=part))
    assert sentence in str(error.value)


def test_what_does_not_fit_names_the_resource_and_a_board_that_holds_it() -> None:
    small = load_board("ulx3s-45f")
    require_room(small, Resources(lut=43848, bram18=108))
    with pytest.raises(InputError) as error:
        require_room(small, Resources(lut=40000, lutram=3849, bram18=109))
    assert str(error.value) == ("ulx3s-45f: the design takes 43849 of 43848 LUT4, 109 of 108 DP16KD; ecpix5-85f, "
                                "orangecrab-85f, ulx3s-85f would hold it")
    with pytest.raises(InputError, match="no board of the family holds it: ask for fewer frames per second"):
        require_room(small, Resources(dsp=157))


@pytest.mark.parametrize(("options", "sentence"), [
    ({"seeds": 0}, "seeds=0: at least one and at most 1000 are tried"),
    ({"clock_mhz": 0.5}, "clock_mhz=0.5 must lie between 1 and 1000"),
    ({"core": True, "flash": True}, "the accelerator by itself has no serial line; leave --flash or --ooc out"),
])
def test_options_that_cannot_be(options: dict[str, int], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        Options(**options)  # type: ignore[arg-type]  # whatever a user gives
    assert str(error.value) == sentence


def test_a_board_keeps_its_pins_in_a_file_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("boards") / "mine.toml"
    lines = [f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
             for key, value in vars(ULX3S).items() if key != "name"]
    path.write_text("\n".join(lines) + "\n")
    assert load_board(str(path)) == replace(ULX3S, name="mine")
    with pytest.raises(InputError, match="clock_pin 'G2; quit' has characters"):
        Board(**vars(replace(ULX3S)) | {"clock_pin": "G2; quit"})
