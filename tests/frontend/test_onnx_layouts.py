"""Reshapes, transposes and channels-last operations of ONNX files: the order of elements."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from headrace.network import tensor_ops
from tests.frontend.onnx_files import floats, grid, kinds, model, network, node, quant, same_as_executor

CHANNELS_LAST = "qonnx.custom_op.channels_last"


def test_concat_of_channels_last(tmp_path: Path) -> None:
    nodes = [node("Transpose", ["x"], "t", perm=[0, 2, 3, 1]), node("Concat", ["t", "t"], "c", axis=3),
             node("Transpose", ["c"], perm=[0, 3, 1, 2])]
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4, 5)), grid(2, 3, 4, 5))
    assert kinds(net) == ["Concat"]


def test_resize_of_channels_last(tmp_path: Path) -> None:
    nodes = [node("Transpose", ["x"], "t", perm=[0, 2, 3, 1]),
             node("Resize", ["t", "", "s"], "r", mode="nearest", coordinate_transformation_mode="asymmetric",
                  nearest_mode="floor"), node("Transpose", ["r"], perm=[0, 3, 1, 2])]
    proto = model(nodes, (1, 3, 4, 5), {"s": floats(1, 2, 3, 1)})
    assert same_as_executor(tmp_path, proto, grid(1, 3, 4, 5)).nodes[0].op == tensor_ops.Upsample((2, 3))


def test_shapes_come_and_go_without_operations(tmp_path: Path) -> None:
    constants = {"flat": np.array([2, -1]), "back": np.array([0, 3, 1, 20])}
    nodes = [node("Unsqueeze", ["x", "last"], "u"), node("Squeeze", ["u", "last"], "s"),
             node("Transpose", ["s"], "t", perm=[0, 2, 3, 1]), node("Relu", ["t"], "r"),
             node("Transpose", ["r"], "b", perm=[0, 3, 1, 2]), node("Reshape", ["b", "flat"], "f"),
             node("Reshape", ["f", "back"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4, 5), constants | {"last": np.array([4])}), grid(2, 3, 4, 5))
    assert kinds(net) == ["Clip", "Reshape"]


def test_computed_reshape(tmp_path: Path) -> None:
    nodes = [node("Shape", ["x"], "shape"), node("Gather", ["shape", "zero"], "n", axis=0),
             node("Unsqueeze", ["n"], "n1", axes=[0]), node("Concat", ["n1", "rest"], "to", axis=0),
             node("Reshape", ["x", "to"])]
    constants = {"zero": np.array(0), "rest": np.array([-1])}
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4), constants, opset=11), grid(2, 3, 4))
    assert net.shapes[net.output] == (12,)


def test_flatten_of_channels_last_reorders_the_dense_layer(tmp_path: Path) -> None:
    constants = {"W": grid(60, 4, seed=1), "t": floats(1)}
    nodes = [node("Transpose", ["x"], "t0", perm=[0, 2, 3, 1]), node("Flatten", ["t0"], "f"),
             node("BipolarQuant", ["f", "t"], "q", domain="qonnx.custom_op.general"),
             quant("W", "w", 0.5, 4, 0, constants), node("MatMul", ["q", "w"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4, 5), constants), grid(2, 3, 4, 5))
    assert kinds(net) == ["Reshape", "Quantize", "Linear"]


def test_constants_per_element_follow_the_order_of_channels_last(tmp_path: Path) -> None:
    constants = {"W": grid(60, 4, seed=1), "m": grid(60, seed=2)}
    nodes = [node("Transpose", ["x"], "t0", perm=[0, 2, 3, 1]), node("Flatten", ["t0"], "f"),
             node("Mul", ["f", "m"], "q"), quant("W", "w", 0.5, 4, 0, constants), node("MatMul", ["q", "w"])]
    same_as_executor(tmp_path, model(nodes, (2, 3, 4, 5), constants), grid(2, 3, 4, 5))


def test_channels_last_input(tmp_path: Path) -> None:
    """An input with channels last is moved once."""
    constants = {"W": grid(4, 3, 3, 3), "m": grid(3)}
    nodes = [node("Mul", ["x", "m"], "s"), node("Transpose", ["s"], "t", perm=[0, 3, 1, 2]),
             quant("W", "w", 1.0, 3, 0, constants), node("Conv", ["t", "w"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 6, 5, 3), constants), grid(2, 6, 5, 3))
    assert kinds(net) == ["Transpose", "Affine", "Conv"]
    assert net.input.shape == (6, 5, 3)


def test_a_transposed_output_is_moved_back(tmp_path: Path) -> None:
    proto = model([node("Transpose", ["x"], perm=[0, 2, 3, 1])], (2, 3, 4, 5))
    net = same_as_executor(tmp_path, proto, grid(2, 3, 4, 5))
    assert kinds(net) == ["Transpose"]


def test_channels_last_operations(tmp_path: Path) -> None:
    constants = {name: np.abs(grid(4, seed=seed)) + 0.25 for seed, name in enumerate("gbm")}
    constants |= {"v": np.full(4, 0.25, np.float32), "W": grid(4, 3, 3, 3).transpose(0, 2, 3, 1).copy()}
    nodes = [quant("W", "w", 1.0, 3, 0, constants),
             node("Conv", ["x", "w"], "c", domain=CHANNELS_LAST, kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             node("BatchNormalization", ["c", "g", "b", "m", "v"], "n", domain=CHANNELS_LAST, epsilon=0.0),
             node("MaxPool", ["n"], "y", domain=CHANNELS_LAST, kernel_shape=[2, 2], strides=[2, 2])]
    net = network(tmp_path, model(nodes, (1, 6, 6, 3), constants))
    first = [quant("Wf", "w", 1.0, 3, 0, {}), node("Conv", ["x", "w"], "c", pads=[1, 1, 1, 1]),
             node("BatchNormalization", ["c", "g", "b", "m", "v"], "n", epsilon=0.0),
             node("MaxPool", ["n"], kernel_shape=[2, 2], strides=[2, 2])]
    constants["Wf"] = constants["W"].transpose(0, 3, 1, 2)
    other = network(tmp_path, model(first, (1, 3, 6, 6), constants))
    x = grid(1, 6, 6, 3)
    np.testing.assert_array_equal(net.forward(x).transpose(0, 3, 1, 2), other.forward(x.transpose(0, 3, 1, 2)))
