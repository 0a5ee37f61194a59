"""A mapped netlist of Yosys (write_json): what it takes of the device, and its logic depth.

On UltraScale+ and Zynq-7000, LUT = LUT1 to LUT6, LUT6_2 and INV; LUTs used as memory or shift registers are counted
apart. Carry chains and the multiplexers behind LUTs are free, as they come with the LUTs. On an ECP5, LUT = LUT4, with
two of them for the two bits of a CCU2C, and a memory of LUTs takes four and two more for its address and data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from headrace.area.usage import Resources, total
from headrace.errors import ToolError
from headrace.synthesis.depth import logic_depth

#: One module of a netlist as Yosys writes it.
Module = Mapping[str, Any]

_LUTS = frozenset({"INV", "LUT6_2", *(f"LUT{inputs}" for inputs in range(1, 7))})
_FLIP_FLOPS = frozenset({"FDRE", "FDSE", "FDCE", "FDPE"})
_BRAM18 = {"RAMB18E1": 1, "RAMB36E1": 2, "RAMB18E2": 1, "RAMB36E2": 2}
_DSP = frozenset({"DSP48E1", "DSP48E2"})
#: UltraScale Libraries Guide (UG974): LUTs that each memory of LUTs occupies.
_LUTRAM = {
    "SRL16E": 1, "SRLC16E": 1, "SRLC32E": 1, "RAM32X1S": 1, "RAM64X1S": 1, "RAM32X1D": 2, "RAM64X1D": 2,
    "RAM128X1S": 2, "RAM32M": 4, "RAM64M": 4, "RAM128X1D": 4, "RAM256X1S": 4, "RAM32M16": 8, "RAM64M8": 8,
    "RAM256X1D": 8, "RAM512X1S": 8,
}
_FREE = frozenset({"BUFG", "CARRY4", "CARRY8", "MUXF7", "MUXF8", "MUXF9"})
#: What the cells of an ECP5 take.
_TRELLIS = {
    "LUT4": Resources(lut=1), "CCU2C": Resources(lut=2), "PFUMX": Resources(), "L6MUX21": Resources(),
    "TRELLIS_FF": Resources(ff=1), "TRELLIS_DPR16X4": Resources(lutram=6), "DP16KD": Resources(bram18=1),
    "MULT18X18D": Resources(dsp=1), "EHXPLLL": Resources(), "VLO": Resources(), "VHI": Resources(),
}


def measure_trellis(module: Module, black_boxes: frozenset[str] = frozenset()) -> tuple[Resources, int]:
    """The same of a module that is mapped to an ECP5."""
    found = Counter(cell["type"] for cell in module["cells"].values())
    if unknown := sorted(set(found) - set(_TRELLIS) - black_boxes):
        raise ToolError(f"Yosys left cells that are not cells of an ECP5: {unknown}; report this as a defect")
    counted = [_TRELLIS.get(kind, Resources()) for kind in found.elements()]
    return total(counted), logic_depth(module)


def measure(module: Module, black_boxes: frozenset[str] = frozenset()) -> tuple[Resources, int]:
    """Resources of a flat mapped module and its logic depth. Raises ToolError for a cell that is not mapped."""
    found: dict[str, int] = {}
    for cell in module["cells"].values():
        found[cell["type"]] = found.get(cell["type"], 0) + 1
    known = _LUTS | _FLIP_FLOPS | set(_BRAM18) | set(_LUTRAM) | {"URAM288"} | _DSP | _FREE | black_boxes
    if unknown := sorted(set(found) - known):
        raise ToolError(f"Yosys left cells that are not cells of UltraScale+ or Zynq-7000: {unknown}; report this as a "
                        "defect")
    return Resources(
        lut=sum(count for kind, count in found.items() if kind in _LUTS),
        ff=sum(count for kind, count in found.items() if kind in _FLIP_FLOPS),
        bram18=sum(count * _BRAM18.get(kind, 0) for kind, count in found.items()),
        uram=found.get("URAM288", 0),
        dsp=sum(count for kind, count in found.items() if kind in _DSP),
        lutram=sum(count * _LUTRAM.get(kind, 0) for kind, count in found.items()),
    ), logic_depth(module)
