"""Quantizers of 256 codes with any zero point: 8 bits in the streams, the same values, ties included."""

from __future__ import annotations

import numpy as np
import pytest

import headrace as hr
from headrace.datatypes import Interval, int_type
from headrace.network import graph, ops, tensor_ops
from headrace.network.rounding import Rounding

RNG = np.random.default_rng(1)


def network(lowest: int, rounding: Rounding, joined: bool = False) -> graph.Network:
    """A padded convolution between two quantizers of 256 codes from `lowest` on; scales are powers of two."""
    dtype = Interval(lowest, lowest + 255)
    weight = ops.QuantWeight(RNG.integers(-7, 8, (3, 2, 3, 3)), np.asarray([0.25]), int_type(4))
    nodes = [graph.Node("q", ops.Quantize(np.asarray([0.5]), dtype, 0, rounding), ("x",)),
             graph.Node("c", ops.Conv(weight, RNG.integers(-9, 9, 3) / 8, pad=(1, 1, 1, 1)), ("q",)),
             graph.Node("y", ops.Quantize(np.asarray([4.0]), dtype, 0, rounding), ("c",))]
    if joined:
        nodes.append(graph.Node("z", tensor_ops.Concat(), ("y", "y")))
    return graph.Network((graph.Input("x", (2, 5, 5)),), tuple(nodes), (nodes[-1].name,))


@pytest.mark.parametrize("rounding", ["half_even", "half_odd", "half_up", "floor", "ceil"])
@pytest.mark.parametrize("lowest", [-253, -211, -109, -2])
def test_codes_are_8_bits_and_values_stay(lowest: int, rounding: Rounding) -> None:
    net = network(lowest, rounding)
    model = hr.load(net)
    types = model.integer.types
    assert types["input"].dtype.bits == types[model.integer.output].dtype.bits == 8
    x = RNG.integers(4 * lowest, 4 * (lowest + 256), (40, 2, 5, 5)) / 8  # every second is a tie
    assert np.array_equal(model.predict(x), net.forward(x))
    assert np.array_equal(model.predict(x, engine="golden", raw=True), model.predict(x, raw=True))


def test_what_signs_decide_and_what_is_joined_stays() -> None:
    assert hr.load(network(-109, "half_away")).integer.types["input"].dtype == Interval(-109, 146)
    joined = hr.load(network(-109, "half_even", joined=True)).integer
    assert (str(joined.types["input"].dtype), joined.types[joined.output].dtype) == ("int8", Interval(-109, 146))
