"""A channels-last network of depthwise-separable convolutions as tf2onnx writes it, quantized by onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

import headrace as hr

SHAPE = (8, 8, 3)


def keras_style() -> onnx.ModelProto:
    """Conv, two separable blocks with ReLU6, global average, dense, softmax; images are (N, 8, 8, 3)."""
    rng = np.random.default_rng(5)
    constants: dict[str, np.ndarray] = {"zero": np.array(0, np.float32), "six": np.array(6, np.float32),
                                        "shape": np.array([-1, 8])}
    nodes: list[NodeProto] = [helper.make_node("Transpose", ["image"], ["t0"], perm=[0, 3, 1, 2])]

    def constant(name: str, *shape: int) -> str:
        spread = 0.6 / np.sqrt(np.prod(shape[1:])) + 0.1
        constants[name] = (rng.normal(size=shape) * spread).astype(np.float32)
        return name

    def conv(source: str, name: str, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1) -> str:
        pads = [0, 0, 1, 1] if stride == 2 else [kernel // 2] * 4  # SAME, as TensorFlow pads
        nodes.extend([
            helper.make_node("Conv", [source, constant(f"{name}/w", c_out, c_in // groups, kernel, kernel)],
                             [f"{name}/conv"], strides=[stride, stride], pads=pads, group=groups),
            helper.make_node("Add", [f"{name}/conv", constant(f"{name}/BiasAdd", 1, c_out, 1, 1)], [f"{name}/bias"]),
            helper.make_node("Clip", [f"{name}/bias", "zero", "six"], [f"{name}/Relu6"])])
        return f"{name}/Relu6"

    x = conv("t0", "conv1", 3, 6, 3, stride=2)
    x = conv(conv(x, "depthwise1", 6, 6, 3, groups=6), "pointwise1", 6, 8, 1)
    x = conv(conv(x, "depthwise2", 8, 8, 3, groups=8), "pointwise2", 8, 8, 1)
    nodes.extend([
        helper.make_node("Transpose", [x], ["t1"], perm=[0, 2, 3, 1]),
        helper.make_node("Transpose", ["t1"], ["t2"], perm=[0, 3, 1, 2]),
        helper.make_node("GlobalAveragePool", ["t2"], ["mean"]),
        helper.make_node("Reshape", ["mean", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", constant("dense/w", 8, 5)], ["dense"]),
        helper.make_node("Add", ["dense", constant("dense/BiasAdd", 5)], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], "head", axis=-1)])
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", *SHAPE])
    graph = helper.make_graph(nodes, "keras", [image],
                              [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 5])],
                              [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])


def quantized(folder: Path, **more: object) -> Path:
    """The network with QuantizeLinear and DequantizeLinear around what onnxruntime quantizes."""
    pytest.importorskip("onnxruntime", reason="onnxruntime is part of the extra dev")
    from onnxruntime import quantization

    (folder / "float.onnx").write_bytes(keras_style().SerializeToString())
    rng = np.random.default_rng(8)
    images = iter([{"image": rng.uniform(-1, 1, (8, *SHAPE)).astype(np.float32)} for _ in range(4)])

    class Images(quantization.CalibrationDataReader):
        def get_next(self) -> dict[str, np.ndarray] | None:
            return next(images, None)

    path = folder / "keras.onnx"
    quantization.quantize_static(folder / "float.onnx", path, Images(), per_channel=True,
                                 activation_type=quantization.QuantType.QUInt8,
                                 weight_type=quantization.QuantType.QInt8, **more)
    return path


def test_a_keras_style_network_is_exact(tmp_path: Path) -> None:
    path = quantized(tmp_path, nodes_to_exclude=["head"])
    import onnxruntime

    x = np.random.default_rng(9).uniform(-1, 1, (64, *SHAPE)).astype(np.float32)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    wanted = onnxruntime.InferenceSession(str(path), options).run(None, {"image": x})[0]
    model = hr.load(str(path))
    kinds = [type(node.op).__name__ for node in model.integer.nodes]
    assert kinds.count("DepthwiseConv") >= 2 and "AccPool" in kinds
    found = model.predict(x)
    assert len(np.unique(found[:, 0])) > 8
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_quantizer_behind_the_head_says_what_to_exclude(tmp_path: Path) -> None:
    with pytest.raises(hr.UnsupportedError, match=r"\(Softmax\): the host does this behind the last layer, but "
                       r"probabilities_DequantizeLinear reads it; end the model with it \(quantize_static of "
                       r"onnxruntime: name it in nodes_to_exclude\)"):
        hr.load(str(quantized(tmp_path)))
