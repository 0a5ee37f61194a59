import pytest

from generator.boards import board_names, load_board
from generator.errors import InputError

GOOD = 'title = "T"\npart = "p"\nboard_part = "b"\nlut = 1\nff = 2\nbram36 = 3\nuram = 0\ndsp = 4\n'


def test_eight_boards():
    boards = [load_board(name) for name in board_names()]
    assert len(boards) == 8
    assert all(board.part.startswith("xc") and board.lut > 50_000 for board in boards)


def test_a_board_of_the_users(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD)
    assert (load_board(str(path)).name, load_board(str(path)).dsp) == ("mine", 4)


@pytest.mark.parametrize(("text", "sentence"), [
    (GOOD.replace("dsp = 4", ""), "dsp must be a whole number, 0 or more, not None"),
    (GOOD.replace("dsp = 4", "dsp = -4"), "dsp must be a whole number, 0 or more, not -4"),
    (GOOD.replace("dsp = 4", "dsp = 4.5"), "dsp must be a whole number, 0 or more, not 4.5"),
    (GOOD.replace('part = "p"', "part = 7", 1), "part must be a text, not 7"),
    (GOOD + "luts = 3\n", "['luts'] are no entries of a board"),
    (GOOD + "luts\n", "is no TOML"),
])  # fmt: skip
def test_bad_board_files(tmp_path, text, sentence):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        load_board(str(path))
    assert sentence in str(error.value)


def test_unknown_board():
    with pytest.raises(InputError, match=r"board 'zcu999' is unknown; choose one of \['kv260', .*'zcu111'\] or give"):
        load_board("zcu999")
