"""What weights take alone at any folding: tells that a board is too small before a folding is looked at.

The fewer words, the less memory, and the more is multiplied at once: both are counted, the latter by what no core
undercuts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.factors import fitted
from headrace.area.usage import Resources, total
from headrace.board.board import Board
from headrace.dataflow.graph import Dataflow
from headrace.fold_rule import divisors
from headrace.folding.tables import Rates, taken
from headrace.layers.base import Layer
from headrace.layers.products import Products
from headrace.layers.weight_store import store_amounts
from headrace.memory import Prices

#: Of a product with one weight, in the leanest core: seven bits are counted in two LUTs.
_LUTS_PER_PRODUCT = 0.2
#: What else there is on a board.
_NOT_FOR_WEIGHTS = ("ff", "dsp")


def weights_too_large(dataflow: Dataflow, ways: tuple[Callable[[Layer], Layer | None], ...], board: Board,
                      share: float) -> Resources | None:
    """What the weights take at PE = SIMD = 1, if there is no folding at which they are worth less than a board's share.

    ways: how layers may be built; those that none can at these folds are not counted. None where there is one: all else
    of the layers decides then.
    """
    found = [[way for make in ways if (way := make(layer)) is not None] for layer in Products.among(dataflow.layers)]
    layers = [built for built in found if built]
    if not layers:
        return None
    rates = Rates.of(board, layers[0][0].prices, dict.fromkeys(_NOT_FOR_WEIGHTS, 0.0))
    least = sum(least_price(Products.among(built), board, rates) for built in layers)
    budget = np.array([there for _, there in board.use(Resources()).values()], np.float64) * share
    if least <= float(rates.price(budget)):
        return None
    return total([min((_forms_of(way)[0] for way in Products.among(built)),
                      key=lambda form: _price(form, board, rates)) for built in layers])


def least_price(ways: Sequence[Products], board: Board, rates: Rates) -> float:
    """What the weights of a layer cost at least, in any of its ways and at any folding."""
    return min(_price(form, board, rates) for way in ways for form in _forms_of(way))


def _forms_of(layer: Products) -> list[Resources]:
    return _forms(layer.storage, layer.mh * layer.mw, layer.weight.bits, layer.prices)


def _price(form: Resources, board: Board, rates: Rates) -> float:
    """Halves of blocks as halves: neighbours fill them up."""
    whole = np.array(taken(board, form), np.float64)
    whole[list(board.use(Resources())).index("bram36")] = form.bram18 / 2
    return float(rates.price(whole))


@lru_cache(maxsize=1 << 10)
def _forms(storage: str, weights: int, bits: int, prices: Prices) -> list[Resources]:
    """What so many weights take at least, with any number of them in a word, one first."""
    found = []
    for lanes in divisors(weights):
        amounts = Amounts(prices)
        store_amounts(amounts, storage, weights // lanes, lanes * bits)
        found.append(amounts.total(fitted(prices.cells)) + Resources(lut=int(_LUTS_PER_PRODUCT * lanes)))
    return found
