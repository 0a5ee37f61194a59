"""Concatenations at a model's end that the host does: the values are those of the network, whatever is joined how."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from headrace.datatypes import int_type
from headrace.errors import UnsupportedError
from headrace.model import load
from headrace.network import graph, integer, ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.integer import HostOutputs

RNG = np.random.default_rng(3)
JOIN = tensor_ops.Concat()
Nodes = list[graph.Node]


def conv(name: str, source: str, inputs: int, outputs: int, stride: int = 1) -> graph.Node:
    """A convolution with a bias and a scale per channel."""
    weight = ops.QuantWeight(RNG.integers(-7, 8, (outputs, inputs, 3, 3)), np.ldexp(1.0, RNG.integers(-5, -2, outputs)),
                             int_type(4))
    op = ops.Conv(weight, RNG.integers(-9, 9, outputs) / 8, (stride, stride), (1, 1, 1, 1))
    return graph.Node(name, op, (source,))


def heads() -> Nodes:
    """Three maps: fine (4, 6, 4), coarse (4, 3, 2) and codes (2, 6, 4)."""
    eight = ops.Quantize(np.asarray([0.25]), int_type(4))
    return [graph.Node("q", eight, ("x",)), conv("fine", "q", 3, 4), conv("coarse", "q", 3, 4, 2),
            conv("c", "q", 3, 2), graph.Node("codes", eight, ("c",))]


def rows(name: str, source: str, count: int, size: int) -> Nodes:
    """The pixels of a map as rows of `size` values, channels last."""
    return [graph.Node(f"{name}_t", tensor_ops.Transpose((1, 2, 0)), (source,)),
            graph.Node(name, ops.Reshape((count, size)), (f"{name}_t",))]


def boxes() -> Nodes:
    return [*rows("a", "fine", 48, 2), *rows("b", "coarse", 12, 2), graph.Node("y", JOIN, ("a", "b"))]


def columns() -> Nodes:
    """Joined along the pixels, which are moved to the front and back."""
    return [*rows("a", "fine", 24, 4), *rows("b", "coarse", 6, 4), graph.Node("j", JOIN, ("a", "b")),
            graph.Node("y", tensor_ops.Transpose((1, 0)), ("j",))]


def flat() -> Nodes:
    return [graph.Node("a", ops.Reshape((96,)), ("fine",)), graph.Node("b", ops.Reshape((48,)), ("codes",)),
            graph.Node("y", JOIN, ("a", "b", "a"))]


def nested() -> Nodes:
    return [graph.Node("m", JOIN, ("codes", "codes")), *rows("a", "m", 24, 4), *rows("b", "coarse", 6, 4),
            graph.Node("y", JOIN, ("a", "b"))]


def itself() -> Nodes:
    return [*rows("a", "fine", 24, 4), graph.Node("b", ops.Reshape((24, 4)), ("fine",)),
            graph.Node("y", JOIN, ("a", "b"))]


def sigmoid() -> Nodes:
    return [*boxes()[:-1], graph.Node("j", JOIN, ("a", "b")), graph.Node("y", Activation("sigmoid"), ("j",))]


def classes(op: graph.Op) -> Callable[[], Nodes]:
    """A head over the two values of every row, as the operation for it stands: over the first axis."""
    def made() -> Nodes:
        return [*boxes()[:-1], graph.Node("j", JOIN, ("a", "b")),
                graph.Node("jt", tensor_ops.Transpose((1, 0)), ("j",)), graph.Node("y", op, ("jt",))]
    return made


def softmax() -> Nodes:
    """Over the two values of every row, which stay where they are."""
    return [*classes(tensor_ops.Softmax())()[:-1], graph.Node("s", tensor_ops.Softmax(), ("jt",)),
            graph.Node("y", tensor_ops.Transpose((1, 0)), ("s",))]


def network(tail: Nodes, *outputs: str) -> graph.Network:
    return graph.Network((graph.Input("x", (3, 6, 4)),), (*heads(), *tail), outputs)


def samples() -> np.ndarray:
    return RNG.integers(-12, 12, (5, 3, 6, 4)) / 8


@pytest.mark.parametrize("make", [
    boxes, columns, flat, nested, itself, sigmoid, softmax, classes(tensor_ops.LogSoftmax()),
    classes(tensor_ops.Maximum()), classes(tensor_ops.TopK(1)), classes(tensor_ops.TopK(2))])
def test_the_host_joins(make: Callable[[], Nodes]) -> None:
    net = network(make(), "y")
    model, x = load(net), samples()
    wanted = net.forward(x)
    for engine in ("fast", "golden"):
        np.testing.assert_array_equal(model.predict(x, engine=engine), wanted.astype(np.float32))


def test_one_of_several_outputs_is_joined() -> None:
    net = network(boxes(), "codes", "y")
    model, x = load(net), samples()
    assert isinstance(model.integer.host_output, HostOutputs)
    made, wanted = model.predict(x), net.forward_by_name(x)
    assert list(made) == ["codes", "y"]
    for name, values in made.items():
        np.testing.assert_array_equal(values, wanted[name])
    assert {name: values.shape for name, values in model.predict(x, raw=True).items()} == {"codes": (5, 48),
                                                                                           "y": (5, 120)}


def test_channels_are_joined_by_the_stream() -> None:
    tail = [graph.Node("a", ops.Reshape((4, 24)), ("fine",)), graph.Node("b", ops.Reshape((2, 24)), ("codes",)),
            graph.Node("y", JOIN, ("a", "b"))]
    model = load(network(tail, "y"))
    assert any(isinstance(node.op, integer.Concat) for node in model.integer.nodes)
    assert model.integer.host_outputs[0].order is None


def test_a_layer_behind_the_join_is_refused() -> None:
    relu = graph.Node("z", ops.Quantize(np.asarray([1.0]), int_type(4)), ("y",))
    with pytest.raises(UnsupportedError, match="a_t: turns a tensor of shape"):
        load(network([*boxes(), relu], "z"))
