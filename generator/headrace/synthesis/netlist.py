"""A mapped netlist of Yosys (write_json): what it takes of the device, and its logic depth.

LUT = LUT1 to LUT6, LUT6_2 and INV; LUTs used as memory or shift registers are counted apart. Carry chains and the
multiplexers behind LUTs are free, as they come with the LUTs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headrace.area.usage import Resources
from headrace.errors import ToolError
from headrace.synthesis.depth import logic_depth

#: One module of a netlist as Yosys writes it.
Module = Mapping[str, Any]

_LUTS = frozenset({"INV", "LUT6_2", *(f"LUT{inputs}" for inputs in range(1, 7))})
_FLIP_FLOPS = frozenset({"FDRE", "FDSE", "FDCE", "FDPE"})
_BRAM18 = {"RAMB18E2": 1, "RAMB36E2": 2}
#: UltraScale Libraries Guide (UG974): LUTs that each memory of LUTs occupies.
_LUTRAM = {
    "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1, "RAM32X1S": 1, "RAM64X1S": 1, "RAM32X1D": 2, "RAM64X1D": 2,
    "RAM128X1S": 2, "RAM32M": 4, "RAM64M": 4, "RAM128X1D": 4, "RAM256X1S": 4, "RAM32M16": 8, "RAM64M8": 8,
    "RAM256X1D": 8, "RAM512X1S": 8,
}
_FREE = frozenset({"BUFG", "CARRY4", "CARRY8", "MUXF7", "MUXF8", "MUXF9"})


def measure(module: Module, black_boxes: frozenset[str] = frozenset()) -> tuple[Resources, int]:
    """Resources of a flat mapped module and its logic depth. Raises ToolError for a cell that is not mapped."""
    found: dict[str, int] = {}
    for cell in module["cells"].values():
        found[cell["type"]] = found.get(cell["type"], 0) + 1
    known = _LUTS | _FLIP_FLOPS | set(_BRAM18) | set(_LUTRAM) | {"URAM288", "DSP48E2"} | _FREE | black_boxes
    if unknown := sorted(set(found) - known):
        raise ToolError(f"Yosys left cells that are not cells of UltraScale+: {unknown}; report this as a defect")
    return Resources(
        lut=sum(count for kind, count in found.items() if kind in _LUTS),
        ff=sum(count for kind, count in found.items() if kind in _FLIP_FLOPS),
        bram18=sum(count * _BRAM18.get(kind, 0) for kind, count in found.items()),
        uram=found.get("URAM288", 0),
        dsp=found.get("DSP48E2", 0),
        lutram=sum(count * _LUTRAM.get(kind, 0) for kind, count in found.items()),
    ), logic_depth(module)
