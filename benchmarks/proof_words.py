"""What the golden model says of the words of a layer's frames: where elements come from, what every frame gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headrace.datatypes import IntArray
from headrace.layers.base import Layer
from headrace.layers.stream import Stream
from headrace.packing import pack_stream, unpack_stream

#: Most bits of a frame that a table of all frames is made of.
MAX_TABLE_BITS = 10


def needs_of_table(table: Sequence[int], bits: int, word: int, inputs: Sequence[Stream]) -> list[int]:
    """Words of every input that a word out depends on, counted up to the last of them."""
    values = np.array([entry >> bits * word & ((1 << bits) - 1) for entry in table], object)
    codes, shift, needs = np.arange(len(table)), 0, []
    for source in inputs:
        last = 0
        for index in range(source.words * source.bits):
            if np.any(values != values[codes ^ (1 << shift + index)]):
                last = index // source.bits + 1
        needs.append(last)
        shift += source.words * source.bits
    return needs


def origins_of(layer: Layer, port: int) -> IntArray | None:
    """For every output element of a frame 1 + the input element that it is, 0 for a zero; None if it is none."""
    total = sum(stream.elements for stream in layer.inputs)
    origins = np.zeros(layer.outputs[port].elements, np.int64)
    for bit in range(total.bit_length()):
        origins += (_golden(layer, (np.arange(1, total + 1) >> bit) & 1)[port] & 1) << bit
    if origins.max() > total:
        return None
    rng = np.random.default_rng(0)
    for _ in range(4):
        values = np.concatenate([rng.integers(s.element.lo, s.element.hi + 1, s.elements) for s in layer.inputs])
        if not np.array_equal(_golden(layer, values)[port], np.concatenate([[0], values])[origins]):
            return None
    return origins


def _golden(layer: Layer, values: IntArray) -> IntArray:
    """The elements (outputs, elements) of one frame of all inputs, one behind the other."""
    ends = np.cumsum([stream.elements for stream in layer.inputs])[:-1]
    y = layer.golden(*(part[None] for part in np.split(values, ends)))
    return np.stack([y[0]] * len(layer.outputs))


def table_of(layer: Layer, port: int) -> list[int]:
    """The words of a port for all frames, each frame as a number. Raises ValueError for too many frames."""
    stream, bits = layer.outputs[port], [source.words * source.bits for source in layer.inputs]
    if sum(bits) > MAX_TABLE_BITS:
        raise ValueError(f"{layer.name}: a table of 2^{sum(bits)} frames")
    return [_frame_of(layer, port, stream, bits, code) for code in range(1 << sum(bits))]


def _frame_of(layer: Layer, port: int, stream: Stream, bits: Sequence[int], code: int) -> int:
    """The words that leave the port for one frame of inputs."""
    values = []
    for source, count in zip(layer.inputs, bits, strict=True):
        words = [(code >> source.bits * word) & ((1 << source.bits) - 1) for word in range(source.words)]
        raw = np.array([list(word.to_bytes(source.bytes, "little")) for word in words], np.uint8)
        values.append(unpack_stream(raw, source.lanes, source.element).reshape(-1))
        code >>= count
    out = pack_stream(_golden(layer, np.concatenate(values))[port], stream.lanes, stream.element)
    return int.from_bytes(out.tobytes(), "little")


def needs_of_origins(origins: IntArray, word: int, stream: Stream, inputs: Sequence[Stream]) -> list[int]:
    """Words of every input that a word out is made of, counted up to the last of them."""
    needs = [0] * len(inputs)
    for origin in origins[word * stream.lanes : (word + 1) * stream.lanes].tolist():
        rest = origin - 1
        for port, source in enumerate(inputs):
            if 0 <= rest < source.elements:
                needs[port] = max(needs[port], rest // source.lanes + 1)
            rest -= source.elements
    return needs
