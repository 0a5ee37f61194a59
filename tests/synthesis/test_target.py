"""The ways around parts of Yosys' own commands lead where these lead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headrace.atomic_files import write_files
from headrace.errors import ToolError
from headrace.synthesis.target import DECLARED, ULTRASCALE, XC7, Target, _declaration
from headrace.synthesis.yosys import run_yosys

#: A memory and one with contents, both in block RAMs.
MEMORIES = """module top(input clk, we, input [8:0] a, b, input [35:0] d, output reg [35:0] q, output reg [15:0] r);
  (* ram_style = "block" *) reg [35:0] ram [0:511];
  (* rom_style = "block" *) reg [15:0] rom [0:511];
  initial for (int i = 0; i < 512; i++) rom[i] = i * 16'h9e37;
  always @(posedge clk) begin
    if (we) ram[b] <= d;
    q <= ram[a];
    r <= rom[a];
  end
endmodule
"""
BOTH = pytest.mark.parametrize("target", [ULTRASCALE, XC7], ids=lambda target: target.name)


def said(command: str, folder: Path) -> list[str]:
    """The commands of which a command of Yosys consists, for an empty module: it repeats its own line, then theirs."""
    write_files(folder, {"top.v": "module top; endmodule\n"})
    run_yosys(f"read_verilog top.v; echo on; tee -q -o said.txt {command}", folder)
    lines = (folder / "said.txt").read_text().splitlines()
    return [line.removeprefix("yosys> ") for line in lines if line.startswith("yosys> ")][1:]


@BOTH
def test_the_rest_of_a_way_is_what_yosys_does(target: Target, tmp_path: Path) -> None:
    begin, memory = target.detours
    cells, *declared, hierarchy = (command.format(top="top") for command in begin.commands)
    assert declared == ([f"read_verilog -lib {DECLARED}"] if target.declared else [])
    own = said(f"{target.command} -top top -run {begin.first}:{begin.then}", tmp_path)
    assert own == [cells, "read_verilog -lib +/xilinx/cells_xtra.v", hierarchy]
    at = next(index for index, command in enumerate(memory.commands) if "-defer" in command)
    blocks = memory.commands[at].replace("read_verilog -defer", "techmap -map")
    own = said(f"{target.command} -top top -run {memory.first}:{memory.then}", tmp_path)
    assert own == [*memory.commands[:2], blocks, *memory.commands[at + 3 :]]


@BOTH
def test_block_rams_are_those_of_yosys(target: Target, tmp_path: Path) -> None:
    """With all parameters, and what of their ports is constant."""
    found = [block_rams("; ".join(commands), target, tmp_path)
             for commands in (target.commands("top"), [f"{target.command} -top top"])]
    assert len(found[0]) == 2 and found[0] == found[1]


def block_rams(commands: str, target: Target, folder: Path) -> list[str]:
    write_files(folder, {"top.sv": MEMORIES, **target.files()})
    run_yosys(f"read_slang -j 1 --top top top.sv; {commands}; write_json -selected netlist.json", folder)
    cells: dict[str, Any] = json.loads((folder / "netlist.json").read_text())["modules"]["top"]["cells"]
    constant = {name: {port: [bit if isinstance(bit, str) else "net" for bit in bits]
                       for port, bits in cell["connections"].items()} for name, cell in cells.items()}
    return sorted(json.dumps([cell["type"], cell["parameters"], constant[name]], sort_keys=True)
                  for name, cell in cells.items() if cell["type"].startswith("RAMB"))


def test_a_cell_that_yosys_does_not_know_is_a_sentence() -> None:
    with pytest.raises(ToolError, match="Yosys does not declare the cell NOTHING; report this as a defect"):
        _declaration("NOTHING")
