"""Sums of two tensors of codes: small integer weights of both whose sum decides every code as the kernel does.

The kernel's result is a table over all pairs of codes, which rises in both. Multipliers of the two are exact if no pair
that gives a code has a smaller weighted sum than a pair that does not; a requantizer then makes the codes of the sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from headrace.datatypes import IntArray, Interval
from headrace.network.integer import Requant
from headrace.streamline.requant_facts import Facts
from headrace.streamline.requant_search import requant_of_facts
from headrace.streamline.sums import Grid, smallest_ratio

#: Widest multipliers of the two tensors that are tried.
MAX_MULTIPLIER_BITS = 24


@dataclass(frozen=True, eq=False)
class Weighted:
    """Multipliers of both tensors, and what makes codes of their weighted sum: a requantizer, or thresholds (N,)."""

    multipliers: tuple[int, int]
    step: Requant | IntArray


def weighted(table: IntArray, spans: Sequence[tuple[int, int]], sizes: Sequence[Fraction],
             output: Interval) -> Weighted | None:
    """The smallest multipliers near the ratio of `sizes` that decide the codes of a table; None where none do.

    table: (left codes, right codes) from the lowest of `spans` on, rising along both.
    """
    grid = _grid(table, spans, output)
    first: Weighted | None = None
    for multipliers in _candidates(grid, sizes):
        margins = grid.margins(multipliers)
        if margins is None:
            continue
        step = requant_of_facts([_facts(*margins, output)], output)
        if step is not None:
            return Weighted(multipliers, step)
        first = first or Weighted(multipliers, margins[0])
    return first


def _grid(table: IntArray, spans: Sequence[tuple[int, int]], output: Interval) -> Grid:
    codes = np.arange(output.lo + 1, output.hi + 1)
    firsts = np.stack([np.searchsorted(row, codes, side="left") for row in table], 1) + spans[1][0]
    return Grid(np.arange(spans[0][0], spans[0][1] + 1)[:, None], spans, firsts)


def _candidates(grid: Grid, sizes: Sequence[Fraction]) -> Iterator[tuple[int, int]]:
    """The simplest ratio that decides, then finer and finer ones."""
    simplest = smallest_ratio(sizes, grid.thresholds)
    if simplest is not None:
        left, right = simplest.multipliers
        yield left, right
    largest, factor = max(sizes), 2
    while factor < 1 << MAX_MULTIPLIER_BITS:
        yield round(sizes[0] * factor / largest), round(sizes[1] * factor / largest)
        factor *= 2


def _facts(reaching: IntArray, below: IntArray, output: Interval) -> Facts:
    """Sums that reach a code, and those that must not; bounds without a pair ask for nothing."""
    codes = np.arange(output.lo + 1, output.hi + 1)
    reached, missed = reaching < Grid.FAR, below > -Grid.FAR
    return Facts.of(reaching[reached], codes[reached], below[missed], codes[missed])
