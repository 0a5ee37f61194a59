"""What the drivers have to know of memories that they can write: where they are, and which value stands where."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from headrace.board.shell_registers import MEMORY_DATA
from headrace.dataflow.graph import Dataflow
from headrace.datatypes import BIPOLAR, IntArray
from headrace.layers.ports import first_memory
from headrace.layers.weight_store import URAM
from headrace.layers.weighted import WeightedLayer
from headrace.packing import search_words, weight_words
from headrace.render.names import identifier
from headrace.render.rtl import writable_layers


def writable_json(dataflow: Dataflow) -> dict[str, Any]:
    """The layers with writable weights, by name, and the address that takes their words."""
    layers = {layer.name: _layer_json(first_memory(k), layer) for k, layer in enumerate(writable_layers(dataflow))}
    return {"data": MEMORY_DATA, "layers": layers}


def writable_arrays(dataflow: Dataflow) -> dict[str, NDArray[Any]]:
    """Weights (MH, MW) and thresholds (MH, N) of these layers, and the places of all values in the memories' words.

    Places are indices into the flat array, (words, lanes); -1 is a bound that is never reached.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for layer in writable_layers(dataflow):
        arrays[f"{layer.name}.weights"] = layer.weights.astype(np.int16)
        arrays[f"{layer.name}.weights_places"] = _places(weight_words(_indices(layer.weights), layer.pe, layer.simd))
        if layer.thresholds is not None:
            never = np.full(layer.mh, -1)
            arrays[f"{layer.name}.thresholds"] = layer.thresholds
            arrays[f"{layer.name}.thresholds_places"] = _places(
                search_words(_indices(layer.thresholds), layer.pe, never))
    return arrays


def memory_images(dataflow: Dataflow) -> dict[str, bytes]:
    """The words of these memories as they were built, each in whole parts of 32 bits, by LAYER_MEMORY."""
    return {f"{identifier(layer.name)}_{memory.name.lower()}": b"".join(
        int(word, 16).to_bytes(-(-memory.word_bits // 32) * 4, "little") for word in memory.mem_text().split())
        for layer in writable_layers(dataflow) for memory in layer.memories()}


def _layer_json(memory: int, layer: WeightedLayer) -> dict[str, Any]:
    weight, bounds = layer.weight, layer.kernel_accumulator
    words = {item.name: item.depth for item in layer.memories()}
    thresholds = None if layer.thresholds is None else {
        "memory": memory + 1, "words": words["THRESHOLDS"], "bits": layer.acc_bits,
        "low": bounds.lo, "never": bounds.hi,
        "matches": layer.mw if layer.counts_matches else 0, "steps": layer.thresholds.shape[1],
    }
    return {
        "uram": layer.storage == URAM, "mh": layer.mh, "mw": layer.mw, "pe": layer.pe, "simd": layer.simd,
        "weights": {"memory": memory, "words": words["WEIGHTS"], "bits": weight.bits,
                    "low": weight.lo, "high": weight.hi, "bipolar": weight == BIPOLAR},
        "thresholds": thresholds,
    }


def _indices(values: IntArray) -> IntArray:
    return np.arange(values.size).reshape(values.shape)


def _places(words: IntArray) -> NDArray[np.int32]:
    return words.reshape(len(words), -1).astype(np.int32)
