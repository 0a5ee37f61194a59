#!/usr/bin/env python3
"""Run the bench of streaming layers: their example layers side by side in one model; stall and reset each alone."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from run import bench, broken_rules, compile_model, fail, prepare_tools, tail

TB = Path(__file__).resolve().parent
# The layers compile for longer than they run.
QUICKLY = ("OPT_FAST=-O0", "OPT_SLOW=-O0", "OPT_GLOBAL=-O0")


def run_layers(kinds: Sequence[str], folder: Path) -> bool:
    """Compile and run in `folder`; whether all tests of all layers passed."""
    from headrace.render.library import library_paths

    write_harness(kinds, folder)
    own = [TB / "harness.vlt", TB / "headrace_stream_checker.sv", folder / "harness.sv", folder / "checks.sv"]
    compile_model("harness", [*library_paths(), *own], folder, variables=QUICKLY)
    return passed("layer_bench", "harness", folder, kinds)


def write_harness(kinds: Sequence[str], folder: Path) -> None:
    """harness.sv with one instance of each layer, its memories, and ports.json, which says what belongs to which."""
    from headrace.layers.spec import example_layer
    from headrace.simulation.harness import Side
    from headrace.simulation.rtl import render_layers

    endpoints = render_layers([example_layer(kind) for kind in kinds], folder)
    ports = {kind: {"reset": f"rst_n_{group}", "inputs": [], "outputs": []} for group, kind in enumerate(kinds)}
    for index, endpoint in enumerate(endpoints):
        side = "inputs" if endpoint.side is Side.SOURCE else "outputs"
        ports[kinds[endpoint.group]][side].append(f"x{index}")
    (folder / "ports.json").write_text(json.dumps(ports, indent=2))


def passed(module: str, top: str, folder: Path, groups: Sequence[str]) -> bool:
    """Run a bench module and print how many tests of each group passed; whether all did, and no stream broke a rule.

    Tests of several groups tell theirs by the parameter `kind`. Where one failed, the log is printed too.
    """
    log, results = folder / "bench.log", folder / "results.xml"
    bench(module, top, folder, folder, seed=0)
    if not results.exists():
        fail(f"the bench did not run; the end of {log}:\n{tail(log)}")
    cases = list(ET.parse(results).iter("testcase"))
    good = True
    for group in groups:
        own = [case for case in cases if len(groups) == 1 or f"kind={group}" in case.attrib["name"].split("/")]
        bad = sum(case.find(tag) is not None for case in own for tag in ("failure", "error", "skipped"))
        print(f"{group}: {len(own) - bad} of {len(own)} tests passed")
        good = good and bool(own) and not bad
    rules = broken_rules(log)
    for rule in rules:
        print(rule)
    if not good:
        print(log.read_text())
    return good and not rules


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="+", metavar="KIND", help="mvtu, swu, ...")
    kinds = parser.parse_args().kinds
    prepare_tools()
    sys.path[:0] = [str(TB), str(TB.parent.parent)]
    with tempfile.TemporaryDirectory() as folder:
        return 0 if run_layers(kinds, Path(folder)) else 1


if __name__ == "__main__":
    raise SystemExit(main())
