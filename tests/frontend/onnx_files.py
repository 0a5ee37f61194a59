"""Small ONNX files for tests, and what the executor of the qonnx package makes of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, TensorProto, helper, numpy_helper

from headrace.errors import InputError, UnsupportedError
from headrace.frontend.onnx.reader import from_file
from headrace.network.graph import Network

GENERAL = "qonnx.custom_op.general"


def floats(*values: float) -> np.ndarray:
    return np.asarray(values if len(values) != 1 else values[0], np.float32)


def node(op_type: str, inputs: list[str], outputs: list[str] | str = "y", /, **attributes: object) -> NodeProto:
    """attributes: `domain` too."""
    names = [outputs] if isinstance(outputs, str) else outputs
    return helper.make_node(op_type, inputs, names, name=f"{op_type}_{names[0]}", **attributes)


def quant(source: str, output: str, scale: float | np.ndarray = 1.0, bits: float = 4.0, zero_point: float = 0.0,
          constants: dict[str, np.ndarray] | None = None, domain: str = GENERAL, **attributes: object) -> NodeProto:
    """A Quant node whose parameters are put into `constants`."""
    assert constants is not None
    for name, value in (("scale", scale), ("zero", zero_point), ("bits", bits)):
        constants[f"{output}_{name}"] = np.asarray(value, np.float32)
    settings = {"signed": 1, "narrow": 0, "rounding_mode": "ROUND"} | attributes
    parameters = [f"{output}_{name}" for name in ("scale", "zero", "bits")]
    return node("Quant", [source, *parameters], output, domain=domain, **settings)


def model(nodes: list[NodeProto], shape: Sequence[int | str], constants: dict[str, np.ndarray] | None = None,
          opset: int = 13,
          general: int = 2, annotations: dict[str, str] | None = None, outputs: tuple[str, ...] = ("y",),
          element: int = TensorProto.FLOAT) -> onnx.ModelProto:
    """A model with the input x and the output y."""
    graph = helper.make_graph(
        nodes, "test", [helper.make_tensor_value_info("x", element, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in (constants or {}).items()])
    for name, value in (annotations or {}).items():
        pair = onnx.StringStringEntryProto(key="finn_datatype", value=value)
        graph.quantization_annotation.append(
            onnx.TensorAnnotation(tensor_name=name, quant_parameter_tensor_names=[pair]))
    return helper.make_model(graph, ir_version=8, opset_imports=[
        helper.make_opsetid("", opset), helper.make_opsetid(GENERAL, general),
        helper.make_opsetid("qonnx.custom_op.channels_last", 1)])


def network(tmp_path: Path, proto: onnx.ModelProto) -> Network:
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return from_file(path)


def executed(proto: onnx.ModelProto, x: np.ndarray, output: str = "y") -> np.ndarray:
    """What the qonnx executor computes."""
    pytest.importorskip("qonnx", reason="the qonnx executor is not installed; it is part of the extra dev")
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    wrapped = ModelWrapper(proto).transform(InferShapes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # shape inference knows neither ceil_mode nor computed shapes
        return np.asarray(execute_onnx(wrapped, {"x": x.astype(np.float32)})[output])


def same_as_executor(tmp_path: Path, proto: onnx.ModelProto, x: np.ndarray, tolerance: float = 0.0) -> Network:
    """Import, run both and compare; x is made of binary fractions, so that float32 is exact wherever tolerance is 0."""
    imported = network(tmp_path, proto)
    wanted, found = executed(proto, x), imported.forward(x)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=0, atol=tolerance)
    return imported


def grid(*shape: int, seed: int = 0, step: float = 0.25, reach: float = 6.0) -> np.ndarray:
    """Random multiples of `step` up to `reach` in size."""
    limit = int(reach / step)
    return (np.random.default_rng(seed).integers(-limit, limit + 1, shape) * step).astype(np.float32)


def kinds(net: Network) -> list[str]:
    """The operations of a network, in order."""
    return [type(item.op).__name__ for item in net.nodes]


def sentence(tmp_path: Path, proto: onnx.ModelProto, kind: type[Exception] = InputError) -> str:
    """The error that a model causes, without the path in front of it."""
    with pytest.raises(kind) as caught:
        network(tmp_path, proto)
    assert str(caught.value).startswith(f"{tmp_path}/model.onnx: ")
    return str(caught.value).removeprefix(f"{tmp_path}/model.onnx: ")


def reasons(tmp_path: Path, proto: onnx.ModelProto) -> list[str]:
    """The lines of an UnsupportedError after the first."""
    return sentence(tmp_path, proto, UnsupportedError).split("\n")[1:]
