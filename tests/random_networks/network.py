"""A whole description: its ONNX file, samples for it, and a check of what headrace makes of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

from tests.random_networks.codes import joined_inputs, on_codes, steps_on_codes, truncated
from tests.random_networks.descriptions import Description, Source
from tests.random_networks.emitted import INPUT, Emitter, Tensor, file_of, quantize
from tests.random_networks.gated import curved
from tests.random_networks.layers import LAYERS, flat
from tests.random_networks.written_otherwise import gathered, several, written

FRAMES = 5
#: A second input.
OTHER = "x2"
_LAYERS = {**LAYERS, "codes": on_codes, "trunc": truncated, "steps": steps_on_codes, "curve": curved,
           "written": written, "gather": gathered, "several": several}
_HEADS = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "sigmoid": "Sigmoid", "tanh": "Tanh"}


@dataclass(frozen=True, eq=False)
class Drawn:
    """A model and samples (N, ...) by input."""

    proto: onnx.ModelProto
    samples: Mapping[str, np.ndarray]


def drawn(description: Description) -> Drawn:
    """What a description says."""
    e = Emitter(description["seed"])
    source = description["input"]
    shape = (source["channels"], source["height"], source["width"])
    inputs, integer = {INPUT: shape}, {}
    x = Tensor(INPUT, shape, source["reach"])
    if source["type"]:
        integer[INPUT] = source["type"]
        x = replace(x, reach=8.0, bipolar=source["type"] == "BIPOLAR")
    else:
        x = quantize(e, x, source["quant"])
    second = description.get("second")
    if second and second["how"] != "none":
        inputs[OTHER] = shape
        kind = second["quant"]["kind"]  # nor can this input of the model have thresholds of any distance
        other = quantize(e, Tensor(OTHER, shape, source["reach"]),
                         {**second["quant"], "kind": "quant" if kind == "thresholds" else kind})
        x = joined_inputs(e, x, other, second)
    outputs = []
    for layer in description["layers"]:
        x = _LAYERS[layer["op"]](e, x, layer)
        if layer.get("tap"):
            outputs.append(x.name)
    if x.name == INPUT:  # nothing was left of all layers
        x = quantize(e, x, source["quant"])
    outputs = [*(name for name in dict.fromkeys(outputs) if name != x.name), _head(e, x, description["head"])]
    samples = np.random.default_rng(description["seed"] + 1)
    return Drawn(file_of(e, inputs, outputs, integer),
                 {name: _samples(samples, source if name == INPUT else {**source, "type": ""}, shape)
                  for name in inputs})


def _head(e: Emitter, x: Tensor, head: str) -> str:
    """The name of the last output."""
    if head == "none" or (x.spatial and x.shape[1:] != (1, 1) and x.channels > 64):
        return x.name
    x = flat(e, x)
    if head == "argmax":
        return e.node("ArgMax", [x.name], x, axis=1, keepdims=0).name
    if head == "maximum":
        return e.node("ReduceMax", [x.name, e.constant([1], np.int64)], x, keepdims=1).name
    if head in _HEADS:
        return e.node(_HEADS[head], [x.name], x, "", **({"axis": -1} if "softmax" in head else {})).name
    k = min(3, x.channels)
    made = e.node("TopK", [x.name, e.constant([k], np.int64)], x, axis=1)
    e.nodes[-1].output[:] = ["", made.name]
    return made.name


def _samples(rng: np.random.Generator, source: Source, shape: tuple[int, ...]) -> np.ndarray:
    """Samples on a grid whose points are ties of many quantizers, at random, and far outside of what is quantized."""
    if source["type"]:
        low, high = {"UINT8": (0, 255), "INT4": (-8, 7), "UINT2": (0, 3), "BIPOLAR": (-1, 1)}[source["type"]]
        codes = rng.integers(low, high + 1, (FRAMES, *shape)).astype(np.float32)
        return np.where(codes == 0, 1, codes).astype(np.float32) if source["type"] == "BIPOLAR" else codes
    reach = source["reach"]
    x: np.ndarray = rng.integers(-32, 33, (FRAMES, *shape)) * (reach / 16)
    x[1::3] = rng.normal(0, reach / 2, x[1::3].shape)
    x[2::3] = rng.choice([-3e38, -reach, -0.0, 0.0, 1e-38, reach, 3e38], x[2::3].shape)
    return x.astype(np.float32)


def as_text(description: Description) -> str:
    return json.dumps(description, sort_keys=True)


def write(description: Description, path: Path) -> Drawn:
    """Write the ONNX file of a description; returns what it says."""
    made = drawn(description)
    path.write_bytes(made.proto.SerializeToString())
    return made
