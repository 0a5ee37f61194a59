"""What the cocotb bench of the shell has to know of a build, as plain data: bytes in and out, registers, weights."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from headrace.board.host_words import HostWords, pad_words
from headrace.board.shell_registers import MAGIC, MEMORY_DATA, REGISTERS
from headrace.build_folder import Build
from headrace.building import VECTOR_SEED, random_frames
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow
from headrace.datatypes import IntArray
from headrace.layers.ports import first_memory
from headrace.layers.random_values import random_values
from headrace.layers.weighted import WeightedLayer
from headrace.packing import Memory, pack_stream
from headrace.render.rtl import writable_layers
from headrace.render.shell import version_word
from headrace.version import headrace_version

_FRAMES = 4
#: How often the bench gives all writable layers other weights.
_REWRITES = 2


def shell_job(build: Build) -> dict[str, Any]:
    """The bytes of random frames in and out, what the registers must say, and weights to write between frames."""
    dataflow = build.dataflow
    x = random_frames(dataflow, _FRAMES, VECTOR_SEED)
    frames = _transfers(dataflow, x, build.host_words)
    depths = [item.layer.stream_depth for item in dataflow.fifos]
    sha256 = build.record["source_sha256"]
    expected = {"magic": MAGIC, "version": int(version_word(headrace_version()), 16), "fifos": len(depths),
                "in_bytes": len(frames[0][0]) // 2, "out_bytes": len(frames[0][1]) // 2}
    expected |= {f"hash{k}": int(sha256[8 * k : 8 * k + 8], 16) for k in range(8)}
    return {
        "frames": frames, "registers": {register.name: register.offset for register in REGISTERS},
        "expected": expected, "depths": depths, "word_bytes": build.host_words.input,
        "cycles_per_frame": dataflow.cycles_per_frame, "memory_data": MEMORY_DATA,
        "rewrites": [_rewrite(dataflow, x, seed, build.host_words) for seed in range(_REWRITES)
                     if writable_layers(dataflow)],
        "weights": {port: {"image": layer.weight_image().tobytes().hex(), "times": layer.vectors}
                    for port, layer in external_layers(dataflow).items()},
    }


def _transfers(dataflow: Dataflow, x: IntArray, host: HostWords) -> list[tuple[str, str]]:
    """The bytes of every frame in and out in hexadecimal digits."""
    sink = dataflow.streams[dataflow.output_port]
    given = pad_words(pack_stream(x, dataflow.input.lanes, dataflow.input.element), host.input)
    wanted = pad_words(pack_stream(dataflow.golden(x)[dataflow.output_port], sink.lanes, sink.element), host.output)
    given, wanted = given.reshape(len(x), -1), wanted.reshape(len(x), -1)
    return [(a.tobytes().hex(), b.tobytes().hex()) for a, b in zip(given, wanted, strict=True)]


def _rewrite(dataflow: Dataflow, x: IntArray, seed: int, host: HostWords) -> dict[str, Any]:
    """Random weights and thresholds for all writable layers: the words of their memories, and the frames with them."""
    rng = np.random.default_rng(seed)
    changed = {layer.name: _changed(layer, rng) for layer in writable_layers(dataflow)}
    memories = {first_memory(k) + m: _parts(memory) for k, layer in enumerate(changed.values())
                for m, memory in enumerate(layer.memories())}
    return {"memories": memories, "frames": _transfers(dataflow.with_layers(changed.values()), x, host)}


def _changed(layer: WeightedLayer, rng: np.random.Generator) -> WeightedLayer:
    weights, thresholds = random_values(rng, layer.weight, layer.weights.shape), layer.thresholds
    if thresholds is not None:
        spread = max(1, int(layer.accumulator.hi - layer.accumulator.lo) // 8)
        thresholds = np.sort(rng.integers(-spread, spread + 1, thresholds.shape), axis=1)
    return replace(layer, weights=weights, thresholds=thresholds)


def _parts(memory: Memory) -> list[list[int]]:
    """The words of a memory, each in parts of 32 bits, low parts first."""
    parts = -(-memory.word_bits // 32)
    return [[int(word, 16) >> 32 * k & 0xFFFFFFFF for k in range(parts)] for word in memory.mem_text().split()]
