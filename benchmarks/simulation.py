"""How fast the back ends compile and simulate: a binary 784-256-256-256-10 network at 21 k XNOR per cycle.

The peers' figures are in the table's title: hls4ml 1.3.0 on a 784-64-64-64-10 network, convert and compile 9.5 CPU
seconds, 800 inferences per CPU second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.figures import print_values, save
from benchmarks.throughput import binary_mlp
from headrace.atomic_files import write_files
from headrace.dataflow.graph import Dataflow
from headrace.datatypes import BIPOLAR
from headrace.design import Recipe, elaborate
from headrace.layers.random_values import random_values
from headrace.packing import pack_stream
from headrace.render.hls import render_hls
from headrace.render.rtl import render_rtl
from headrace.simulation import csim, rtl

SIZES = (784, 256, 256, 256, 10)
FOLDING = {"fc0": {"pe": 64, "simd": 112}, "fc1": {"pe": 64, "simd": 64}, "fc2": {"pe": 64, "simd": 64},
           "fc3": {"pe": 10, "simd": 16}}
HLS_FRAMES, RTL_FRAMES = 2000, 2000
OUT = Path("build/bench-simulation.json")


def measure(dataflow: Dataflow, work: Path) -> dict[str, float]:
    """Seconds of compilation and rates of simulation; every output is compared with golden."""
    x = random_values(np.random.default_rng(1), BIPOLAR, (RTL_FRAMES, SIZES[0]))
    expected = dataflow.golden(x)[dataflow.output_port]
    stream = dataflow.streams[dataflow.output_port]
    golden = pack_stream(expected, stream.lanes, stream.element)
    words = pack_stream(x, dataflow.input.lanes, dataflow.input.element)
    write_files(work / "hls", render_hls(dataflow, 5.0, "xczu7ev-ffvc1156-2-e", "benchmark"))
    write_files(work / "rtl", render_rtl(dataflow, "benchmark"))
    seconds: dict[str, float] = {}

    started = time.perf_counter()
    hls = csim.compile_network(work / "hls", dataflow, work)
    seconds["hls_compile_s"] = time.perf_counter() - started
    started = time.perf_counter()
    equal = np.array_equal(hls.run(words, HLS_FRAMES).words[dataflow.output_port], golden)
    seconds["hls_frames_per_s"] = HLS_FRAMES / (time.perf_counter() - started)

    model_folder = work / "model"
    model_folder.mkdir()
    started = time.perf_counter()
    model = rtl.compile_network(work / "rtl", dataflow, model_folder)
    seconds["rtl_compile_s"] = time.perf_counter() - started
    started = time.perf_counter()
    out = model.run({"s_axis": words}, tap_frames=1)[rtl.SINK]
    seconds["rtl_cycles_per_s"] = float(out.cycles[-1]) / (time.perf_counter() - started)
    seconds["rtl_cycles_per_frame"] = out.cycles_per_frame(stream.words)
    if not equal or not np.array_equal(out.words, golden):
        raise SystemExit("benchmarks.simulation: the outputs differ from the golden model")
    return seconds


def main() -> int:
    dataflow = elaborate(binary_mlp(SIZES), Recipe(FOLDING)).dataflow
    with tempfile.TemporaryDirectory() as work:
        results = measure(dataflow, Path(work))
    print_values(__doc__.strip().splitlines()[0], results, 1)
    save(OUT, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
