
from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from headrace.datatypes import BIPOLAR, TERNARY, int_type, uint_type
from headrace.errors import InputError
from headrace.network.graph import Input, Network, Node
from headrace.network.ops import RELU, Affine, Clip, Conv, Linear, MaxPool, Quantize, QuantWeight, Reshape
from headrace.network.rounding import round_to_integer as rounded
from headrace.network.tensor_ops import Add, Concat, MultiThreshold, PadFrame, Transpose, Upsample
from tests.exact_network import evaluate

ONE = np.ones(1)
X = (Input("x", (1, 4, 4)),)


def ternary(*shape: int) -> QuantWeight:
    return QuantWeight(np.ones(shape, np.int64), ONE, TERNARY)


def test_forward_equals_the_exact_reading() -> None:
    rng = np.random.default_rng(0)
    weight = QuantWeight(rng.integers(-4, 4, (2, 3, 2, 3)), rng.uniform(0.1, 1, 2), int_type(3))
    dense = QuantWeight(rng.integers(-1, 2, (3, 8)), ONE, TERNARY)
    network = Network((Input("x", (3, 6, 7)),), (
        Node("q", Quantize(np.array([0.5]), int_type(4), 1), ("x",)),
        Node("conv", Conv(weight, rng.normal(size=2), (2, 1), (1, 0, 2, 1), (1, 2)), ("q",)),
        Node("norm", Affine(rng.normal(size=2), rng.normal(size=2)), ("conv",)),
        Node("clip", Clip(-1.0, 4.0), ("norm",)),
        Node("pool", MaxPool((2, 2), (2, 2)), ("clip",)),
        Node("flat", Reshape((-1,)), ("pool",)),
        Node("fc", Linear(dense, rng.normal(size=3)), ("flat",)),
    ), ("fc",))
    x = rng.normal(size=(2, 3, 6, 7))
    wanted = [evaluate(network, sample)[1].astype(float) for sample in x]
    np.testing.assert_allclose(network.forward(x), wanted, rtol=1e-12)


def test_several_outputs_are_given_by_name() -> None:
    network = Network((Input("x", (2,)),), (Node("r", RELU, ("x",)),), ("r", "x"), ("positive", "all"))
    x = np.array([[1.0, -1.0]])
    assert {name: y.tolist() for name, y in network.forward_by_name(x).items()} == {"positive": [[1, 0]],
                                                                                    "all": [[1, -1]]}
    with pytest.raises(InputError) as caught:
        network.forward(x)
    assert str(caught.value) == "the model has 2 outputs, ['positive', 'all']; forward_by_name gives them all"


def test_grouped_convolution_keeps_the_groups_apart() -> None:
    weight = QuantWeight(np.array([2, 3]).reshape(2, 1, 1, 1), ONE, int_type(4))
    y = Conv(weight, groups=2).forward(np.arange(8.0).reshape(1, 2, 2, 2))
    assert y.reshape(2, 4).tolist() == [[0, 2, 4, 6], [12, 15, 18, 21]]


def test_rounding_rules() -> None:
    x = np.array([0.5, -0.5, 1.5, -1.5, 2.5, 0.49999999999999994])
    assert rounded(x, "half_up").tolist() == [1, 0, 2, -1, 3, 0]
    assert rounded(x, "half_even").tolist() == [0, 0, 2, -2, 2, 0]
    assert rounded(x, "floor").tolist() == [0, -1, 1, -2, 2, 0]
    assert rounded(x, "ceil").tolist() == [1, 0, 2, -1, 3, 1]


def test_sign_of_zero_is_plus_one() -> None:
    assert Quantize(ONE, BIPOLAR).forward(np.array([[-0.1, 0.0, -0.0]])).tolist() == [[-1, 1, 1]]


