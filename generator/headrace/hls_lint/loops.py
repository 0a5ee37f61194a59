"""What an iteration of a pipelined loop does: its carried values, its streams, its memories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from headrace.hls_lint.arithmetic import is_divider
from headrace.hls_lint.values import Array, Key, Path, Value

#: The branches around a place: number of the condition, side.
Guards = tuple[tuple[int, int], ...]
Place = tuple[str, int]


@dataclass(frozen=True)
class StreamAccess:
    """A read or a write of a stream."""

    stream: str
    reads: bool
    place: Place


@dataclass(frozen=True)
class MemoryAccess:
    """A load or a store of an array that is not registers; `indices` holds "*" for what is not known."""

    array: Array
    indices: tuple[int | str, ...]
    loads: bool
    guards: Guards
    place: Place
    address: tuple[Mapping[Key, Path] | int, ...]


@dataclass(frozen=True)
class Update:
    """A store of what was computed from a load of the same array, `ns` later."""

    array: Array
    place: Place
    ns: float


@dataclass(eq=False)
class Loop:
    """A pipelined loop of a process; `function` is the one that holds its text."""

    process: str
    function: str
    place: Place
    is_open: bool = True
    edges: Mapping[Key, Mapping[Key, Path]] = field(default_factory=dict)
    names: Mapping[Key, str] = field(default_factory=dict)
    streams: list[StreamAccess] = field(default_factory=list)
    memories: list[MemoryAccess] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    divisions: list[Place] = field(default_factory=list)

    def note_division(self, symbol: str, values: Sequence[Value], place: Place) -> None:
        """Keep a division that needs a divider."""
        if is_divider(symbol, values):
            self.divisions.append(place)

    def note_access(self, stream: str, reads: bool, place: Place) -> None:
        """Keep a read or a write of a stream."""
        self.streams.append(StreamAccess(stream, reads, place))


def exclusive(left: Guards, right: Guards) -> bool:
    """True if two places lie in different branches of one condition."""
    sides = dict(left)
    return any(sides.get(branch, side) != side for branch, side in right)
