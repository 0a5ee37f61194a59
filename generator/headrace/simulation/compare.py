"""Equality of what a back end put on its streams with the golden model, and where they part."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.errors import MismatchError
from headrace.layers.stream import Stream
from headrace.packing import Bytes, unpack_stream
from headrace.simulation.harness import Passed


def require_passed(dataflow: Dataflow, expected: Mapping[Port, Bytes], passed: Mapping[Port, Passed],
                   engine: str) -> None:
    """Raise MismatchError at the first stream, in the order of the layers, whose words were others than expected.

    Streams that `passed` lacks are not looked at.
    """
    for port, stream in dataflow.streams.items():
        if port in passed and (difference := passed_difference(port, stream, expected[port], passed[port])):
            raise MismatchError(f"{engine}: {difference}")


def passed_difference(port: Port, stream: Stream, expected: Bytes, passed: Passed) -> str | None:
    """What first_difference says of a stream that was compared as its words came; None where it is right."""
    if passed.count != len(expected):
        return _other_count(port, passed.count, len(expected))
    if passed.wrong is None:
        return None
    return _difference_at(port, stream, passed.wrong, expected[passed.wrong], passed.trace.words[0])


def first_difference(port: Port, stream: Stream, expected: Bytes, actual: Bytes) -> str:
    """One sentence naming the layer, frame, word, lane and both integers."""
    if len(expected) != len(actual):
        return _other_count(port, len(actual), len(expected))
    word = int(np.flatnonzero((expected != actual).any(axis=1))[0])
    return _difference_at(port, stream, word, expected[word], actual[word])


def _other_count(port: Port, count: int, expected: int) -> str:
    return f"{_layer(port)} put {count} words instead of {expected}"


def _layer(port: Port) -> str:
    return "the input" if port[0] == SOURCE else port[0]


def _difference_at(port: Port, stream: Stream, word: int, expected: Bytes, actual: Bytes) -> str:
    """The sentence about word number `word`; expected, actual: (bytes,)."""
    frame, in_frame = divmod(word, stream.words)
    values = [unpack_stream(one[None], stream.lanes, stream.element)[0] for one in (expected, actual)]
    lanes = np.flatnonzero(values[0] != values[1])
    if not lanes.size:
        return f"{_layer(port)} sets padding bits in frame {frame}, word {in_frame}"
    lane = int(lanes[0])
    return (f"{_layer(port)} differs first in frame {frame}, word {in_frame}, lane {lane}: "
            f"{values[1][lane]} instead of {values[0][lane]}")
