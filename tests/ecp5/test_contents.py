"""Contents of memories in a routed configuration: where they lie, and that replacing them leaves all else alone."""

from __future__ import annotations

import pytest

from headrace.ecp5.contents import Contents, placed_contents, read_contents, replaced, table_text
from headrace.ecp5.netlist import routed_verilog
from headrace.ecp5.weights import _require_same
from headrace.errors import InputError, ToolError

#: Word 5 of a memory of LUTs holds a one in bit 0; its address 0101 reaches the LUT's inputs A, C, B, D as 0, 1, 0, 1.
ONE_WORD = {"INITVAL": f"{1 << 20:064b}"}
TABLE = f"{1 << 0b1100:016b}"
BLOCK = {"INITVAL_00": f"{0x2A5 | 0x1 << 20:0320b}"}
BLOCK_LINE = "0a5 001 001 000 000 000 000 000\n"
LINE = "000 000 000 000 000 000 000 000\n"
CONFIG = f""".device LFE5U-85F

.tile R56C13:PLC2
arc: A0 H00L0100
word: SLICEA.K0.INIT {TABLE}
word: SLICEA.K1.INIT 0000111100001111
enum: SLICEA.MODE DPRAM

.tile R57C13:PLC2
word: SLICEA.K0.INIT 1111000011110000

.bram_init 3
{BLOCK_LINE}{LINE * 255}
"""
ROUTED: dict[str, object] = {
    "m.0$DPRAM_COMB0": {"type": "TRELLIS_COMB", "attributes": {"NEXTPNR_BEL": "X13/Y56/SLICEA.K0"}},
    "b.0": {"type": "DP16KD", "attributes": {"WID": "0011"}},
    "lut": {"type": "TRELLIS_COMB", "attributes": {"NEXTPNR_BEL": "X13/Y56/SLICEA.K1"}},
}
CELLS: dict[str, object] = {"m.0": {"parameters": ONE_WORD}, "b.0": {"parameters": BLOCK}}


def test_places_and_texts_are_those_of_the_configuration() -> None:
    assert table_text(ONE_WORD, 0) == TABLE and table_text(ONE_WORD, 1) == "0" * 16
    contents = placed_contents(ROUTED, CELLS)
    assert contents == {("R56C13:PLC2", "SLICEA.K0"): TABLE, 3: BLOCK_LINE + LINE * 255}
    assert read_contents(CONFIG, contents) == contents


def test_replacing_changes_the_memories_and_nothing_else() -> None:
    other: Contents = {("R56C13:PLC2", "SLICEA.K0"): "1" * 16, 3: LINE * 256}
    text = replaced(CONFIG, other)
    assert read_contents(text, other) == other
    assert replaced(text, placed_contents(ROUTED, CELLS)) == CONFIG
    gone = CONFIG.replace(f"word: SLICEA.K0.INIT {TABLE}\n", "")  # what is 0 is not written
    assert read_contents(replaced(gone, other), other) == other


def test_a_memory_that_is_not_placed_is_a_defect() -> None:
    with pytest.raises(ToolError, match="is placed but is no memory of the netlist"):
        placed_contents(ROUTED, {"b.0": CELLS["b.0"]})


class _Named:
    """As much of a build as the sentence needs."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.dataflow = type("Empty", (), {"layers": ()})()


def test_other_logic_is_refused_by_name() -> None:
    memory = {"type": "DP16KD", "parameters": {"INITVAL_00": "1"}, "connections": {"ADA0": [3]}}
    lut = {"type": "LUT4", "parameters": {"INIT": "1"}, "connections": {"Z": [4]}}
    ours, theirs = {"b": memory, "l": lut}, {"b": memory | {"parameters": {"INITVAL_00": "0"}}, "l": lut}
    _require_same(_Named("one"), _Named("two"), ours, theirs)  # type: ignore[arg-type]
    with pytest.raises(InputError) as error:
        _require_same(_Named("one"), _Named("two"),  # type: ignore[arg-type]
                      ours, theirs | {"l": lut | {"parameters": {"INIT": "0"}}})
    assert str(error.value) == ("two: differs from one in more than what memories hold, first in the shell (l); build "
                                "both with the same options and every layer with weights --writable")


def _cell(kind: str, parameters: dict[str, str], **connections: int) -> dict[str, object]:
    outputs = {"F", "OFX", "Q", "Z"}
    return {"type": kind, "parameters": parameters, "connections": {name: [net] for name, net in connections.items()},
            "port_directions": {name: "output" if name in outputs else "input" for name in connections}}


def _design(**cells: dict[str, object]) -> dict[str, object]:
    ports = {"a": {"direction": "input", "bits": [1]}, "z": {"direction": "output", "bits": [2]}}
    return {"modules": {"top": {"ports": ports, "cells": cells}}}


def test_open_inputs_are_high_and_settings_invert() -> None:
    lut = routed_verilog(_design(lut=_cell("TRELLIS_COMB", {"INITVAL": "1000000000000000"}, A=1, F=2)), "routed")
    assert "assign n2 = 16'h8000 >> {1'b1, 1'b1, 1'b1, n1};" in lut
    flop = routed_verilog(_design(ff=_cell("TRELLIS_FF", {"CEMUX": "INV", "SD": "0 ", "REGSET": "SET"}, CE=1, M=1,
                                           CLK=1, Q=2)), "routed")
    assert "always @(posedge n1) if (1'b0) n2 <= 1'b1; else if (!n1) n2 <= n1;" in flop


def test_what_is_not_simulated_is_refused() -> None:
    with pytest.raises(ToolError, match="x: a cell ALU54B has no behaviour to be simulated"):
        routed_verilog(_design(x=_cell("ALU54B", {}, A0=1)), "routed")
    with pytest.raises(ToolError, match="x: the register REG_OUTPUT_CLK of a multiplier is not simulated"):
        routed_verilog(_design(x=_cell("MULT18X18D", {"REG_OUTPUT_CLK": "CLK0"}, A0=1)), "routed")
