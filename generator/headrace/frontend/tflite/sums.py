"""Sums of two tensors of codes: small integer weights of both whose sum decides every code as the kernel does.

The kernel's result is a table over all pairs of codes, which rises in both. Multipliers of the two are exact if no pair
that gives a code has a smaller weighted sum than a pair that does not; a requantizer then makes the codes of the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from headrace.datatypes import IntArray, Interval
from headrace.network.integer import Requant
from headrace.streamline.sum_requants import requant_of_grids
from headrace.streamline.sums import Grid, smallest_ratio


@dataclass(frozen=True, eq=False)
class Weighted:
    """Multipliers of both tensors, and what makes codes of their weighted sum: a requantizer, or thresholds (N,)."""

    multipliers: tuple[int, int]
    step: Requant | IntArray


def weighted(table: IntArray, spans: Sequence[tuple[int, int]], sizes: Sequence[Fraction],
             output: Interval) -> Weighted | None:
    """Small multipliers near `sizes`, in codes of the output, that decide the codes of a table; None where none do.

    table: (left codes, right codes) from the lowest of `spans` on, rising along both.
    """
    grid = _grid(table, spans, output)
    simplest = smallest_ratio(sizes, grid.thresholds)
    found = requant_of_grids([grid], [sizes], None if simplest is None else [simplest.multipliers], output)
    if found is not None:
        left, right = found[0][0]
        return Weighted((left, right), found[1])
    if simplest is None:
        return None
    left, right = simplest.multipliers
    return Weighted((left, right), np.asarray(simplest.thresholds, np.int64))


def _grid(table: IntArray, spans: Sequence[tuple[int, int]], output: Interval) -> Grid:
    codes = np.arange(output.lo + 1, output.hi + 1)
    firsts = np.stack([np.searchsorted(row, codes, side="left") for row in table], 1) + spans[1][0]
    return Grid(np.arange(spans[0][0], spans[0][1] + 1)[:, None], spans, firsts)
