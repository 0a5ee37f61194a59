"""Where a channel's value rises and falls over its integers, and where it passes decision points.

Float64 says about where, exact questions on both sides make it certain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from headrace.datatypes import IntArray
from headrace.streamline.meaning import Channel

#: Where a code begins: (point, whether the point itself belongs to it), ascending.
Decisions = Sequence[tuple[Fraction, bool]]
#: The largest integers that float64 tells apart.
_FAR = 1 << 53


class Piece(NamedTuple):
    """The integers start, start + 1, ... stop - 1, perhaps none, over which a value does not fall, or does not rise."""

    start: int
    stop: int
    rises: bool


def pieces(channel: Channel, lo: int, hi: int) -> list[Piece]:
    """The pieces of the integers from lo to hi, in their order."""
    if channel.curve is None or channel.bent is None:
        return [Piece(lo, hi + 1, channel.scale >= 0)]
    found = [part for piece in pieces(channel.bent, lo, hi) for part in _turned(channel, piece)]
    return found if channel.scale >= 0 else [part._replace(rises=not part.rises) for part in found]


def _turned(channel: Channel, piece: Piece) -> list[Piece]:
    """A piece of the curve's argument as pieces of the curve; integers in the middle of a turn are one each."""
    assert channel.curve is not None and channel.bent is not None
    if channel.curve.turn is None:
        return [piece]
    below, above = channel.curve.turn
    levels = [(below, False), (above, True)][:: 1 if piece.rises else -1]
    first, second = (int(passing(channel.bent, piece, [level])[0]) for level in levels)
    second = max(first, second)
    middle = [Piece(q, q + 1, True) for q in range(first, second)]
    # From either side the curve falls towards its turn.
    return [Piece(piece.start, first, False), *middle, Piece(second, piece.stop, True)]


def passing(channel: Channel, piece: Piece, decisions: Decisions) -> IntArray:
    """For every decision the first integer of a piece on its other side, `stop` if there is none.

    That side is above the point in a piece that rises, else below it.
    """
    guesses = _guesses(channel, piece, [float(at) for at, _ in decisions])
    tests = (lambda q, at=at, closed=closed: channel.reaches(q, at, closed) == piece.rises for at, closed in decisions)
    return np.asarray([_first(test, piece, guess) for test, guess in zip(tests, guesses, strict=True)], np.int64)


def _guesses(channel: Channel, piece: Piece, levels: Sequence[float]) -> list[int]:
    """By bisection in float64, for all levels at once."""
    at = np.asarray(levels, np.float64)
    before, passed = np.full(len(at), piece.start - 1), np.full(len(at), piece.stop)
    for _ in range(int(piece.stop - piece.start + 1).bit_length()):
        middle = (before + passed) // 2
        values = channel.values(middle.astype(np.float64))
        there = values >= at if piece.rises else values < at
        inside = passed - before > 1
        passed, before = np.where(inside & there, middle, passed), np.where(inside & ~there, middle, before)
    return [int(guess) for guess in passed.tolist()]


def _first(test: Callable[[int], bool], piece: Piece, guess: int) -> int:
    """The first integer of a piece that passes a test as all later ones do; near the guess if that is good."""
    passed, width = guess, 1
    while passed > piece.start and test(passed - 1):
        passed, width = max(piece.start, passed - width), 2 * width
    before, width = passed - 1, 1
    while passed < piece.stop and not test(passed):
        before, passed, width = passed, min(piece.stop, passed + width), 2 * width
    while passed - before > 1:
        middle = (before + passed) // 2
        before, passed = (before, middle) if test(middle) else (middle, passed)
    return passed


def reached(channel: Channel, q: int, decisions: Decisions) -> int:
    """How many of the ascending decisions the value of q reaches."""
    lo, hi = 0, len(decisions)
    while lo < hi:
        middle = (lo + hi) // 2
        lo, hi = (middle + 1, hi) if channel.reaches(q, *decisions[middle]) else (lo, middle)
    return lo
