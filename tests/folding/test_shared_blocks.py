"""DSP blocks go where they save most, and all ways of sharing them out are as if they had been tried."""

from __future__ import annotations

from itertools import product
from random import Random

import pytest

from headrace.area.usage import Resources
from headrace.datatypes import uint_type
from headrace.folding.choices import Choice
from headrace.folding.shared_blocks import share_blocks
from headrace.layers import Fifo
from headrace.layers.base import Layer


@pytest.fixture(scope="module")
def layer() -> Layer:
    return Fifo("fifo", 4, 1, uint_type(2), 4)


def drawn(rng: Random, layer: Layer) -> dict[str, tuple[Choice, Choice]]:
    """Layers with a way in LUTs alone and one that takes blocks."""
    return {f"fc{index}": (Choice({}, layer, 1, Resources(lut=rng.randrange(50, 200))),
                           Choice({}, layer, 1, Resources(lut=rng.randrange(50), dsp=rng.randrange(1, 9)), other=True))
            for index in range(rng.randrange(1, 6))}


@pytest.mark.parametrize("seed", range(40))
def test_the_cheapest_of_all_ways_that_fit_is_found(layer: Layer, seed: int) -> None:
    rng = Random(seed)
    ways, blocks, luts, price = drawn(rng, layer), rng.randrange(20), rng.randrange(600), rng.choice((0, 5, 40))
    costs = [(sum(way.cost.lut for way in picked), sum(way.cost.dsp for way in picked))
             for picked in product(*ways.values())]
    best = min((lut + price * dsp for lut, dsp in costs if lut <= luts and dsp <= blocks), default=None)
    found = share_blocks(ways, blocks, luts, price)
    assert (found is None) == (best is None)
    if found:
        assert set(found) == set(ways) and all(found[name] in ways[name] for name in ways)
        lut, dsp = (sum(getattr(way.cost, name) for way in found.values()) for name in ("lut", "dsp"))
        assert lut <= luts and dsp <= blocks and lut + price * dsp == best


def test_nothing_fits_where_others_take_more_blocks_than_there_are(layer: Layer) -> None:
    assert share_blocks({"fc0": (Choice({}, layer, 1, Resources(lut=1)),)}, -1, 1000, 100) is None
