"""Dataflow -> the sim/ folder of a build: a cocotb bench that runs without headrace, and its expected vectors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from headrace.archive import npz_bytes
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.dataflow.vectors import Vectors
from headrace.layers.base import Layer
from headrace.paths import data_folder
from headrace.render.checks import network_checks, render_checks
from headrace.render.rtl import TOP, bit_range, layer_resets, stream_names, template, top_open_ports, weight_wires

#: Files of rtl_sim/tb that every build carries.
BENCH_FILES = ("Makefile", "model.mk", "run.py", "network_bench.py", "axi_stream.py", "records.py", "stream_tap.sv",
               "headrace_stream_checker.sv", "taps.vlt")


def render_sim(dataflow: Dataflow, header: str) -> dict[str, str]:
    """All text files of sim/ by their path in it. header: one line that says where they come from."""
    return _bench(dataflow, header, list(dataflow.streams), TOP, _description(dataflow))


def render_boundary_sim(dataflow: Dataflow, header: str, module: str) -> dict[str, str]:
    """The same for a `module` whose inside is not known: only the network's input and output are looked at."""
    ports = [(SOURCE, 0), dataflow.output_port]
    names = [stream_names(dataflow)[port] for port in ports]
    description = _description(dataflow)
    boundary = [stream for stream in description["streams"] if stream["name"] in names]
    # A frame may be anywhere inside while both streams rest.
    watchdog_cycles = 4 * sum(layer.cycles for layer in dataflow.layers) + 1000
    return _bench(dataflow, header, ports, module,
                  description | {"streams": boundary, "fifos": [], "watchdog_cycles": watchdog_cycles})


def _bench(dataflow: Dataflow, header: str, ports: Sequence[Port], module: str,
           description: dict[str, Any]) -> dict[str, str]:
    files = {name: (data_folder("rtl_sim") / "tb" / name).read_text() for name in BENCH_FILES}
    return files | {"taps.sv": _taps(dataflow, header, ports, module),
                    "checks.sv": render_checks(network_checks(dataflow, ports), header, module),
                    "streams.json": json.dumps(description, indent=2) + "\n"}


def write_vectors(folder: Path, vectors: Vectors) -> Path:
    """Write vectors.npz into a folder: the golden words of every stream.

    Arrays of uint8 (frames, words, bytes) by stream name; of weights from outside, which are always the same, the words
    that pass for one vector. The same frames give the same bytes. Returns the file.
    """
    dataflow, path = vectors.dataflow, folder / "vectors.npz"
    streams = dataflow.streams
    words = {name: vectors.words[port].reshape(-1, streams[port].words, streams[port].bytes)
             for port, name in stream_names(dataflow).items()}
    words |= {name: layer.weight_image()[None] for name, layer in external_layers(dataflow).items()}
    path.write_bytes(npz_bytes(words))
    return path


def _taps(dataflow: Dataflow, header: str, ports: Sequence[Port], top: str) -> str:
    taps, names, resets = [], stream_names(dataflow), layer_resets(dataflow)
    for port in ports:
        name = names[port]
        size = dataflow.streams[port].bytes
        if port == dataflow.output_port:
            # The last stream is recorded where it leaves, with TLAST in a byte above the data.
            data = "{7'b0, m_axis_TLAST, m_axis_TDATA}"
            taps.append({"name": name, "bytes": size + 1, "path": "m_axis", "data": data, "reset": "ap_rst_n"})
        else:
            path = name if port[0] == SOURCE else f"dut.{name}"
            reset = "ap_rst_n" if port[0] == SOURCE else f"dut.{resets[port[0]]}"
            taps.append({"name": name, "bytes": size, "path": path, "data": f"{path}_TDATA", "reset": reset})
    streams = dataflow.streams
    return template("taps.sv.j2").render(
        header=" ".join(header.split()),
        top=top,
        open_ports=top_open_ports(dataflow) if top == TOP else (),
        input_range=bit_range(8 * streams[SOURCE, 0].bytes),
        output_range=bit_range(8 * streams[dataflow.output_port].bytes),
        weights=weight_wires(dataflow),
        taps_range=bit_range(len(taps)),
        taps=taps,
    )


def _description(dataflow: Dataflow) -> dict[str, Any]:
    """What the bench has to know: every stream, in the order of the taps, and every FIFO."""
    names, channels = stream_names(dataflow), _channels(dataflow)
    streams = [
        {"name": name, "lanes": stream.lanes, "bits": stream.element.bits, "kind": stream.element.kind,
         "words": stream.words, "bytes": stream.bytes, "channels": channels[port]}
        for (port, name), stream in zip(names.items(), dataflow.streams.values(), strict=True)
    ]
    fifos = [{"name": names[item.layer.name, 0], "input": names[item.sources[0]], "output": names[item.layer.name, 0]}
             for item in dataflow.fifos]
    return {
        "streams": streams,
        "output": names[dataflow.output_port],
        "weights": {port: layer.vectors for port, layer in external_layers(dataflow).items()},
        "fifos": fifos,
        # No layer is silent for longer than a frame of the slowest one.
        "watchdog_cycles": 2 * dataflow.cycles_per_frame + 1000,
    }


def _channels(dataflow: Dataflow) -> dict[Port, int]:
    """Elements per pixel of every stream, to name pixel and channel; those of the source where a layer tells none."""
    channels = {(SOURCE, 0): _told_channels(dataflow.placed[0].layer) or dataflow.input.lanes}
    for item in dataflow.placed:
        own = _told_channels(item.layer, output=True)
        channels |= {(item.layer.name, k): own or channels[item.sources[0]] for k in range(len(item.layer.outputs))}
    return channels


def _told_channels(layer: Layer, *, output: bool = False) -> int:
    """Channels that a layer's parameters tell, 0 where they do not."""
    sizes = dict(layer.parameters())
    return sizes.get("MH" if output else "MW") or sizes.get("CHANNELS", 0)
