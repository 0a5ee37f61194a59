"""A build directory of a small network, rendered but not verified: enough for what comes after a build."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from generator.build import Build, elaborate, fifo_records, headrace_version
from generator.compile import random_frames
from generator.dataflow.folding import solve_folding
from generator.model import Model
from generator.network import serialize
from generator.network.integer import IntegerNetwork
from generator.render.hls import render_hls, write_hls_vectors
from generator.render.rtl import render_rtl
from generator.render.sim import render_sim, write_vectors
from generator.staging import write_files

SHA256 = "0123456789abcdef" * 4


def write_unverified(folder: Path, net: IntegerNetwork, backends: tuple[str, ...] = ("rtl", "hls"),
                     cycles: int = 800, clock_mhz: float = 200.0) -> Build:
    """Write and open a build directory of a network."""
    folder.mkdir(parents=True, exist_ok=True)
    folding = solve_folding(Model(net, SHA256).unfolded, cycles)
    design = elaborate(net, folding, {})
    dataflow = design.dataflow
    x = random_frames(dataflow, 4, 1)
    serialize.save(net, folder / "model")
    if "rtl" in backends:
        write_files(folder / "rtl", render_rtl(dataflow, "test"))
        write_files(folder / "sim", render_sim(dataflow, "test"))
        write_vectors(folder / "sim", dataflow, x)
    if "hls" in backends:
        write_files(folder / "hls", render_hls(dataflow, 1e3 / clock_mhz, "xc7z020clg400-1", "test", len(x)))
        write_hls_vectors(folder / "hls", dataflow, np.asarray(x))
    record = {"headrace": headrace_version(), "source_sha256": SHA256, "clock_mhz": clock_mhz, "vectors": len(x),
              "folding": folding, "cores": {}, "board": "zcu104", "fifos": fifo_records(design),
              "cycles_per_frame": design.sizing.cycles_per_frame}
    (folder / "build.json").write_text(json.dumps(record))
    return Build.open(folder)
