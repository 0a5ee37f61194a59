"""Prove the layers that move and gate words, and small ones that compute: `make prove`.

Every row holds for all words, all stalls, all states at power-up, for as many cycles as it says. See docs/trust.md.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks.figures import save
from benchmarks.proofs import Proof, prove, prove_module, require_solver
from headrace.errors import ToolError
from headrace.layers.spec import layer_from_spec
from headrace.memory import PRICES, Prices
from headrace.render.rtl import MACROS
from tests.rtl.test_primitives import LEAVES, run_proof

OUT = Path("build/bench-prove.json")
#: Begins the name of a proof that a module of primitive cells equals its behavioural twin.
FORMS = "both forms of "
#: Ends the name of a proof of the form for Zynq-7000.
SERIES7 = " of the 7 series"
PROPERTIES = Path(__file__).parent / "properties"
_BIT, _WIDE = {"element": "uint1"}, {"element": "uint2"}

#: By name: the layer, the cycles that are looked at, and how many without a transfer are too many.
CASES: Mapping[str, tuple[dict[str, Any], int, int]] = {
    "fifo, depth 2": ({"kind": "fifo", **_WIDE, "lanes": 1, "depth": 2, "words": 3}, 16, 6),
    "fifo, depth 5": ({"kind": "fifo", **_BIT, "lanes": 1, "depth": 5, "words": 4}, 18, 6),
    "dwc 1:3": ({"kind": "dwc", **_BIT, "in_lanes": 1, "out_lanes": 3, "words": 3}, 16, 8),
    "dwc 3:1": ({"kind": "dwc", **_BIT, "in_lanes": 3, "out_lanes": 1, "words": 1}, 16, 8),
    "dwc 2:3": ({"kind": "dwc", **_BIT, "in_lanes": 2, "out_lanes": 3, "words": 3}, 20, 8),
    "fork": ({"kind": "fork", **_WIDE, "channels": 2, "pe": 1, "pixels": 1, "outputs": 2}, 14, 6),
    "concat": ({"kind": "concat", **_BIT, "channels": [1, 2], "pe": 1, "pixels": 1}, 16, 6),
    "upsample, rows": ({"kind": "upsample", **_BIT, "height": 1, "width": 2, "channels": 1, "scale": [2, 1], "simd": 1},
                       18, 8),
    "upsample, columns": ({"kind": "upsample", **_BIT, "height": 1, "width": 2, "channels": 1, "scale": [1, 2],
                           "simd": 1}, 18, 8),
    "crop": ({"kind": "crop", **_BIT, "height": 2, "width": 3, "channels": 1, "simd": 1, "start": [1, 1]}, 22, 14),
    "swu": ({"kind": "swu", **_BIT, "height": 1, "width": 3, "channels": 1, "kernel": [1, 2], "stride": [1, 1],
             "simd": 1}, 18, 12),
    "max_pool": ({"kind": "max_pool", **_BIT, "height": 2, "width": 2, "channels": 1, "kernel": [2, 2],
                  "stride": [2, 2], "pe": 1}, 20, 10),
    "add": ({"kind": "add", "left": "uint1", "right": "uint1", "channels": 2, "pe": 1, "pixels": 1}, 14, 8),
    "mvtu": ({"kind": "mvtu", "mw": 4, "mh": 2, "pe": 1, "simd": 2, "weight": "int2", "input": "uint1",
              "output": "uint2"}, 22, 14),
    "mvtu, free parity": ({"kind": "mvtu", "mw": 3, "mh": 2, "pe": 2, "simd": 3, "weight": "bipolar",
                           "input": "bipolar", "output": "bipolar"}, 16, 10),
    "mvtu, sums of pairs": ({"kind": "mvtu", "mw": 2, "mh": 2, "pe": 2, "simd": 2, "weight": "int3", "input": "uint2",
                             "output": "acc", "core": "pairs"}, 18, 12),
    "mvtu, DSPs": ({"kind": "mvtu", "mw": 2, "mh": 2, "pe": 2, "simd": 2, "weight": "int3", "input": "uint2",
                    "output": "acc", "core": "dsp"}, 22, 14),
    "mvtu, bit planes": ({"kind": "mvtu", "mw": 2, "mh": 2, "pe": 2, "simd": 2, "weight": "int2", "input": "uint2",
                          "output": "uint2", "core": "planes"}, 20, 12),
    "vvtu": ({"kind": "vvtu", "channels": 2, "kernel": [1, 2], "height": 1, "width": 1, "pe": 1, "simd": 1,
              "weight": "int2", "input": "uint1", "output": "uint2"}, 22, 14),
    "take": ({"kind": "take", "elements": 3, "first": 1, "count": 1, "pe": 1, "input": "uint2", "output": "uint2"},
             16, 8),
    "channel_map, filter": ({"kind": "channel_map", "channels": 3, "sources": [0, 2], **_BIT, "simd": 1, "pe": 1,
                             "pixels": 1}, 18, 8),
    "channel_map, buffer": ({"kind": "channel_map", "channels": 2, "sources": [1, 0, 0], **_BIT, "simd": 1, "pe": 1,
                             "pixels": 1}, 20, 10),
    "acc_pool": ({"kind": "acc_pool", "height": 2, "width": 2, "channels": 1, "kernel": [2, 2], "stride": [2, 2],
                  "pe": 1, "element": "uint1"}, 20, 10),
    "requant, ties to even": ({"kind": "requant", "channels": 1, "pe": 1, "input": "int5", "output": "int3",
                               "pixels": 1, "rounding": "half_even"}, 18, 14),
    "lookup": ({"kind": "lookup", "channels": 2, "pe": 1, "input": "uint2", "output": "int3", "pixels": 1}, 18, 12),
    "threshold": ({"kind": "threshold", "channels": 2, "pe": 1, "input": "uint2", "output": "uint1", "pixels": 1},
                  18, 12),
    "depth_to_space": ({"kind": "depth_to_space", **_BIT, "height": 1, "width": 2, "channels": 1, "block": [2, 1],
                        "simd": 1}, 18, 12),
    "parallel_swu": ({"kind": "parallel_swu", **_BIT, "height": 1, "width": 3, "channels": 1, "kernel": [1, 2],
                      "stride": [1, 1], "simd": 1}, 20, 12),
    "label_select": ({"kind": "label_select", "labels": 3, "k": 2, "pe": 1, "element": "uint1"}, 18, 10),
    "mvtu, halves": ({"kind": "mvtu", "mw": 2, "mh": 2, "pe": 2, "simd": 2, "weight": "int5", "input": "uint2",
                      "output": "acc", "core": "halves"}, 20, 14),
    "mvtu, mixed": ({"kind": "mvtu", "mw": 2, "mh": 3, "pe": 3, "simd": 2, "weight": "int3", "input": "uint2",
                     "output": "acc", "core": "mixed:2"}, 22, 14),
    "mvtu, block RAM": ({"kind": "mvtu", "mw": 4, "mh": 2, "pe": 1, "simd": 2, "weight": "int2", "input": "uint1",
                         "output": "uint2"}, 24, 15),
    "mvtu, tables": ({"kind": "mvtu", "mw": 2, "mh": 2, "pe": 1, "simd": 2, "weight": "ternary", "input": "uint2",
                      "output": "uint1", "core": "tables"}, 18, 14),
}

#: Those whose memories are chosen at other prices: activations that are read again from a block.
PRICED = {"mvtu, block RAM": Prices(ram_block=1)}


@dataclass(frozen=True)
class Module:
    """Properties of modules that are no layers, in a file: looked at for so many cycles, or proved by induction.

    reach: cycles in which their end is to be reached, if it takes more.
    """

    file: str
    steps: int
    induction: bool = False
    reach: int = 0
    defines: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The properties."""
        text = (PROPERTIES / self.file).read_text()
        for key, value in self.defines.items():
            text = text.replace(f"`{key}", value)
        return text


