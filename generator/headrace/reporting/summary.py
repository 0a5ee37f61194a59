"""What is known of a build, layer by layer: predictions, and measurements as far as they were made. report.json."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from headrace.accuracy import kept_accuracies
from headrace.area.estimate import estimate
from headrace.area.usage import Resources
from headrace.board.board import Board
from headrace.board.family import ProcessorFamily, find_family
from headrace.build_record import SimRecord, SynthRecord, read_measured, read_record
from headrace.dataflow.graph import Dataflow
from headrace.layer_record import layer_record
from headrace.layers import Layer
from headrace.reporting.codes import CODES, LayerCodes
from headrace.reporting.quantized import QUANTIZED, QuantizedRecord
from headrace.reporting.roofline import Roofline, roofline
from headrace.reporting.shapes import layer_shapes

#: Records in a build directory beside build.json, each written by a command of its own.
_MEASURED = {"sim": SimRecord, "synth": SynthRecord}


def summarize(folder: Path, dataflow: Dataflow) -> dict[str, Any]:
    """The report of a build directory: its build.json with sim.json and synth.json, where they are there.

    layers: every layer in the order of the streams, with the names of those that it reads, the share of a frame's
    cycles that it is busy, its multiply-accumulates per frame with the cycles that they take at its folding if nothing
    waits, and its resources, `synthesized` being None or what Yosys counted. hls: None or what the HLS compiler made
    of the layers. fifos: depths, with `max_occupancy` None or what the last simulation saw.
    """
    build: Mapping[str, Any] = read_record(folder)
    sim, synth = (read_measured(folder / f"{name}.json", kind, f"headrace {name}") for name, kind in _MEASURED.items())
    counted = {layer.get("name"): _figures(layer) for layer in synth.get("layers", ())}
    routed = {layer["name"]: layer for layer in _run(build).get("layers", ())}
    occupied = sim.get("fifo_max_occupancy", {})
    readers = _readers(dataflow)
    shapes = layer_shapes(dataflow)
    estimates = {layer["name"]: layer["resources"] for layer in build["layers"]}
    kept = ("headrace", "model", "source_sha256", "backend", "board", "family", "device", "clock_mhz", "verified",
            "verified_by", "vectors", "not_verified", "asked", "board_bound", "cycles_per_frame", "latency_cycles",
            "fps", "fits", "bottleneck", "host_words", "stopped_by", "inputs", "outputs")
    return {
        **{key: build[key] for key in kept},
        **{key: build[key] for key in ("padded", "hls_cycles_per_frame", "hls_latency_cycles", "hls_streams")
           if key in build},
        "hls": _compiled(build),
        "simulated": {key: value for key, value in sim.items() if key != "fifo_max_occupancy"} or None,
        "resources": {"estimated": build["resources"], "synthesized": _whole(synth), "routed": _routed(build),
                      "available": _offer(build)},
        "layers": [_layer(layer, build)
                   | {"reads": readers[layer.name], "shape_in": shapes[layer.name][0],
                      "shape_out": shapes[layer.name][1],
                      "resources": {"estimated": estimates[layer.name], "synthesized": counted.get(layer.name),
                                    "routed": routed.get(layer.name)}}
                   for layer in dataflow.layers],
        "roofline": found.json() if (found := _roofline(build, dataflow)) else None,
        "codes": read_measured(folder / CODES, list[LayerCodes], "headrace build") or [],
        "accuracy": kept_accuracies(folder),
        "quantized": read_measured(folder / QUANTIZED, QuantizedRecord, "headrace report --quantized") or None,
        "tools": {"yosys": synth["yosys"]} if "yosys" in synth else {},
        "fifos": [{**fifo, "max_occupancy": occupied.get(fifo["name"])} for fifo in build["fifos"]],
    }


def _run(build: Mapping[str, Any]) -> Mapping[str, Any]:
    """What the last run of `headrace bitstream` recorded, empty before that."""
    found: Mapping[str, Any] = build.get("bitstream") or build.get("out_of_context") or {}
    return found


def _routed(build: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the tools of the board counted and how fast it is, in their own words; None before `headrace bitstream`."""
    if not (run := _run(build)):
        return None
    return {"utilization": run["utilization"], "timing": run["timing"], "critical_path": run.get("critical_path")}


def _roofline(build: Mapping[str, Any], dataflow: Dataflow) -> Roofline | None:
    family = find_family(Board(**build["device"]))
    bandwidth = family.stream_bytes * family.bus_mhz * 1e6 if isinstance(family, ProcessorFamily) else None
    words = dataflow.input.words, dataflow.streams[dataflow.output_port].words
    return roofline(build, [_layer(layer, build) for layer in dataflow.layers], words, bandwidth)


def drawn_layers(dataflow: Dataflow) -> list[dict[str, Any]]:
    """The layers of a dataflow, as far as a picture shows them, with estimated resources."""
    readers = _readers(dataflow)
    return [layer_record(layer)
            | {"folding": {name: getattr(layer, name) for name in layer.fold_sizes}, "reads": readers[layer.name],
               "resources": {"estimated": asdict(estimate(layer)), "synthesized": None}} for layer in dataflow.layers]


def _readers(dataflow: Dataflow) -> dict[str, list[str]]:
    """The names of those that every layer reads."""
    return {item.layer.name: [port[0] for port in item.sources] for item in dataflow.placed}


def _compiled(build: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the HLS compiler said in the last run of `headrace bitstream`, None before that."""
    runs = (build[name] for name in ("bitstream", "out_of_context") if name in build)
    found: dict[str, Any] | None = next((run["hls"] for run in runs if "hls" in run), None)
    return found


def _layer(layer: Layer, build: Mapping[str, Any]) -> dict[str, Any]:
    element_in, element_out = str(layer.inputs[0].element), str(layer.outputs[0].element)
    record: dict[str, Any] = {"name": layer.name, "kind": layer.kind, "input_type": element_in,
                              "output_type": element_out}
    record["folding"] = {name: getattr(layer, name) for name in layer.fold_sizes}
    record |= {"cycles": layer.cycles, "busy": layer.cycles / build["cycles_per_frame"]}
    if layer.macs:
        folds = math.prod(record["folding"][name] for name in ("pe", "simd") if name in record["folding"])
        record |= {key: layer.facts[key] for key in ("weight_type", "weights_in", "core")}
        record |= {"macs": layer.macs, "least_cycles": -(-layer.macs // folds)}
    return record


def _whole(synth: Mapping[str, Any]) -> dict[str, int] | None:
    return _figures(synth["total"]) if synth else None


def _figures(counted: Mapping[str, Any]) -> dict[str, int]:
    return {key: value for key, value in counted.items() if key not in ("name", "kind")}


def _offer(build: Mapping[str, Any]) -> dict[str, int]:
    """What the board offers of each resource."""
    return {name: there for name, (_, there) in Board(**build["device"]).use(Resources()).items()}
