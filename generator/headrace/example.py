"""A small network that needs no file: for examples, and to try an installation."""

from __future__ import annotations

import numpy as np

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, uint_type
from headrace.layers.random_values import random_values
from headrace.network.integer import Conv, HostInput, HostOutput, IntegerNetwork, MaxPool, Node, TensorType, Threshold

_CODES = uint_type(2)


def example_network(seed: int = 0) -> IntegerNetwork:
    """Two convolutions, a maximum and two dense layers with random weights of a seed: images (N, 1, 8, 8), 5 scores."""
    rng = np.random.default_rng(seed)
    pixels = TensorType((8, 8, 1), uint_type(4))
    nodes = (
        Node("conv0", _conv(rng, (4, 3, 3, 1), Interval(-7, 7), (1, 1, 1, 1)), ("input",)),
        Node("conv0_act", _steps(rng, 4, 60), ("conv0",)),
        Node("conv1", _conv(rng, (6, 3, 3, 4), BIPOLAR, (0, 1, 1, 0)), ("conv0_act",)),
        Node("pool2", MaxPool((2, 2), (2, 2), frozenset({1, 4})), ("conv1",)),
        Node("conv1_act", _steps(rng, 6, 12), ("pool2",)),
        Node("fc3", _conv(rng, (8, 3, 3, 6), TERNARY), ("conv1_act",)),
        Node("fc3_act", _steps(rng, 8, 10), ("fc3",)),
        Node("fc4", _conv(rng, (5, 1, 1, 8), BIPOLAR), ("fc3_act",)),
    )
    return IntegerNetwork(HostInput((1, 8, 8), pixels, np.ones(1), np.zeros(1)), nodes,
                          HostOutput((5,), np.ones(5), np.zeros(5)))


def _conv(rng: np.random.Generator, shape: tuple[int, ...], weight: DataType,
          pad: tuple[int, int, int, int] = (0, 0, 0, 0)) -> Conv:
    return Conv(random_values(rng, weight, shape), weight, pad=pad)


def _steps(rng: np.random.Generator, channels: int, spread: int) -> Threshold:
    return Threshold(np.sort(rng.integers(-spread, spread + 1, (channels, _CODES.steps)), axis=1), _CODES)
