"""What Yosys maps a design to: the cells of a family of devices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

from headrace.area.multipliers import DSP_PRODUCT_BITS
from headrace.area.usage import Resources
from headrace.memory import Prices
from headrace.render.rtl import MACROS
from headrace.synthesis.netlist import Module, measure, measure_trellis


@dataclass(frozen=True)
class Target:
    """A command of Yosys that maps to a family, and how its cells are counted.

    command: what maps a flat design, its top added. cells: the library of cells, where a design is read without that
    command's begin, up to its step after_begin; before that step, `prepares` go over the design.
    defines: macros of the sources. measure: counts and logic depth of a mapped module, black boxes left out.
    """

    name: str
    command: str
    cells: tuple[str, ...]
    after_begin: str
    prepares: tuple[str, ...]
    defines: tuple[str, ...]
    measure: Callable[[Module, frozenset[str]], tuple[Resources, int]]

    def commands(self, top: str, logic: str = "") -> tuple[str, ...]:
        """What maps the module `top`. logic: a file for what it is before gates are made of it."""
        if not self.prepares:
            return (f"{self.command} -top {top}",)
        steps = [self.after_begin, _GATES, ""] if logic else [self.after_begin, ""]
        run = [f"{self.command} -top {top} -run {first}:{last}" for first, last in pairwise(["begin", *steps])]
        written = [f"json -o {logic} {top}", run[-1]] if logic else []
        return (run[0], *self.prepares, run[1], *written)


#: The step of synth_ecp5 that makes gates of what is neither memory nor multiplier.
_GATES = "map_gates"
#: synth_ecp5 would put any product into a multiplier, which has no register there; narrow ones are made of LUTs.
NARROW_PRODUCTS = ("proc", "flatten -noscopeinfo", "opt_expr", "opt_clean", "wreduce",
                   f"chtype -set $__soft_mul t:$mul r:Y_WIDTH<{DSP_PRODUCT_BITS} %i")
ULTRASCALE = Target("xcup", "synth_xilinx -family xcup -flatten -noiopad",
                    ("read_verilog -lib -specify +/xilinx/cells_sim.v", "read_verilog -lib +/xilinx/cells_xtra.v"),
                    "prepare", (), MACROS["xcup"], measure)
XC7 = replace(ULTRASCALE, name="xc7", command="synth_xilinx -family xc7 -flatten -noiopad", defines=MACROS["xc7"])
ECP5 = Target("ecp5", "synth_ecp5",
              ("read_verilog -lib -specify +/lattice/cells_sim_ecp5.v", "read_verilog -lib +/lattice/cells_bb_ecp5.v"),
              "coarse", NARROW_PRODUCTS, (), measure_trellis)


def target_of(prices: Prices) -> Target:
    """The target whose cells the estimates of a device count."""
    return {"xcup": ULTRASCALE, "xc7": XC7, "ecp5": ECP5}[prices.cells]
