#!/usr/bin/env python3
"""Run the bench tb_KIND.py of a streaming layer: compile its module alone, stall it, reset it."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import tempfile
from pathlib import Path

from run import fail, prepare_tools, tail

TB = Path(__file__).resolve().parent
RTL = TB.parent / "rtl"


def run_layer(kind: str, folder: Path) -> int:
    """Compile and run in `folder`; number of tests that failed."""
    from cocotb_tools.runner import get_results, get_runner

    from generator.layers.base import Layer
    from generator.render.rtl import memory_file

    layer: Layer = importlib.import_module(f"tb_{kind}").LAYER
    parameters: dict[str, object] = dict(layer.parameters())
    for memory in layer.memories():
        name = memory_file(layer, memory.name)
        (folder / name).write_text(memory.mem_text())
        parameters[f"{memory.name}_FILE"] = f'"{name}"'
    log = folder / "bench.log"
    runner = get_runner("verilator")
    try:
        runner.build(sources=[RTL / f"{kind}.sv"], hdl_toplevel=kind, parameters=parameters, build_dir=folder,
                     build_args=["-Wno-fatal", "-y", str(RTL)], timescale=("1ns", "1ps"), log_file=log)
        results = runner.test(test_module=f"tb_{kind}", hdl_toplevel=kind, hdl_toplevel_lang="verilog",
                              build_dir=folder, test_dir=folder, seed=0, log_file=log)
    except (RuntimeError, SystemExit):
        fail(f"{kind}: the bench did not run; the end of {log}:\n{tail(log)}")
    tests, failed = get_results(results)
    if failed or not tests:
        print(log.read_text())
    print(f"{kind}: {tests - failed} of {tests} tests passed")
    return failed if tests else 1


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", help="mvtu, swu, ...: the stem of a tb_*.py")
    kind = parser.parse_args().kind
    prepare_tools()
    # A single layer compiles for longer than it runs.
    os.environ["MAKEFLAGS"] += " OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
    sys.path[:0] = [str(TB), str(TB.parent.parent)]
    with tempfile.TemporaryDirectory() as folder:
        return min(1, run_layer(kind, Path(folder)))


if __name__ == "__main__":
    raise SystemExit(main())
