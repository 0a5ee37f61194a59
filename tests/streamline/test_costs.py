"""What streamlining costs: equal channels share their arithmetic, ranges are found once, products are vectorised."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.datatypes import Interval, int_type, uint_type
from headrace.errors import HeadraceError, InputError, UnsupportedError
from headrace.model import load
from headrace.network import tensor_ops
from headrace.network.graph import Input, Network, Node
from headrace.network.integer_ops import MAX_CHANNELS, TensorType
from headrace.network.ops import RELU, Affine, Conv, Linear, Op, Quantize, QuantWeight
from headrace.streamline.meaning import distinct, each
from headrace.streamline.products import exact_products
from headrace.streamline.streamline import streamline


def chain(shape: tuple[int, ...], *steps: Op) -> Network:
    nodes = tuple(Node(f"n{k}", op, (f"n{k - 1}" if k else "x",)) for k, op in enumerate(steps))
    return Network((Input("x", shape),), nodes, (nodes[-1].name,))


def one(value: float) -> np.ndarray:
    return np.asarray([value], np.float64)


def seconds(source: Network) -> float:
    """CPU time of what `headrace check` does."""
    start = time.process_time()
    load(source).unfolded  # noqa: B018
    return time.process_time() - start


def joined(op: tensor_ops.Add | tensor_ops.Concat, depth: int, last: Quantize) -> Network:
    """A quantizer, then `depth` joins of a tensor with itself, then `last`."""
    nodes = [Node("q", Quantize(one(1), uint_type(1)), ("x",))]
    for k in range(depth):
        nodes.append(Node(f"j{k}", op, (nodes[-1].name,) * 2))
    nodes.append(Node("y", last, (nodes[-1].name,)))
    return Network((Input("x", (1, 2, 2)),), tuple(nodes), ("y",))


@pytest.mark.parametrize(("op", "depth"), [(tensor_ops.Add(), 40), (tensor_ops.Concat(), 14)])
def test_nested_joins_cost_no_more_than_their_number(op: tensor_ops.Add | tensor_ops.Concat, depth: int) -> None:
    assert seconds(joined(op, depth, Quantize(one(2.0**depth), uint_type(2)))) < 5


def test_a_thousand_sums_in_a_row_need_no_recursion() -> None:
    nodes = [Node("q", Quantize(one(1), uint_type(1)), ("x",))]
    for k in range(2000):
        nodes.append(Node(f"j{k}", tensor_ops.Add(), (nodes[-1].name, "q")))
    nodes.append(Node("y", Quantize(one(500), uint_type(2)), (nodes[-1].name,)))
    made = streamline(Network((Input("x", (1, 1, 1)),), tuple(nodes), ("y",)))
    assert made.types[made.output].dtype == uint_type(2)


@pytest.mark.parametrize("bits", [2, 8])
def test_equal_channels_share_their_arithmetic(bits: int) -> None:
    net = chain((1 << 15,), Quantize(one(0.25), int_type(4)), Affine(one(0.75), one(0.1)), RELU,
                Quantize(one(0.1), uint_type(bits)))
    assert seconds(net) < 5


def test_a_dense_layer_behind_a_zero_point_is_vectorised() -> None:
    codes = np.random.default_rng(0).integers(-7, 8, (1024, 1024))
    net = chain((1024,), Quantize(one(0.25), uint_type(4), 5), Linear(QuantWeight(codes, one(0.5), Interval(-7, 7))),
                Quantize(one(8), int_type(4)))
    assert seconds(net) < 5


RATIONALS = st.one_of(st.fractions(max_denominator=10**6), st.floats(-1e30, 1e30).map(Fraction),
                      st.floats(-1e-30, 1e-30).map(Fraction), st.just(Fraction(0)))


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(RATIONALS, min_size=1, max_size=12), st.integers(0, 2**32), st.sampled_from([3, 2**20, 2**40]))
def test_products_with_rationals_are_exact(offsets: list[Fraction], seed: int, reach: int) -> None:
    weights = np.random.default_rng(seed).integers(-reach, reach + 1, (3, len(offsets)))
    wanted = [sum((w * offset for w, offset in zip(row, offsets, strict=True)), Fraction(0))
              for row in weights.tolist()]
    assert exact_products(weights, offsets) == wanted


def test_each_computes_rows_of_the_same_objects_once() -> None:
    a, b = Fraction(1, 3), Fraction(2, 3)
    seen = []

    def product(x: Fraction, n: int) -> Fraction:
        seen.append((x, n))
        return x * n

    made = each(product, [a, b, a, a], np.asarray([1, 1, 1, 2]))
    assert made == (a, b, a, b) and seen == [(a, 1), (b, 1), (a, 2)]
    assert distinct([a, b, Fraction(1, 3), a]) == [a, b]
    with pytest.raises(ValueError, match="argument 2"):
        each(lambda x, y: x, [a], [a, b])


@pytest.mark.parametrize(("net", "sentence"), [
    (joined(tensor_ops.Add(), 70, Quantize(one(1), uint_type(2))),
     "j61: its integers need 63 bits and at most 62 are possible; put a quantizer in front of it"),
    (chain((MAX_CHANNELS + 1,), Quantize(one(1), uint_type(2))),
     "has 262145 channels and at most 262144 are possible; use fewer"),
    (chain((MAX_CHANNELS,), Quantize(one(1), uint_type(2)), RELU, Quantize(one(1), uint_type(8))),
     "n2: has 262144 channels of 255 thresholds and at most 33554432 thresholds are possible; use fewer bits or fewer "
     "channels"),
    (chain((2, 1, 1), Quantize(one(1), uint_type(2)), Affine(np.asarray([1, 2.0**80]), one(0)),
           Conv(QuantWeight(np.asarray([1, 1, 1, 0]).reshape(2, 2, 1, 1), one(1), Interval(0, 1)))),
     "n2: reads the sum of n2 of channels of scale 1 with 1 and n2 of channels of scale 1.20892582e+24 with "
     "1.20892582e+24 per integer, whose common step would need 83 bits and at most 62 are possible; put a quantizer "
     "behind the sum, or let its branches share one quantizer"),
    (chain((1, 1, 1), Quantize(one(1), uint_type(16)),
           Conv(QuantWeight(np.full((1, 1, 1, 1), 1 << 50), one(1), Interval(0, 1 << 50))),
           Quantize(one(1), uint_type(2))),
     "n1: its sums may need 67 bits and at most 62 are possible; use narrower weights or quantize its input"),
])
def test_what_would_not_fit_is_one_sentence(net: Network, sentence: str) -> None:
    with pytest.raises(HeadraceError) as error:
        streamline(net)
    assert str(error.value) == sentence


def test_a_ratio_of_steps_beyond_integers_is_refused() -> None:
    nodes = (Node("a", Quantize(one(1), uint_type(2)), ("x",)), Node("b", Affine(one(2.0**70), one(0)), ("a",)),
             Node("s", tensor_ops.Add(), ("a", "b")))
    with pytest.raises(UnsupportedError, match="whose common step would need 73 bits and at most 62 are possible"):
        streamline(Network((Input("x", (1, 1, 1)),), nodes, ("s",)))


def test_tensors_are_bounded() -> None:
    with pytest.raises(InputError, match="has 2147483648 elements and at most 2147483647 are possible"):
        TensorType((1 << 16, 1 << 15, 1), uint_type(1))
