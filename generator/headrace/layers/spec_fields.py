"""The entries of one SPEC of `headrace layer`, read by name and type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from headrace.datatypes import DataType, parse
from headrace.errors import InputError

#: The largest number that the hardware's languages hold in an int, and the cycle model multiplies safely.
MAX_PARAMETER = (1 << 31) - 1
#: The widest element that a spec may name.
MAX_BITS = 32


class Fields:
    """The entries of one spec, read by name and type; what was not read is an error."""

    def __init__(self, name: str, entries: Mapping[str, Any]) -> None:
        self.name = name
        self._entries = dict(entries)

    def _take(self, key: str, default: object, legal: Callable[[Any], bool], wanted: str) -> Any:
        value = self._entries.pop(key, default)
        if value is None:
            raise InputError(f"{self.name}: {key} is missing; give {wanted}")
        if not legal(value):
            raise InputError(f"{self.name}: {key}={value!r} is not {wanted}")
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        """A whole number."""
        return self._native(key, int(self._take(key, default, lambda v: type(v) is int, "a whole number")))

    def integers(self, key: str, count: int, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
        """`count` whole numbers; a single number stands for all of them."""
        value = self._take(key, default, lambda v: _are_integers(v, count), f"{count} whole numbers")
        return tuple(self._native(key, item) for item in ((value,) * count if isinstance(value, int) else value))

    def counts(self, key: str) -> tuple[int, ...]:
        """Whole numbers, as many as there are."""
        value = self._take(key, None, lambda v: isinstance(v, list | tuple) and _are_integers(v, len(v)),
                           "a list of whole numbers")
        return tuple(self._native(key, item) for item in value)

    def _native(self, key: str, value: int) -> int:
        """The number, which hardware has to hold in an int."""
        if abs(value) > MAX_PARAMETER:
            raise InputError(f"{self.name}: {key}={value} lies beyond the 32 bits in which hardware counts; "
                             f"use at most {MAX_PARAMETER}")
        return value

    def pair(self, key: str, default: tuple[int, int] | None = None) -> tuple[int, int]:
        """Two whole numbers, vertical and horizontal."""
        vertical, horizontal = self.integers(key, 2, default)
        return vertical, horizontal

    def dtype(self, key: str) -> DataType:
        """A type in words, of at most MAX_BITS bits."""
        return self._bounded(key, parse(self.text(key)))

    def _bounded(self, key: str, dtype: DataType) -> DataType:
        if dtype.bits > MAX_BITS:
            raise InputError(f"{self.name}: {key} {dtype} has {dtype.bits} bits; use {MAX_BITS} bits or fewer")
        return dtype

    def dtypes(self, key: str) -> tuple[DataType, ...]:
        """A type in words, or a list of them."""
        value = self._take(key, None, lambda v: isinstance(v, str) or (isinstance(v, list | tuple) and len(v) > 0
                           and all(isinstance(item, str) for item in v)), "a type or a list of types")
        return tuple(self._bounded(key, parse(item)) for item in ([value] if isinstance(value, str) else value))

    def varying(self, key: str) -> DataType:
        """A type in words with two values or more, as thresholds and scales need."""
        dtype = self.dtype(key)
        if dtype.lo == dtype.hi:
            raise InputError(f"{self.name}: {key} {dtype} has one value; use a type of two values or more")
        return dtype

    def text(self, key: str, default: str | None = None) -> str:
        """A string."""
        return str(self._take(key, default, lambda v: isinstance(v, str), "a text"))

    def has_text(self, key: str, text: str) -> bool:
        """True, and the entry is used, if it is this string."""
        found = self._entries.get(key) == text
        if found:
            del self._entries[key]
        return found

    def flag(self, key: str) -> bool:
        """true or false; false if it is not given."""
        return bool(self._take(key, False, lambda v: isinstance(v, bool), "true or false"))

    def finish(self) -> None:
        """Raise InputError if an entry was not used."""
        if self._entries:
            raise InputError(f"{self.name}: {', '.join(self._entries)} is unknown for this kind of layer; remove it")


def _are_integers(value: object, count: int) -> bool:
    if isinstance(value, (list, tuple)):
        return len(value) == count and all(type(item) is int for item in value)
    return type(value) is int
