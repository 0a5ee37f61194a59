"""Netlists of the layers: no latch, and a register on every path from one side of a layer to the other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headrace.atomic_files import write_files
from headrace.errors import ToolError
from headrace.layers import LAYERS
from headrace.layers.spec import layer_from_spec
from headrace.synthesis.designs import layer_design, library
from headrace.synthesis.yosys import run_yosys

REGISTERS = "$dff,$dffe,$sdff,$sdffe,$sdffce,$adff,$adffe,$mem_v2,$memrd_v2,$memwr_v2,$mem,$memrd,$memwr"
#: What a layer hears, and what it must not say in the same cycle because of it.
PATHS = (("TREADY", "TVALID"), ("TREADY", "TDATA"), ("TVALID", "TVALID"), ("TDATA", "TDATA"), ("TDATA", "TVALID"),
         ("TDATA", "TREADY"), ("TREADY", "TREADY"))


#: Registers without a reset which count only while a flag beside them, which has one, is set.
MARKS = re.compile(r"\.(first|last|y_ends)_q(\[\d+\])?$")


def undefined(files: dict[str, str], folder: Path) -> list[str]:
    """Registers that TVALID or TREADY depends on, also over others, and that are neither reset nor initialised."""
    write_files(folder, files)
    sources = " ".join(sorted(name for name in files if name.endswith(".sv")))
    # `opt_dff` finds resets; registers with an initial value keep the attribute of their signal.
    run_yosys(f"read_slang -j 1 --ignore-assertions --top harness {sources}; hierarchy -top harness; proc; flatten; "
              "opt_clean; opt_dff; opt_clean; select -set behind o:*_TVALID o:*_TREADY %u %ci*; "
              "select -set plain @behind t:$dff t:$dffe %u %i; "
              "tee -q -o undefined.txt select -list @plain %co1:+[Q] w:* %i a:init %d", folder)
    return [line.removeprefix("harness/") for line in (folder / "undefined.txt").read_text().split()]


def require_paths(files: dict[str, str], folder: Path, paths: tuple[tuple[str, str], ...] = PATHS) -> None:
    write_files(folder, files)
    sources = " ".join(sorted(name for name in files if name.endswith(".sv")))
    script = [f"read_slang -j 1 --ignore-assertions --top harness {sources}", "hierarchy -top harness", "proc",
              "flatten", "opt_clean", "select -assert-none t:$dlatch t:$adlatch t:$dlatchsr"]
    script += [f"select -assert-none o:*_{said} %ci*:-{REGISTERS} i:*_{heard} %i" for heard, said in paths]
    run_yosys("; ".join(script), folder)


@pytest.mark.slow
@pytest.mark.parametrize("kind", LAYERS)
def test_a_layer_has_registers_on_every_path(kind: str, tmp_path: Path) -> None:
    layer = layer_from_spec({"kind": kind, **LAYERS[kind].example}, 0).layer
    require_paths(dict(layer_design(layer, library()).files), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", LAYERS)
def test_registers_of_handshakes_are_reset_or_initialised(kind: str, tmp_path: Path) -> None:
    layer = layer_from_spec({"kind": kind, **LAYERS[kind].example}, 0).layer
    found = undefined(dict(layer_design(layer, library()).files), tmp_path)
    assert [name for name in found if not MARKS.search(name)] == []


@pytest.mark.parametrize(("register", "found"), [
    ("always_ff @(posedge clk) held_q <= x0_TVALID;", ["held_q"]),
    ("always_ff @(posedge clk) if (!x1_TREADY) held_q <= 0; else held_q <= x0_TVALID;", [])])
def test_a_register_without_a_reset_is_found(register: str, found: list[str], tmp_path: Path) -> None:
    text = ("module harness(input logic clk, input logic x0_TVALID, output logic x1_TVALID, input logic x1_TREADY);\n"
            f"  logic held_q;\n  {register}\n  assign x1_TVALID = held_q;\nendmodule\n")
    assert undefined({"harness.sv": text}, tmp_path) == found


GATES = """module harness(input logic clk, input logic x0_TVALID, output logic x1_TVALID, input logic x1_TREADY,
                output logic x0_TREADY);
  logic held;
  always_ff @(posedge clk) held <= x0_TVALID;
  assign x1_TVALID = held && (x0_TVALID || x1_TREADY);
  assign x0_TREADY = !(x1_TREADY && held);
endmodule
"""


def test_a_path_that_a_register_cuts_is_none(tmp_path: Path) -> None:
    require_paths({"harness.sv": GATES}, tmp_path, (("TVALID", "TREADY"),))


@pytest.mark.parametrize("path", [("TVALID", "TVALID"), ("TREADY", "TVALID"), ("TREADY", "TREADY")])
def test_a_path_through_gates_is_noticed(path: tuple[str, str], tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="Assertion failed"):
        require_paths({"harness.sv": GATES}, tmp_path, (path,))
