"""What weights take alone is a bound: no folding takes less, and what it refuses the solver refuses too."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headrace.board.board import load_board
from headrace.dataflow.graph import Dataflow
from headrace.dataflow.lower import lower
from headrace.datatypes import BIPOLAR, TERNARY, DataType, int_type
from headrace.folding.choices import Choices
from headrace.folding.solver import Solver
from headrace.folding.tables import LayerTable, Rates
from headrace.folding.weights_alone import least_price, weights_too_large
from headrace.layers.base import Layer
from headrace.layers.products import Products
from headrace.memory import PRICES
from headrace.model import load
from tests.public_models import MODELS
from tests.small_dataflows import small_branches
from tests.small_networks import dense_network

BOARD = load_board("zcu104")


def as_it_is(layer: Layer) -> Layer:
    return layer


def other_core(layer: Layer) -> Layer | None:
    return layer.with_other_core()


def no_choice_takes_less(dataflow: Dataflow) -> None:
    rates = Rates.of(BOARD, PRICES, {"ff": 0.0, "dsp": 0.0})
    choices = Choices(dataflow, {}, other=other_core)
    for layer in Products.among(dataflow.layers):
        least = least_price([layer], BOARD, rates)
        assert 0 < least <= rates.price(LayerTable(choices.of_layer[layer.name], BOARD).halves).min()


@pytest.mark.parametrize("weight", [BIPOLAR, TERNARY, int_type(3), int_type(4), int_type(8)], ids=str)
def test_no_folding_of_dense_layers_takes_less(weight: DataType) -> None:
    no_choice_takes_less(lower(dense_network(weight, 64, 96, 32)))


def test_no_folding_of_binary_and_depthwise_layers_takes_less() -> None:
    no_choice_takes_less(load(MODELS / "tfc_w1a1.onnx").unfolded)
    no_choice_takes_less(small_branches())


def test_what_is_refused_fits_at_no_folding() -> None:
    dataflow = lower(dense_network(int_type(8), 64, 96, 32))
    solver = Solver(Choices(dataflow, {}), BOARD)
    refused = 0
    for lut in range(0, 3000, 150):
        small = replace(BOARD, lut=lut, bram36=1, uram=0)
        found = weights_too_large(dataflow, (as_it_is,), small, 1.0)
        if found is not None:
            refused += 1
            assert found.bram36 > 1 or found.all_luts > lut
            assert Solver(solver.choices, small).fitting(solver.slowest_cycles, 1.0) is None
    assert 0 < refused < 20
    assert weights_too_large(dataflow, (as_it_is,), BOARD, 1.0) is None
