"""Thresholds of thresholds: one step where that is a line or narrow, else a requantizer and a table."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.datatypes import Interval, int_type
from headrace.engines import golden
from headrace.network import graph, ops
from headrace.network.activation import Activation
from headrace.streamline.compose_thresholds import compose_thresholds
from headrace.streamline.requantize import requantize
from headrace.streamline.streamline import streamline

RELU, LEAKY = ops.RELU, Activation("leaky_relu", np.asarray([0.1]))


def pair(activation: graph.Op, last: Interval, pad: int = 0, readers: int = 1,
         scale: float = 0.1337) -> graph.Network:
    """A convolution, a quantizer, an activation and a quantizer of another scale, then another convolution."""
    rng = np.random.default_rng(2)
    W = ops.QuantWeight(rng.integers(-7, 8, (4, 3, 3, 3)), np.asarray([0.3, 0.21, 0.4, 0.11]), int_type(4))
    V = ops.QuantWeight(rng.integers(-7, 8, (2, 4, 3, 3)), np.asarray([0.3]), int_type(4))
    nodes = [graph.Node("q", ops.Quantize(np.asarray([0.017]), int_type(8), 3), ("x",)),
             graph.Node("c", ops.Conv(W), ("q",)),
             graph.Node("a", ops.Quantize(np.asarray([0.13]), int_type(8)), ("c",)),
             graph.Node("f", activation, ("a",)), graph.Node("b", ops.Quantize(np.asarray([scale]), last), ("f",)),
             graph.Node("d", ops.Conv(V, pad=(pad,) * 4), ("b",))]
    if readers > 1:
        nodes.append(graph.Node("e", ops.Quantize(np.asarray([0.09]), int_type(8)), ("a",)))
    return graph.Network((graph.Input("x", (3, 6, 6)),), tuple(nodes), ("d", "e")[:readers])


@pytest.mark.parametrize(("net", "kinds"), [
    (pair(RELU, int_type(8), 1, scale=0.13), ["Conv", "Requant", "Conv"]),
    (pair(RELU, int_type(8), 1), ["Conv", "Requant", "Requant", "Conv"]),  # two scales: rounded twice
    (pair(ops.Clip(0.9, 5.0), int_type(8), 0, scale=0.13), ["Conv", "Requant", "Conv"]),
    (pair(ops.Clip(0.9, 5.0), int_type(8), 1, scale=0.13), ["Conv", "Requant", "Lookup", "Conv"]),  # the border is 0
    (pair(LEAKY, int_type(8), 1), ["Conv", "Requant", "Lookup", "Conv"]),
    (pair(RELU, Interval(0, 15)), ["Conv", "Threshold", "Conv"]),
    (pair(RELU, Interval(0, 15), readers=2), ["Conv", "Requant", "Threshold", "Conv", "Requant", "Sequence"]),
])
def test_pairs(net: graph.Network, kinds: list[str]) -> None:
    integer = streamline(net)
    made = requantize(compose_thresholds(integer))
    assert [type(node.op).__name__ for node in made.nodes] == kinds
    tensor = integer.host_input.tensor
    x = np.random.default_rng(1).integers(tensor.dtype.lo, tensor.dtype.hi + 1, (20, *tensor.shape))
    assert np.array_equal(golden.run(made, x)[made.output], golden.run(integer, x)[integer.output])