def _mover(module: str, words_in: int, words_out: int, steps: int) -> Module:
    return Module("byte_movers.sv", steps, defines={"MODULE": f"headrace_shell_{module}", "IN": str(words_in),
                                                "OUT": str(words_out)})


def _line(clock: int, other: int, baud: int, late: int, steps: int) -> Module:
    """A line between two clocks."""
    return Module("serial_line.sv", steps, defines={"TX_CLOCK": str(clock), "RX_CLOCK": str(other), "BAUD": str(baud),
                                                "LATE": str(late)})


#: By name.
MODULES: Mapping[str, Module] = {
    "slices": Module("slices.sv", 4, induction=True),
    "memory port": Module("memory_port.sv", 6, induction=True),
    "weight stream": Module("weight_stream.sv", 3, induction=True, defines={"LATE": "0"}),
    "weight stream, late": Module("weight_stream.sv", 3, induction=True, defines={"LATE": "1"}),
    "shell narrow 4:2": _mover("narrow", 4, 2, 12),
    "shell widen 2:4": _mover("widen", 2, 4, 14),
    "shell gearbox 3:2": _mover("gearbox", 3, 2, 12),
    "shell gearbox 2:3": _mover("gearbox", 2, 3, 12),
    "shell gearbox 17:7": _mover("gearbox", 17, 7, 10),
    "shell gearbox 2:5": _mover("gearbox", 2, 5, 14),
    "shell registers": Module("shell_registers.sv", 14),
    "shell weights": Module("shell_weights.sv", 12),
    "shell counters": Module("shell_counters.sv", 3, induction=True),
    "serial line, 5 cycles a bit": _line(5, 5, 1, 54, 115),
    "serial registers": Module("serial_registers.sv", 3, induction=True),
    "serial receiver": Module("serial_receive.sv", 43, reach=48),
    "serial rings": Module("serial_rings.sv", 4, induction=True),
    "serial results": Module("serial_results.sv", 14),
    "serial sender": Module("serial_send.sv", 8, induction=True, reach=26),
    "serial crc": Module("serial_crc.sv", 8),
    "serial commands": Module("serial_commands.sv", 20),
}


