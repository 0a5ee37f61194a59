"""Netlists of the layers: no latch, and a register on every path from one side of a layer to the other."""

from __future__ import annotations

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
