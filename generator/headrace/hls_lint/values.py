"""What is known of a value in an iteration of a loop: its number, its width, and how late it is behind its sources."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from headrace.hls_lint.code import Dependence, Shape

#: A number in storage: its object and the element of that.
Key = tuple[int, tuple[int | str, ...]]
#: An operation that should not lie in a recurrence: what it is, and its place.
Heavy = tuple[str, tuple[str, int]]


class Path(NamedTuple):
    """The longest way from a source, in ns, and the heavy operations on any way."""

    ns: float
    heavy: frozenset[Heavy]


START = Path(0.0, frozenset())


class Value(NamedTuple):
    """A number: what it is if that is known, its bits, and its ways from what the iteration before left."""

    const: int | None
    bits: int
    sources: Mapping[Key, Path]


def known(number: int, bits: int = 64) -> Value:
    """A constant."""
    return Value(number, min(bits, max(1, number.bit_length() + (number < 0))), {})


def unknown(bits: int) -> Value:
    """A value that depends on nothing carried."""
    return Value(None, bits, {})


def merged(values: Iterable[Value], ns: float = 0.0, heavy: Heavy | None = None) -> dict[Key, Path]:
    """The sources of a value that depends on all of these, `ns` later."""
    sources: dict[Key, Path] = {}
    for value in values:
        for key, path in value.sources.items():
            there = sources.get(key)
            if there is None:
                sources[key] = path
            elif path is not there:
                sources[key] = Path(max(path.ns, there.ns), path.heavy | there.heavy)
    if ns or heavy:
        added = frozenset((heavy,)) if heavy else frozenset()
        return {key: Path(path.ns + ns, path.heavy | added) for key, path in sources.items()}
    return sources


_UIDS = itertools.count(1)


@dataclass(eq=False)
class Scalar:
    """A variable that holds a number."""

    name: str
    bits: int
    uid: int = field(default_factory=lambda: next(_UIDS))


@dataclass(eq=False)
class Array:
    """An array, with what directives say of it."""

    name: str
    shape: Shape
    place: tuple[str, int]
    complete: set[int] = field(default_factory=set)
    claims: set[Dependence] = field(default_factory=set)
    uid: int = field(default_factory=lambda: next(_UIDS))

    def is_split(self, dimension: int) -> bool:
        """True where every index of a dimension (from 1) has storage of its own."""
        return self.shape.sizes[dimension - 1] == 1 or bool(self.complete & {0, dimension})


@dataclass(eq=False)
class Element:
    """An array with its first indices given."""

    array: Array
    indices: tuple[Value, ...]


@dataclass(eq=False)
class Struct:
    """An object with fields, which appear when they are named."""

    fields: dict[str, Object] = field(default_factory=dict)


@dataclass(eq=False)
class Channel:
    """A stream."""

    name: str


Object = Scalar | Array | Element | Struct | Channel


def new(name: str, shape: Shape, place: tuple[str, int]) -> Object:
    """A new variable."""
    if shape.is_stream:
        return Channel(name)
    if shape.sizes:
        return Array(name, shape, place)
    return Struct() if shape.is_structure else Scalar(name, shape.bits)


def newest() -> int:
    """A number between those of the objects that exist and those that will."""
    return next(_UIDS)
