
from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.datatypes import BIPOLAR, TERNARY, DataType, Interval, int_type, uint_type
from headrace.errors import UnsupportedError
from headrace.network import integer
from headrace.network.graph import Network
from headrace.network.ops import RELU, Affine, Clip, Conv, Linear, MaxPool, Op, Quantize, QuantWeight, Reshape
from headrace.network.rounding import Rounding
from headrace.streamline.streamline import streamline, streamline_traced
from tests.assert_exact import assert_exact
from tests.exact_network import round_exactly
from tests.narrow import the
from tests.streamline.graphs import (
    ROUNDINGS,
    chain,
    floats,
    legal_network,
    one_weight,
    quantizer,
    weight,
)


def thresholds_of(network: Network) -> integer.Threshold:
    return next(node.op for node in streamline(network).nodes if isinstance(node.op, integer.Threshold))


# The vectors of quantization.md 7.1: gamma, beta, mean, variance, eps; output type and step; range; flip, thresholds.
BATCH_NORMS = [
    ((0.5, 0.25, 3, 4, 0), BIPOLAR, 1.0, 40, False, [2]),
    ((0.5, 0.25, 3, 4, 0), uint_type(2), 0.5, 40, False, [3, 5, 7]),
    ((-0.5, 0.25, 3, 4, 0), BIPOLAR, 1.0, 40, True, [-4]),
    ((-0.5, 0.25, 3, 4, 0), uint_type(2), 0.5, 40, True, [-3, -1, 1]),
    ((-1.3, 0.441, 2.845, 4.694, 1e-5), uint_type(3), 0.25, 40, True, [-3, -2, -2, -2, -1, -1, 0]),
    ((0, 0.4, 1, 1, 0), uint_type(2), 0.25, 9, False, [-9, -9, 10]),
]


@pytest.mark.parametrize(("norm", "output", "step", "reach", "flip", "wanted"), BATCH_NORMS)
def test_thresholds_of_a_batch_norm_are_the_vectors(norm: tuple[float, ...], output: DataType, step: float, reach: int,
                                                    flip: bool, wanted: list[int]) -> None:
    gamma, beta, mean, variance, eps = norm
    A = gamma / np.sqrt(variance + eps)
    network = chain((1,), quantizer(Interval(-reach, reach)), Linear(one_weight()),
                    Affine(floats(A), floats(beta - A * mean)), quantizer(output, step, rounding="half_up"))
    assert thresholds_of(network).thresholds.tolist() == [wanted]
    conv = the(integer.Conv, streamline(network).nodes[0].op)
    assert int(conv.weights[0, 0, 0, 0]) == (-1 if flip else 1)


@settings(max_examples=120, deadline=None)
@given(scale=st.sampled_from([0.25, -0.25, 0.3, -0.7, 1.0, -1.5, 0.0]), offset=st.sampled_from([0.0, 0.125, -0.4, 2.5]),
       step=st.sampled_from([0.5, 0.25, 0.3, 1.0]), rounding=st.sampled_from(ROUNDINGS),
       dtype=st.sampled_from([uint_type(1), uint_type(2), int_type(3), Interval(-3, 3), TERNARY, BIPOLAR]),
       zero_point=st.integers(-1, 3), clip=st.sampled_from([None, RELU, Clip(-0.5, 0.75)]))
def test_thresholds_equal_round_and_clip_for_every_accumulator(scale: float, offset: float, step: float,
                                                               rounding: Rounding, dtype: DataType, zero_point: int,
                                                               clip: Clip | None) -> None:
    zero_point = 0 if dtype == BIPOLAR else zero_point
    last = quantizer(dtype, step, zero_point, rounding)
    activation = [] if clip is None else [clip]
    network = chain((1,), quantizer(int_type(6)), Linear(one_weight()), Affine(floats(scale), floats(offset)),
                    *activation, last)
    net = streamline(network)
    sign = int(the(integer.Conv, net.nodes[0].op).weights[0, 0, 0, 0])
    threshold = the(integer.Threshold, net.nodes[1].op)
    for acc in range(-32, 32):
        y = Fraction(scale) * acc + Fraction(offset)
        if clip is not None:
            y = max(y, Fraction(clip.lo))
            y = y if clip is RELU else min(y, Fraction(clip.hi))
        if dtype == BIPOLAR:
            wanted = 1 if y >= 0 else -1
        else:
            wanted = min(max(round_exactly(y / Fraction(step) + zero_point, rounding), dtype.lo), dtype.hi)
        assert threshold.count(np.array([[sign * acc]]))[0, 0] == wanted


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_give_every_code_exactly(seed: int) -> None:
    network = legal_network(seed)
    x = np.random.default_rng(seed).normal(size=(3, *network.input.shape)).astype(np.float32)
    assert assert_exact(network, x) > 20