NAMES = (*CASES, *MODULES, *(f"{FORMS}{module}" for module in LEAVES), f"{FORMS}carry_chain{SERIES7}")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"which of {', '.join(NAMES)} (default all)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="solvers at a time (default %(default)s)")
    options = parser.parse_args(arguments)
    require_solver()
    names = options.names or list(NAMES)
    proofs = []
    with ProcessPoolExecutor(options.jobs) as pool, Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("proving", total=len(names))
        for proof in pool.map(_prove, names):
            progress.console.print(f"{proof.name}: {proof.seconds:.1f} s")
            progress.advance(task)
            proofs.append(proof)
    _show(proofs)
    save(OUT, {proof.name: asdict(proof) for proof in proofs})
    return 0 if all(proof.holds and proof.reached for proof in proofs) else 1


def _forms(name: str) -> Proof:
    """Both forms of a leaf module are equal for all parameters with which networks instantiate it."""
    module, macros = _module(name), MACROS["xc7" if name.endswith(SERIES7) else "xcup"]
    with tempfile.TemporaryDirectory() as work:
        try:
            run_proof(module, LEAVES[module][1], Path(work), macros)
            text = ""
        except ToolError as error:
            text = str(error)
    return Proof(name, 0, 0, not text, True, text)


def _prove(name: str) -> Proof:
    """A proof with the processor seconds of its solver and of Yosys; nothing else runs in this process."""
    before = _seconds()
    proof = _solved(name)
    return replace(proof, seconds=_seconds() - before)


def _seconds() -> float:
    """Of processors, until now, of this process and those that it started."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(own.ru_utime + own.ru_stime for own in used)


def _solved(name: str) -> Proof:
    if name.startswith(FORMS):
        return _forms(name)
    if name in MODULES:
        module = MODULES[name]
        return prove_module(name, module.text, module.steps, module.induction, module.reach)
    spec, steps, limit = CASES[name]
    return prove(name, layer_from_spec(spec, 0).layer.priced(PRICED.get(name, PRICES)), steps, limit)


def _sets(name: str) -> int:
    """Parameters of the forms of a module."""
    return len(LEAVES[_module(name)][1])


def _module(name: str) -> str:
    """Of the proof of its forms."""
    return name.removeprefix(FORMS).removesuffix(SERIES7)


def _show(proofs: list[Proof]) -> None:
    columns = ("what", "cycles", "too long", "method", "proved", "end reached", "CPU s")
    table = Table(*columns, title=(__doc__ or "").splitlines()[0])
    for proof in proofs:
        method = "induction" if proof.induction else "bounded" if proof.steps else f"SAT, {_sets(proof.name)} sets"
        table.add_row(proof.name, str(proof.steps or "-"), str(proof.limit or "-"), method,
                      "yes" if proof.holds else proof.text, "yes" if proof.reached else "no", f"{proof.seconds:.1f}")
    Console(width=110).print(table)


if __name__ == "__main__":
    sys.exit(main())
