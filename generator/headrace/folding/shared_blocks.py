"""Which layers get the DSP blocks of a board where they are too few for all.

Of layers that get all that they can take, or none: exact, a knapsack over the blocks. Where that leaves blocks that a
layer needs more of, rows of it may get them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from headrace.datatypes import IntArray
from headrace.folding.choices import Choice, with_dsp_blocks

#: More LUTs than any device has, so that sums of them stay integers.
_NEVER = 1 << 48


def share_blocks(ways: Mapping[str, Sequence[Choice]], blocks: int, luts: int, price: int) -> dict[str, Choice] | None:
    """One of the ways of every layer, the cheapest that takes no more blocks and LUTs; None where none does.

    price: of a DSP block in LUTs.
    """
    most = min(blocks, sum(max(way.cost.dsp for way in found) for found in ways.values()))
    if most < 0:
        return None
    least, picked = np.full(most + 1, _NEVER, np.int64), []
    least[0] = 0
    for found in ways.values():
        costs = np.array([_shifted(least, way.cost.dsp) + way.cost.all_luts for way in found])
        picked.append(costs.argmin(0))
        least = costs.min(0)
    prices = np.where(least <= luts, least + price * np.arange(most + 1), _NEVER)
    left = int(prices.argmin())
    if prices[left] >= _NEVER:
        return None
    chosen: dict[str, Choice] = {}
    for (name, found), which in zip(reversed(list(ways.items())), reversed(picked), strict=True):
        chosen[name] = found[which[left]]
        left -= chosen[name].cost.dsp
    return chosen


def fill_blocks(ways: Mapping[str, Sequence[Choice]], blocks: int) -> dict[str, Choice] | None:
    """A way of every layer, where those that save most LUTs per block get theirs first, as many as there are.

    A layer for which there are too few gets some of its rows into those that are left. None where there are too few
    for the ways that take fewest.
    """
    chosen = {name: min(found, key=lambda way: way.cost.dsp) for name, found in ways.items()}
    most = {name: min(found, key=lambda way: way.cost.all_luts) for name, found in ways.items()}
    left = blocks - sum(way.cost.dsp for way in chosen.values())
    if left < 0:
        return None
    saving = [name for name in ways if most[name].cost.dsp > chosen[name].cost.dsp]
    for name in sorted(saving, key=lambda name: _saved(chosen[name], most[name]), reverse=True):
        before = chosen[name]
        room = left + before.cost.dsp
        way = most[name] if most[name].cost.dsp <= room else with_dsp_blocks(before, room)
        if way and way.cost.all_luts < before.cost.all_luts:
            chosen[name] = way
            left -= way.cost.dsp - before.cost.dsp
    return chosen


def _saved(few: Choice, many: Choice) -> float:
    """LUTs that a block saves."""
    return (few.cost.all_luts - many.cost.all_luts) / (many.cost.dsp - few.cost.dsp)


def _shifted(least: IntArray, blocks: int) -> IntArray:
    """By blocks taken before: the same with so many more of them."""
    shifted = np.full_like(least, _NEVER)
    shifted[blocks:] = least[: max(0, len(least) - blocks)]
    return shifted