def test_ties_of_power_of_two_scales_follow_the_rounding() -> None:
    grid = np.arange(-16, 16, dtype=np.float32)[:, None]
    for rounding in ROUNDINGS:
        network = chain((1,), quantizer(int_type(6)), Linear(one_weight()),
                        Quantize(floats(4.0), int_type(3), 1, rounding), Linear(one_weight()))
        assert_exact(network, grid)


def test_pooling_before_a_batch_norm_with_negative_gamma_takes_the_minimum() -> None:
    rng = np.random.default_rng(0)
    network = chain((1, 4, 4), quantizer(uint_type(2)), Conv(weight(rng, int_type(4), 2, 1, 1, 1)),
                    MaxPool((2, 2), (2, 2)), Affine(floats(-1.0, 1.0), floats(0.3)), RELU, quantizer(uint_type(2), 0.2))
    net = streamline(network)
    assert [node.name for node in net.nodes] == ["conv0", "pool1", "pool1_act"]
    assert the(integer.MaxPool, net.nodes[1].op).minimum == frozenset({0})
    assert_exact(network, rng.uniform(0, 4, (5, 1, 4, 4)).astype(np.float32))


def test_pooling_after_a_batch_norm_with_negative_gamma_negates_the_weights() -> None:
    rng = np.random.default_rng(1)
    network = chain((1, 4, 4), quantizer(uint_type(2)), Conv(weight(rng, int_type(4), 2, 1, 1, 1)),
                    Affine(floats(-1.0, 1.0), floats(0.3)), MaxPool((2, 2), (2, 2)), quantizer(int_type(3), 0.2))
    assert the(integer.MaxPool, streamline(network).nodes[1].op).minimum == frozenset()
    assert_exact(network, rng.uniform(0, 4, (5, 1, 4, 4)).astype(np.float32))


def test_negating_the_lowest_code_widens_the_weight_type() -> None:
    network = chain((1,), quantizer(uint_type(2)), Linear(one_weight(-8, int_type(4))),
                    Affine(floats(-1.0), floats(0.0)), quantizer(uint_type(2)))
    conv = the(integer.Conv, streamline(network).nodes[0].op)
    assert conv.weight == Interval(-8, 8) and conv.weights.tolist() == [[[[8]]]]


def test_falling_codes_without_convolution_invert_their_thresholds() -> None:
    network = chain((2,), quantizer(uint_type(2)), Affine(floats(-1.0, 1.0), floats(2.0, 0.0)), quantizer(uint_type(2)),
                    Linear(QuantWeight(np.array([[1, 1]]), floats(1.0), BIPOLAR)))
    net = streamline(network)
    assert [node.name for node in net.nodes] == ["threshold0", "fc1"]
    threshold = the(integer.Threshold, net.nodes[0].op)
    assert threshold.inverted == frozenset({0}) and threshold.thresholds.tolist() == [[0, 1, 2], [1, 2, 3]]
    assert_exact(network, np.array([[0, 1], [1, 2], [2, 3], [3, 0]], np.float32))


def test_a_repeated_quantizer_makes_no_node() -> None:
    repeated = quantizer(uint_type(2), 0.5)
    traced = streamline_traced(chain((1,), repeated, repeated, Linear(one_weight())))
    assert [node.name for node in traced.network.nodes] == ["fc0"]
    assert [trace.tensor for trace in traced.quantizers] == ["input", "input"]


