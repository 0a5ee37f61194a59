"""How multi-thresholds are searched: all bits of all counts in a pipeline, or one after the other on one comparator.

A binary search takes S = bits of N comparisons. The pipeline has one comparator per row and bit; where results come
every SF >= PE * S cycles, all rows can share one comparator, whose bounds are one deep memory. Where block RAMs answer
late and there is time, a bit takes two cycles. In the pipeline every row and bit has a table of its bounds, or with
many row groups one ROM gives all bounds of a group (headrace_thresholds.sv).
"""

from __future__ import annotations

from functools import lru_cache

from headrace.area.amounts import Amounts
from headrace.area.thresholds import Bounds, search, serial_search
from headrace.memory import PRICES, Prices

#: Most cycles of a serial search, one for a bit: by so many its results come later.
MAX_SEARCH_CYCLES = 32
#: A serial search that saves less than this share costs the same, and is later.
_SAME_COST = 0.02


@lru_cache(maxsize=1 << 14)
def is_serial(bounds: Bounds, words: int, out_bits: int, prices: Prices = PRICES) -> bool:
    """True if one comparator can search the thresholds of all rows and costs less.

    words: cycles from result to result. out_bits: of a result. The structures are counted without the fitted factors:
    a fit shall not choose other hardware than it was fitted to.
    """
    if bounds.steps <= 1 or bounds.pe * bounds.stages > min(words, MAX_SEARCH_CYCLES):
        return False
    serial, pipeline = Amounts(prices), Amounts(prices)
    serial_search(serial, bounds, out_bits, words)
    search(pipeline, bounds)
    takes = [a.total({"lut": {}, "ff": {}}) for a in (serial, pipeline)]
    costs = [found.all_luts + prices.block * found.bram18 for found in takes]
    return costs[0] < costs[1] * (1 - _SAME_COST)
