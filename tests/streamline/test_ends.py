"""Views and heads at the two ends of a network are the host's."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.datatypes import Interval, int_type
from headrace.errors import UnsupportedError
from headrace.network import graph, ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.graph import Input, Network
from headrace.streamline.streamline import streamline
from tests.assert_exact import outputs

CODES = Interval(-8, 7)


def network(shape: ops.Shape, *steps: graph.Op) -> Network:
    """Operations one after the other."""
    nodes = [graph.Node(f"n{k}", op, (f"n{k - 1}" if k else "x",)) for k, op in enumerate(steps)]
    return Network((Input("x", shape),), tuple(nodes), (nodes[-1].name,))


def conv(c_in: int, c_out: int, kernel: int = 3) -> ops.Conv:
    codes = np.random.default_rng(0).integers(-3, 4, (c_out, c_in, kernel, kernel))
    return ops.Conv(ops.QuantWeight(codes, np.asarray([0.5]), int_type(3)))


def quantizer(scale: float = 0.25) -> ops.Quantize:
    return ops.Quantize(np.asarray([scale]), CODES)


def assert_exact(net: Network, frames: int = 5) -> None:
    integer = streamline(net)
    x = np.random.default_rng(1).uniform(-2, 2, (frames, *net.input.shape)).astype(np.float32)
    want = net.forward(x.astype(np.float64))
    got = outputs(integer, x)
    assert got.shape == want.shape
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("steps", [
    (quantizer(), tensor_ops.Transpose((2, 0, 1)), conv(3, 2)),
    (tensor_ops.Transpose((2, 0, 1)), quantizer(), conv(3, 2)),
    (quantizer(), tensor_ops.Transpose((2, 0, 1)), conv(3, 2), tensor_ops.Transpose((1, 2, 0))),
    (quantizer(), ops.Reshape((5, 3, 6)), tensor_ops.Transpose((1, 0, 2)), conv(3, 2), ops.Reshape((2, 12))),
    (quantizer(), ops.Reshape((6, 1, 15)), conv(6, 4, 1), ops.Reshape((4, 3, 5)), conv(4, 2)),
])
def test_views_at_the_ends_are_exact(steps: tuple[graph.Op, ...]) -> None:
    assert_exact(network((5, 6, 3), *steps))


@pytest.mark.parametrize("head", [
    (tensor_ops.Softmax(),), (tensor_ops.LogSoftmax(),), (tensor_ops.Maximum(),), (tensor_ops.TopK(1),),
    (Activation("sigmoid"),), (Activation("tanh"), tensor_ops.Transpose((1, 2, 0))),
    (tensor_ops.Softmax(), tensor_ops.Transpose((2, 1, 0))), (tensor_ops.Maximum(), ops.Reshape((16,))),
    (tensor_ops.Transpose((1, 0, 2)), Activation("sigmoid")),
])
def test_heads_are_exact(head: tuple[graph.Op, ...]) -> None:
    assert_exact(network((3, 6, 6), quantizer(), conv(3, 4), *head))


def test_axes_do_not_move_in_front_of_a_head() -> None:
    net = network((3, 6, 6), quantizer(), conv(3, 4), tensor_ops.Transpose((1, 0, 2)), tensor_ops.Softmax())
    sentence = ("n2: moves axes in front of n3, and the host reads results in the order of the stream; "
                "transpose behind n3, or end the model in front of it")
    with pytest.raises(UnsupportedError, match=sentence):
        streamline(net)


@pytest.mark.parametrize("kind, alpha", [("leaky_relu", 0.1), ("sigmoid", 0.0), ("tanh", 0.0), ("elu", 1.0),
                                         ("softplus", 0.0), ("softsign", 0.0), ("celu", 0.7)])
def test_activations_move_thresholds(kind: str, alpha: float) -> None:
    steps = (quantizer(), conv(3, 4), ops.Affine(np.asarray([0.3, -0.2, 0.11, -0.7]), np.asarray([0.1])),
             Activation(kind, np.asarray([alpha])), ops.Affine(np.asarray([-1.3]), np.asarray([0.05])),
             quantizer(0.0625), conv(4, 2, 1))
    assert_exact(network((3, 6, 6), *steps))



def test_two_curves_need_a_quantizer_between_them() -> None:
    net = network((3, 6, 6), quantizer(), conv(3, 4), Activation("tanh"), Activation("elu",
                  np.ones(1)), quantizer())
    with pytest.raises(UnsupportedError, match="n3: a second activation follows one that no quantizer rounded"):
        streamline(net)
