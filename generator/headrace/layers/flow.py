"""How layers hold words: what the cycle model needs beyond phases and latency to tell when a word moves.

Unless said otherwise, every layer has a register slice of two words on each stream (headrace_skid.sv). Between them
lies one of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from headrace.datatypes import IntArray


class Buffer(NamedTuple):
    """A buffer of `depth` words and one frame of its work.

    words: taken per frame. needed: (windows, words out per window) the word in that each word out waits for, negative
    for padding. kept: (windows,) the oldest word that stays in the buffer from the window's start on, negative where
    that does not change. release_cycles: from the last word out of the window before to the first word in that takes
    the place of one that does not stay.
    """

    words: int
    depth: int
    overlaps: bool
    needed: IntArray
    kept: IntArray
    release_cycles: int


@dataclass(frozen=True)
class Pipeline:
    """Register stages behind one enable, the ready of the output slice. `stages` lie between the slices.

    reads_ahead: cycles that put nothing do not wait for room at the output. direct: there is no input slice, the enable
    is the ready of the input; every cycle reads. spaced: results never follow each other directly, and the output slice
    holds one word (headrace_spaced_slice.sv). single: the output is one register, and the enable follows the ready of
    its reader in the same cycle.
    """

    stages: int
    reads_ahead: bool = False
    direct: bool = False
    spaced: bool = False
    single: bool = False


@dataclass(frozen=True, eq=False)
class Window:
    """A reader that fills a circular buffer, a writer that empties it, and `stages` registers behind the writer.

    row_words: the reader sees room by so many words at a time.
    """

    buffer: Buffer
    stages: int
    row_words: int = 1


@dataclass(frozen=True, eq=False)
class Ring:
    """A window without slices: words go into the circular buffer as they come, its read register is the output."""

    buffer: Buffer


@dataclass(frozen=True)
class Copies:
    """A register slice whose word every output takes at its own time."""


@dataclass(frozen=True)
class Narrow:
    """A word of `units` becomes so many words, one in the output register and the others behind it (dwc.sv)."""

    units: int


@dataclass(frozen=True)
class Widen:
    """`units` words become one, collected beside the output register (dwc.sv)."""

    units: int


@dataclass(frozen=True)
class Queue:
    """A memory of `depth` words in front of the output register; up to 2 words: the register slice alone."""

    depth: int


@dataclass(frozen=True)
class Selection:
    """A whole frame is read before the first of `results` words leaves; the next frame is read meanwhile.

    `stages` registers lie between the input slice and the results, which wait for those of the frame before.
    """

    results: int
    stages: int


Flow = Pipeline | Window | Ring | Copies | Narrow | Widen | Queue | Selection
