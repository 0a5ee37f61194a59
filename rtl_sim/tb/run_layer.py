#!/usr/bin/env python3
"""Run the benches tb_KIND.py of streaming layers: compile their modules side by side; stall and reset each alone."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from run import fail, prepare_tools, tail

TB = Path(__file__).resolve().parent
# The first is explained in harness.vlt.
BUILD_ARGS = ("--no-public-flat-rw", "-Wno-fatal")


def run_layers(kinds: Sequence[str], folder: Path) -> bool:
    """Compile and run in `folder`; whether all tests of all layers passed."""
    from cocotb_tools.runner import get_runner

    from headrace.render.library import library_paths

    write_harness(kinds, folder)
    log = folder / "bench.log"
    runner = get_runner("verilator")
    try:
        sources = [TB / "harness.vlt", *library_paths(), folder / "harness.sv"]
        runner.build(sources=sources, hdl_toplevel="harness", build_dir=folder, build_args=BUILD_ARGS,
                     timescale=("1ns", "1ps"), log_file=log)
        results = runner.test(test_module=[f"tb_{kind}" for kind in kinds], hdl_toplevel="harness",
                              hdl_toplevel_lang="verilog", build_dir=folder, test_dir=folder, seed=0, log_file=log)
    except (RuntimeError, SystemExit):
        fail(f"the benches did not run; the end of {log}:\n{tail(log)}")
    good = report(kinds, results)
    if not good:
        print(log.read_text())
    return good


def write_harness(kinds: Sequence[str], folder: Path) -> None:
    """harness.sv with one instance of each layer, its memories, and ports.json, which says what belongs to which."""
    from headrace.simulation.harness import Side
    from headrace.simulation.rtl import render_layers

    endpoints = render_layers([importlib.import_module(f"tb_{kind}").LAYER for kind in kinds], folder)
    ports = {kind: {"reset": f"rst_n_{group}", "inputs": [], "outputs": []} for group, kind in enumerate(kinds)}
    for index, endpoint in enumerate(endpoints):
        side = "inputs" if endpoint.side is Side.SOURCE else "outputs"
        ports[kinds[endpoint.group]][side].append(f"x{index}")
    (folder / "ports.json").write_text(json.dumps(ports, indent=2))


def report(kinds: Sequence[str], results: Path, prefix: str = "tb_", suffix: str = "") -> bool:
    """Print for every bench how many of its tests passed; whether all did, and each bench had some."""
    suites = {suite.attrib["name"]: suite.attrib for suite in ET.parse(results).iter("testsuite")}
    good = True
    for kind in kinds:
        suite = suites.get(f"{prefix}{kind}{suffix}", {})
        tests, *bad = (int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped"))
        print(f"{kind}: {tests - sum(bad)} of {tests} tests passed")
        good = good and tests > 0 and not any(bad)
    return good


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="+", metavar="KIND", help="mvtu, swu, ...: the stem of a tb_*.py")
    kinds = parser.parse_args().kinds
    prepare_tools()
    # The layers compile for longer than they run.
    os.environ["MAKEFLAGS"] += " OPT_FAST=-O0 OPT_SLOW=-O0 OPT_GLOBAL=-O0"
    sys.path[:0] = [str(TB), str(TB.parent.parent)]
    with tempfile.TemporaryDirectory() as folder:
        return 0 if run_layers(kinds, Path(folder)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
