"""How multi-thresholds are searched: all bits of all counts in a pipeline, or one after the other on one comparator.

A binary search takes S = bits of N comparisons. The pipeline has one comparator per row and bit; where results come
every SF >= 2 * PE * S cycles, all rows can share one comparator, whose bounds are one deep memory: a block RAM answers
late in a cycle, so that a bit takes one to read and one to compare. In the pipeline every row and bit has a table of
its bounds, or with many row groups one ROM gives all bounds of a group (headrace_thresholds.sv).
"""

from __future__ import annotations

from functools import lru_cache

from headrace.area.amounts import Amounts
from headrace.area.thresholds import Bounds, search, serial_search
from headrace.memory import PRICES, Prices

#: Cycles of a serial search for each bit.
SEARCH_BIT_CYCLES = 2
#: Most cycles of a serial search: by so many its results come later.
MAX_SEARCH_CYCLES = 64
#: A serial search that saves less than this share costs the same, and is later.
_SAME_COST = 0.02


@lru_cache(maxsize=1 << 14)
def is_serial(bounds: Bounds, words: int, out_bits: int, prices: Prices = PRICES) -> bool:
    """True if one comparator can search the thresholds of all rows and costs less.

    words: cycles from result to result. out_bits: of a result. The structures are counted without the fitted factors:
    a fit shall not choose other hardware than it was fitted to.
    """
    if bounds.steps <= 1 or SEARCH_BIT_CYCLES * bounds.pe * bounds.stages > min(words, MAX_SEARCH_CYCLES):
        return False
    serial, pipeline = Amounts(prices), Amounts(prices)
    serial_search(serial, bounds, out_bits)
    search(pipeline, bounds)
    takes = [a.total({"lut": {}, "ff": {}}) for a in (serial, pipeline)]
    costs = [found.all_luts + prices.block * found.bram18 for found in takes]
    return costs[0] < costs[1] * (1 - _SAME_COST)
