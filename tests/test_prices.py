"""The prices of a block RAM and of a DSP block come from the family of the board, and decide what is built."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from headrace import request
from headrace.area.thresholds import Bounds
from headrace.board.board import Board
from headrace.board.family import ZYNQ_ULTRASCALE, Family
from headrace.datatypes import int_type, uint_type
from headrace.design import Recipe, folded
from headrace.errors import InputError
from headrace.layers.search import is_serial
from headrace.layers.weighted import WeightedLayer
from headrace.memory import PRICES, Prices
from headrace.model import Model
from headrace.network.integer import HostOutput, IntegerNetwork, Node
from headrace.planning import plan_design
from headrace.request import Options
from tests.small_networks import host_input, random_conv, random_threshold


def model() -> Model:
    """A dense layer whose products may be in DSP blocks, or in LUTs."""
    rng = np.random.default_rng(0)
    nodes = (Node("fc0", random_conv(rng, (8, 2, 2, 8), int_type(3)), ("input",)),
             Node("fc0_act", random_threshold(rng, 8, uint_type(2), 500), ("fc0",)))
    net = IntegerNetwork(host_input(2, 2, 8, uint_type(3)), nodes, HostOutput((8, 1, 1), np.ones(8), np.zeros(8)))
    return Model(net, "0" * 64)


@pytest.mark.parametrize(("price", "takes_dsp"), [(1, True), (10_000, False)])
def test_the_family_of_the_board_prices_the_cores(monkeypatch: pytest.MonkeyPatch, price: int,
                                                          takes_dsp: bool) -> None:
    def find_family(board: Board) -> Family:
        return replace(ZYNQ_ULTRASCALE, prices=Prices(dsp=price))

    monkeypatch.setattr(request, "find_family", find_family)
    options = Options(folding={"fc0": {"pe": 4, "simd": 4}})
    asked = request.resolve(options)
    planned = plan_design(model(), asked)
    recipe = Recipe.of_record(planned.design.recipe.record())
    for dataflow in (planned.dataflow, folded(model().integer, recipe)):
        assert [layer.chosen_core == "dsp" for layer in WeightedLayer.among(dataflow.layers)] == [takes_dsp]
    assert asked.recipe.as_built(model().unfolded.layers[0]).prices == Prices(dsp=price)  # type: ignore[attr-defined]


def test_without_a_family_the_prices_are_those_of_ultrascale() -> None:
    assert Recipe().prices == PRICES == ZYNQ_ULTRASCALE.prices
    record = Recipe().record()
    del record["prices"]  # of a build that knew no others
    assert Recipe.of_record(record).prices == PRICES


def test_a_dear_block_makes_searches_parallel() -> None:
    bounds = Bounds(pe=4, groups=16, steps=15, bits=16)
    assert is_serial(bounds, 64, 4)
    assert not is_serial(bounds, 64, 4, Prices(block=5000))


def test_prices_are_positive() -> None:
    with pytest.raises(InputError, match="prices: dsp=0 must be positive"):
        Prices(dsp=0)
