"""Requantizers of weighted sums: multipliers of the branches with which a multiplication and a shift decide every code.

The smallest multipliers that separate what lies on either side of a point leave no room for a line through all points.
Larger ones follow the scales more closely, until a line fits, best one that only shifts. It is proved as the
multipliers are, over all combinations of codes: at the smallest sum that reaches each code and at the largest one that
does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np

from headrace.datatypes import IntArray, Interval
from headrace.network.integer import Requant
from headrace.streamline.requant_facts import MAX_SHIFT, Facts
from headrace.streamline.requant_search import requant_of_facts
from headrace.streamline.sums import Grid

#: A multiplied branch is a stream of at most 31 bits.
MAX_BRANCH_BITS = 30
#: So many doublings more are tried for a sum that a shift alone takes back, without a third multiplication.
MORE = 4
#: Multipliers of the branches of every grid, and the requantizer of all sums.
Found = tuple[list[tuple[int, ...]], Requant]


def requant_of_grids(grids: Sequence[Grid], sizes: Sequence[Sequence[Fraction]],
                     smallest: Sequence[Sequence[int]] | None,
                     output: Interval) -> Found | None:
    """Multipliers for every grid, and the requantizer of all their sums; None where none was found.

    sizes: of the branches in codes of the output, for every grid. smallest: multipliers to begin with.
    """
    found: Found | None = None
    left = MORE
    for shift, multipliers in _candidates(sizes, smallest):
        if left < 0 or any(_bits(grid, row) > MAX_BRANCH_BITS for grid, row in zip(grids, multipliers, strict=True)):
            break
        step = _step(grids, multipliers, output, range(MAX_SHIFT + 1) if found is None else (shift,))
        if step is not None:
            found = multipliers, step
            if np.all(step.multiplier == 1):
                break
        left -= found is not None
    return found


def _candidates(sizes: Sequence[Sequence[Fraction]], smallest: Sequence[Sequence[int]] | None,
                ) -> Iterator[tuple[int, list[tuple[int, ...]]]]:
    """The smallest multipliers, then sizes times 2^shift, which a shift alone takes back."""
    if smallest is not None:
        yield 0, [tuple(row) for row in smallest]
    for shift in range(MAX_SHIFT + 1):
        yield shift, [tuple(round(size * (1 << shift)) for size in row) for row in sizes]


def _step(grids: Sequence[Grid], multipliers: Sequence[Sequence[int]], output: Interval,
          shifts: Sequence[int]) -> Requant | None:
    """The requantizer of sums with these multipliers; None where they decide nothing or no line fits."""
    facts = []
    for grid, row in zip(grids, multipliers, strict=True):
        if (part := grid.margins(row)) is None:
            return None
        facts.append(_facts(*part, output))
    return requant_of_facts(facts, output, shifts)


def _bits(grid: Grid, multipliers: Sequence[int]) -> int:
    """Bits without sign of the widest branch."""
    return max(abs(multiplier * end) for multiplier, span in zip(multipliers, grid.spans, strict=True)
               for end in span).bit_length()


def _facts(reaching: IntArray, below: IntArray, output: Interval) -> Facts:
    """Sums that reach a code, and those that must not; bounds without a combination ask for nothing."""
    codes = np.arange(output.lo + 1, output.hi + 1)
    reached, missed = reaching < Grid.FAR, below > -Grid.FAR
    return Facts.of(reaching[reached], codes[reached], below[missed], codes[missed])