BAD = [
    (lambda: Network((*X, Input("x", (3,))), (), ("x",)), "the model has two inputs of the name 'x'; rename one"),
    (lambda: Network(X, (), ("x", "x")), "the model has two outputs of the name 'x'; rename one"),
    (lambda: Network(X, (), ("x",), ("a", "b")),
     "the model has 1 outputs and 2 names for them; give each one name"),
    (lambda: Network(X, (), ()), "the model has no output; give it one"),
    (lambda: Network(X, (), ("y",)), "the output 'y' is made by no node; name a node or an input"),
    (lambda: Network(X, (Node("a", RELU, ("b",)),), ("a",)), "a: reads 'b', which no earlier node makes"),
    (lambda: Network(X, (Node("x", RELU, ("x",)),), ("x",)), "x: two tensors have this name; rename one"),
    (lambda: Network((Input("x", (0, 2)),), (), ("x",)),
     "the input's shape (0, 2) must be made of positive sizes; give it without the batch"),
    (lambda: Network(X, (Node("c", Conv(ternary(1, 2, 3, 3)), ("x",)),), ("c",)),
     "c: a convolution of 2 input channels meets a tensor of shape (1, 4, 4); "
     "feed it (2, height, width) or mend its input channels"),
    (lambda: Network(X, (Node("c", Conv(ternary(1, 1, 5, 3)), ("x",)),), ("c",)),
     "c: kernel 5x3 with dilation (1, 1) does not fit into 4x4 with pad (0, 0, 0, 0); "
     "use a smaller kernel or larger images"),
    (lambda: Network(X, (Node("f", Linear(ternary(2, 16)), ("x",)),), ("f",)),
     "f: a dense layer of 16 inputs meets a tensor of shape (1, 4, 4); flatten it or mend the size"),
    (lambda: Network(X, (Node("r", Reshape((3, -1)), ("x",)),), ("r",)),
     "r: a tensor of shape (1, 4, 4) cannot take the shape (3, -1); keep its 16 elements, with one -1 at most"),
    (lambda: Network(X, (Node("p", MaxPool((5, 5), (1, 1)), ("x",)),), ("p",)),
     "p: pooling kernel (5, 5) does not fit into 4x4; use a smaller kernel or larger images"),
    (lambda: Network(X, (Node("a", Affine(np.ones(2), ONE), ("x",)),), ("a",)),
     "a: scale of shape (2,) meets a tensor of 1 channels; use one value or one per channel"),
    (lambda: Quantize(np.zeros(1), uint_type(2)), "scale 0.0 must be positive; recalibrate the quantizer"),
    (lambda: Quantize(np.array([np.nan]), uint_type(2)),
     "1 of 1 values of scale are NaN or infinite; retrain or mend the model"),
    (lambda: Conv(ternary(1, 1, 3, 3), bias=np.array([np.inf])),
     "1 of 1 values of bias are NaN or infinite; retrain or mend the model"),
    (lambda: QuantWeight(np.array([[5]]), ONE, TERNARY),
     "weight codes from 5 to 5 exceed their type ternary; widen the type"),
    (lambda: QuantWeight(np.array([[1]]), np.ones(3), TERNARY),
     "weight scales of shape (3,) do not fit its 1 output channels; use one scale, or one per output channel"),
    (lambda: Conv(ternary(6, 1, 1, 1), groups=4).infer((4, 2, 2)),
     "6 output channels do not divide into 4 groups; choose one of [1, 2]"),
    (lambda: Quantize(ONE, BIPOLAR, 1), "a bipolar quantizer has zero point 0, not 1; set it to 0"),
    (lambda: MaxPool((1, 1), (1, 1)).infer((4,)),
     "pooling needs (channels, height, width), not (4,); pool before the flatten"),
    (lambda: PadFrame((1, 1, 1, 1)).infer((4,)),
     "padding needs (channels, height, width), not (4,); pad before the flatten"),
    (lambda: Upsample((0, 1)), "upsampling by (0, 1) must be by factors of 1 or more; pool to make images smaller"),
    (lambda: Upsample((2, 2)).infer((4,)),
     "upsampling needs (channels, height, width), not (4,); upsample before the flatten"),
    (lambda: Transpose((0, 0)).infer((4, 5)),
     "axes (0, 0) are not an order of the 2 axes of a tensor of shape (4, 5); name each of (0, 1) once"),
    (lambda: Add().infer((4,), (5,)),
     "a sum needs two tensors of one shape but meets (4,) and (5,); bring one to the shape of the other"),
    (lambda: Concat().infer((1, 2, 2), (1, 2, 3)),
     "a concatenation along the channels needs equal heights and widths, not ((1, 2, 2), (1, 2, 3)); "
     "pool or upsample some of them"),
    (lambda: MultiThreshold(np.ones((2, 0)), uint_type(1)),
     "thresholds of shape (2, 0) should be (channels, steps), neither 0; give one row per channel, or one for all"),
    (lambda: Clip(1.0, -1.0), "clip from 1.0 to -1.0: the lower bound must not exceed the upper; swap them"),
]


@pytest.mark.parametrize(("make", "sentence"), BAD)
def test_bad_networks_are_one_sentence(make: Callable[[], object], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value) == sentence
