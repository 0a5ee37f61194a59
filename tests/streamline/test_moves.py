"""Slices, gathers, shuffles, constant channels and crops: every code against the exact reading, absorbed or not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, int_type, uint_type
from headrace.engines import golden
from headrace.errors import InputError, UnsupportedError
from headrace.network import integer
from headrace.network.graph import Network, Op
from headrace.network.moves import Crop, SelectChannels
from headrace.network.ops import RELU, Affine, Clip, Linear, MaxPool, Pad, Reshape
from headrace.network.tensor_ops import Add, AvgPool, Concat, TopK, Transpose, Upsample
from headrace.streamline.absorb_channel_maps import _summed, absorb_channel_maps
from headrace.streamline.streamline import streamline
from tests.assert_exact import assert_exact, outputs
from tests.streamline.graphs import Step, conv, floats, graph, quantizer, samples

SHAPE = (4, 5, 6)
ACT = quantizer(uint_type(4), 0.4)


def select(*sources: int, value: float = 0.0) -> SelectChannels:
    return SelectChannels(sources, value)


def absorbed(network: Network, x: np.ndarray) -> integer.IntegerNetwork:
    """The absorbed network, whose outputs and codes are those of the network as it was, which are exact."""
    assert_exact(network, x)
    net = streamline(network)
    made = absorb_channel_maps(net)
    np.testing.assert_array_equal(outputs(made, x), outputs(net, x, "fast"))
    return made


def maps(net: integer.IntegerNetwork) -> list[tuple[int, ...]]:
    return [node.op.sources for node in net.nodes if isinstance(node.op, integer.ChannelMap)]


def between(*moves: Op, channels: int, seed: int = 0, act: Op = ACT, kernel: int = 3,
            pad: Pad = (0, 0, 0, 0)) -> Network:
    """A convolution of 4 channels with an activation, moves, and another convolution."""
    rng = np.random.default_rng(seed)
    nodes: dict[str, Step] = {
        "q": (quantizer(int_type(6), 0.1),), "c": (conv(rng, 4, 4, pad=(1, 1, 1, 1)), "q"),
        "n": (Affine(rng.choice([-0.3, 0.2], 4), rng.normal(size=4)), "c"), "a": (act, "n")}
    for place, op in enumerate(moves):
        nodes[f"m{place}"] = (op, list(nodes)[-1])
    nodes["d"] = (conv(rng, 3, channels, kernel=kernel, bias=rng.normal(size=3), pad=pad), list(nodes)[-1])
    return graph(SHAPE, **nodes)


@pytest.mark.parametrize(("moves", "channels"), [
    ([select(1, 2)], 2), ([select(0, 2)], 2), ([select(3, 2, 1, 0)], 4), ([select(2, 0, 2, 3)], 4),
    ([select(-1, 0, 1, 2, 3, -1)], 6), ([select(3, -1, 0, 3)], 4), ([select(1, 0), MaxPool((2, 2), (1, 1))], 2),
    ([Reshape((2, 2, 5, 6)), Transpose((1, 0, 2, 3)), Reshape((4, 5, 6))], 4),
    ([Reshape((2, 2, 5, 6)), select(1), Reshape((2, 5, 6))], 2),
    ([Reshape((2, 2, 5, 6)), select(-1, 1), Reshape((4, 5, 6))], 4),
    ([Transpose((1, 2, 0)), Transpose((2, 0, 1)), select(0, 3)], 2),
    ([MaxPool((2, 2), (1, 1)), select(3, 0, 0)], 3), ([Upsample((1, 2)), select(2, 3)], 2),
    ([AvgPool((1, 2), (1, 1)), select(2, 1)], 2), ([Crop((0, 0), (5, 6), (1, 2)), select(3, 1, 2)], 3),
])
def test_maps_between_convolutions_are_absorbed(moves: list[Op], channels: int) -> None:
    for seed in range(2):
        network = between(*moves, channels=channels, seed=seed, kernel=2, pad=(1, 0, 1, 0))
        assert maps(absorbed(network, samples(SHAPE, seed))) == []


@pytest.mark.parametrize(("act", "left"), [
    (quantizer(uint_type(4), 0.4, 3), 0), (quantizer(int_type(4), 0.4, -2), 0), (quantizer(BIPOLAR, 0.5), 0)])
def test_constant_channels_mean_zero_in_streams_of_every_type(act: Op, left: int) -> None:
    net = absorbed(between(select(-1, 0, 3, -1), channels=4, act=act, kernel=3), samples(SHAPE, 1))
    assert len(maps(net)) == left
    assert len(maps(streamline(between(select(-1, 0, 3, -1), channels=4, act=act)))) == 1


def test_a_constant_has_the_step_of_the_others_where_a_code_means_it() -> None:
    net = streamline(between(select(-1, 0), channels=2, act=quantizer(uint_type(4), 0.5, 3)))
    (op,) = (node.op for node in net.nodes if isinstance(node.op, integer.ChannelMap))
    assert op.constant == 3
    other = between(select(-1, 0, value=1.0), channels=2, act=quantizer(uint_type(4), 0.5, 3))
    (op,) = (node.op for node in streamline(other).nodes if isinstance(node.op, integer.ChannelMap))
    assert op.constant == 5


def test_constants_move_on_with_what_they_stand_between() -> None:
    shuffle: list[Op] = [Reshape((2, 2, 5, 6)), Transpose((1, 0, 2, 3)), Reshape((4, 5, 6))]
    assert maps(absorbed(between(select(-1, 0, 1, 2), *shuffle, channels=4), samples(SHAPE, 0))) == []
    two = [select(-1, 0, 1, 2), select(-1, 0, 1, 2, value=2.0)]
    absorbed(between(*two, channels=4), samples(SHAPE, 0))


def test_samples_of_signals_become_channels() -> None:
    rng = np.random.default_rng(0)
    network = graph((4, 6), q=(quantizer(int_type(4), 0.3),), r=(Reshape((4, 1, 6)), "q"),
                    c=(conv(rng, 4, 4, kernel=1), "r"), a=(ACT, "c"), f=(Reshape((4, 6)), "a"),
                    s=(Reshape((4, 3, 2)), "f"), t=(Transpose((0, 2, 1)), "s"), u=(Reshape((8, 3)), "t"),
                    w=(ACT, "u"), v=(Reshape((8, 1, 3)), "w"),
                    d=(conv(rng, 2, 8, kernel=1), "v"))
    assert [node.op for node in streamline(network).nodes if isinstance(node.op, integer.SpaceToDepth)] == [
        integer.SpaceToDepth((1, 2))]
    assert_exact(network, samples((4, 6), 1))


def test_signals_are_cut() -> None:
    rng = np.random.default_rng(0)
    network = graph((4, 6), q=(quantizer(int_type(4), 0.3),), r=(Reshape((4, 1, 6)), "q"),
                    c=(conv(rng, 4, 4, kernel=1), "r"), f=(Reshape((4, 6)), "c"), a=(ACT, "f"),
                    s=(Transpose((1, 0)), "a"), t=(select(1, 2, 3), "s"), u=(Transpose((1, 0)), "t"), w=(ACT, "u"),
                    v=(Reshape((4, 1, 3)), "w"), d=(conv(rng, 2, 4, kernel=1), "v"))
    assert [node.op for node in streamline(network).nodes if isinstance(node.op, integer.Crop)] == [
        integer.Crop((0, 1), (1, 4))]
    assert_exact(network, samples((4, 6), 1))


def test_signs_do_not_pass_a_constant_that_other_channels_have_too() -> None:
    """A constant of 0 is its own negative; for another one the thresholds are inverted."""
    for constant, inverted in ((0.0, 0), (0.25, 1)):
        rng = np.random.default_rng(1)
        network = graph(SHAPE, q=(quantizer(int_type(4), 0.25),), c=(conv(rng, 3, 4, scale=0.25),  "q"),
                        s=(select(2, -1, 0, -1, value=constant), "c"),
                        n=(Affine(np.array([-0.3, -0.1, 0.2, 0.1]), rng.normal(size=4)), "s"), a=(ACT, "n"),
                        d=(conv(rng, 2, 4, kernel=1), "a"))
        net = streamline(network)
        assert sum(bool(node.op.inverted) for node in net.nodes if isinstance(node.op, integer.Threshold)) == inverted
        assert_exact(network, samples(SHAPE, 3))


@pytest.mark.parametrize(("dtype", "codes", "wanted"), [
    (TERNARY, [1, -1, 0], BIPOLAR), (TERNARY, [1, 0, 1], TERNARY), (int_type(4), [1, -1, 0], int_type(4)),
    (BIPOLAR, [1, -1, 1], BIPOLAR)])
def test_columns_that_are_left_out_may_leave_bipolar_weights(dtype: DataType, codes: list[int],
                                                             wanted: DataType) -> None:
    made = _summed(integer.Conv(np.asarray(codes).reshape(1, 1, 1, 3), dtype), [0, 1, -1])
    assert made.weights.reshape(-1).tolist() == codes[:2] and made.weight == wanted


def test_rows_that_nobody_reads_are_not_made() -> None:
    net = absorbed(between(select(2), channels=1), samples(SHAPE, 0))
    assert [node.op.weights.shape[0] for node in net.nodes if isinstance(node.op, integer.Conv)] == [1, 3]


def test_negative_scales_behind_a_map_go_into_the_rows_of_the_convolution_in_front() -> None:
    rng = np.random.default_rng(1)
    network = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), c=(conv(rng, 3, 4),  "q"), s=(select(2, 0, -1), "c"),
                    n=(Affine(np.array([-0.3, 0.2, 0.1]), rng.normal(size=3)), "s"), r=(RELU, "n"), a=(ACT, "r"),
                    d=(conv(rng, 2, 3, kernel=1), "a"))
    net = absorbed(network, samples(SHAPE, 3))
    assert all(not node.op.inverted for node in net.nodes if isinstance(node.op, integer.Threshold))
    twice = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), c=(conv(rng, 3, 4),  "q"), s=(select(2, 2), "c"),
                  n=(Affine(np.array([-0.3, 0.2]), rng.normal(size=2)), "s"), a=(ACT, "n"), d=(conv(rng, 2, 2), "a"))
    assert any(node.op.inverted for node in absorbed(twice, samples(SHAPE, 4)).nodes
               if isinstance(node.op, integer.Threshold))


def test_pieces_of_a_split_are_filters_and_orders_go_to_the_readers() -> None:
    rng = np.random.default_rng(2)
    network = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), c=(conv(rng, 6, 4, pad=(1, 1, 1, 1)), "q"), a=(ACT, "c"),
                    left=(select(3, 1), "a"), right=(select(5, 0, 2, 4), "a"), d=(conv(rng, 2, 2, kernel=1), "left"),
                    e=(ACT, "d"), j=(Concat(), "e", "right"), f=(conv(rng, 2, 6), "j"))
    assert maps(absorbed(network, samples(SHAPE, 5))) == [(1, 3), (5, 0, 2, 4)]


def test_a_shuffle_in_front_of_a_depthwise_convolution_goes_through_it() -> None:
    rng = np.random.default_rng(3)
    network = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), s=(Concat(), "q", "q"), m=(select(0, 4, 1, 5, 2, 6), "s"),
                    w=(conv(rng, 6, 1, groups=6), "m"), a=(ACT, "w"), c=(conv(rng, 2, 6), "a"))
    assert maps(absorbed(network, samples(SHAPE, 6))) == [(0, 1, 2, 4, 5, 6)]


def test_requantizers_keep_what_belongs_to_their_channels() -> None:
    count = np.arange(4)
    requant = integer.Requant(count + 1, 3 * count, 2, "half_up", int_type(8), count, 1)
    nodes = (integer.Node("c", integer.Conv(np.diag(count + 1)[:, None, None], int_type(4)), ("input",)),
             integer.Node("r", requant, ("c",)), integer.Node("m", integer.ChannelMap((3, 1, 0)), ("r",)))
    ends = streamline(graph((4,), q=(quantizer(int_type(4)),)))
    net = integer.IntegerNetwork(ends.host_input, nodes, ends.host_output)
    made = absorb_channel_maps(net)
    x = np.arange(-8, 8).reshape(4, 4)
    assert [type(node.op) for node in made.nodes] == [integer.Conv, integer.Requant]
    np.testing.assert_array_equal(golden.run(made, x)[made.output], golden.run(net, x)[net.output])


def test_maps_behind_maps_are_one() -> None:
    rng = np.random.default_rng(4)
    network = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), s=(Concat(), "q", "q"), m=(select(7, 3, 0, -1), "s"),
                    r=(RELU, "m"), a=(quantizer(int_type(4), 0.3), "m"), b=(select(3, 1, 1), "a"), c=(
                        conv(rng, 2, 3), "b"))
    assert maps(absorbed(network, samples(SHAPE, 7))) == [(3,)]


def test_an_order_and_its_reverse_are_nothing() -> None:
    rng = np.random.default_rng(4)
    network = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), s=(Concat(), "q", "q"), m=(select(*range(7, -1, -1)), "s"),
                    a=(quantizer(uint_type(3), 0.3), "m"), b=(select(*range(7, -1, -1)), "a"), c=(
                        Concat(), "b", "s"), d=(conv(rng, 2, 16), "c"))
    assert maps(absorbed(network, samples(SHAPE, 7))) == [tuple(range(7, -1, -1))] * 2
    twice = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), s=(Concat(), "q", "q"), m=(select(*range(7, -1, -1)), "s"),
                  p=(MaxPool((1, 2), (1, 2)), "s"), b=(select(*range(7, -1, -1)), "m"), n=(
                      MaxPool((1, 2), (1, 2)), "b"), c=(Add(), "n", "p"))
    assert maps(absorbed(twice, samples(SHAPE, 7))) == []


def test_the_host_reverses_channels_of_the_input_and_the_output() -> None:
    rng = np.random.default_rng(5)
    network = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), m=(select(3, 2, 1, 0), "q"), c=(conv(rng, 3, 4), "m"),
                    o=(select(2, 0, 1), "c"))
    net = streamline(network)
    assert maps(net) == [] and net.host_inputs[0].order is not None and net.host_outputs[0].order is not None
    x = samples(SHAPE, 8)
    got = outputs(net, x, "fast")
    np.testing.assert_allclose(got.reshape(network.forward(x).shape), network.forward(x), rtol=1e-6)


def test_an_order_in_front_of_a_head_stays() -> None:
    rng = np.random.default_rng(6)
    network = graph((4,), q=(quantizer(int_type(4), 0.3),), c=(
        Linear(conv(rng, 5, 4, kernel=1).weight.__class__(rng.integers(-7, 8, (5, 4)), floats(0.5), int_type(4))), "q"),
        m=(select(4, 3, 2, 1, 0), "c"), t=(TopK(2), "m"))
    net = absorb_channel_maps(streamline(network))
    x = samples((4,), 9, 20)
    got = outputs(net, x)
    np.testing.assert_array_equal(got.reshape(20, 2), network.forward(x))
    assert maps(net) == []


def test_a_sum_with_constant_channels_needs_no_multiplication() -> None:
    rng = np.random.default_rng(7)
    act = quantizer(int_type(4), 0.5)
    network = graph(SHAPE, q=(act,), c=(conv(rng, 6, 4, stride=(2, 2)), "q"), b=(act, "c"),
                    s=(Crop((0, 0), (3, 4), (2, 2)), "q"), p=(select(-1, 0, 1, 2, 3, -1), "s"), t=(Add(), "b", "p"),
                    a=(ACT, "t"), d=(conv(rng, 2, 6, kernel=1), "a"))
    net = absorbed(network, samples(SHAPE, 10))
    assert not any(isinstance(node.op, integer.Requant) for node in net.nodes)


def test_accumulators_are_sliced_in_front_of_their_quantizer() -> None:
    rng = np.random.default_rng(8)
    network = graph(SHAPE, q=(quantizer(int_type(4), 0.3),), c=(conv(rng, 5, 4), "q"), n=(
        Affine(rng.choice([-0.3, 0.2], 5), rng.normal(size=5)), "c"), r=(Clip(-1.0, 2.0), "n"), s=(select(4, 1), "r"),
        k=(Crop((1, 0), (3, 3)), "s"), a=(ACT, "k"), d=(conv(rng, 2, 2, kernel=1), "a"))
    assert maps(absorbed(network, samples(SHAPE, 11))) == []


def test_vectors_are_sliced_and_blocks_of_a_flattened_map_too() -> None:
    rng = np.random.default_rng(9)
    weight = conv(rng, 5, 4, kernel=1).weight.__class__
    network = graph((2, 3, 4), q=(quantizer(int_type(4), 0.3),), f=(Reshape((24,)), "q"), s=(
        SelectChannels(tuple(range(12, 24))), "f"), c=(Linear(weight(rng.integers(-7, 8, (5, 12)), floats(0.5),
        int_type(4))), "s"), a=(ACT, "c"), t=(select(4, 0, 2), "a"), d=(Linear(weight(rng.integers(
            -7, 8, (2, 3)), floats(0.5), int_type(4))), "t"))
    assert maps(absorbed(network, samples((2, 3, 4), 12))) == [(1,)]


@pytest.mark.parametrize("seed", range(12))
def test_random_chains_of_moves_are_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    channels, height, width = 4, 5, 6
    moves: list[SelectChannels | Crop] = []
    for _ in range(rng.integers(1, 5)):
        if rng.integers(3):
            count = int(rng.integers(1, 6))
            moves.append(SelectChannels(tuple(rng.integers(-1 if rng.integers(2) else 0, channels, count).tolist())))
            channels = count
        elif height > 3 and width > 3:
            top, left, step = (int(n) for n in rng.integers(0, 2, 3))
            moves.append(Crop((top, left), (height, width), (1, 1 + step)))
            height, width = height - top, -(-(width - left) // (1 + step))
    if all(source < 0 for move in moves[-1:] if isinstance(move, SelectChannels) for source in move.sources):
        moves.append(select(0))
    try:
        absorbed(between(*moves, channels=len(moves[-1].sources) if isinstance(moves[-1], SelectChannels) else channels,
                         seed=seed, kernel=1, act=quantizer(Interval(0, 9), 0.3, int(rng.integers(0, 4)))),
                 samples(SHAPE, seed))
    except UnsupportedError as error:
        assert "its input is constant" in str(error)


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: SelectChannels(()), "the channels () should be one or more numbers from 0 on, or -1 for a constant; name "
                                 "those to keep"),
    (lambda: select(0, 4).infer((4, 1, 1)), "takes channel 4 of a tensor of 4 channels; use those from 0 to 3"),
    (lambda: Crop((0, -1), (1, 1)), "a crop from (0, -1) in steps of (1, 1) should start at 0 or later and go forward; "
                                    "give rows and columns in their order"),
    (lambda: Crop((0, 0), (1, 9)).infer((1, 2, 3)), "a crop from (0, 0) to (1, 9) leaves nothing of 2x3 pixels or "
                                                    "exceeds them; keep one pixel at least"),
    (lambda: Crop((0, 0), (1, 1)).infer((4,)), "a crop needs (channels, height, width), not (4,); crop before the "
                                               "flatten"),
])
def test_moves_that_cannot_be(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        make()
    assert str(error.value) == sentence
