"""`headrace compare`: what a framework computes in float32 beside the exact integers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

pytest.importorskip("brevitas", reason="brevitas is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from headrace.__main__ import main

#: 9 * 0.1f is 0.9000000134, which float32 rounds to 0.9000000358 = 1.5 * 0.6f: a tie for torch, not in truth.
SOURCE = """
import brevitas.nn as qnn
import torch
from brevitas.quant import SignedBinaryWeightPerTensorConst
from torch import nn

def fixed(bits, limit):
    return qnn.QuantIdentity(bit_width=bits, scaling_impl_type="const", scaling_init=limit)

def model():
    layer = qnn.QuantLinear(1, 2, weight_quant=SignedBinaryWeightPerTensorConst, weight_scaling_init=0.1, bias=False)
    layer.weight.data.copy_(torch.tensor([[1.0], [-1.0]]))
    return nn.Sequential(fixed(8, 128.0), layer, fixed(4, 8 * 0.6)).eval(), torch.zeros(1, 1)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(SOURCE)
    np.save(tmp_path / "x.npy", np.array([[6.0], *[[-6.0]] * 40, [9.0]], np.float32))
    np.save(tmp_path / "y.npy", np.array([0, *[1] * 40, 1]))
    return tmp_path


def test_a_module_is_compared_in_batches_with_labels(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["compare", f"{folder / 'mine.py'}:model", "--input", str(folder / "x.npy"), "--labels",
                 str(folder / "y.npy"), "--json"]
    assert main(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    first = result.pop("first_difference")
    assert (first["layer"], first["sample"], first["cause"]) == ("2", 41, "float32 rounding")
    assert {first["framework"], first["exact"]} <= {1, 2, -1, -2} and 0 < first["distance"] < first["allowed"]
    assert result == {
        "samples": 42, "codes": 42 + 84, "codes_different": 2, "ties": 0, "cancellations": 0, "float32_rounding": 2,
        "inherited": 0, "unexplained": 0, "explained": True,
        "output": {"largest_difference": pytest.approx(0.6), "unexplained": 0, "decisions_different": 0},
        "accuracy": {"framework": 41 / 42, "exact": 41 / 42}}


def test_the_report_is_text_without_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", f"{folder / 'mine.py'}:model", "--input", str(folder / "x.npy")]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "2 (fc0_act): 2 of 84 codes differ (2 float32 rounding); first in sample 41" in said
    assert ("all layers: 2 of 126 codes differ (2 float32 rounding); the first layer that differs is 2 (fc0_act)"
            in said)
    assert said.endswith("every difference is explained")


def qdq_model(path: Path) -> None:
    """x -> codes in steps of 0.25 -> times 3 -> codes in steps of 0.5, transposed on the way in, in standard ONNX."""
    constants = {"s": np.float32(0.25), "z": np.int8(0), "t": np.float32(0.5),
                 "k": np.array([[[[3]], [[-2]]]], np.int8), "one": np.float32(1.0)}
    nodes = [helper.make_node("Transpose", ["x"], ["x_first"], perm=[0, 3, 1, 2]),
             helper.make_node("QuantizeLinear", ["x_first", "s", "z"], ["q"]),
             helper.make_node("DequantizeLinear", ["q", "s", "z"], ["d"]),
             helper.make_node("DequantizeLinear", ["k", "one", "z"], ["w"]),
             helper.make_node("Conv", ["d", "w"], ["c"]),
             helper.make_node("Relu", ["c"], ["r"]),
             helper.make_node("QuantizeLinear", ["r", "t", "z"], ["p"]),
             helper.make_node("DequantizeLinear", ["p", "t", "z"], ["y"])]
    graph = helper.make_graph(nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 3, 2])],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 2, 3])],
                              [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)


def test_a_file_of_standard_operations_runs_in_onnxruntime(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    qdq_model(folder / "m.onnx")
    np.save(folder / "x.npy", np.random.default_rng(0).normal(size=(3, 2, 3, 2)).astype(np.float32))
    assert main(["compare", str(folder / "m.onnx"), "--input", str(folder / "x.npy"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["explained"] and result["codes_different"] == 0 and result["first_difference"] is None
    assert result["codes"] == 3 * 12 + 3 * 6 and result["accuracy"] is None


MISTAKES: dict[str, tuple[str, dict[str, np.ndarray], str]] = {
    "saved": ("net.json", {}, "net.json: has no framework to compare with; pass an .onnx file or file.py:function"),
    "shape": ("mine.py:model", {"x": np.zeros((42, 3), np.float32)}, "weights for 1 inputs meet a tensor of shape "),
    "labels": ("mine.py:model", {"y": np.zeros(3)}, "the labels have shape (3,) but there are 42 samples; give one "),
    "fractions": ("mine.py:model", {"y": np.full(42, 0.5)}, "y.npy: holds values that are not classes; give whole "),
    "empty": ("mine.py:model", {"x": np.zeros((0, 1), np.float32)}, "the input holds no samples; give it some"),
}


@pytest.mark.parametrize("what", MISTAKES)
def test_mistakes_are_one_sentence(what: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model, arrays, sentence = MISTAKES[what]
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    arguments = ["compare", str(folder / model), "--input", str(folder / "x.npy"), "--labels", str(folder / "y.npy")]
    assert main(arguments) == 1
    said = capsys.readouterr().err
    assert sentence in said and "Traceback" not in said


def test_a_missing_package_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str],
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    qdq_model(folder / "m.onnx")
    np.save(folder / "x.npy", np.zeros((1, 2, 3, 2), np.float32))
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert main(["compare", str(folder / "m.onnx"), "--input", str(folder / "x.npy")]) == 1
    assert "needs onnxruntime, which is not installed; run pip install qonnx onnxruntime" in capsys.readouterr().err
