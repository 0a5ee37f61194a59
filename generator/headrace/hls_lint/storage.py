"""Variables and arrays while a process is interpreted: what they hold, and what an iteration takes from the last."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

from headrace.hls_lint.delays import MUX_NS
from headrace.hls_lint.loops import Guards, Loop, MemoryAccess, Place, Update
from headrace.hls_lint.values import START, Array, Element, Key, Path, Scalar, Value, merged, newest, unknown

_ANY = "*"
#: Registers behind a multiplexer are told apart up to this number.
_MAX_REGISTERS = 64


class Storage:
    """Values by object and element, with a journal for branches and an epoch for the iteration that is looked at."""

    def __init__(self) -> None:
        self._values: dict[Key, tuple[int, Value]] = {}
        self._journals: list[dict[Key, tuple[int, Value] | None]] = []
        self._names: dict[Key, str] = {}
        self._epoch = 0
        self._born = 0  # objects from here on live in the iteration only
        self._inside = False

    # Iterations.

    def open_iteration(self) -> None:
        """From here on what is read and not yet written comes from the iteration before."""
        self._epoch += 1
        self._born, self._inside = newest(), True

    def close_iteration(self) -> Mapping[Key, Mapping[Key, Path]]:
        """What the iteration leaves to the next: for every value the ways to it."""
        edges = {}
        for key, (epoch, value) in list(self._values.items()):
            if epoch == self._epoch and key[0] < self._born:
                edges[key] = {source: path for source, path in value.sources.items() if source[1][:1] != ("load",)}
                self._values[key] = epoch, unknown(value.bits)
        self._inside = False
        self._epoch += 1
        return edges

    def names(self) -> Mapping[Key, str]:
        """Names of all values that were carried so far."""
        return dict(self._names)

    # Branches.

    def begin(self) -> None:
        """Remember what is overwritten from here on."""
        self._journals.append({})

    def undo(self) -> dict[Key, Value]:
        """Take back what was written since `begin`, and return it."""
        written = {}
        for key, before in self._journals.pop().items():
            written[key] = self._values[key][1]
            if before is None:
                del self._values[key]
            else:
                self._values[key] = before
        return written

    def join(self, key: Key, condition: Value, sides: Sequence[Value | None]) -> None:
        """Write what a multiplexer makes of the two sides of a branch; None: this one left the value alone."""
        if key[0] > self._born and self._inside and key not in self._values and None in sides:
            values = [side for side in sides if side is not None]  # lived in the branch only
        else:
            values = [self._read(key, 64) if side is None else side for side in sides]
        if len(values) == 2 and values[0].const is not None and values[0].const == values[1].const:
            self._write(key, values[0])
        else:
            self._write(key, Value(None, max(value.bits for value in values), merged((condition, *values), MUX_NS)))

    # Numbers.

    def read(self, scalar: Scalar) -> Value:
        """What a variable holds."""
        key = (scalar.uid, ())
        self._names[key] = scalar.name
        return self._read(key, scalar.bits)

    def written(self, scalar: Scalar) -> Value | None:
        """What a variable holds, None before it is written."""
        entry = self._values.get((scalar.uid, ()))
        return entry[1] if entry else None

    def write(self, scalar: Scalar, value: Value) -> None:
        """Set a variable."""
        self._names[scalar.uid, ()] = scalar.name
        self._write((scalar.uid, ()), value)

    def _read(self, key: Key, bits: int) -> Value:
        epoch, value = self._values.get(key, (0, None))
        if self._inside and key[0] < self._born and epoch < self._epoch:
            return Value(None, bits, {key: START})
        return value if value is not None else unknown(bits)

    def _write(self, key: Key, value: Value) -> None:
        if self._journals and key not in self._journals[-1]:
            self._journals[-1][key] = self._values.get(key)
        self._values[key] = self._epoch, value

    # Arrays.

    def fill(self, array: Array) -> None:
        """Note that an array has an initial value; its elements depend on nothing."""
        for indices in _all(array.shape.sizes):
            self._write((array.uid, indices), unknown(array.shape.bits))

    def load(self, element: Element, guards: Guards, loop: Loop | None) -> Value:
        """Read an element: of registers through a multiplexer, else of a memory."""
        array, indices = element.array, _places(element)
        bits = array.shape.bits or 64
        if loop is not None:
            loop.memories.append(MemoryAccess(array, indices, True, guards, array.place, _address(element)))
        if _ANY in indices:
            sources = merged(element.indices, 0.0, ("load of " + array.name, array.place))
            return Value(None, bits, sources | {(array.uid, ("load", *indices)): START})
        cells = [self._cell(array, found, bits) for found in _registers(array, indices)]
        ways = max(0, (len(cells) - 1).bit_length()) * MUX_NS
        return cells[0] if len(cells) == 1 else Value(None, bits, merged((*cells, *element.indices), ways))

    def _cell(self, array: Array, indices: tuple[int | str, ...], bits: int) -> Value:
        key = (array.uid, indices)
        self._names[key] = _named(array, indices)
        return self._read(key, bits)

    def store(self, element: Element, value: Value, guards: Guards, loop: Loop | None, place: Place) -> None:
        """Write an element."""
        array, indices = element.array, _places(element)
        if loop is not None:
            loop.memories.append(MemoryAccess(array, indices, False, guards, place, _address(element)))
            late = [path.ns for key, path in value.sources.items() if key[0] == array.uid and "load" in key[1][:1]]
            loop.updates += [Update(array, place, max(late))] if late else []
        if _ANY in indices:
            return
        cells = list(_registers(array, indices))
        for found in cells:
            if len(cells) > 1:  # this register or another
                before = self._cell(array, found, array.shape.bits or 64)
                sources = merged((value, before, *element.indices), MUX_NS)
                self._write((array.uid, found), Value(None, value.bits, sources))
            else:
                self._names[array.uid, found] = _named(array, found)
                self._write((array.uid, found), value)


def _named(array: Array, indices: tuple[int | str, ...]) -> str:
    return array.name + "".join(f"[{index}]" for index in indices)


def _places(element: Element) -> tuple[int | str, ...]:
    """The indices: numbers where they are known, a mark for a memory's address, "mux" for registers to choose from."""
    array = element.array
    found: list[int | str] = []
    for dimension, index in enumerate(element.indices, 1):
        if index.const is not None:
            found.append(index.const)
        elif array.is_split(dimension):
            found.append("mux")
        else:
            found.append(_ANY)
    return tuple(found)


def _registers(array: Array, indices: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    sizes = array.shape.sizes
    yield from itertools.product(*(range(size) if index == "mux" and size <= _MAX_REGISTERS else (index,)
                                   for index, size in zip(indices, sizes, strict=False)))


def _all(sizes: Sequence[int]) -> Iterator[tuple[int, ...]]:
    total = 1
    for size in sizes:
        total *= size
    if total <= _MAX_REGISTERS:
        yield from itertools.product(*(range(size) for size in sizes))


def _address(element: Element) -> tuple[Mapping[Key, Path] | int, ...]:
    """Tells addresses apart: those that come the same way from what is carried are taken for one."""
    return tuple(index.const if index.const is not None else index.sources
                 for dimension, index in enumerate(element.indices, 1) if not element.array.is_split(dimension))
