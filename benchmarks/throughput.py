"""Cycles per frame at several foldings: what the arithmetic promises, what the model predicts, what the RTL takes.

SFC, LFC and CNV reach the frame rates that Umuroglu et al. (FPGA 2017) publish for their largest designs at 200 MHz:
12.3 M, 1.56 M and 21.9 k frames per second, in 16, 128 and 9132 cycles. Every output of the RTL is compared with the
exact integer model. `python -m benchmarks.throughput ROW ...` measures some rows only, `--json` prints them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.figures import MODELS, save
from headrace.atomic_files import write_files
from headrace.building import random_frames
from headrace.datatypes import BIPOLAR
from headrace.design import Design, Recipe, elaborate, estimated
from headrace.folding.plan import solve_folding
from headrace.layers import Fifo
from headrace.layers.random_values import random_values
from headrace.layers.weighted import WeightedLayer
from headrace.model import Model, load
from headrace.network.integer import Conv, HostInput, HostOutput, IntegerNetwork, Node, TensorType, Threshold
from headrace.packing import pack_stream
from headrace.render.rtl import render_rtl
from headrace.simulation import rtl

#: Networks with trained weights and the binary ones that get random weights: sizes of their layers.
FILES = {"tfc": "tfc_w1a1.onnx", "cnv": "cnv_w1a1_cifar10_quant.onnx", "resnet8": "resnet8_w4a4.onnx"}
SIZES = {"sfc": (784, 256, 256, 256, 10), "lfc": (784, 1024, 1024, 1024, 10)}
#: Cycles per frame that the foldings are chosen for; `python -m benchmarks.throughput sfc-16` is one row.
TARGETS = {
    "tfc": (12544, 784, 64),
    "sfc": (12544, 512, 16),
    "lfc": (65536, 2048, 128),
    "cnv": (65536, 32768, 9132, 2100),
    "resnet8": (147456, 73728, 18432),
}
#: What is watched once the first frame has left: as many frames, and cycles enough to tell the simulation's rate.
WATCHED_FRAMES, WATCHED_CYCLES = 4, 20_000
SEED = 1
#: What every row has to keep: cycles of latency beside the prediction, and ratios to the next slower bound.
MAX_LATENCY_ERROR, MAX_OVER_SCHEDULE, MAX_OVER_ARITHMETIC = 5, 1.01, 1.02
OUT = Path("build/bench-throughput.json")
#: Characters of the table where it is not printed on a terminal.
WIDTH = 190


@dataclass(frozen=True)
class Figures:
    """One row. Cycles are per frame in steady state; arithmetic is that of the slowest matrix-vector unit."""

    asked: int
    measured: int
    predicted: int
    schedule: int
    arithmetic: int
    latency_measured: int
    latency_predicted: int
    fifo_bits: int
    sizing_s: float
    compile_s: float
    simulated_cycles_per_s: float
    lut: int
    bram18: int

    @property
    def complaints(self) -> list[str]:
        """What the row does not keep."""
        latency_error = abs(self.latency_measured - self.latency_predicted)
        kept = {
            f"{self.measured} cycles are measured and {self.asked} asked for": self.measured <= self.asked,
            f"{self.measured} cycles are measured and {self.predicted} predicted": self.measured == self.predicted,
            f"the latency is {latency_error} cycles beside the prediction": latency_error <= MAX_LATENCY_ERROR,
            "the layers together are slower than the slowest": self.measured <= MAX_OVER_SCHEDULE * self.schedule,
            "a data mover is the slowest layer": self.schedule <= MAX_OVER_ARITHMETIC * self.arithmetic,
        }
        return [complaint for complaint, is_kept in kept.items() if not is_kept]


def binary_mlp(sizes: Sequence[int]) -> IntegerNetwork:
    """Binary dense layers of these sizes with random weights and thresholds."""
    rng = np.random.default_rng(0)
    nodes: list[Node] = []
    source = "input"
    for index, (columns, rows) in enumerate(pairwise(sizes)):
        name = f"fc{index}"
        nodes.append(Node(name, Conv(random_values(rng, BIPOLAR, (rows, 1, 1, columns)), BIPOLAR), (source,)))
        source = name
        if index < len(sizes) - 2:
            nodes.append(Node(f"{name}_act", Threshold(rng.integers(-9, 9, (rows, 1)), BIPOLAR), (name,)))
            source = f"{name}_act"
    tensor = TensorType((1, 1, sizes[0]), BIPOLAR)
    ones, zeros = np.ones(sizes[-1]), np.zeros(sizes[-1])
    return IntegerNetwork(HostInput((sizes[0],), tensor, np.ones(1), np.zeros(1)), tuple(nodes),
                          HostOutput((sizes[-1],), ones, zeros))


def model(name: str) -> Model:
    """A network of the table."""
    return load(MODELS / FILES[name]) if name in FILES else load(binary_mlp(SIZES[name]))


def measure(network: Model, target: int) -> Figures:
    """Fold the network for `target` cycles per frame, size its FIFOs, simulate it. Raises SystemExit if it is wrong."""
    folding = solve_folding(network.unfolded, target)
    started = time.perf_counter()
    design = elaborate(network.integer, Recipe(folding))
    sizing_s = time.perf_counter() - started
    dataflow, sizing = design.dataflow, design.sizing
    watched = max(WATCHED_FRAMES, WATCHED_CYCLES // sizing.cycles_per_frame)
    frames = sizing.latency_cycles // sizing.cycles_per_frame + 1 + watched
    with tempfile.TemporaryDirectory() as work:
        started = time.perf_counter()
        simulation = _compiled(design, Path(work))
        compile_s = time.perf_counter() - started
        measured, latency, rate = _run(network, design, simulation, frames)
    resources = estimated(dataflow)
    return Figures(
        target, measured, sizing.cycles_per_frame, dataflow.cycles_per_frame,
        max(layer.vectors * layer.sf * layer.nf for layer in dataflow.layers if isinstance(layer, WeightedLayer)),
        latency, sizing.latency_cycles,
        sum(layer.depth * layer.inputs[0].bits for layer in dataflow.layers if isinstance(layer, Fifo)),
        sizing_s, compile_s, rate, resources.all_luts, resources.bram18)


def _compiled(design: Design, work: Path) -> rtl.RtlModel:
    write_files(work / "rtl", render_rtl(design.dataflow, "benchmark"))
    (work / "model").mkdir()
    return rtl.compile_network(work / "rtl", design.dataflow, work / "model")


def _run(network: Model, design: Design, simulation: rtl.RtlModel, frames: int) -> tuple[int, int, float]:
    """Cycles per frame, latency, and simulated cycles per second of random frames through the RTL."""
    dataflow = design.dataflow
    x = random_frames(dataflow, frames, SEED)
    stream = dataflow.streams[dataflow.output_port]
    golden = pack_stream(network.engines["fast"](x), stream.lanes, stream.element)
    words = pack_stream(x, dataflow.input.lanes, dataflow.input.element)
    started = time.perf_counter()
    traces = simulation.run({"s_axis": words}, tap_frames=1)
    seconds = time.perf_counter() - started
    out = traces[rtl.SINK]
    if not np.array_equal(out.words, golden):
        raise SystemExit("benchmarks.throughput: the RTL's outputs differ from those of the integer model")
    latency = int(out.cycles[stream.words - 1] - traces["s_axis"].cycles[0])
    return out.cycles_per_frame(stream.words), latency, float(out.cycles[-1]) / seconds


def _table(found: dict[str, Figures]) -> Table:
    columns = ("row", "cycles measured", "predicted", "schedule", "arithmetic", "latency measured", "predicted",
               "FIFO bits", "sizing s", "compile s", "cycles/s", "LUT", "BRAM18", "fps at 200 MHz")
    table = Table(*columns, title=__doc__.strip().splitlines()[0])
    for name, f in found.items():
        table.add_row(name, *(f"{number:,}" for number in (f.measured, f.predicted, f.schedule, f.arithmetic,
                                                           f.latency_measured, f.latency_predicted, f.fifo_bits)),
                      f"{f.sizing_s:.1f}", f"{f.compile_s:.0f}", f"{f.simulated_cycles_per_s:,.0f}", f"{f.lut:,}",
                      f"{f.bram18:,}", f"{200e6 / f.measured:,.0f}", style="red" if f.complaints else "")
    return table


def _rows() -> dict[str, tuple[str, int]]:
    """Network and target by the name of the row."""
    return {f"{name}-{target}": (name, target) for name, targets in TARGETS.items() for target in targets}


def main(arguments: list[str] | None = None) -> int:
    rows = _rows()
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print machine-readable results on stdout")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"of {', '.join(rows)}; all if none is given")
    options = parser.parse_args(arguments if arguments is not None else [])
    if unknown := [name for name in options.rows if name not in rows]:
        parser.error(f"there is no row {unknown[0]}; choose from {', '.join(rows)}")
    found: dict[str, Figures] = {}
    for row in options.rows or rows:
        name, target = rows[row]
        if name in FILES and not (MODELS / FILES[name]).exists():
            print(f"{row}: skipped, {FILES[name]} is not in {MODELS}", file=sys.stderr)
            continue
        found[row] = measure(model(name), target)
        for complaint in found[row].complaints:
            print(f"{row}: {complaint}", file=sys.stderr)
    save(OUT, {row: asdict(figures) for row, figures in found.items()})
    if options.json:
        print(OUT.read_text(), end="")
    else:
        Console(width=None if sys.stdout.isatty() else WIDTH).print(_table(found))
    return 1 if any(figures.complaints for figures in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
