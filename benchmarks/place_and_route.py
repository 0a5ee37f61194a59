"""Layers placed and routed between registers on an ECP5: the clock that each kind reaches, its slowest path, ranked.

Every layer stands alone in a small design whose streams are registered. `--json` prints the rows on stdout.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.drawn_layers import Spec
from benchmarks.figures import save
from benchmarks.sweep import layer_of, specs
from headrace.board.board import load_board
from headrace.board.family import ECP5
from headrace.ecp5.place_and_route import route, synthesize
from headrace.ecp5.reports import Report
from headrace.ecp5.top import Top
from headrace.layers.base import Layer
from headrace.synthesis.designs import layer_design, library

OUT = Path("build/bench-place-and-route.json")
#: A board of the speed grade that the figures are for, and the clock that nextpnr is asked for.
BOARD, ASKED_MHZ = "orangecrab-85f", 200.0
#: What placement draws moves a clock by a tenth.
SEEDS = 2
_TOP = "between_registers"
#: In place of the first of its core in the sweep, which has 255 thresholds a row: 24,617 LUT4, mostly tables of bounds.
HALVES: Spec = {"kind": "mvtu", "mh": 8, "mw": 36, "pe": 2, "simd": 9, "weight": "int8", "input": "uint4",
                "output": "uint4", "core": "halves"}


def kinds() -> dict[str, Layer]:
    """The first layer of every kind in the sweep but for one; matrix units by their core."""
    found: dict[str, Layer] = {}
    for spec in (HALVES, *specs()):
        layer = layer_of(spec).priced(ECP5.prices)
        found.setdefault(f"mvtu {core}" if (core := getattr(layer, "chosen_core", "")) and layer.kind == "mvtu"
                         else layer.kind, layer)
    return found


def routed(name: str, layer: Layer, seeds: int) -> Report:
    """What a layer reaches between registers."""
    board = load_board(BOARD)
    design = layer_design(replace(layer, name=name.replace(" ", "_")), library(prices=ECP5.prices))
    files = dict(design.files)
    top = Top(_TOP, _TOP, ASKED_MHZ, {f"{_TOP}.sv": _registers(layer)})
    with tempfile.TemporaryDirectory() as work:
        synthesize(Path(work), top, files)
        return route(Path(work), board, top, {}, seeds, lambda _: None).report


def _registers(layer: Layer) -> str:
    """A module that shifts bits into the inputs of the wrapper `harness`, and a signature of its outputs out."""
    weights = [layer.weight_stream] if layer.weight_stream else []
    order = [*((stream, True) for stream in layer.inputs), *((stream, False) for stream in layer.outputs),
             *((stream, True) for stream in weights)]
    declared, ports, heard, size = [], [], [], 1
    for k, (stream, comes) in enumerate(order):
        bits = 8 * stream.bytes
        if comes:
            ports.append(f".x{k}_TDATA(in_q[{size}+:{bits}]), .x{k}_TVALID(in_q[{size + bits}]), "
                         f".x{k}_TREADY(ready{k})")
            declared.append(f"logic ready{k};")
            heard.append(f"ready{k}")
            size += bits + 1
        else:
            ports.append(f".x{k}_TDATA(data{k}), .x{k}_TVALID(valid{k}), .x{k}_TREADY(in_q[{size}])")
            declared.append(f"logic [{bits - 1}:0] data{k}; logic valid{k};")
            heard += [f"data{k}", f"valid{k}"]
            size += 1
    load = ".load(in_q[0+:42]), " if layer.writable else ""
    size = max(size, 43)
    return "\n".join([
        f"module {_TOP} (input logic clk, rst_n, bit_in, output logic bit_out);",
        f"  logic [{size - 1}:0] in_q; logic rst_q; {' '.join(declared)}",
        f"  logic [$bits({{{', '.join(heard)}}})-1:0] out_q;",
        "  always_ff @(posedge clk) begin",
        "    rst_q <= rst_n;",
        f"    in_q <= {{in_q[{size - 2}:0], bit_in}};",
        f"    out_q <= {{{', '.join(heard)}}} ^ (out_q << 1);",
        "    bit_out <= out_q[$bits(out_q)-1];",
        "  end",
        f"  harness u_harness (.clk(clk), .rst_n_0(rst_q), {load}{', '.join(ports)});",
        "endmodule", ""])


def measure(names: Sequence[str], seeds: int) -> list[dict[str, Any]]:
    """A row for each of these kinds, the slowest first."""
    layers = kinds()
    rows = []
    for name in names or layers:
        report = routed(name, layers[name], seeds)
        path = report.path.record() if report.path else {}
        rows.append({"kind": name, "fmax_mhz": report.fmax_mhz, **report.used, **path})
        print(f"{name}: {report.fmax_mhz:g} MHz", file=sys.stderr)
    return sorted(rows, key=lambda row: row["fmax_mhz"])


def _table(rows: Sequence[dict[str, Any]]) -> Table:
    keys = ("fmax_mhz", "ns", "logic_ns", "lut", "ff", "bram18", "dsp", "from", "to")
    table = Table("kind", *keys, title=f"{BOARD}, {ASKED_MHZ:g} MHz asked for")
    for row in rows:
        table.add_row(row["kind"], *(str(row.get(key, "")) for key in keys))
    return table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print machine-readable results on stdout")
    parser.add_argument("--kind", action="append", default=[], choices=list(kinds()),
                        help="only this (may be repeated)")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="the best of so many counts (default %(default)s)")
    options = parser.parse_args(arguments if arguments is not None else [])
    rows = measure(options.kind, options.seeds)
    save(OUT, {"board": BOARD, "rows": rows})
    if options.json:
        print(OUT.read_text(), end="")
    else:
        Console().print(_table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
