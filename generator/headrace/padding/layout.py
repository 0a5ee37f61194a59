"""Where the channels of a tensor stand when it has more than the network gave it, and what the others hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from headrace.datatypes import IntArray

#: Stands for a channel that the network does not have.
EXTRA = -1


@dataclass(frozen=True)
class Layout:
    """sources: of every channel the one of the network, EXTRA for one more. codes: what each of the others always
    holds, None where that is not known or the channel is the network's.

    shift: what is added to every element of all channels.
    """

    sources: tuple[int, ...]
    codes: tuple[int | None, ...]
    shift: int = 0

    @classmethod
    def plain(cls, channels: int) -> Layout:
        """That of a tensor as the network has it."""
        return cls(tuple(range(channels)), (None,) * channels)

    @cached_property
    def is_plain(self) -> bool:
        """True if the tensor is as the network has it."""
        return EXTRA not in self.sources and not self.shift

    @property
    def extras(self) -> list[int]:
        """The channels that the network does not have."""
        return [place for place, source in enumerate(self.sources) if source == EXTRA]

    def places(self, channels: frozenset[int]) -> frozenset[int]:
        """Where channels of the network stand."""
        return frozenset(place for place, source in enumerate(self.sources) if source in channels)

    def spread(self, rows: IntArray, filler: IntArray | int) -> IntArray:
        """Values (C, ...) of the network's channels in their places, `filler` for the others."""
        placed = rows[np.maximum(self.sources, 0)]
        placed[self.extras] = filler
        return np.asarray(placed)

    def with_codes(self, codes: Sequence[int | None], shift: int = 0) -> Layout:
        """The same channels with other contents."""
        known = [None if source != EXTRA else code for source, code in zip(self.sources, codes, strict=True)]
        return Layout(self.sources, tuple(known), shift)

    def widened(self, count: int, code: int | None) -> Layout:
        """So many more channels behind the last one, with that code."""
        if not count:
            return self
        return replace(self, sources=(*self.sources, *[EXTRA] * count), codes=(*self.codes, *[code] * count))


def joined(parts: Sequence[Layout]) -> Layout:
    """Channels of several tensors one after the other."""
    sources: list[int] = []
    channels = 0
    for part in parts:
        sources += [source if source == EXTRA else channels + source for source in part.sources]
        channels += len(part.sources) - len(part.extras)
    return Layout(tuple(sources), tuple(code for part in parts for code in part.codes))
