"""Equality of what a back end put on its streams with the golden model, and where they part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.errors import MismatchError
from headrace.layers.stream import Stream
from headrace.packing import Bytes, unpack_stream


def require_equal(dataflow: Dataflow, expected: Mapping[Port, Bytes], actual: Mapping[Port, Bytes],
                  engine: str) -> None:
    """Raise MismatchError at the first stream, in the order of the layers, whose words differ.

    Streams that `actual` lacks are not compared; the network's output must be among them.
    """
    if dataflow.output_port not in actual:
        raise MismatchError(f"{engine}: the output stream was not observed; report this as a defect")
    for port, stream in dataflow.streams.items():
        if port in actual and not np.array_equal(expected[port], actual[port]):
            raise MismatchError(f"{engine}: {first_difference(port, stream, expected[port], actual[port])}")


def first_difference(port: Port, stream: Stream, expected: Bytes, actual: Bytes) -> str:
    """One sentence naming the layer, frame, word, lane and both integers."""
    layer = "the input" if port[0] == SOURCE else port[0]
    if len(expected) != len(actual):
        return f"{layer} put {len(actual)} words instead of {len(expected)}"
    word = int(np.flatnonzero((expected != actual).any(axis=1))[0])
    frame, in_frame = divmod(word, stream.words)
    values = [unpack_stream(words[word : word + 1], stream.lanes, stream.element)[0] for words in (expected, actual)]
    lanes = np.flatnonzero(values[0] != values[1])
    if not lanes.size:
        return f"{layer} sets padding bits in frame {frame}, word {in_frame}"
    lane = int(lanes[0])
    return (f"{layer} differs first in frame {frame}, word {in_frame}, lane {lane}: "
            f"{values[1][lane]} instead of {values[0][lane]}")
