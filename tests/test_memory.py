"""The memory rule against what the SystemVerilog elaborates to, and what it promises of FIFO depths."""

from __future__ import annotations

import json
import re
from itertools import product
from typing import TypedDict

import pytest

from headrace.memory import PRICES, Prices, Ram, free_depth, ram, ram_bram18, ram_luts, rom_layout
from headrace.render.library import PRICED, library_path, library_texts
from headrace.tools import run_tool, verilator

#: Around every border of the rule: LUTs of 32 and 64 words, rows of blocks, LUTs against blocks, bytes of 9 bits.
SIZES = list(product((2, 31, 33, 65, 200, 513, 1100, 2304, 5000, 18432), (1, 4, 7, 9, 36, 73)))
PORTS = {
    "headrace_rom": ".ap_clk, .ap_rst_n(1'b1), .en(1'b1), .step(1'b0), .address('0), .data()",
    "headrace_ram": ".ap_clk, .write(1'b0), .write_address('0), .write_data('0), .read(1'b1), .read_address('0), "
                    ".clear(1'b0), .read_data()",
}
#: Those of today, and a device that has blocks to spare.
PRICE_LISTS = [PRICES, Prices(block=20, ram_block=15)]
Sizes = dict[tuple[str, int, int], dict[str, int]]
Elaborated = tuple[Prices, Sizes]


class Statement(TypedDict, total=False):
    """As much of a node of Verilator's tree as is read here."""

    type: str
    name: str
    isParam: bool
    valuep: list[Statement]


class Unit(TypedDict):
    """A module."""

    stmtsp: list[Statement]


def constants(module: Unit) -> dict[str, int]:
    """Values of the parameters of a module in Verilator's tree, and 1 for every generate block that is there."""
    found = {item["name"]: 1 for item in module["stmtsp"] if item["type"] == "GENBLOCK"}
    for item in module["stmtsp"]:
        if item.get("isParam") and (number := re.fullmatch(r"\d+'s?h([0-9a-f]+)", item["valuep"][0]["name"])):
            found[item["name"]] = int(number[1], 16)
    return found


@pytest.fixture(scope="module", params=PRICE_LISTS, ids=["today", "cheap blocks"])
def elaborated(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Elaborated:
    """The constants of every memory by module, DEPTH and BITS, in one run of Verilator at these prices."""
    work = tmp_path_factory.mktemp("memories")
    cells = [f"  {module} #(.DEPTH({depth}), .BITS({bits})) u_{module}_{depth}_{bits} ({ports});\n"
             for module, ports in PORTS.items() for depth, bits in SIZES]
    (work / "top.sv").write_text(f"module top (input logic ap_clk);\n{''.join(cells)}endmodule\n")
    (work / PRICED).write_text(library_texts(request.param)[PRICED])
    run_tool("Verilator", [verilator(), "--json-only", "-Wno-fatal", "-Wno-lint", "--top-module", "top", "--Mdir", work,
                           work / PRICED, work / "top.sv", *map(library_path, PORTS)], work)
    modules = [module for module in json.loads((work / "Vtop.tree.json").read_text())["modulesp"]
               if module.get("origName") in PORTS]
    sizes = {(module["origName"], values["DEPTH"], values["BITS"]): values
             for module in modules if (values := constants(module))}
    return request.param, sizes


@pytest.mark.parametrize(("depth", "bits"), SIZES)
def test_a_rom_elaborates_to_the_layout(elaborated: Elaborated, depth: int, bits: int) -> None:
    prices, sizes = elaborated
    found, layout = sizes["headrace_rom", depth, bits], rom_layout(depth, bits, prices)
    assert (found["BLOCKS"], found["ROWS"], found["SLOTS"]) == (layout.blocks > 0, layout.rows, layout.slots)


@pytest.mark.parametrize(("depth", "bits"), SIZES)
def test_a_ram_elaborates_to_the_choice(elaborated: Elaborated, depth: int, bits: int) -> None:
    prices, sizes = elaborated
    found, chosen = sizes["headrace_ram", depth, bits], ram(depth, bits, prices)
    in_block = "gen_block" in found
    wanted = Ram(bram18=ram_bram18(depth, bits)) if in_block else Ram(lutram=ram_luts(depth, bits))
    assert chosen == wanted


@pytest.mark.parametrize("prices", PRICE_LISTS)
def test_a_free_depth_takes_no_more_memory(prices: Prices) -> None:
    """A grid over every width up to 128 bits and the depths around every border up to 20 000."""
    depths = sorted({*range(100), *(border + step for border in range(64, 20_000, 448) for step in (-1, 0, 1))})
    for bits, depth in product(range(1, 129), depths):
        free = free_depth(depth, bits, prices)
        assert free >= depth
        if depth > 2:
            assert ram(free, bits, prices) == ram(depth, bits, prices), (bits, depth, free)


@pytest.mark.parametrize(("bits", "depth"), [(48, 1095), (36, 122), (96, 94), (1, 5000), (20, 2304), (128, 30)])
def test_a_word_more_than_the_free_depth_takes_more_memory(bits: int, depth: int) -> None:
    free = free_depth(depth, bits, PRICES)
    assert ram(free + 1, bits, PRICES) != ram(depth, bits, PRICES)


def test_other_prices_choose_other_memories() -> None:
    cheap, dear = Prices(block=20, ram_block=15), Prices(block=10_000, ram_block=10_000)
    assert [bool(rom_layout(600, 20, prices).blocks) for prices in (cheap, PRICES, dear)] == [True, True, False]
    assert [bool(rom_layout(100, 20, prices).blocks) for prices in (cheap, PRICES, dear)] == [True, False, False]
    assert [bool(ram(200, 9, prices).bram18) for prices in (cheap, PRICES, dear)] == [True, False, False]
