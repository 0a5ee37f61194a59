"""Borders, channels that are constant, and constants that differ in one place only."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.datatypes import Interval, int_type, uint_type
from headrace.engines import golden
from headrace.errors import UnsupportedError
from headrace.network.graph import Network
from headrace.network.integer import ChannelMap, HostOutput, IntegerNetwork, Node, Threshold
from headrace.network.integer import Conv as IntegerConv
from headrace.network.integer import MaxPool as IntegerMaxPool
from headrace.network.ops import RELU, Affine, Conv, MaxPool, Reshape
from headrace.network.ops import Op as FloatOp
from headrace.network.tensor_ops import PadFrame
from headrace.streamline.absorb_channel_maps import absorb_channel_maps
from headrace.streamline.streamline import streamline
from headrace.streamline.thresholds_before_pooling import thresholds_before_pooling
from tests.assert_exact import assert_exact
from tests.small_networks import host_input, random_input
from tests.streamline.graphs import chain, floats, quantizer, weight

SHAPE = (2, 4, 5)


def samples(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-3, 3, (4, *SHAPE)).astype(np.float32)


def padded_conv(seed: int, *steps: FloatOp) -> Network:
    """A quantizer, the steps, and a padded convolution of two channels."""
    kernel = weight(np.random.default_rng(seed), int_type(3), 3, 2, 3, 3)
    return chain(SHAPE, quantizer(int_type(3), 0.5), *steps, Conv(kernel, pad=(1, 1, 1, 1)),
                 quantizer(int_type(4), 2.0))


@pytest.mark.parametrize("scale", [(1.0, 0.0), (0.0, 1.0), (0.0, -2.0)])
def test_a_channel_that_is_0_is_padded(scale: tuple[float, float]) -> None:
    assert_exact(padded_conv(0, Affine(floats(*scale), floats(0.0))), samples(0))


@pytest.mark.parametrize("offset", [(0.0, 0.5), (0.0, -1.0)])
def test_a_channel_that_is_another_constant_cannot_be_padded(offset: tuple[float, float]) -> None:
    with pytest.raises(UnsupportedError, match=r"pads with 0\.0, for which its input of type int3 has no common code"):
        streamline(padded_conv(0, Affine(floats(1.0, 0.0), floats(*offset))))


def test_zero_points_that_differ_cannot_be_padded() -> None:
    with pytest.raises(UnsupportedError, match=r"no common code; use padding=0 or one zero point for all of its chan"):
        streamline(padded_conv(0, Affine(floats(1.0), floats(0.0, 0.5))))


@pytest.mark.parametrize("gamma", [(1.0, 1.0), (-1.0, 1.0)])
@pytest.mark.parametrize("pad", [(1, 1, 1, 1), (0, 1, 1, 0)])
def test_padded_pooling_takes_nothing_from_its_border(gamma: tuple[float, float],
                                                      pad: tuple[int, int, int, int]) -> None:
    """Also behind accumulators, with the thresholds behind the pooling."""
    kernel = weight(np.random.default_rng(1), int_type(3), 2, 2, 1, 1)
    network = chain(SHAPE, quantizer(int_type(3), 0.5), Conv(kernel), Affine(floats(*gamma), floats(-4.0)),
                    PadFrame(pad, -np.inf), MaxPool((2, 2), (2, 2)), RELU, quantizer(uint_type(3), 0.5))
    assert_exact(network, samples(1))


@pytest.mark.parametrize("where", range(8))
def test_parameters_that_differ_at_one_position_only(where: int) -> None:
    scales = np.ones(8)
    scales[where] = 2.0
    network = chain((2, 2, 2), quantizer(int_type(3), 0.5), Reshape((8,)), Affine(scales, floats(0.0)),
                    quantizer(int_type(3), 0.5))
    with pytest.raises(UnsupportedError, match="its parameters differ between the 2x2 positions of a channel"):
        streamline(network)


def test_parameters_that_differ_between_channels_only() -> None:
    network = chain((2, 2, 2), quantizer(int_type(3), 0.5), Reshape((8,)),
                    Affine(np.repeat([1.0, 2.0], 4), floats(0.0)), quantizer(int_type(3), 0.5))
    assert_exact(network, np.random.default_rng(2).uniform(-3, 3, (4, 2, 2, 2)).astype(np.float32))


def test_inverted_thresholds_stay_behind_their_pooling() -> None:
    """They fall where the pooling rises; a saved network may hold them there."""
    nodes = (
        Node("conv0", IntegerConv(np.asarray([2, 1]).reshape(2, 1, 1, 1), Interval(1, 2)), ("input",)),
        Node("pool1", IntegerMaxPool((2, 2), (2, 2)), ("conv0",)),
        Node("act", Threshold(np.asarray([[3, 6, 9], [2, 4, 6]]), uint_type(2), frozenset({1})), ("pool1",)),
    )
    net = IntegerNetwork(host_input(4, 4, 1, uint_type(3)), nodes, HostOutput((2, 2, 2), np.ones(2), np.zeros(2)))
    q, moved = random_input(net, 20), thresholds_before_pooling(net)
    np.testing.assert_array_equal(golden.run(moved, q)[moved.output], golden.run(net, q)[net.output])


@pytest.mark.parametrize(("first", "second", "constants", "left"), [
    ((0, -1, 1), (1, 2, 0), (3, 0), 1),  # the constant is that of the map in front
    ((1, 0), (-1, 1, 0), (0, 5), 1),  # and here the other one's
    ((0, -1, 1), (2, 0, -1), (3, 5), 1),  # that of the map in front is not read
    ((0, -1, 1), (1, 2, -1), (3, 3), 1), ((0, -1, 1), (1, 2, -1), (3, 5), 2),
])
def test_a_map_behind_a_map_keeps_the_constants(first: tuple[int, ...], second: tuple[int, ...],
                                                constants: tuple[int, int], left: int) -> None:
    nodes = (
        Node("a", ChannelMap(first, constants[0]), ("input",)), Node("b", ChannelMap(second, constants[1]), ("a",)),
        Node("act", Threshold(np.arange(1, 8)[None].repeat(3, 0), uint_type(3)), ("b",)),
    )
    net = IntegerNetwork(host_input(2, 2, 2, uint_type(3)), nodes, HostOutput((3, 2, 2), np.ones(1), np.zeros(1)))
    q, made = random_input(net, 20), absorb_channel_maps(net)
    np.testing.assert_array_equal(golden.run(made, q)[made.output], golden.run(net, q)[net.output])
    assert sum(isinstance(node.op, ChannelMap) for node in made.nodes) == left
