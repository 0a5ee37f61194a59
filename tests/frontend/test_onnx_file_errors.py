"""ONNX files that are missing, damaged, endless or larger than is read: one sentence each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from headrace.errors import InputError
from headrace.frontend.onnx import graph as onnx_graph
from headrace.frontend.onnx.reader import from_file
from tests.frontend.onnx_files import floats, grid, model, network, node, quant, sentence

RELU = node("Relu", ["x"])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone.onnx: cannot be read \(No such file or directory\); check the path"):
        from_file(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n" + bytes(40), b"{}", b"\xff" * 100])
def test_no_onnx_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(InputError, match=r"model.onnx: is damaged or no ONNX file; export the model again"):
        from_file(tmp_path / "model.onnx")


def test_empty_file(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"")
    with pytest.raises(InputError, match=r"model.onnx: holds no ONNX graph; export the model again"):
        from_file(tmp_path / "model.onnx")


def test_every_truncation_is_one_sentence(tmp_path: Path) -> None:
    """Only what stands behind the graph and the first version of ONNX can be lost."""
    constants = {"W": grid(3, 4)}
    proto = model([quant("W", "w", 0.5, 4, 0, constants), node("Gemm", ["x", "w"], transB=1)], (1, 4), constants)
    del proto.opset_import[1:]
    content = proto.SerializeToString()
    for length in range(len(content)):
        (tmp_path / "model.onnx").write_bytes(content[:length])
        with pytest.raises(InputError) as caught:
            from_file(tmp_path / "model.onnx")
        assert "\n" not in str(caught.value)


def test_file_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_graph, "MAX_FILE_BYTES", 10)
    assert "has more than 10 bytes; give a smaller file" in sentence(tmp_path, model([RELU], (1, 4)))


def test_number_of_nodes_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_graph, "MAX_NODES", 1)
    proto = model([node("Relu", ["x"], "a"), node("Relu", ["a"])], (1, 4))
    assert sentence(tmp_path, proto) == "has 2 nodes, more than 1; export a smaller model"


def test_cycle(tmp_path: Path) -> None:
    proto = model([node("Add", ["x", "b"], "a"), node("Relu", ["a"], "b"), node("Relu", ["b"])], (1, 4))
    assert sentence(tmp_path, proto) == (
        "the graph is cyclic: Add_a (Add), Relu_b (Relu), Relu_y (Relu) wait for one another; a streaming network has "
        "no loops")


def test_nodes_in_any_order(tmp_path: Path) -> None:
    net = network(tmp_path, model([node("Neg", ["a"]), node("Relu", ["x"], "a")], (1, 4)))
    assert [item.name for item in net.nodes] == ["Relu_a", "Neg_y"]


def test_missing_tensor(tmp_path: Path) -> None:
    assert sentence(tmp_path, model([node("Relu", ["z"])], (1, 4))) == (
        "Relu_y (Relu): reads 'z', which nothing makes; export the model again")


def test_two_makers_of_a_tensor(tmp_path: Path) -> None:
    proto = model([RELU, node("Neg", ["x"])], (1, 4))
    assert sentence(tmp_path, proto) == "Neg_y (Neg): makes 'y', which exists already; every tensor needs one maker"


def test_missing_output(tmp_path: Path) -> None:
    assert sentence(tmp_path, model([RELU], (1, 4), outputs=("z",))) == (
        "the output z is made by no node; export the model again")


def test_inputs_of_different_batches(tmp_path: Path) -> None:
    proto = model([RELU], (1, 4))
    proto.graph.input.append(helper.make_tensor_value_info("x2", TensorProto.FLOAT, (2, 4)))
    assert sentence(tmp_path, proto) == (
        "the inputs have the batches 1, 2; export with the same batch")


def test_two_outputs_of_one_name(tmp_path: Path) -> None:
    proto = model([RELU], (1, 4), outputs=("y", "y"))
    assert sentence(tmp_path, proto) == "the model has two outputs of the name 'y'; export the model again"


@pytest.mark.parametrize(("shape", "shown"), [((1, 3, "H", 4), "1, 3, H, 4"), ((4,), "4"), ((1, None), "1, ?")])
def test_dynamic_or_missing_shape(tmp_path: Path, shape: tuple[int | str, ...], shown: str) -> None:
    assert sentence(tmp_path, model([RELU], shape)) == (
        f"the input x has the shape ({shown}) but only the batch may be dynamic and one more axis is needed; export "
        "with fixed sizes")


def test_input_of_text(tmp_path: Path) -> None:
    assert sentence(tmp_path, model([RELU], (1, 4), element=TensorProto.STRING)) == (
        "the input x is of type STRING; use float or an integer of up to 16 bits")


def test_huge_input(tmp_path: Path) -> None:
    assert sentence(tmp_path, model([RELU], (1, 1 << 20, 1 << 20))) == (
        f"the input x has the shape (1, {1 << 20}, {1 << 20}), which is negative or exceeds {1 << 27} elements; mend "
        "or shrink the model")


def test_huge_constant_without_data(tmp_path: Path) -> None:
    proto = model([node("Mul", ["x", "s"])], (1, 4), {"s": floats(1)})
    proto.graph.initializer[0].dims.extend([1 << 20, 1 << 20])
    assert sentence(tmp_path, proto).startswith(f"the constant s has the shape ({1 << 20}, {1 << 20}), which is")


def test_constant_of_wrong_length(tmp_path: Path) -> None:
    proto = model([node("Mul", ["x", "s"])], (1, 4), {"s": floats(1)})
    proto.graph.initializer[0].dims.extend([5])
    assert sentence(tmp_path, proto) == (
        "the constant s of shape (5,) has another number of values; the file is damaged, export it again")


def test_external_data_is_not_opened(tmp_path: Path) -> None:
    proto = model([node("Mul", ["x", "s"])], (1, 4), {"s": floats(1)})
    tensor = proto.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/hostname")
    assert sentence(tmp_path, proto) == (
        "the constant s lies in another file, which is not opened; save the model as one file")


def test_constant_of_text(tmp_path: Path) -> None:
    proto = model([node("Mul", ["x", "s"])], (1, 4))
    proto.graph.initializer.append(numpy_helper.from_array(np.array(["a"], object), "s"))
    assert sentence(tmp_path, proto) == (
        f"the constant s has elements of type number {TensorProto.STRING}; use float or integers")


def test_huge_result(tmp_path: Path) -> None:
    proto = model([node("Pad", ["x", "p"])], (1, 1, 4, 4), {"p": np.array([0, 0, 1 << 20, 1 << 20, 0, 0, 0, 0])})
    assert sentence(tmp_path, proto).startswith("Pad_y (Pad): its output has the shape (1, 1048580, 1048580), which is")


def test_huge_folded_constant(tmp_path: Path) -> None:
    constants = {"a": np.zeros((1 << 14, 1), np.float32), "b": np.zeros((1, 1 << 14), np.float32)}
    proto = model([node("Mul", ["a", "b"], "c"), node("Add", ["x", "c"])], (1, 4), constants)
    assert sentence(tmp_path, proto).startswith("Mul_c (Mul): its result has the shape (16384, 16384), which is")
