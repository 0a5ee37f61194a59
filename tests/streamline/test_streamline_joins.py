"""Sums and concatenations of branches: their scales, signs and the quantizers that they share."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, TERNARY, int_type, uint_type
from headrace.errors import UnsupportedError
from headrace.network import integer
from headrace.network.ops import RELU, Affine, Clip, MaxPool
from headrace.network.tensor_ops import (
    Add,
    Concat,
)
from headrace.streamline import joins
from headrace.streamline.streamline import streamline
from tests.assert_exact import assert_exact
from tests.narrow import the
from tests.streamline.graphs import INT4, SHAPE, Step, conv, floats, graph, quantizer, residual, samples


@pytest.mark.parametrize("ratio", [1.0, 2.0, 16.0, 0.25])
@pytest.mark.parametrize("seed", range(4))
def test_residual_sums_of_power_of_two_steps_are_exact(seed: int, ratio: float) -> None:
    assert assert_exact(residual(seed, ratio, bits=4 if seed % 2 else 6), samples(SHAPE, seed)) > 100


def test_sums_multiply_the_coarser_side() -> None:
    net = streamline(residual(0, 16.0))
    scale = next(node.op for node in net.nodes if node.name.startswith("scale"))
    assert isinstance(scale, integer.Requant) and (scale.shift, set(scale.multiplier.tolist())) == (0, {16})


def test_sums_of_equal_steps_add_integers() -> None:
    nodes = streamline(residual(0, 1.0)).nodes
    scaled = [node.op for node in nodes if node.name.startswith("scale")]
    assert not [op for op in scaled if set(the(integer.Requant, op).multiplier.tolist()) == {1}]


def test_a_join_of_other_ratios_counts_in_the_common_step() -> None:
    network = graph((1,), a=(quantizer(uint_type(2), 0.5), "x"), b=(quantizer(uint_type(2), 0.25), "a"),
                    c=(Affine(floats(3.0), floats(0.0)), "b"), s=(Add(), "a", "c"))
    multipliers = [node.op.multiplier.tolist() for node in streamline(network).nodes
                   if isinstance(node.op, integer.Requant)]
    assert multipliers == [[2], [3]]
    assert_exact(network, samples((1,), 0))


@pytest.mark.parametrize("scales", [(0.5, 0.25), (0.5, 0.3125), (0.5, float(np.float32(0.3)))])
@pytest.mark.parametrize("last", [(), ("q",)])
def test_a_convolution_of_branches_of_other_scales_is_exact(scales: tuple[float, float], last: tuple[str, ...]) -> None:
    rng = np.random.default_rng(0)
    steps: dict[str, Step] = {
        "a": (quantizer(INT4, scales[0]), "x"), "b": (quantizer(uint_type(2), scales[1]), "a"),
        "cat": (Concat(), "a", "b"), "r": (MaxPool((2, 2), (1, 1)), "cat"), "c": (conv(rng, 3, 4, kernel=2), "r"),
        "q": (quantizer(INT4, 0.37), "c")}
    network = graph(SHAPE, **{name: step for name, step in steps.items() if name != "q" or last})
    assert assert_exact(network, samples(SHAPE, 0)) > 100
    directly = graph(SHAPE, **{name: step for name, step in steps.items() if name not in ("r", "c", "q")},
                     c=(conv(rng, 3, 4, kernel=2), "cat"))
    assert_exact(directly, samples(SHAPE, 0))
    joins = [node for node in streamline(directly).nodes if isinstance(node.op, integer.Concat)]
    assert len(joins) == (scales == (0.5, 0.25))  # else each branch has a convolution of its own


def test_a_concatenation_of_too_many_scales_is_named_with_its_branches() -> None:
    rng = np.random.default_rng(0)
    parts: dict[str, Step] = {
        f"b{k}": (quantizer(uint_type(2), scale), "a") for k, scale in enumerate((0.3, 0.7, 0.9, 1.1))}
    network = graph(SHAPE, a=(quantizer(INT4, 0.5), "x"), **parts, cat=(Concat(), "a", "b0", "b1", "b2", "b3"),
                    r=(RELU, "cat"), p=(MaxPool((2, 2), (2, 2)), "r"), q=(quantizer(INT4, 0.1), "p"),
                    c=(conv(rng, 2, 10, kernel=2), "cat"))
    with pytest.raises(UnsupportedError) as error:
        streamline(network)
    assert str(error.value) == (
        "cat: joins a, b0, b1, b2, b3 with 5 different scales from 0.3 to 1.1, which c reads as one tensor, and at "
        "most 4 that are not powers of two of each other are possible; let the branches share one quantizer, or put "
        "one behind cat")


def test_signs_stay_out_of_weights_that_another_branch_reads() -> None:
    rng = np.random.default_rng(0)
    network = graph((1, 3, 3), a=(quantizer(int_type(3), 0.5), "x"), c=(conv(rng, 2, 1, kernel=2), "a"),
                    n=(Affine(floats(-1.0, 1.0), floats(0.3)), "c"), q=(quantizer(uint_type(2), 0.4), "n"),
                    p=(quantizer(uint_type(2), 0.4), "c"), s=(Add(), "q", "p"))
    inverted = [node.op.inverted for node in streamline(network).nodes if isinstance(node.op, integer.Threshold)]
    assert sorted(map(len, inverted)) == [0, 1]
    assert_exact(network, samples((1, 3, 3), 0))


def test_equal_quantizers_of_one_tensor_are_shared() -> None:
    rng = np.random.default_rng(0)
    network = graph((1, 3, 3), a=(quantizer(uint_type(3), 0.5), "x"), c=(conv(rng, 2, 1, kernel=2), "a"),
                    q=(quantizer(uint_type(2), 0.4), "c"), p=(quantizer(uint_type(2), 0.4), "c"), s=(Add(), "q", "p"))
    assert [node.name for node in streamline(network).nodes] == ["conv0", "conv0_act", "add1"]
    assert_exact(network, samples((1, 3, 3), 0))


@pytest.mark.parametrize("seed", range(4))
def test_concatenations_feed_convolutions_of_power_of_two_scales(seed: int) -> None:
    rng = np.random.default_rng(seed)
    network = graph(SHAPE, a=(quantizer(int_type(4), 0.25), "x"), c=(conv(rng, 3, 2, kernel=1), "a"),
                    n=(Affine(floats(-1.0, 1.0, -0.5), floats(0.2)), "c"), p=(quantizer(uint_type(2), 0.5), "n"),
                    m=(Affine(floats(-1.0, 2.0), floats(0.0)), "a"), j=(Concat(), "p", "m", "a"),
                    d=(conv(rng, 2, 7, BIPOLAR if seed % 2 else TERNARY), "j"), q=(quantizer(int_type(5), 0.9), "d"))
    assert assert_exact(network, samples(SHAPE, seed)) > 60


def test_concatenations_keep_activations_that_wait_for_a_quantizer() -> None:
    rng = np.random.default_rng(0)
    network = graph(SHAPE, a=(quantizer(int_type(4), 0.25), "x"), c=(conv(rng, 2, 2, kernel=1), "a"), r=(RELU, "c"),
                    k=(Clip(-0.5, 0.5), "a"), j=(Concat(), "r", "k"), q=(quantizer(int_type(3), 0.3), "j"))
    assert_exact(network, samples(SHAPE, 1))


@pytest.mark.parametrize(("left", "right", "wanted"), [
    ((1, 2), (0, 1), ((1, 2), 1, 0)), ((0, 1), (-3, 4), ((3, 4), 0, -1)), ((0, 1), (0, 1), ((1, 1), 0, 0)),
    ((1, 2), (1, 8), ((1, 8), 4, 1)), ((-1, 4), (1, 2), ((1, 4), -1, 2)), ((1, 2), (1, 6), None),
])
def test_a_sum_of_two_scales_has_the_finer_one(left: tuple[int, int], right: tuple[int, int],
                                               wanted: tuple[tuple[int, int], int, int] | None) -> None:
    """A constant channel, whose scale is 0, leaves the other one's."""
    found = joins._common_step(Fraction(*left), Fraction(*right))
    assert found == (wanted and joins._Step(Fraction(*wanted[0]), *wanted[1:]))
