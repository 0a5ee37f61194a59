"""Requantizers of weighted sums: multipliers of the branches with which a multiplication and a shift decide every code.

The smallest multipliers that separate what lies on either side of a point leave no room for a line through all points.
Larger ones follow the ratio of the scales more closely, until a line fits. It is proved as the multipliers are, over
all combinations of codes: at the smallest sum that reaches each code and at the largest one that does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from headrace.datatypes import IntArray, Interval
from headrace.network.integer import Requant
from headrace.streamline.requant_facts import Facts
from headrace.streamline.requant_search import requant_of_facts
from headrace.streamline.sums import Grid

#: A multiplied branch is a stream of at most 31 bits.
MAX_BRANCH_BITS = 30


def requant_of_grids(grids: Sequence[Grid], sizes: Sequence[Sequence[Fraction]],
                     smallest: Sequence[Sequence[int]] | None,
                     output: Interval) -> tuple[list[tuple[int, ...]], Requant] | None:
    """Multipliers for every grid, and the requantizer of all their sums; None where none was found.

    sizes: of the branches, for every grid. smallest: multipliers to begin with.
    """
    for multipliers in _candidates(sizes, smallest):
        if any(_bits(grid, row) > MAX_BRANCH_BITS for grid, row in zip(grids, multipliers, strict=True)):
            return None
        margins = [grid.margins(row) for grid, row in zip(grids, multipliers, strict=True)]
        if any(part is None for part in margins):
            continue
        step = requant_of_facts([_facts(*part, output) for part in margins if part is not None], output)
        if step is not None:
            return multipliers, step
    return None


def _candidates(sizes: Sequence[Sequence[Fraction]],
                smallest: Sequence[Sequence[int]] | None) -> Iterator[list[tuple[int, ...]]]:
    """The smallest multipliers, then finer and finer ones."""
    factor = 2
    if smallest is not None:
        yield [tuple(row) for row in smallest]
        factor = 1 << max(max(row) for row in smallest).bit_length()
    while True:
        yield [tuple(round(size * factor / max(row)) for size in row) for row in sizes]
        factor *= 2


def _bits(grid: Grid, multipliers: Sequence[int]) -> int:
    """Bits without sign of the widest branch."""
    return max(abs(multiplier * end) for multiplier, span in zip(multipliers, grid.spans, strict=True)
               for end in span).bit_length()


def _facts(reaching: IntArray, below: IntArray, output: Interval) -> Facts:
    """Sums that reach a code, and those that must not; bounds without a combination ask for nothing."""
    codes = np.arange(output.lo + 1, output.hi + 1)
    reached, missed = reaching < Grid.FAR, below > -Grid.FAR
    return Facts.of(reaching[reached], codes[reached], below[missed], codes[missed])
