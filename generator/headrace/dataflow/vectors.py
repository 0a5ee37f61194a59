"""Frames and what the golden model makes of them, computed once for all who compare or write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from headrace.dataflow.graph import Dataflow, Port
from headrace.datatypes import IntArray
from headrace.packing import Bytes, pack_stream


@dataclass(frozen=True, eq=False)
class Vectors:
    """frames: (N, elements) of the dataflow's input, in stream order."""

    dataflow: Dataflow
    frames: IntArray

    def __len__(self) -> int:
        return len(self.frames)

    @cached_property
    def values(self) -> Mapping[Port, IntArray]:
        """The golden integers (N, elements) of every stream."""
        return self.dataflow.golden(self.frames)

    @cached_property
    def words(self) -> Mapping[Port, Bytes]:
        """The golden words (N * words, bytes) of every stream."""
        streams = self.dataflow.streams
        return {port: pack_stream(values, streams[port].lanes, streams[port].element)
                for port, values in self.values.items()}

    @property
    def output(self) -> IntArray:
        """The golden integers (N, elements) of the last stream."""
        return self.values[self.dataflow.output_port]
