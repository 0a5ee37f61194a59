"""How wide the words of the two streams are on the DMA's side: padded where the DMA has room for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.board.dma import LENGTH_BITS
from headrace.board.family import ProcessorFamily
from headrace.dataflow.graph import Dataflow
from headrace.layers.stream import Stream
from headrace.packing import Bytes

#: The widest word of a DMA; a wider word of the network is padded to a multiple of it.
_DMA_BYTES = 16


@dataclass(frozen=True)
class HostWords:
    """Bytes of a word on its way in and on its way out."""

    input: int
    output: int


def exact_words(dataflow: Dataflow) -> HostWords:
    """Words without padding."""
    return HostWords(dataflow.input.bytes, dataflow.streams[dataflow.output_port].bytes)


def host_words(dataflow: Dataflow, family: ProcessorFamily, clock_mhz: float) -> HostWords:
    """Words padded to a power of two bytes, or to a multiple of 16, unless the DMA then needs longer than the network.

    The shell then only repeats or selects whole words, where it would have to move every byte to any place.
    """
    slower = max(1.0, clock_mhz / family.bus_mhz)

    def width(stream: Stream) -> int:
        padded = padded_bytes(stream.bytes)
        beats = -(-stream.words * padded // family.stream_bytes)
        has_room = beats * slower <= dataflow.cycles_per_frame and stream.words * padded < 1 << LENGTH_BITS
        return padded if has_room else stream.bytes

    return HostWords(width(dataflow.input), width(dataflow.streams[dataflow.output_port]))


def pad_words(words: Bytes, size: int) -> Bytes:
    """Words (N, bytes) with zeros up to `size` bytes."""
    return np.pad(words, ((0, 0), (0, size - words.shape[1])))


def padded_bytes(size: int) -> int:
    """The next power of two up to 16, then the next multiple of 16.

    >>> [padded_bytes(size) for size in (1, 3, 4, 14, 17, 98)]
    [1, 4, 4, 16, 32, 112]
    """
    return 1 << (size - 1).bit_length() if size <= _DMA_BYTES else -(-size // _DMA_BYTES) * _DMA_BYTES
