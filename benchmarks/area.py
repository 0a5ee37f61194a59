"""What blocks and networks take of the device, beside the peers' figures: Yosys' counts, measured cycles, bit-exact.

Blocks are simulated under stalls; their counts hold the stall logic and the thresholds, not the weight memories. The
counts of a network hold the whole accelerator, some with the shell that a board needs. `--json` prints them on stdout.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.figures import MODELS, save
from headrace.atomic_files import write_files
from headrace.building import random_frames
from headrace.dataflow.fold import Folding
from headrace.design import Design
from headrace.model import Model, load
from headrace.packing import pack_stream
from headrace.planning import plan_design
from headrace.render.rtl import render_rtl
from headrace.render.shell import SHELL
from headrace.render.vivado import render_vivado
from headrace.request import Options, Request, resolve
from headrace.simulation import rtl
from headrace.simulation.cases import run_specs
from headrace.synthesis import report, yosys
from headrace.synthesis.designs import network_design, shell_design
from headrace.synthesis.report import synthesize_specs
from headrace.synthesis.yosys import synthesize

OUT = Path("build/bench-area.json")
#: Kept between runs: what did not change is not synthesized again.
CACHE = Path("build/synth-cache")


@dataclass(frozen=True)
class Block:
    """A layer to measure, the most that it may take, and what a peer takes for the same work."""

    spec: dict[str, Any]
    limits: dict[str, int]
    peer: str


def _mvtu(size: tuple[int, int], fold: tuple[int, int], types: str, **more: object) -> dict[str, Any]:
    weight, element, output = types.split()
    return {"kind": "mvtu", "mw": size[0], "mh": size[1], "pe": fold[0], "simd": fold[1], "weight": weight,
            "input": element, "output": output, **more}


#: Peers: FINN's RTL library synthesized by the same Yosys, and the cost model of its HLS library where it has no RTL.
BLOCKS = {
    "w1a1_16x32": Block(_mvtu((576, 64), (16, 32), "bipolar bipolar bipolar"), {"lut": 750, "cycles": 72},
                        "FINN (HLS model): 3820 LUT"),
    "w1a1_16x64": Block(_mvtu((576, 64), (16, 64), "bipolar bipolar bipolar"), {"lut": 1250, "cycles": 36},
                        "none published"),
    "w2a2_8x8": Block(_mvtu((256, 256), (8, 8), "int2 uint2 acc"), {"lut": 560, "dsp": 0, "cycles": 1024},
                      "FINN: 1026 LUT, 1045 FF, 8 DSP"),
    "w4a4_16x32": Block(_mvtu((576, 64), (16, 32), "int4 uint4 acc"), {"lut": 9500, "dsp": 0, "cycles": 72},
                        "FINN: 8925 LUT, 10153 FF, 128 DSP"),
    "w4a4_16x32_dsp": Block(_mvtu((576, 64), (16, 32), "int4 uint4 acc", core="dsp"),
                            {"lut": 3345, "dsp": 128, "cycles": 72}, "FINN: 8925 LUT, 10153 FF, 128 DSP"),
    "threshold_64ch_8pe_4bit": Block({"kind": "threshold", "channels": 64, "pe": 8, "input": "int16",
                                      "output": "uint4", "pixels": 4}, {"lut": 620, "dsp": 0, "cycles": 32},
                                     "FINN: 807 LUT, 1169 FF"),
    "swu_30x30x64": Block({"kind": "swu", "height": 30, "width": 30, "channels": 64, "kernel": [3, 3],
                           "element": "uint4", "simd": 32}, {"lut": 120, "dsp": 0, "cycles": 14112},
                          "FINN: 345 LUT + 304 LUTRAM, 209 FF, 14222 cycles"),
}


@dataclass(frozen=True)
class Network:
    """A whole accelerator to measure: a file in ../shared/models and its folding, the default one if it is None.

    shell: with all that a board gets of headrace around it; it is not simulated, and its cycles are those of the model.
    """

    file: str
    folding: Folding | None
    limits: dict[str, int]
    peer: str
    shell: bool = False


#: PE and SIMD of the nine layers of CNV in FINN's large folding.
_FINN_LAYERS = ("conv0", "conv1", "conv3", "conv4", "conv6", "conv7", "fc8", "fc9", "fc10")
_FINN_FOLDS = ((16, 3), (32, 32), (16, 32), (16, 32), (4, 32), (1, 32), (1, 4), (1, 8), (5, 1))
NETWORKS = {
    "cnv_w1a1_finn": Network(
        "cnv_w1a1_cifar10_quant.onnx",
        {name: {"pe": pe, "simd": simd} for name, (pe, simd) in zip(_FINN_LAYERS, _FINN_FOLDS, strict=True)},
        {"lut": 8283, "bram18": 90, "cycles": 32768, "depth": 8},
        "FINN (estimate, matrix-vector units only): 18645 LUT, 146 BRAM18, 32768 cycles"),
    "resnet8_w4a4_board": Network("resnet8_w4a4.onnx", None, {"all_luts": 10600, "depth": 5}, "none published",
                                  shell=True),
    "cnv_w1a1_board": Network("cnv_w1a1_cifar10_quant.onnx", None, {"all_luts": 5900, "depth": 5}, "none published",
                              shell=True),
}
#: Frames through a network's RTL, of which the last two are timed.
FRAMES, SEED = 4, 1


def measure(names: list[str]) -> dict[str, dict[str, Any]]:
    """Figures of the blocks and networks of these names; those whose model is not there are left out."""
    found = measure_blocks([name for name in names if name in BLOCKS])
    for name in names:
        if name not in NETWORKS:
            continue
        if not (MODELS / NETWORKS[name].file).exists():
            print(f"{name}: skipped, {NETWORKS[name].file} is not in {MODELS}", file=sys.stderr)
            continue
        found[name] = measure_network(NETWORKS[name])
    return found


def measure_network(network: Network) -> dict[str, Any]:
    """Fold a network, simulate its RTL if it stands without its shell, synthesize it."""
    model = load(MODELS / network.file)
    request = resolve(Options(folding=network.folding))
    design = plan_design(model, request).design
    with tempfile.TemporaryDirectory() as work:
        write_files(Path(work) / "rtl", render_rtl(design.dataflow, "benchmark"))
        cycles, exact = ((design.sizing.cycles_per_frame, None) if network.shell else
                         _simulated(model, design, Path(work)))
        synthesis = synthesize(_synthesizable(network, design, request, Path(work) / "rtl"), CACHE)
    result = {"resources": synthesis.record(), "cycles_measured": cycles, "bit_exact": exact, "error": None}
    return _figures(network, result)


def _synthesizable(network: Network, design: Design, request: Request, rtl: Path) -> yosys.Design:
    """The accelerator, in its shell where that is wanted."""
    if not network.shell:
        return network_design(rtl)
    files = render_vivado(design.dataflow, request.board, "rtl", request.options.clock_mhz, "")
    return shell_design(rtl, files[f"shell/{SHELL}.v"])


def _simulated(model: Model, design: Design, work: Path) -> tuple[int, bool]:
    """Cycles per frame of random frames through the RTL, and whether every output is right."""
    dataflow = design.dataflow
    (work / "model").mkdir()
    simulation = rtl.compile_network(work / "rtl", dataflow, work / "model")
    x = random_frames(dataflow, FRAMES, SEED)
    stream = dataflow.streams[dataflow.output_port]
    golden = pack_stream(model.engines["fast"](x), stream.lanes, stream.element)
    words = pack_stream(x, dataflow.input.lanes, dataflow.input.element)
    out = simulation.run({"s_axis": words}, tap_frames=1)[rtl.SINK]
    return out.cycles_per_frame(stream.words), np.array_equal(out.words, golden)


def measure_blocks(names: list[str]) -> dict[str, dict[str, Any]]:
    """Figures of the blocks of these names; the stalls are random."""
    specs = [BLOCKS[name].spec for name in names]
    results = run_specs(specs, ["rtl"], None, 0)
    synthesize_specs(results, False, report.Request(cache=CACHE))
    return {name: _figures(BLOCKS[name], result) for name, result in zip(names, results, strict=True)}


def _figures(block: Block | Network, result: dict[str, Any]) -> dict[str, Any]:
    figures = {**(result["resources"] or {}), "cycles": result["cycles_measured"], "bit_exact": result["bit_exact"],
               "error": result["error"]}
    if result["resources"]:
        figures["all_luts"] = figures["lut"] + figures["lutram"]
    within = all(figures.get(key) is not None and figures[key] <= most for key, most in block.limits.items())
    within = within and result["bit_exact"] is not False
    return {**figures, "limits": block.limits, "within_limits": within, "peer": block.peer}


def _table(found: dict[str, dict[str, Any]]) -> Table:
    keys = ("lut", "lutram", "ff", "bram18", "dsp", "depth", "cycles")
    table = Table("block", *keys, "at most", "peer", title=__doc__.strip().splitlines()[0])
    for name, figures in found.items():
        limits = ", ".join(f"{most} {key}" for key, most in figures["limits"].items())
        style = "" if figures["within_limits"] else "red"
        table.add_row(name, *(str(figures.get(key)) for key in keys), limits, figures["peer"], style=style)
    return table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print machine-readable results on stdout")
    parser.add_argument("--block", action="append", choices=[*BLOCKS, *NETWORKS],
                        help="only this one (may be repeated)")
    options = parser.parse_args(arguments if arguments is not None else [])
    found = measure(options.block or [*BLOCKS, *NETWORKS])
    save(OUT, found)
    if options.json:
        print(OUT.read_text(), end="")
    else:
        Console().print(_table(found))
    return 0 if all(figures["bit_exact"] is not False for figures in found.values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
