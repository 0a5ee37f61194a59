"""Small integer networks with random weights for tests."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from headrace.datatypes import BIPOLAR, TERNARY, Bipolar, DataType, IntArray, Interval, uint_type
from headrace.layers.random_values import random_values
from headrace.network.integer import (
    Add,
    Conv,
    HostInput,
    HostOutput,
    IntegerNetwork,
    MaxPool,
    Node,
    TensorType,
    Threshold,
)
from headrace.network.ops import Pad

UINT2 = uint_type(2)


def host_input(height: int, width: int, channels: int, dtype: DataType) -> HostInput:
    tensor = TensorType((height, width, channels), dtype)
    return HostInput((channels, height, width), tensor, np.ones(1), np.zeros(1))


def random_conv(rng: np.random.Generator, shape: tuple[int, ...], weight: DataType, pad: Pad = (0, 0, 0, 0),
                pad_value: int = 0) -> Conv:
    return Conv(random_values(rng, weight, shape), weight, pad=pad, pad_value=pad_value)


def random_threshold(rng: np.random.Generator, channels: int, output: DataType, spread: int) -> Threshold:
    return Threshold(np.sort(rng.integers(-spread, spread + 1, (channels, output.steps)), axis=1), output)


def dense_network(weight: DataType, *sizes: int) -> IntegerNetwork:
    """Dense layers fc0, fc1, ... from so many values of two bits to so many each, with thresholds between them."""
    rng = np.random.default_rng(0)
    nodes: list[Node] = []
    for k, (inputs, outputs) in enumerate(pairwise(sizes)):
        source = f"fc{k - 1}_act" if k else "input"
        nodes += [Node(f"fc{k}", random_conv(rng, (outputs, 1, 1, inputs), weight), (source,)),
                  Node(f"fc{k}_act", random_threshold(rng, outputs, UINT2, 900), (f"fc{k}",))]
    output = HostOutput((sizes[-1],), np.ones(sizes[-1]), np.zeros(sizes[-1]))
    return IntegerNetwork(host_input(1, 1, sizes[0], UINT2), tuple(nodes[:-1]), output)


def small_network(seed: int = 0, activation: DataType = UINT2) -> IntegerNetwork:
    """conv 3x3 padded, threshold; conv 3x3, pool 2x2, threshold; dense with threshold; dense: all kinds of weights."""
    rng = np.random.default_rng(seed)
    pad_value = -1 if isinstance(activation, Bipolar) else 0
    nodes = (
        Node("conv0", random_conv(rng, (4, 3, 3, 1), Interval(-7, 7), pad=(1, 1, 1, 1)), ("input",)),
        Node("conv0_act", random_threshold(rng, 4, activation, 60), ("conv0",)),
        Node("conv1", random_conv(rng, (6, 3, 3, 4), BIPOLAR, pad=(0, 1, 1, 0), pad_value=pad_value), ("conv0_act",)),
        Node("pool2", MaxPool((2, 2), (2, 2), frozenset({1, 4})), ("conv1",)),
        Node("conv1_act", random_threshold(rng, 6, activation, 12), ("pool2",)),
        Node("fc3", random_conv(rng, (8, 3, 3, 6), TERNARY), ("conv1_act",)),
        Node("fc3_act", random_threshold(rng, 8, activation, 10), ("fc3",)),
        Node("fc4", random_conv(rng, (5, 1, 1, 8), BIPOLAR), ("fc3_act",)),
    )
    return IntegerNetwork(host_input(8, 8, 1, uint_type(4)), nodes, HostOutput((5,), np.ones(5), np.zeros(5)))


def random_input(net: IntegerNetwork, frames: int, seed: int = 1) -> IntArray:
    tensor = net.host_input.tensor
    return random_values(np.random.default_rng(seed), tensor.dtype, (frames, int(np.prod(tensor.shape))))


#: A folding of odd_words_network with words of three bytes in.
ODD_FOLDING = {"conv0": {"pe": 6, "simd": 3}, "conv1": {"pe": 6, "simd": 6}}


def odd_words_network() -> IntegerNetwork:
    """Words of three bytes in and of two out; a branch around a 3x3 convolution, whose join needs a FIFO."""
    rng = np.random.default_rng(5)
    nodes = (
        Node("conv0", random_conv(rng, (6, 1, 1, 3), Interval(-7, 7)), ("input",)),
        Node("conv0_act", random_threshold(rng, 6, UINT2, 900), ("conv0",)),
        Node("conv1", random_conv(rng, (6, 3, 3, 6), TERNARY, pad=(1, 1, 1, 1)), ("conv0_act",)),
        Node("conv1_act", random_threshold(rng, 6, UINT2, 20), ("conv1",)),
        Node("sum", Add(), ("conv0_act", "conv1_act")),
        Node("conv2", random_conv(rng, (3, 2, 2, 6), Interval(-127, 127)), ("sum",)),
    )
    return IntegerNetwork(host_input(3, 3, 3, uint_type(8)), nodes, HostOutput((3, 2, 2), np.ones(3), np.zeros(3)))
