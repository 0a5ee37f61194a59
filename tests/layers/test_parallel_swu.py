import random

import numpy as np
import pytest

from headrace.datatypes import uint_type
from headrace.layers import ParallelSwu, Swu
from headrace.layers.circular_buffer import execute
from headrace.layers.spec import layer_from_spec
from tests.layer_battery import LayerBattery
from tests.layers.test_swu import SHAPES, random_units, spec


class TestParallel(LayerBattery):
    specs = (
        *({**shape, "parallel_window": True} for shape in SHAPES),
        {**spec((4, 5, 5), (2, 3), "uint3", 1, pad=(0, 1, 1, 1)), "parallel_window": True},  # many words of a pixel
        {**spec((6, 7, 9), (3, 3), "int4", 9, pad=(1, 1, 1, 1)), "parallel_window": True},
        {**spec((7, 6, 6), (3, 3), "uint2", 3, pad=(1, 1, 0, 0), stride=(2, 2)), "parallel_window": True},
        {**spec((9, 11, 2), (3, 2), "uint5", dilation=(3, 2), stride=(3, 1)), "parallel_window": True},
        {**spec((8, 5, 4), (2, 4), "ternary", 2, dilation=(2, 1), pad=(2, 1, 0, 2)), "parallel_window": True},
        {**spec((1, 20, 2), (1, 3), "int8", stride=(1, 2), dilation=(1, 4)), "parallel_window": True},
        {**spec((18, 1, 5), (5, 1), "bipolar", 5, pad=(2, 0, 2, 0)), "parallel_window": True},
        {**spec((5, 5, 6), (5, 5), "uint4", 2, pad=(2, 2, 2, 2)), "parallel_window": True},
        {**spec((4, 5, 2), (2, 2), "uint3", pad=(4, 5, 1, 0)), "parallel_window": True},  # windows before the frame
        {**SHAPES[0], "parallel_window": True, "uram": True},
    )


@pytest.mark.parametrize("seed", range(8))
def test_slots_are_enough_for_a_word_per_cycle(seed: int) -> None:
    draw = random.Random(seed)
    for unit in random_units(draw, 250, lambda shape: ParallelSwu("s", *shape)):
        _, issued = execute(unit.upright.circular_buffer, 6)
        words = unit.outputs[0].words
        assert issued[-1] - issued[-1 - words] == max(unit.inputs[0].words, words) == unit.cycles, unit


@pytest.mark.parametrize("seed", range(4))
def test_taps_of_a_window_lie_in_different_banks(seed: int) -> None:
    draw = random.Random(seed)
    for unit in random_units(draw, 100, lambda shape: ParallelSwu("s", *shape)):
        for kernel, dilation, banks in zip(unit.kernel, unit.dilation, unit.banks, strict=True):
            assert len({tap * dilation % banks for tap in range(kernel)}) == kernel


def test_the_order_is_that_of_a_depthwise_window() -> None:
    fields = (5, 4, 6, (3, 2), uint_type(4), (1, 1), (1, 1), (1, 1, 1, 0), 3, 2)
    x = np.random.default_rng(1).integers(0, 16, (2, 5 * 4 * 6))
    assert np.array_equal(ParallelSwu("p", *fields).golden(x), Swu("s", *fields, depthwise=True).golden(x))


def test_a_spec_of_a_window_may_name_the_order_too() -> None:
    flags = {"parallel_window": True, "depthwise": True}
    assert isinstance(layer_from_spec({**SHAPES[0], **flags}).layer, ParallelSwu)


def test_a_row_is_stored_as_a_column() -> None:
    row = ParallelSwu("s", 1, 100, 2, (1, 5), uint_type(2), pad=(0, 2, 0, 2))
    parameters = dict(row.parameters())
    assert [parameters[name] for name in ("HEIGHT", "WIDTH", "BANKS_H", "BANKS_W", "SLOTS")] == [100, 1, 5, 1, 2]
