"""A typed edge between layers."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.datatypes import DataType
from headrace.packing import word_bytes


@dataclass(frozen=True)
class Stream:
    """A typed edge: per frame `words` words of `lanes` elements, in stream order (row major, channels innermost)."""

    element: DataType
    lanes: int
    words: int

    @property
    def bits(self) -> int:
        """Exact width of a word in bits."""
        return self.lanes * self.element.bits

    @property
    def bytes(self) -> int:
        """Width of TDATA at a boundary in bytes."""
        return word_bytes(self.lanes, self.element.bits)

    @property
    def elements(self) -> int:
        """Elements per frame."""
        return self.lanes * self.words
