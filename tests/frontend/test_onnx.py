"""Standard operations of ONNX against the executor, exactly: all numbers are binary fractions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from headrace.errors import UnsupportedError
from headrace.network import ops, tensor_ops
from tests.assert_exact import assert_exact
from tests.frontend.onnx_files import floats, grid, kinds, model, network, node, quant, same_as_executor
from tests.narrow import the

CHANNELS_LAST = "qonnx.custom_op.channels_last"


def conv_model(x_shape: tuple[int, ...], w_shape: tuple[int, ...], bias: bool = True, opset: int = 13,
               x_bits: float = 3.0, /, **attributes: object) -> onnx.ModelProto:
    """A quantized input and a convolution with one scale per output channel."""
    constants = {"W": grid(*w_shape, seed=3)}
    scale = np.asarray([0.5, 0.25, 1, 2])[np.arange(w_shape[0]) % 4].reshape(-1, *[1] * (len(w_shape) - 1))
    nodes = [quant("x", "a", 0.5, x_bits, 0, constants), quant("W", "w", scale, 3, 0, constants, narrow=1)]
    if bias:
        constants["B"] = grid(w_shape[0], seed=4)
        nodes.append(quant("B", "b", 0.25, 8, 0, constants))
    nodes.append(node("Conv", ["a", "w", *["b"] * bias], **attributes))
    return model(nodes, x_shape, constants, opset)


@pytest.mark.parametrize(("x_shape", "w_shape", "attributes"), [
    ((2, 3, 6, 7), (4, 3, 3, 3), {}),
    ((2, 3, 6, 7), (4, 3, 3, 2), {"strides": [2, 1], "pads": [1, 0, 2, 1]}),
    ((1, 3, 9, 9), (4, 3, 3, 3), {"dilations": [2, 3], "pads": [1, 1, 1, 1], "kernel_shape": [3, 3]}),
    ((1, 4, 6, 6), (8, 2, 3, 3), {"group": 2}),
    ((1, 4, 6, 6), (4, 1, 3, 3), {"group": 4, "pads": [1, 1, 1, 1]}),
    ((1, 2, 7, 8), (3, 2, 3, 2), {"auto_pad": "SAME_UPPER", "strides": [2, 3]}),
    ((1, 2, 7, 8), (3, 2, 3, 2), {"auto_pad": "SAME_LOWER", "strides": [1, 1]}),
    ((1, 2, 7, 8), (3, 2, 3, 2), {"auto_pad": "VALID"}),
    ((2, 3, 12), (4, 3, 5), {"strides": [2], "pads": [2, 1], "dilations": [2]}),
])
def test_convolutions(tmp_path: Path, x_shape: tuple[int, ...], w_shape: tuple[int, ...],
                      attributes: dict[str, object]) -> None:
    proto = conv_model(x_shape, w_shape, **attributes)
    net = same_as_executor(tmp_path, proto, grid(*x_shape))
    conv = next(item.op for item in net.nodes if isinstance(item.op, ops.Conv))
    np.testing.assert_array_equal(conv.weight.scale, np.asarray([0.5, 0.25, 1, 2])[np.arange(w_shape[0]) % 4])
    assert conv.bias is not None


def test_a_border_of_zeros_moves_into_the_convolution(tmp_path: Path) -> None:
    constants = {"W": grid(2, 3, 3, 3), "pads": np.array([0, 0, 1, 0, 0, 0, 2, 1])}
    nodes = [quant("W", "w", 1.0, 3, 0, constants), node("Pad", ["x", "pads"], "p"),
             node("Conv", ["p", "w"], pads=[1, 1, 0, 0])]
    net = same_as_executor(tmp_path, model(nodes, (1, 3, 5, 5), constants), grid(1, 3, 5, 5))
    assert kinds(net) == ["Conv"]
    assert the(ops.Conv, net.nodes[0].op).pad == (2, 1, 2, 1)


def test_another_border_stays(tmp_path: Path) -> None:
    constants = {"pads": np.array([0, 0, 1, 0, 0, 0, 2, 1]), "value": floats(1.5)}
    nodes = [node("Pad", ["x", "pads", "value"], "p"), node("Relu", ["p"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 5, 5), constants), grid(2, 3, 5, 5))
    assert kinds(net) == ["PadFrame", "Clip"]


def test_pads_as_attribute_of_old_files(tmp_path: Path) -> None:
    nodes = [node("Pad", ["x"], pads=[0, 0, 1, 1, 0, 0, 0, 2], value=0.5, mode="constant")]
    same_as_executor(tmp_path, model(nodes, (1, 3, 4, 4), opset=9), grid(1, 3, 4, 4))


@pytest.mark.parametrize(("attributes", "w_shape"), [
    ({}, (6, 4)), ({"transB": 1}, (4, 6)), ({"alpha": 0.5, "beta": 4.0}, (6, 4)),
    ({"transB": 1, "alpha": -2.0}, (4, 6)),
])
def test_gemm(tmp_path: Path, attributes: dict[str, object], w_shape: tuple[int, int]) -> None:
    constants = {"W": grid(*w_shape, seed=1), "B": grid(4, seed=2)}
    nodes = [quant("W", "w", 0.5, 4, 0, constants), node("Gemm", ["x", "w", "B"], **attributes)]
    net = same_as_executor(tmp_path, model(nodes, (3, 6), constants), grid(3, 6))
    assert kinds(net) == ["Linear"]


@pytest.mark.parametrize("shape", [(2, 1, 6), (2, 5, 6), (2, 3, 5, 6), (2, 1, 5, 6), (2, 1, 1, 6)])
def test_matmul_over_positions_is_a_1x1_convolution(tmp_path: Path, shape: tuple[int, ...]) -> None:
    constants = {"W": grid(6, 4, seed=1)}
    nodes = [quant("W", "w", 0.5, 4, 0, constants), node("MatMul", ["x", "w"])]
    same_as_executor(tmp_path, model(nodes, shape, constants), grid(*shape))


def test_integer_weights_need_no_quantizer(tmp_path: Path) -> None:
    constants = {"W": np.random.default_rng(0).integers(-3, 4, (6, 4)).astype(np.float32)}
    net = same_as_executor(tmp_path, model([node("MatMul", ["x", "W"])], (2, 6), constants), grid(2, 6))
    assert the(ops.Linear, net.nodes[0].op).weight.dtype.lo == -3


def test_batch_norm(tmp_path: Path) -> None:
    constants = {name: np.abs(grid(3, seed=seed)) + 0.25 for seed, name in enumerate("gbmv")}
    for shape in ((2, 3), (2, 3, 4, 5)):
        norm = node("BatchNormalization", ["x", "g", "b", "m", "v"], epsilon=1e-3)
        net = same_as_executor(tmp_path, model([norm], shape, constants), grid(*shape), tolerance=1e-5)
        variance = constants["v"].astype(np.float64) + np.float32(1e-3)
        np.testing.assert_array_equal(the(ops.Affine, net.nodes[0].op).scale, constants["g"] / np.sqrt(variance))


def test_arithmetic_with_constants(tmp_path: Path) -> None:
    constants = {"a": floats(2), "b": grid(1, 3, 1, 1), "c": grid(3, 1, 1), "d": np.asarray([0.5], np.float32),
                 "n": floats(3), "h": floats(2), "one": floats(1)}
    nodes = [node("Mul", ["a", "x"], "t0"), node("Add", ["t0", "b"], "t1"), node("Sub", ["t1", "c"], "t2"),
             node("Div", ["t2", "d"], "t3"), node("Sub", ["a", "t3"], "t4"), node("Neg", ["t4"], "t5"),
             node("Pow", ["n", "h"], "nine"), node("Add", ["t5", "nine"], "t6"), node("Pow", ["t6", "one"], "t7"),
             node("Clip", ["t7", "n", ""], "t8"), node("Identity", ["t8"], "t9"), node("Dropout", ["t9"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4, 4), constants), grid(2, 3, 4, 4))
    assert kinds(net) == ["Affine"] * 7 + ["Clip"]
    assert net.nodes[-1].op == ops.Clip(3.0, np.inf)


def test_joins(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"], "r"), node("Add", ["x", "r"], "s"), node("Sub", ["s", "r"], "d"),
             node("Concat", ["d", "x", "r"], "c", axis=1), node("Concat", ["c", "c"], axis=-3)]
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4, 4)), grid(2, 3, 4, 4))
    assert kinds(net) == ["Clip", "Add", "Affine", "Add", "Concat", "Concat"]
    assert net.nodes[-1].inputs == ("Concat_c", "Concat_c")


def test_sums_and_means_of_several(tmp_path: Path) -> None:
    constants = {"a": grid(1, 3, 1, 1, seed=1)}
    nodes = [node("Relu", ["x"], "r"), node("Sum", ["a", "a", "x", "r"], "s"), node("Sum", ["r"], "t"),
             node("Mean", ["a", "s", "t", "x"])]
    net = same_as_executor(tmp_path, model(nodes, (2, 3, 4, 4), constants), grid(2, 3, 4, 4))
    assert kinds(net) == ["Clip", "Add", "Affine", "Affine", "Add", "Add", "Affine", "Affine"]


@pytest.mark.parametrize(("op_type", "attributes"), [
    ("MaxPool", {"kernel_shape": [2, 2], "strides": [2, 2]}),
    ("MaxPool", {"kernel_shape": [3, 2], "strides": [2, 1], "pads": [1, 0, 1, 1]}),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
    ("MaxPool", {"kernel_shape": [2, 2], "strides": [3, 3], "ceil_mode": 1, "pads": [0, 1, 1, 0]}),
    ("MaxPool", {"kernel_shape": [2, 2], "auto_pad": "SAME_UPPER"}),
    ("AveragePool", {"kernel_shape": [2, 4], "strides": [2, 1]}),
    ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}),
    ("AveragePool", {"kernel_shape": [4, 4], "strides": [4, 4], "ceil_mode": 1}),
    ("GlobalAveragePool", {}), ("GlobalMaxPool", {}),
    ("ReduceMean", {"axes": [2, 3]}), ("ReduceMean", {"axes": [-1, 2], "keepdims": 0}), ("ReduceMean", {"axes": [2]}),
])
def test_pooling(tmp_path: Path, op_type: str, attributes: dict[str, object]) -> None:
    same_as_executor(tmp_path, model([node(op_type, ["x"], **attributes)], (2, 3, 8, 8)), grid(2, 3, 8, 8))


def test_pooling_of_one_axis(tmp_path: Path) -> None:
    nodes = [node("MaxPool", ["x"], "m", kernel_shape=[2], strides=[2]), node("AveragePool", ["m"], kernel_shape=[4])]
    same_as_executor(tmp_path, model(nodes, (2, 3, 16)), grid(2, 3, 16))


@pytest.mark.parametrize("keepdims", [0, 1])
@pytest.mark.parametrize("axes", [[2, 3], [2], [3]])
@pytest.mark.parametrize("shape", [(2, 3, 8, 1), (2, 3, 1, 8), (2, 1, 8, 1), (2, 1, 8, 4)])
def test_means_of_thin_frames_become_integers(tmp_path: Path, shape: tuple[int, int, int, int], axes: list[int],
                                              keepdims: int) -> None:
    constants: dict[str, np.ndarray] = {}
    nodes = [quant("x", "a", 0.25, 6, 0, constants), node("ReduceMean", ["a"], "m", axes=axes, keepdims=keepdims),
             quant("m", "y", 0.25, 4, 0, constants)]
    assert_exact(same_as_executor(tmp_path, model(nodes, shape, constants), grid(*shape)), grid(*shape, seed=1))


def test_mean_over_axes_given_as_input(tmp_path: Path) -> None:
    proto = model([node("ReduceMean", ["x", "axes"], keepdims=0)], (2, 3, 4, 4), {"axes": np.array([2, 3])}, opset=18)
    net = network(tmp_path, proto)
    x = grid(2, 3, 4, 4)
    np.testing.assert_array_equal(net.forward(x), x.mean((2, 3)))


@pytest.mark.parametrize(("op_type", "opset", "attributes"), [
    ("Upsample", 9, {"mode": "nearest"}), ("Resize", 10, {"mode": "nearest"}),
    ("Resize", 13, {"mode": "nearest"}),
    ("Resize", 13, {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
])
def test_upsampling(tmp_path: Path, op_type: str, opset: int, attributes: dict[str, object]) -> None:
    scales = {"s": np.asarray([1, 1, 2, 3], np.float32)}
    inputs = ["x", "s"] if opset < 11 else ["x", "", "s"]
    net = same_as_executor(tmp_path, model([node(op_type, inputs, **attributes)], (2, 3, 4, 5), scales, opset),
                           grid(2, 3, 4, 5))
    assert net.nodes[0].op == tensor_ops.Upsample((2, 3))


def test_resizing_to_a_size(tmp_path: Path) -> None:
    proto = model([node("Resize", ["x", "", "", "to"], mode="nearest")], (1, 3, 4, 5), {"to": np.array([1, 3, 8, 10])})
    assert same_as_executor(tmp_path, proto, grid(1, 3, 4, 5)).nodes[0].op == tensor_ops.Upsample((2, 2))


def test_a_resize_that_does_not_repeat_pixels_evenly_is_refused(tmp_path: Path) -> None:
    proto = model([node("Resize", ["x", "", "s"], mode="nearest", coordinate_transformation_mode="asymmetric",
                        nearest_mode="ceil")], (1, 3, 4, 5), {"s": np.asarray([1, 1, 2, 2], np.float32)})
    with pytest.raises(UnsupportedError, match="does not repeat every pixel 2 times"):
        network(tmp_path, proto)


@pytest.mark.parametrize(("op_type", "attributes", "opset", "shape"), [
    ("Softmax", {"axis": 1}, 9, (3, 5)), ("Softmax", {}, 13, (3, 5)), ("Softmax", {"axis": 1}, 13, (3, 5, 2, 2)),
    ("Softmax", {"axis": 3}, 13, (3, 2, 4, 5)),
])
def test_softmax(tmp_path: Path, op_type: str, attributes: dict[str, object], opset: int,
                 shape: tuple[int, ...]) -> None:
    same_as_executor(tmp_path, model([node(op_type, ["x"], **attributes)], shape, opset=opset), grid(*shape), 1e-6)


@pytest.mark.parametrize(("attributes", "shape"), [
    ({"axis": 1}, (3, 5)), ({"axis": -1, "keepdims": 0}, (3, 5)), ({"axis": 1, "keepdims": 0}, (3, 5, 2, 2)),
    ({"axis": 3}, (3, 2, 4, 5)),
])
def test_arg_max_takes_the_first(tmp_path: Path, attributes: dict[str, object], shape: tuple[int, ...]) -> None:
    net = network(tmp_path, model([node("ArgMax", ["x"], **attributes)], shape))
    x = np.round(grid(*shape) / 3)
    wanted = np.argmax(x, the(int, attributes["axis"]), keepdims=bool(attributes.get("keepdims", 1)))
    np.testing.assert_array_equal(net.forward(x), wanted)


def test_top_k_takes_the_lowest_index_first(tmp_path: Path) -> None:
    nodes = [node("TopK", ["x", "k"], ["v", "i"], axis=-1), node("Cast", ["i"], to=7)]
    proto = model(nodes, (2, 6), {"k": np.array([3])})
    net = network(tmp_path, proto)
    np.testing.assert_array_equal(net.forward(np.array([[1, 3, 3, 2, 0, 3.0], [0, 0, 0, 0, 0, 1]])),
                                  [[1, 2, 5], [5, 0, 1]])


def test_what_the_output_does_not_need_is_not_read(tmp_path: Path) -> None:
    nodes = [node("Relu", ["x"]), node("LSTM", ["x"], "unused")]
    assert kinds(network(tmp_path, model(nodes, (1, 4)))) == ["Clip"]


def test_initializers_among_the_inputs_are_no_inputs(tmp_path: Path) -> None:
    proto = model([node("Mul", ["x", "s"])], (1, 4), {"s": floats(2)})
    proto.graph.input.append(helper.make_tensor_value_info("s", TensorProto.FLOAT, ()))
    assert network(tmp_path, proto).input.shape == (4,)


def test_the_batch_may_be_open(tmp_path: Path) -> None:
    proto = model([node("Flatten", ["x"])], ("N", 3, 2))
    assert network(tmp_path, proto).shapes["Flatten_y.reshape"] == (6,)


@pytest.mark.parametrize("kind", ["Add", "Mul", "Div", "Sub"])
@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 1, 1), (1, 4, 1, 1), (1,), ()])
def test_constants_lie_along_the_axis_that_broadcasting_gives_them(tmp_path: Path, kind: str,
                                                                   shape: tuple[int, int]) -> None:
    constants = {"k": np.resize(floats(1, 0.5, 2, 4), shape)}
    proto = model([node(kind, ["x", "k"])], (1, 4, 4, 4), constants)
    same_as_executor(tmp_path, proto, grid(1, 4, 4, 4))
