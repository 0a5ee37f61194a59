"""Forms of primitive cells equal their behavioural twins: proved by SAT with Yosys' models of the cells, simulated."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import headrace as hr
from benchmarks.area import BLOCKS
from headrace.dataflow.fold import fold
from headrace.errors import ToolError
from headrace.layers.base import Layer
from headrace.layers.spec import layer_from_spec
from headrace.paths import data_folder
from headrace.placement import choose_folding
from headrace.render.library import library_path, library_paths
from headrace.render.names import PREFIX, module_name
from headrace.render.rtl import MACROS, PRIMITIVES, SERIES7
from headrace.request import Options, resolve
from headrace.simulation.cases import LayersRtl, Words
from headrace.simulation.frames import Stalls
from headrace.simulation.rtl import render_layers
from headrace.synthesis.yosys import run_yosys
from headrace.tools import run_tool, verilator
from tests.layer_battery import FRAMES, SEED
from tests.public_models import MODELS

CELL_PORTS = data_folder("rtl_sim") / "primitives" / "primitives.sv"
CELLS = "FDRE LUT5 LUT6 LUT6_2 CARRY8 CARRY4 MUXF7"

#: The leaf modules with two forms: the modules inside, and the parameters for which the forms are proved equal. Nothing
#: that the networks and the blocks of benchmarks.area instantiate may lie beyond them.
LEAVES: dict[str, tuple[tuple[str, ...], list[dict[str, int]]]] = {
    "carry_chain": ((), [{"BITS": bits} for bits in range(1, 41)]),
    "carry_adder": (("carry_chain",), [{"BITS": bits} for bits in range(1, 41)]),
    "counter7": (("carry_chain",), [{"BITS": bits} for bits in range(1, 8)]),
    "parity_carries": ((), [{"SIMD": simd} for simd in (*range(1, 66), 72, 96, 98, 112, 128, 196, 256)]),
    "ternary_adder": (("carry_chain",), [{"BITS": bits, "IS_SIGNED": sign, "FLIP": flip, "SINGLES": singles}
                                         for bits in range(1, 25) for sign in (0, 1) for flip in (0, 1)
                                         for singles in (0, 1)]),
    "quad_adders": (("carry_chain",), [{"SIMD": 3 + bits % 7, "W_BITS": 1 + bits % 2, "BITS": bits, "IS_SIGNED": sign}
                                       for sign in (0, 1) for bits in range(2, 20)]),
    "ternary_level": (("carry_chain", "carry_adder", "ternary_adder"), [
        {"TREES": 2, "LEAVES": 3 + bits % 3, "BITS": bits, "IS_SIGNED": sign, "FLIPS": 1, "SINGLES": singles,
         "SUM_BITS": bits + 1 + (bits + sign) % 2} for singles in (0, 1) for sign in (0, 1) for bits in range(1, 25)]),
    "accumulator": (("carry_chain",), [{"BITS": bits} for bits in range(1, 33)]),
    "pair_compare": (("carry_chain",), [{"A_BITS": bits, "B_BITS": bits + more}
                                        for bits in range(1, 33) for more in (0, 1)]),
    "own_register": ((), [{"BITS": bits} for bits in range(1, 6)]),
    "weight_tables": ((), [
        {"PLANES": 1, "COUNT": 2, "GROUP": group, "MAGNITUDE": bits, "BITS": (group * largest).bit_length()}
        for group in range(1, 7) for bits in range(1, 9)
        for largest in sorted({2 ** (bits - 1), 2**bits - 1}) if group + bits <= 9]),
    "lut_pair": ((), [{"BITS": bits} for bits in (*range(1, 33), 64, 128, 256, 512)]),
    "ones_count": (("counter7", "carry_chain", "carry_adder"), [{"BITS": bits, "SUM_BITS": bits.bit_length()}
                                                                for bits in range(1, 37)]),
}
#: Parameters that say how many of the same there are in a module, or where a sum is cut, of which some are proved.
HOW_MANY = {"quad_adders": {"SIMD", "W_BITS"}, "ternary_level": {"TREES", "LEAVES", "FLIPS", "SUM_BITS"},
            "weight_tables": {"PLANES", "COUNT"}, "own_register": {"BITS"}}
#: Modules with registers.
PIPELINES = ("ones_count", "own_register")
#: Proofs in one run of Yosys, whose command has a limit.
MOST = 100
#: Proofs by default: so many of each module, from the narrowest to the widest.
SAMPLE = 6
NETWORKS = ("tfc_w1a1", "tfc_w2a2", "kws_mlp_w3a3", "jet_mlp_w6a6", "resnet8_w4a4", "cnv_w1a1_cifar10_quant")
_NUMBER = re.compile(r"\d+'s?h([0-9a-f]+)")


def read(module: str, inside: tuple[str, ...], parameters: dict[str, int], name: str,
         macros: Sequence[str]) -> Iterator[str]:
    """Read one form of a module as `name`."""
    sources = " ".join(f"{module_name(source)}.sv" for source in ("pkg", *inside, module))
    values = " ".join(f"-G {key}={value}" for key, value in parameters.items())
    options = " ".join(f"-D {macro}" for macro in macros)
    cells = CELL_PORTS.name if macros else ""
    yield f"read_slang -j 1 --ignore-assertions {options} --top {module_name(module)} {values} {cells} {sources}"
    yield f"rename {module_name(module)} {name}"


def proof(module: str, choices: list[dict[str, int]], macros: Sequence[str]) -> str:
    """A script of Yosys that fails unless the forms without and with macros are equal for all choices of parameters.

    A pipeline of s stages forgets its start: s + 1 steps with any inputs and enables reach all that it can do.
    """
    inside, _ = LEAVES[module]
    script = [line for k, parameters in enumerate(choices) for name, defined in (("gold", ()), ("gate", macros))
              for line in read(module, inside, parameters, f"{name}{k}", defined)]
    script += [f"delete {CELLS}", "read_verilog +/xilinx/cells_sim.v", "setattr -mod -unset top *", "hierarchy", "proc",
               "flatten gold* gate*", "memory_map gold*"]
    for k in range(len(choices)):
        script += [f"miter -equiv -make_outputs gold{k} gate{k} miter{k}", f"flatten miter{k}", f"opt miter{k}"]
        steps = "-set-init-zero -tempinduct -tempinduct-baseonly -maxsteps 4" if module in PIPELINES else ""
        script.append(f"sat -verify -prove trigger 0 {steps} miter{k}")
    return "; ".join(script)


def run_proof(module: str, choices: list[dict[str, int]], work: Path, macros: Sequence[str] = (PRIMITIVES,)) -> None:
    for source in (*library_paths(), CELL_PORTS):
        shutil.copy(source, work)
    for first in range(0, len(choices), MOST):
        run_yosys(proof(module, choices[first : first + MOST], macros), work)


@pytest.mark.parametrize("module", LEAVES)
def test_both_forms_are_equal(module: str, tmp_path: Path) -> None:
    choices = LEAVES[module][1]
    run_proof(module, choices[:: -(-len(choices) // SAMPLE)], tmp_path)


def test_carry_chains_of_the_7_series_are_equal(tmp_path: Path) -> None:
    """Of CARRY4. No other module asks for SERIES7 but the multiplier, which is then inferred as without cells."""
    asking = {path.stem for path in library_paths() if SERIES7 in path.read_text()}
    assert asking == {module_name("carry_chain"), module_name("multiplier")}
    run_proof("carry_chain", LEAVES["carry_chain"][1], tmp_path, MACROS["xc7"])


@pytest.mark.slow
@pytest.mark.parametrize("module", LEAVES)
def test_both_forms_are_equal_at_every_width(module: str, tmp_path: Path) -> None:
    run_proof(module, LEAVES[module][1], tmp_path)


def emitted(layers: Sequence[Layer], work: Path) -> dict[str, list[dict[str, int]]]:
    """The leaf modules that the RTL of these layers instantiates, each with all its parameters."""
    render_layers(layers, work)
    run_tool("Verilator", [verilator(), "--json-only", "--top-module", "harness", "-Wno-fatal", "--Mdir", work,
                           *library_paths(), work / "harness.sv"], work)
    found: dict[str, list[dict[str, int]]] = {name: [] for name in LEAVES}
    for module in json.loads((work / "Vharness.tree.json").read_text())["modulesp"]:
        name = module["origName"].removeprefix(PREFIX)
        if name in found:
            values = {item["name"]: _NUMBER.fullmatch(item["valuep"][0]["name"])
                      for item in module["stmtsp"] if item.get("varType") == "GPARAM"}
            found[name].append({key: int(value[1], 16) for key, value in values.items() if value})
    return found


def one_of(module: str, choice: dict[str, int]) -> dict[str, int]:
    """The parameters of a module but those of HOW_MANY."""
    return {key: value for key, value in choice.items() if key not in HOW_MANY.get(module, ())}


@pytest.mark.parametrize("name", ["benchmarks", *NETWORKS])
def test_every_emitted_width_is_proved(name: str, tmp_path: Path) -> None:
    if name == "benchmarks":
        layers = [layer_from_spec(block.spec, index).layer for index, block in enumerate(BLOCKS.values())]
    elif not MODELS.is_dir():
        pytest.skip("the public models are not in ../shared/models")
    else:
        model = hr.load(MODELS / f"{name}.onnx")
        layers = list(fold(model.unfolded, choose_folding(model, resolve(Options())).folds).layers)
    widths = emitted(layers, tmp_path)
    assert any(widths.values()) or name != "benchmarks"  # plain cores have no leaves
    for module, (_, choices) in LEAVES.items():
        proved = [one_of(module, choice) for choice in choices]
        assert [choice for choice in widths[module] if one_of(module, choice) not in proved] == [], module


def test_forms_that_differ_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = library_path(module_name("accumulator"))
    broken = tmp_path / source.name
    broken.write_text(source.read_text().replace("d22d_2dd2_f220_f220", "d22d_2dd2_f220_f221"))
    paths = [broken if path == source else path for path in library_paths()]
    monkeypatch.setattr("tests.rtl.test_primitives.library_paths", lambda: paths)
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(ToolError, match="proof did fail"):
        run_proof("accumulator", LEAVES["accumulator"][1][:8], work)


def mvtu(mh: int, mw: int, pe: int, simd: int, types: str, **more: object) -> dict[str, object]:
    weight, element, output = types.split()
    return {"kind": "mvtu", "mh": mh, "mw": mw, "pe": pe, "simd": simd, "weight": weight, "input": element,
            "output": output, "vectors": 2, **more}


#: Every core with its leaf modules, over several counters, levels of trees and carry chains.
SIMULATED = (
    mvtu(4, 130, 2, 65, "bipolar bipolar bipolar"),
    mvtu(4, 24, 2, 12, "bipolar bipolar uint2"),
    mvtu(32, 36, 2, 4, "int2 uint2 acc"),  # 144 words of weights
    mvtu(4, 130, 2, 2, "int2 uint2 acc"),  # 130 words
    mvtu(4, 36, 2, 18, "int4 uint4 acc", core="pairs"),
    mvtu(4, 26, 2, 13, "int3 int4 acc", core="pairs"),
    mvtu(4, 10, 2, 5, "bipolar int8 bipolar", core="pairs"),
    {"kind": "threshold", "channels": 64, "pe": 8, "input": "int16", "output": "uint4", "pixels": 3},
    mvtu(4, 24, 4, 12, "int4 uint4 acc", core="dsp"),
    mvtu(3, 10, 3, 5, "int8 int8 acc", core="dsp"),
    mvtu(4, 60, 2, 30, "int3 uint2 uint2", core="planes"),
    mvtu(4, 24, 2, 6, "int8 int16 acc", core="plain"),
    mvtu(4, 24, 2, 4, "ternary int8 acc", core="pairs", scale="uint4", groups=3),
    {"kind": "requant", "channels": 6, "pe": 2, "input": "int9", "output": "int5", "pixels": 2,
     "rounding": "half_even"},
    {"kind": "requant", "channels": 6, "pe": 2, "input": "int30", "output": "int5", "pixels": 2},
)


def test_forms_of_primitives_compute_the_same(tmp_path: Path) -> None:
    layers = [layer_from_spec(spec, index).layer for index, spec in enumerate(SIMULATED)]
    words = [Words.random(layer, FRAMES, SEED) for layer in layers]
    model = LayersRtl(layers, tmp_path, [Path(__file__).with_name("primitive_cells.sv")])
    for item, ran in zip(words, model.run(words, Stalls.RANDOM, SEED), strict=True):
        item.require_equal("RTL", ran.words)