def test_padding_uses_the_code_that_means_zero() -> None:
    rng = np.random.default_rng(2)
    network = chain((1, 3, 4), quantizer(uint_type(3), 0.5, zero_point=3),
                    Conv(weight(rng, int_type(3), 2, 1, 3, 3), pad=(1, 0, 1, 2)))
    assert the(integer.Conv, streamline(network).nodes[0].op).pad_value == 3
    assert_exact(network, rng.normal(size=(4, 1, 3, 4)).astype(np.float32))


def test_a_flat_input_reshaped_to_an_image() -> None:
    rng = np.random.default_rng(3)
    network = chain((12,), Reshape((1, 3, 4)), quantizer(uint_type(2)), Conv(weight(rng, TERNARY, 2, 1, 2, 2)))
    assert streamline(network).host_inputs[0].shape == (12,)
    assert_exact(network, rng.uniform(0, 4, (4, 12)).astype(np.float32))


def test_relu_before_the_first_quantizer_narrows_the_input() -> None:
    network = chain((1,), RELU, quantizer(int_type(4), 0.5), Linear(one_weight()))
    assert streamline(network).host_input.tensor.dtype == Interval(0, 7)
    assert_exact(network, np.linspace(-3, 5, 33, dtype=np.float32)[:, None])


RNG = np.random.default_rng(0)
W3 = weight(RNG, TERNARY, 2, 1, 3, 3)
REFUSED = [
    ((1, 4, 4), [quantizer(BIPOLAR), Conv(W3, pad=(1, 1, 1, 1))],
     "n1: pads a bipolar tensor with 0, which is neither -1 nor +1; use padding=0 or an activation that has 0 "
     "(2 bits or ternary)"),
    ((1, 4, 4), [RELU, Conv(W3)],
     "n1: its input is not quantized; put a quantizer (QuantIdentity) at the start of the network"),
    ((1, 4, 4), [MaxPool((2, 2), (2, 2))],
     "n0: its input is not quantized; put a quantizer (QuantIdentity) at the start of the network"),
    ((1, 4, 4), [quantizer(uint_type(2)), Conv(W3), RELU, Conv(weight(RNG, TERNARY, 2, 2, 1, 1))],
     "n3: its input is not quantized after conv0; put a quantizer (QuantReLU, QuantIdentity) before it"),
    ((5, 4, 4), [Quantize(floats(1.0, 0.375, 0.6, 0.7, 0.9), uint_type(2)), Conv(weight(RNG, TERNARY, 2, 5, 1, 1))],
     "n1: its input channels have 5 different scales from 0.375 to 1, and at most 4 that are not powers of two of each "
     "other are possible; quantize its input per tensor"),
    ((1, 4, 4), [quantizer(uint_type(2)), Conv(W3), RELU],
     "n2: the network ends with an activation that no quantizer follows; add a quantizer (QuantReLU) or remove "
     "the activation"),
    ((1, 4, 4), [quantizer(uint_type(2)), Conv(W3), quantizer(int_type(9), 0.375)],
     "n2: quantizes to 9 bits but activations inside the network have at most 8; use fewer bits, or up to 16 with a "
     "scale that is a power of two and no activation before"),
    ((1, 2, 2), [quantizer(uint_type(2)), Reshape((-1,)), Affine(floats(1.0, 2.0, 3.0, 4.0), floats(0.0)),
                 quantizer(uint_type(2))],
     "n2: its parameters differ between the 2x2 positions of a channel; place it before the flatten or after the "
     "dense layer"),
    ((1, 4, 4), [quantizer(uint_type(2), 1.0, -1), Conv(W3, pad=(1, 1, 1, 1))],
     "n1: pads with 0.0, for which its input of type uint2 has no common code; use padding=0 or a quantizer that "
     "represents 0.0 exactly"),
]


@pytest.mark.parametrize(("shape", "steps", "sentence"), REFUSED)
def test_what_has_no_exact_form_is_one_sentence(shape: tuple[int, int, int], steps: list[Op], sentence: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        streamline(chain(shape, *steps))
    assert str(caught.value) == sentence
