"""What was placed and routed computes the golden integers: its netlist under Verilator, with the verified vectors."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from headrace.atomic_files import write_json
from headrace.build_folder import RECORD, Build
from headrace.dataflow.external import external_layers, replayed_weights
from headrace.dataflow.graph import SOURCE
from headrace.ecp5.flow import CORE_FOLDER
from headrace.ecp5.netlist import routed_verilog
from headrace.ecp5.place_and_route import ROUTED
from headrace.ecp5.top import CORE_TOP
from headrace.errors import InputError, MismatchError
from headrace.packing import Bytes
from headrace.paths import data_folder
from headrace.render.rtl import stream_names
from headrace.simulation.compare import passed_difference
from headrace.simulation.frames import Stalls
from headrace.simulation.remaining import Progress
from headrace.simulation.rtl import SINK, compile_boundary

_CELLS = "cells.v"


def simulate_routed(build: Build, seed: int = 0, progress: Progress = lambda _: None,
                    folder: Path | None = None) -> dict[str, Any]:
    """The verified vectors through the routed accelerator, without stalls and with each pattern of them.

    Returns what build.json then holds as `routed_simulation`. seed: of the stalls. folder: where the weights of the
    build were put into what another one was routed to. Raises InputError for a build whose accelerator was not routed,
    MismatchError where a word differs from the golden model.
    """
    words = _vectors(build)
    frames = len(words[SOURCE]) // build.dataflow.input.words
    weights = {port: replayed_weights(layer, frames) for port, layer in external_layers(build.dataflow).items()}
    golden = words[stream_names(build.dataflow)[build.dataflow.output_port]]
    stream = build.dataflow.streams[build.dataflow.output_port]
    with tempfile.TemporaryDirectory() as work:
        sources = write_netlist(folder or build.folder / CORE_FOLDER, CORE_TOP, Path(work))
        (model_work := Path(work) / "model").mkdir()
        model = compile_boundary(sources, CORE_TOP, build.dataflow, model_work, progress)
        for stalls in Stalls:
            progress(f"simulating {frames} frames through the routed netlist, stalls {stalls.value}")
            passed = model.compare({SOURCE: words[SOURCE], **weights}, {SINK: golden}, stalls, seed)
            if wrong := passed_difference(build.dataflow.output_port, stream, golden, passed[SINK]):
                raise MismatchError(f"routed netlist, stalls {stalls.value}: {wrong}")
    result = {"bit_exact": True, "vectors": frames, "stalls": [stalls.value for stalls in Stalls], "seed": seed}
    write_json(build.folder / RECORD, dict(build.record) | {"routed_simulation": result})
    return result


def write_netlist(folder: Path, module: str, work: Path) -> list[Path]:
    """Verilog of what was routed in `folder`, as the module `module`, and the cells beneath it, in `work`.

    Raises InputError where nothing was routed.
    """
    try:
        routed = json.loads((folder / ROUTED).read_text())
    except OSError:
        raise InputError(f"{folder.parent}: has nothing in {folder.name} that was routed; run `headrace bitstream "
                         f"{folder.parent} --board ulx3s-85f{' --ooc' * (folder.name == CORE_FOLDER)}` first") from None
    (work / "routed.v").write_text(routed_verilog(routed, module))
    shutil.copy(data_folder("rtl_sim") / "ecp5" / _CELLS, work)
    return [work / _CELLS, work / "routed.v"]


def _vectors(build: Build) -> dict[str, Bytes]:
    """The words of every stream with which the build was verified, by the stream's name."""
    try:
        with np.load(build.folder / "sim" / "vectors.npz") as arrays:
            return {name: words.reshape(-1, words.shape[-1]) for name, words in arrays.items()}
    except (OSError, ValueError):
        raise InputError(f"{build.folder}: has no sim/vectors.npz that can be read; build again") from None
