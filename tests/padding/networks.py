"""Small networks whose numbers of channels have few divisors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, uint_type
from headrace.layers.random_values import random_values
from headrace.network.integer import (
    AccPool,
    Add,
    ChannelMap,
    Concat,
    DepthwiseConv,
    HostOutput,
    IntegerNetwork,
    MaxPool,
    Node,
    Requant,
)
from tests.small_networks import UINT2, host_input, random_conv, random_threshold

INT4 = Interval(-7, 7)


def depthwise(rng: np.random.Generator, channels: int, weight: DataType, pad_value: int = 0) -> DepthwiseConv:
    return DepthwiseConv(random_values(rng, weight, (channels, 3, 3, 1)), weight, pad=(1, 1, 1, 1),
                         pad_value=pad_value)


def residual_network(channels: int = 17, seed: int = 0) -> IntegerNetwork:
    """A sum of two branches of so many channels, one of them depthwise; twice as many behind it, bipolar weights."""
    rng = np.random.default_rng(seed)
    more = 2 * channels
    requant = Requant(rng.integers(20, 90, more), rng.integers(-500, 500, more), 7, "half_even", uint_type(3))
    nodes = (
        Node("conv0", random_conv(rng, (channels, 3, 3, 1), INT4, pad=(1, 1, 1, 1)), ("input",)),
        Node("act0", random_threshold(rng, channels, UINT2, 60), ("conv0",)),
        Node("dw1", depthwise(rng, channels, INT4), ("act0",)),
        Node("act1", random_threshold(rng, channels, UINT2, 30), ("dw1",)),
        Node("conv2", random_conv(rng, (channels, 1, 1, channels), TERNARY), ("act1",)),
        Node("act2", random_threshold(rng, channels, UINT2, 9), ("conv2",)),
        Node("sum3", Add(), ("act0", "act2")),
        Node("conv4", random_conv(rng, (more, 3, 3, channels), BIPOLAR, pad=(1, 1, 1, 1)), ("sum3",)),
        Node("pool4", MaxPool((2, 2), (2, 2)), ("conv4",)),
        Node("act4", requant, ("pool4",)),
        Node("pool5", AccPool((2, 2), (2, 2)), ("act4",)),
        Node("fc6", random_conv(rng, (5, 1, 1, more), INT4), ("pool5",)),
    )
    return IntegerNetwork(host_input(4, 4, 1, uint_type(4)), nodes, HostOutput((5,), np.ones(5), np.zeros(5)))


def joined_network(seed: int = 0) -> IntegerNetwork:
    """Branches of 17 and 34 channels one after the other; of some the minimum, some fall."""
    rng = np.random.default_rng(seed)
    nodes = (
        Node("conv0", random_conv(rng, (17, 3, 3, 1), INT4, pad=(1, 1, 1, 1)), ("input",)),
        Node("act0", random_threshold(rng, 17, UINT2, 60), ("conv0",)),
        Node("conv1", random_conv(rng, (34, 1, 1, 17), INT4), ("act0",)),
        Node("act1", random_threshold(rng, 34, UINT2, 40), ("conv1",)),
        Node("join2", Concat(), ("act0", "act1")),
        Node("pool2", MaxPool((2, 2), (2, 2), frozenset({3, 20, 50})), ("join2",)),
        Node("step2", replace(random_threshold(rng, 51, UINT2, 4), inverted=frozenset({2, 18, 50})), ("pool2",)),
        Node("conv3", random_conv(rng, (6, 2, 2, 51), INT4), ("step2",)),
        Node("map4", ChannelMap(tuple(range(50, 10, -1))), ("step2",)),
        Node("conv4", random_conv(rng, (6, 2, 2, 40), INT4), ("map4",)),
        Node("sum5", Add(), ("conv3", "conv4")),
    )
    return IntegerNetwork(host_input(4, 4, 1, uint_type(4)), nodes, HostOutput((6,), np.ones(6), np.zeros(6)))


def bipolar_network(pad_value: int = -1, seed: int = 0) -> IntegerNetwork:
    """Bipolar activations and weights of 17 and 34 channels, the frame padded with -1 or +1."""
    rng = np.random.default_rng(seed)
    nodes = (
        Node("conv0", random_conv(rng, (17, 3, 3, 1), INT4, pad=(1, 1, 1, 1)), ("input",)),
        Node("act0", random_threshold(rng, 17, BIPOLAR, 60), ("conv0",)),
        Node("conv1", random_conv(rng, (34, 3, 3, 17), BIPOLAR, pad=(1, 1, 1, 1), pad_value=pad_value), ("act0",)),
        Node("act1", random_threshold(rng, 34, BIPOLAR, 20), ("conv1",)),
        Node("dw2", depthwise(rng, 34, BIPOLAR, pad_value), ("act1",)),
        Node("act2", random_threshold(rng, 34, BIPOLAR, 4), ("dw2",)),
        Node("fc3", random_conv(rng, (5, 4, 4, 34), BIPOLAR), ("act2",)),
    )
    return IntegerNetwork(host_input(4, 4, 1, uint_type(4)), nodes, HostOutput((5,), np.ones(5), np.zeros(5)))


def shifted_network(seed: int = 0) -> IntegerNetwork:
    """Weights without a zero behind codes that are not 0, and a channel map behind their sums."""
    rng = np.random.default_rng(seed)
    codes = Requant(np.full(17, 300), rng.integers(500, 700, 17), 7, "half_even", uint_type(4))
    sums = Requant(rng.integers(3, 9, 34), rng.integers(-200, 200, 34), 6, "half_even", uint_type(4))
    nodes = (
        Node("conv0", random_conv(rng, (17, 3, 3, 1), INT4, pad=(1, 1, 1, 1)), ("input",)),
        Node("act0", random_threshold(rng, 17, UINT2, 60), ("conv0",)),
        Node("dw1", depthwise(rng, 17, TERNARY), ("act0",)),
        Node("act1", codes, ("dw1",)),
        Node("left2", random_conv(rng, (34, 1, 1, 17), BIPOLAR), ("act1",)),
        Node("right2", random_conv(rng, (34, 1, 1, 17), BIPOLAR), ("act1",)),
        Node("sum3", Add(), ("left2", "right2")),
        Node("pool4", AccPool((2, 2), (2, 2)), ("sum3",)),
        Node("act4", sums, ("pool4",)),
        Node("map5", ChannelMap((*rng.permutation(34).tolist(), 3, -1)), ("act4",)),
        Node("fc6", random_conv(rng, (5, 2, 2, 36), INT4), ("map5",)),
    )
    return IntegerNetwork(host_input(4, 4, 1, uint_type(4)), nodes, HostOutput((5,), np.ones(5), np.zeros(5)))
