"""The QOperator format: codes in, codes out, as onnxruntime computes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import ArrayLike
from onnx import NodeProto, TensorProto, helper, numpy_helper

from headrace.errors import InputError, UnsupportedError
from headrace.model import load
from tests.frontend.onnx_files import node

ort = pytest.importorskip("onnxruntime", reason="the oracle is onnxruntime; it is part of the extra dev")
SHAPE = (1, 4, 6, 6)


Code = type[np.int8 | np.uint8]


class Graph:
    """Constants and nodes of a graph from a quantized input x to real numbers y."""

    def __init__(self, code: Code = np.uint8) -> None:
        self.code, self.rng = code, np.random.default_rng(7)
        self.constants: dict[str, np.ndarray] = {}
        self.nodes: list[NodeProto] = []
        self.last = self.quantized("x", 0.031, 118)

    def parameters(self, name: str, scale: ArrayLike, zero_point: int, code: Code | None = None) -> list[str]:
        code = self.code if code is None else code
        offset = -128 if code is np.int8 and self.code is np.int8 and zero_point else 0
        self.constants[f"{name}_s"] = np.asarray(scale, np.float32)
        self.constants[f"{name}_z"] = np.full(np.shape(scale), zero_point + offset, code)
        return [f"{name}_s", f"{name}_z"]

    def quantized(self, name: str, scale: float, zero_point: int) -> list[str]:
        self.nodes.append(node("QuantizeLinear", [name, *self.parameters(name, scale, zero_point)], f"{name}_q"))
        return [f"{name}_q", f"{name}_s", f"{name}_z"]

    def weight(self, name: str, shape: tuple[int, ...], scale: ArrayLike) -> list[str]:
        self.constants[name] = self.rng.integers(-127, 128, shape).astype(np.int8)
        return [name, *self.parameters(name, scale, 0, np.int8)]

    def bias(self, name: str, size: int) -> str:
        self.constants[name] = self.rng.integers(-3000, 3000, size).astype(np.int32)
        return name

    def add(self, op_type: str, name: str, inputs: list[str], scale: float, zero_point: int, domain: str = "",
            after: tuple[str, ...] = (), /, **attributes: object) -> list[str]:
        names = [*inputs, *self.parameters(name, scale, zero_point), *after]
        self.nodes.append(node(op_type, names, name, domain=domain, **attributes))
        self.last = [name, f"{name}_s", f"{name}_z"]
        return self.last

    def proto(self) -> onnx.ModelProto:
        self.nodes.append(node("DequantizeLinear", self.last, "y"))
        graph = helper.make_graph(
            self.nodes, "test", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
            [numpy_helper.from_array(value, name) for name, value in self.constants.items()])
        return helper.make_model(graph, ir_version=8, opset_imports=[
            helper.make_opsetid("", 13), helper.make_opsetid("com.microsoft", 1)])


def network(code: Code) -> onnx.ModelProto:
    """Convolutions, pools, a residual sum, a concatenation, activations and two dense layers."""
    g = Graph(code)
    first = g.add("QLinearConv", "c0", [*g.last, *g.weight("w0", (4, 4, 3, 3), [0.002, 0.003, 0.004, 0.001])], 0.041,
                  127, "", (g.bias("b0", 4),), pads=[1, 1, 1, 1], kernel_shape=[3, 3])
    second = g.add("QLinearLeakyRelu", "l0", first, 0.0237, 40, "com.microsoft", alpha=0.1)
    g.add("QLinearAdd", "a0", [*first, *second], 0.057, 99, "com.microsoft")
    g.nodes.append(node("MaxPool", [g.last[0]], "m0", kernel_shape=[2, 2], strides=[2, 2]))
    pooled = ["m0", *g.last[1:]]
    third = g.add("QLinearSigmoid", "s0", pooled, 1 / 256, 3, "com.microsoft")
    parts = [*g.parameters("k0", 0.0451, 90), *pooled, *third]
    g.nodes.append(node("QLinearConcat", parts, "k0", domain="com.microsoft", axis=1))
    g.last = ["k0", "k0_s", "k0_z"]
    g.add("QLinearAveragePool", "p1", g.last, 0.0417, 95, "com.microsoft", kernel_shape=[2, 2], channels_last=0)
    g.add("QLinearGlobalAveragePool", "p0", g.last, 0.03, 101, "com.microsoft", channels_last=0)
    g.nodes.append(node("Flatten", [g.last[0]], "f0", axis=1))
    flat = ["f0", *g.last[1:]]
    g.add("QGemm", "d0", [*flat, *g.weight("w1", (8, 5), 0.004), g.bias("b1", 5)], 0.09, 111, "com.microsoft")
    g.add("QLinearMatMul", "d1", [*g.last, *g.weight("w2", (5, 3), 0.005)], 0.08, 128)
    return g.proto()


@pytest.mark.parametrize("code", [np.uint8, np.int8])
def test_codes_are_those_of_onnxruntime(tmp_path: Path, code: Code) -> None:
    path = tmp_path / "m.onnx"
    onnx.save(network(code), path)
    x = np.random.default_rng(1).normal(0, 1.5, (60, *SHAPE[1:])).astype(np.float32)
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    wanted = np.concatenate([session.run(None, {"x": sample[None]})[0] for sample in x])
    steps = np.float32(0.08)
    np.testing.assert_array_equal(np.rint(load(path).predict(x) / steps), np.rint(wanted / steps))


@pytest.mark.parametrize(("op_type", "shape"), [("QGemm", (5,)), ("QLinearMatMul", ()), ("QLinearConv", ())])
def test_weights_without_an_axis_of_outputs_are_refused(op_type: str, shape: tuple[int, ...], tmp_path: Path) -> None:
    g = Graph()
    domain, more = ("com.microsoft", (g.bias("b", 5),)) if op_type == "QGemm" else ("", ())
    g.add(op_type, "d", [*g.last, *g.weight("w", shape, 0.004), *more], 0.09, 111, domain)
    onnx.save(g.proto(), tmp_path / "m.onnx")
    with pytest.raises(InputError) as caught:
        load(tmp_path / "m.onnx")
    assert f"its weights of shape {shape} have no axis of output channels; export the model again" in str(caught.value)


def test_quantization_at_run_time_names_the_way_out(tmp_path: Path) -> None:
    nodes = [node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]), node("DequantizeLinear", ["q", "s", "z"], "y")]
    graph = helper.make_graph(nodes, "test", [helper.make_tensor_value_info("x", TensorProto.FLOAT, SHAPE)],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    onnx.save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)]), tmp_path / "m.onnx")
    with pytest.raises(UnsupportedError, match="quantize statically, so that scales are constants"):
        load(tmp_path / "m.onnx")
