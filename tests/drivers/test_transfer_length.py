"""The longest transfer: the DMA's length register has 26 bits, so 2^26 bytes would be none."""

from __future__ import annotations

import json

import pytest

from headrace.board.board import load_board
from headrace.dataflow.lower import lower
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import uint_type
from headrace.drivers.render import render_driver
from headrace.errors import InputError
from headrace.layers import Fifo
from headrace.render.vivado import render_vivado
from tests.small_dataflows import chain
from tests.small_networks import random_input, small_network

LONGEST = 2**26 - 1


def test_the_drivers_know_the_longest_transfer() -> None:
    net = small_network()
    files = render_driver(net, Vectors(lower(net), random_input(net, 1)), load_board("zcu104"), "0" * 64)
    assert json.loads(files["headrace_driver/model.json"])["max_transfer_bytes"] == LONGEST
    assert f"MAX_TRANSFER_BYTES = {LONGEST};" in files["cpp/model.hpp"].decode()


@pytest.mark.parametrize("words", [LONGEST, LONGEST + 1])
def test_a_frame_fits_one_transfer(words: int) -> None:
    dataflow = chain([Fifo("fifo", 2, 1, uint_type(8), words)])
    if words == LONGEST:
        files = render_vivado(dataflow, load_board("zcu104"), "rtl", 200.0, "0" * 64)
        assert "CONFIG.c_sg_length_width {26}" in files["system.tcl"]
        return
    with pytest.raises(InputError, match="the input has 67108864 bytes a frame but a transfer of the DMA has fewer "
                                         "than 67108864; reduce its size"):
        render_vivado(dataflow, load_board("zcu104"), "rtl", 200.0, "0" * 64)
