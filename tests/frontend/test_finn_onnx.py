"""FINN's operations against the executor of the qonnx package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto

from headrace.datatypes import BIPOLAR, int_type, uint_type
from headrace.errors import InputError
from headrace.frontend.onnx.finn import data_type
from headrace.network import ops, tensor_ops
from tests.frontend.onnx_files import GENERAL, grid, model, network, node, same_as_executor
from tests.narrow import the


def bits(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2, shape).astype(np.float32)


def thresholds(channels: int, steps: int, seed: int = 5) -> np.ndarray:
    return np.sort(grid(channels, steps, seed=seed), axis=1)


@pytest.mark.parametrize(("shape", "channels", "layout"), [
    ((2, 5), 5, ""), ((2, 5), 1, ""), ((2, 3, 4, 5), 3, ""), ((2, 3, 4, 5), 3, "NCHW"), ((2, 4, 5, 3), 3, "NHWC"),
    ((2, 4, 3), 3, ""), ((2, 3, 4, 5), 1, ""),
])
@pytest.mark.parametrize(("out_scale", "out_bias", "dtype"), [
    (1.0, 0.0, "UINT3"), (2.0, -1.0, "INT5"), (0.5, 0.25, "UINT8")])
def test_multi_threshold(tmp_path: Path, shape: tuple[int, ...], channels: int, layout: str, out_scale: float,
                         out_bias: float, dtype: str) -> None:
    constants = {"T": thresholds(channels, 7)}
    activation = node("MultiThreshold", ["x", "T"], domain=GENERAL, out_scale=out_scale, out_bias=out_bias,
                      out_dtype=dtype, data_layout=layout)
    net = same_as_executor(tmp_path, model([activation], shape, constants), grid(*shape))
    op = next(item.op for item in net.nodes if isinstance(item.op, tensor_ops.MultiThreshold))
    assert (op.out_scale, op.out_bias, op.dtype) == (out_scale, out_bias, data_type(dtype))


def test_bipolar_multi_threshold(tmp_path: Path) -> None:
    activation = node("MultiThreshold", ["x", "T"], domain=GENERAL, out_scale=2.0, out_bias=-1.0, out_dtype="BIPOLAR")
    net = same_as_executor(tmp_path, model([activation], (2, 5), {"T": thresholds(5, 1)}), grid(2, 5))
    assert the(tensor_ops.MultiThreshold, net.nodes[0].op).dtype == BIPOLAR


def test_xnor_popcount(tmp_path: Path) -> None:
    annotations = {"W": "BINARY", "x": "BINARY"}
    proto = model([node("XnorPopcountMatMul", ["x", "W"], domain=GENERAL)], (3, 7), {"W": bits(7, 4)},
                  annotations=annotations)
    net = same_as_executor(tmp_path, proto, bits(3, 7, seed=1))
    assert [type(item.op).__name__ for item in net.nodes] == ["Quantize", "Affine", "Linear", "Affine"]
    assert the(ops.Linear, net.nodes[2].op).weight.dtype == BIPOLAR


def im2col(shape: tuple[int, ...], **attributes: object) -> NodeProto:
    settings = {"stride": [1, 1], "kernel_size": [3, 3], "input_shape": str(shape)} | attributes
    return node("Im2Col", ["x"], "c", domain=GENERAL, **settings)


@pytest.mark.parametrize("attributes", [
    {}, {"stride": [2, 1], "kernel_size": [2, 3]}, {"pad_amount": [1, 0, 2, 1]}, {"dilations": [2, 1]},
    {"pad_amount": [1, 1, 1, 1], "pad_value": -1},
])
def test_im2col_and_matmul_are_a_convolution(tmp_path: Path, attributes: dict[str, object]) -> None:
    shape = (1, 6, 7, 3)
    k_h, k_w = the(list, attributes.get("kernel_size", [3, 3]))
    constants = {"W": np.random.default_rng(1).integers(-3, 4, (k_h * k_w * 3, 4)).astype(np.float32)}
    nodes = [im2col(shape, **attributes), node("MatMul", ["c", "W"])]
    proto = model(nodes, shape, constants, annotations={"W": "INT4", "x": "INT4"})
    net = same_as_executor(tmp_path, proto, grid(*shape, step=1.0))
    conv = next(item.op for item in net.nodes if isinstance(item.op, ops.Conv))
    assert conv.weight.dtype == int_type(4)


def test_im2col_of_binary_windows(tmp_path: Path) -> None:
    nodes = [im2col((1, 6, 7, 3)), node("XnorPopcountMatMul", ["c", "W"], domain=GENERAL)]
    proto = model(nodes, (1, 6, 7, 3), {"W": bits(27, 4)}, annotations={"W": "BINARY", "x": "BINARY"})
    same_as_executor(tmp_path, proto, bits(1, 6, 7, 3, seed=1))


def test_a_depthwise_matrix_with_zeros_becomes_groups(tmp_path: Path) -> None:
    kernels = np.where(bits(3, 2, 2, seed=4) > 0, 1, -1)
    matrix = np.zeros((2, 2, 3, 3), np.float32)
    for channel in range(3):
        matrix[:, :, channel, channel] = kernels[channel]
    nodes = [im2col((1, 5, 5, 3), kernel_size=[2, 2], depthwise=1), node("MatMul", ["c", "W"])]
    proto = model(nodes, (1, 5, 5, 3), {"W": matrix.reshape(12, 3)}, annotations={"W": "BIPOLAR", "x": "INT4"})
    net = same_as_executor(tmp_path, proto, grid(1, 5, 5, 3, step=1.0))
    conv = next(item.op for item in net.nodes if isinstance(item.op, ops.Conv))
    assert (conv.groups, conv.weight.dtype) == (3, BIPOLAR)
    np.testing.assert_array_equal(conv.weight.codes[:, 0], kernels)


def test_max_pool_of_channels_last(tmp_path: Path) -> None:
    pool = node("MaxPoolNHWC", ["x"], domain=GENERAL, kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
    nodes = [node("Transpose", ["x"], "t", perm=[0, 3, 1, 2]), node("MaxPool", ["t"], "m", kernel_shape=[2, 2],
                                                                   strides=[2, 2]),
             node("Transpose", ["m"], perm=[0, 2, 3, 1])]
    x = grid(2, 4, 6, 3)
    found = network(tmp_path, model([pool], (2, 4, 6, 3))).forward(x)
    np.testing.assert_array_equal(found, same_as_executor(tmp_path, model(nodes, (2, 4, 6, 3)), x).forward(x))


@pytest.mark.parametrize(("layout", "shape"), [("NCHW", (1, 3, 6, 6)), ("NHWC", (1, 6, 6, 3))])
def test_quantized_average_pooling(tmp_path: Path, layout: str, shape: tuple[int, int, int, int]) -> None:
    pool = node("QuantAvgPool2d", ["x"], domain=GENERAL, kernel=3, stride=3, ibits=4, obits=4, signed=0,
                data_layout=layout)
    x = np.random.default_rng(0).integers(0, 16, shape).astype(np.float32)
    same_as_executor(tmp_path, model([pool], shape), x)


def test_an_annotated_input_is_quantized(tmp_path: Path) -> None:
    net = network(tmp_path, model([node("Relu", ["x"])], (1, 4), annotations={"x": "UINT8"}))
    assert net.nodes[0].name == "x.quant"
    assert the(ops.Quantize, net.nodes[0].op).dtype == uint_type(8)


def test_an_annotated_input_that_is_quantized_anyway_is_left_alone(tmp_path: Path) -> None:
    constants = {"one": np.asarray(1, np.float32)}
    proto = model([node("BipolarQuant", ["x", "one"], domain=GENERAL)], (1, 4), constants, annotations={"x": "INT8"})
    assert [item.name for item in network(tmp_path, proto).nodes] == ["BipolarQuant_y"]


def test_annotated_weights_keep_their_type(tmp_path: Path) -> None:
    proto = model([node("MatMul", ["x", "W"])], (1, 7), {"W": bits(7, 4)}, annotations={"W": "INT4"})
    assert the(ops.Linear, network(tmp_path, proto).nodes[0].op).weight.dtype == int_type(4)


def test_an_annotation_that_lies_is_an_error(tmp_path: Path) -> None:
    proto = model([node("MatMul", ["x", "W"])], (1, 7), {"W": 9 * bits(7, 4)}, annotations={"W": "INT4"})
    with pytest.raises(InputError, match="the constant W is annotated int4 but holds values from 0 to 9; mend"):
        network(tmp_path, proto)


@pytest.mark.parametrize(("name", "wanted"), [("INT3", "int3"), ("UINT16", "uint16"), ("TERNARY", "ternary"),
                                              ("BINARY", "uint1"), ("BIPOLAR", "bipolar"), ("FLOAT32", "None"),
                                              ("SCALEDINT<8>", "None"), ("FIXED<8,4>", "None"), ("INT99", "None")])
def test_data_types(name: str, wanted: str) -> None:
    assert str(data_type(name)) == wanted
