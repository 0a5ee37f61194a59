"""How the cost of large networks grows: CPU seconds of every stage, peak memory, growth from half the layers to all.

`python -m benchmarks.scale [--build] [ROW...]`; a row is MODEL:BOARD[:FPS], MODEL the path of a file, a network of
benchmarks.large_networks or chainN for N convolutions. Without FPS the fastest folding that fits the board. It is
planned, or with --build taken from the file to RTL that a frame has verified. Each row runs in a process of its own,
so that its memory is its own; seconds are of that process and of what it starts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from math import log2
from pathlib import Path
from resource import RUSAGE_CHILDREN, RUSAGE_SELF, getrusage
from typing import Any

from benchmarks.large_networks import NETWORKS, Network, write_network
from headrace.building import build
from headrace.model import load
from headrace.planning import plan_design
from headrace.progress import Step
from headrace.request import Options, resolve

#: Chains that double twice; the last one against the one before gives the exponents.
CHAINS = ("chain38:zcu104", "chain75:zcu104", "chain150:zcu104")
PLANNED = ("cnv_w2a2:zcu104", "mobilenet_v1_w4a4:zcu104:444", "mobilenet_v1_w4a4:u250:3980", "resnet18_w4a4:u250:400",
           "unet128_w4a4:zcu104", "resnet50_w1a2:u250:200", *CHAINS)
BUILT = ("cnv_w2a2:zcu104", "vgg10_w4a4:zcu104", "ds_cnn_w4a4:zcu104", "unet128_w4a4:zcu104",
         "mobilenet_v1_w4a4:zcu104", "resnet18_w4a4:u250:400", "tiny_yolo416_w4a4:zcu104",
         "resnet50_w1a2:u250:200")


class Stages:
    """CPU seconds by what was going on; an instance is told every step."""

    def __init__(self, first: str) -> None:
        self.seconds: dict[str, float] = {}
        self.what, self.since = first, _cpu()

    def __call__(self, text: str) -> None:
        what = text.what if isinstance(text, Step) else text
        if what != self.what:
            now = _cpu()
            self.seconds[self.what] = round(self.seconds.get(self.what, 0) + now - self.since, 1)
            self.what, self.since = what, now


def _cpu() -> float:
    used = [getrusage(who) for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def _file(model: str, folder: Path) -> Path:
    if model in NETWORKS:
        return write_network(model, folder)
    if not model.startswith("chain"):
        return Path(model)
    network = Network((8, 16, 16), (4, 4))
    x = network.input
    for _ in range(int(model.removeprefix("chain"))):
        x = network.block(x, 8)
    network.save(x, folder / f"{model}.onnx")
    return folder / f"{model}.onnx"


def measured(row: str, built: bool) -> dict[str, Any]:
    """What one row takes in this process."""
    model, board, *fps = row.split(":")
    options = Options(board=board, fps=float(fps[0]) if fps else None, verify=1)
    with tempfile.TemporaryDirectory() as folder:
        path, started = _file(model, Path(folder)), time.monotonic()
        stages = Stages("load")
        loaded = load(path)
        stages("plan")
        if built:
            cycles = build(loaded, Path(folder) / "out", options, stages).report()["cycles_per_frame"]
        else:
            cycles = plan_design(loaded, resolve(options), stages).design.cycles_per_frame
        stages("end")
        peaks = [getrusage(who).ru_maxrss // 1024 for who in (RUSAGE_SELF, RUSAGE_CHILDREN)]
        return {"row": row, "stages": stages.seconds, "cpu_s": round(sum(stages.seconds.values()), 1),
                "wall_s": round(time.monotonic() - started, 1), "cycles": cycles, "peak_mb": max(peaks)}


def _growth(half: dict[str, Any], whole: dict[str, Any]) -> dict[str, float]:
    """By stage the exponent of the number of layers."""
    return {stage: round(log2(max(seconds, 0.1) / max(half["stages"].get(stage, 0), 0.1)), 2)
            for stage, seconds in whole["stages"].items()}


def main(rows: list[str], built: bool) -> int:
    """Print the table, and the exponents where chains were measured."""
    table = []
    for row in rows or (BUILT if built else PLANNED):
        command = [sys.executable, "-m", "benchmarks.scale", "--one", row, *["--build"] * built]
        run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        table.append(json.loads(run.stdout))
        print("  ".join(f"{key} {value}" for key, value in table[-1].items()), flush=True)
    for half, whole in pairwise(table):
        if half["row"].startswith("chain") and whole["row"].startswith("chain"):
            print(f"growth from {half['row']} to {whole['row']}:", _growth(half, whole))
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help="MODEL:BOARD[:FPS]")
    parser.add_argument("--build", action="store_true", help="from the file to verified RTL")
    parser.add_argument("--one", metavar="ROW", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one, given.build)))
    else:
        sys.exit(main(given.rows, given.build))
