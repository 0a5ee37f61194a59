"""Memories that Yosys makes of rom, ram, in UltraRAM too, and weight_ram, beside the formulas."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from headrace import memory
from headrace.area.usage import Resources
from headrace.atomic_files import write_files
from headrace.datatypes import uint_type
from headrace.packing import Memory
from headrace.render.library import used_sources
from headrace.render.names import module_name
from headrace.synthesis.designs import library
from headrace.synthesis.netlist import _BRAM18, _LUTRAM
from headrace.synthesis.yosys import run_yosys

Shape = tuple[int, int]
#: Words and bits: in one row of blocks, in several, side by side, all in LUTs.
SHAPES: dict[str, tuple[Shape, ...]] = {
    "rom": ((100, 20), (512, 37), (600, 20), (1100, 40), (2304, 20)),
    "ram": ((64, 36), (100, 9), (600, 20), (1500, 12), (2304, 20), (9000, 3)),
    "weight_ram": ((1000, 73), (5000, 80)),
    "uram": ((3000, 20), (5000, 40)),
}
PORTS = {
    "rom": '.FILE("{name}.mem")) {name} (.ap_clk, .en, .address(address[{high}:0]), .data({name}_out));',
    "ram": ".CLEAR(0)) {name} (.ap_clk, .write(en), .write_address(load[{high}:0]), .write_data(data[{top}:0]), "
           ".read(en), .read_address(address[{high}:0]), .clear(1'b0), .read_data({name}_out));",
    "uram": ".CLEAR(0), .URAM(1)) {name} (.ap_clk, .write(en), .write_address(load[{high}:0]), "
            ".write_data(data[{top}:0]), .read(en), .read_address(address[{high}:0]), .clear(1'b0), "
            ".read_data({name}_out));",
    "weight_ram": ".URAM(1)) {name} (.ap_clk, .ap_rst_n, .load, .en, .address(address[{high}:0]), .data({name}_out));",
}
_MAP = "synth_xilinx -family xcup -flatten -noiopad -top top -run begin:map_ffram"


def formula(module: str, depth: int, bits: int) -> Resources:
    if module == "rom":
        return Resources(bram18=memory.rom_layout(depth, bits, memory.PRICES).blocks)
    if module in ("weight_ram", "uram"):
        return Resources(uram=memory.uram(depth, bits))
    found = memory.ram(depth, bits, memory.PRICES)
    return Resources(bram18=found.bram18, lutram=found.lutram)


def design() -> dict[str, str]:
    """One memory of every shape side by side, with the files of the ROMs."""
    files, ports, body = {}, [], ""
    for module, shapes in SHAPES.items():
        for depth, bits in shapes:
            name, kind = f"{module}_{depth}x{bits}", "ram" if module == "uram" else module
            ports.append(f"  output logic [{bits - 1}:0] {name}_out")
            body += f"  {module_name(kind)} #(.DEPTH({depth}), .BITS({bits}), " + PORTS[module].format(
                name=name, high=(depth - 1).bit_length() - 1, top=bits - 1) + "\n"
            if module == "rom":
                words = np.random.default_rng(depth).integers(0, 2, (depth, 1, bits))
                files[f"{name}.mem"] = Memory("WORDS", words, uint_type(1), rom=memory.PRICES).mem_text()
    inputs = "  input logic ap_clk, ap_rst_n, en,\n  input logic [41:0] load,\n  input logic [13:0] address,\n" \
             "  input logic [63:0] data,\n"
    top = f"module top (\n{inputs}" + ",\n".join(ports) + f"\n);\n{body}endmodule\n"
    return files | {"top.sv": top} | used_sources(top, library())


@pytest.fixture(scope="module")
def mapped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """What Yosys takes for each instance."""
    work = tmp_path_factory.mktemp("memories")
    files = design()
    write_files(work, files)
    sources = " ".join(sorted(name for name in files if name.endswith(".sv")))
    script = f"read_slang -j 1 --ignore-assertions --top top {sources}; {_MAP}; select top; write_json -selected n.json"
    run_yosys(script, work)
    found: dict[str, Resources] = {}
    for name, cell in json.loads((work / "n.json").read_text())["modules"]["top"]["cells"].items():
        kind = cell["type"]
        taken = Resources(bram18=_BRAM18.get(kind, 0), lutram=_LUTRAM.get(kind, 0), uram=int(kind == "URAM288"))
        instance = re.search(r"(?:rom|ram|weight_ram|uram)_\d+x\d+", name)
        if instance and taken != Resources():
            found[instance[0]] = found.get(instance[0], Resources()) + taken
    return found


@pytest.mark.parametrize(("module", "depth", "bits"), [(m, *shape) for m, shapes in SHAPES.items() for shape in shapes])
def test_yosys_takes_what_the_formula_says(mapped: dict[str, Resources], module: str, depth: int, bits: int) -> None:
    assert mapped.get(f"{module}_{depth}x{bits}", Resources()) == formula(module, depth, bits)


def test_rows_of_a_rom_hold_all_words() -> None:
    words = np.arange(5000).reshape(-1, 1, 1)
    stored = Memory("WORDS", words, uint_type(13), rom=memory.PRICES)
    layout = memory.rom_layout(5000, 13, memory.PRICES)
    rows = [int(line, 16) for line in stored.mem_text().split()]
    assert len(rows) == layout.rows and layout.slots > 1
    assert [rows[k % layout.rows] >> 13 * (k // layout.rows) & 8191 for k in range(5000)] == list(range(5000))
