"""Hostile models: files that are none, claim too much, cost too much or hold what no hardware does."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper

from headrace import serialize
from tests.frontend.onnx_files import GENERAL, floats, model, node, quant
from tests.hostile.table import Maker, Row, both, file, link, missing_pipe, nothing, refused, rows, sparse, table
from tests.small_networks import small_network


def onnx_file(nodes: list[NodeProto], shape: tuple[int, ...], constants: dict[str, np.ndarray] | None = None,
              opset: int = 13, outputs: tuple[str, ...] = ("y",), element: int = TensorProto.FLOAT) -> Maker:
    return file("m.onnx", model(nodes, shape, constants, opset, outputs=outputs, element=element).SerializeToString())


def diamonds(op_type: str, depth: int, bits: float = 4.0) -> Maker:
    """Joins of a tensor with itself, without a quantizer between them."""
    constants: dict[str, np.ndarray] = {}
    nodes = [quant("x", "t0", 1.0, 4.0, 0, constants)]
    for k in range(depth):
        attributes: dict[str, object] = {"axis": 1} if op_type == "Concat" else {}
        nodes.append(node(op_type, [f"t{k}", f"t{k}"], f"t{k + 1}", **attributes))
    return onnx_file([*nodes, quant(f"t{depth}", "y", 1.0, bits, 0, constants)], (1, 1, 2, 2), constants)


def channels(count: int) -> Maker:
    constants: dict[str, np.ndarray] = {}
    nodes = [quant("x", "q", 1.0, 4.0, 0, constants), node("Relu", ["q"], "r"), quant("r", "y", 1.0, 4.0, 0, constants)]
    return onnx_file(nodes, (1, count), constants)


def quantizer(scale: float, bits: float) -> Maker:
    constants: dict[str, np.ndarray] = {}
    return onnx_file([quant("x", "y", scale, bits, 0, constants)], (1, 2), constants)


def conv(**attributes: object) -> Maker:
    constants = {"W": np.ones((1, 1, 1, 1), np.float32)}
    nodes = [quant("x", "q", 1.0, 4.0, 0, constants), node("Conv", ["q", "W"], **attributes)]
    return onnx_file(nodes, (1, 1, 4, 4), constants)


def huge_names() -> Maker:
    return onnx_file([node("MyOwn", ["x"], "a" * 1_000_000), node("Relu", ["a" * 1_000_000])], (1, 2))


def constant_bomb(folder: Path) -> None:
    """Constants that would grow without end if they were folded."""
    nodes = [node("Concat", ["c0", "c0"], "c1", axis=0)]
    nodes += [node("Concat", [f"c{k}"] * 2, f"c{k + 1}", axis=0) for k in range(1, 40)]
    nodes.append(node("Add", ["x", "c40"]))
    onnx_file(nodes, (1, 2), {"c0": np.ones((1 << 16, 2), np.float32)})(folder)


def many_unsupported(folder: Path) -> None:
    nodes = [node("MyOwn", ["x"], "s0"), *(node("MyOwn", [f"s{k}"], f"s{k + 1}") for k in range(500))]
    onnx_file([*nodes, node("Relu", ["s500"])], (1, 2))(folder)


def external(folder: Path) -> None:
    tensor = helper.make_tensor("W", TensorProto.FLOAT, [2], [1.0, 2.0])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    proto = model([node("Add", ["x", "W"])], (1, 2))
    proto.graph.initializer.append(tensor)
    (folder / "m.onnx").write_bytes(proto.SerializeToString())


ONES = {"one": floats(1)}
DAMAGED = "m.onnx: is damaged or no ONNX file; export the model again"
ONNX = rows(
    "check {dir}/m.onnx",
    (nothing, "m.onnx: cannot be read (No such file or directory); check the path"),
    (lambda folder: (folder / "m.onnx").mkdir(), "m.onnx: cannot be read (Is a directory); check the path"),
    (link("m.onnx", "/dev/zero"), "m.onnx: is a device or a pipe, not a file; copy it into a file first"),
    (missing_pipe("m.onnx"), "m.onnx: is a device or a pipe, not a file; copy it into a file first"),
    (link("m.onnx", "m.onnx"), "m.onnx: cannot be read (Too many levels of symbolic links)"),
    (sparse("m.onnx", 1 << 40), "m.onnx: has more than 1073741824 bytes; give a smaller file"),
    (sparse("m.onnx", 1 << 20), DAMAGED),
    (file("m.onnx", b""), "m.onnx: holds no ONNX graph; export the model again"),
    (file("m.onnx", os.urandom(0) + b"\xff" * 5000), DAMAGED),
    (file("m.onnx", b"\x0a\xff\xff\xff\xff\x0f"), DAMAGED),
    (diamonds("Add", 100), "its integers need 63 bits and at most 62 are possible; put a quantizer in front of it"),
    (diamonds("Concat", 22), "has 524288 channels and at most 262144 are possible; use fewer"),
    (channels((1 << 18) + 1), "has 262145 channels and at most 262144 are possible; use fewer"),
    (channels(1 << 27), "the input has 134217728 elements and at most 33554432 are possible; use smaller images"),
    (channels((1 << 27) + 1), "exceeds 134217728 elements; mend or shrink the model"),
    (conv(strides=[2**40, 2**40]), "STEP_H=1099511627776 lies beyond the 32 bits in which hardware counts"),
    (conv(strides=[2**31, 1]), "STEP_H=2147483648 lies beyond the 32 bits in which hardware counts"),
    (conv(pads=[2**40] * 4), "exceeds 134217728 elements; mend or shrink the model"),
    (conv(strides=list(range(100_000))), "characters left out"),
    (conv(strides=[0, 0]), "its strides (0, 0) should be one or two positive integers; export the model again"),
    (conv(group=2**40), "Conv_y (Conv): "),
    (conv(auto_pad="x" * 300_000), "characters left out"),
    (onnx_file([node("MaxPool", ["x"], kernel_shape=[2**40, 2**40])], (1, 1, 4, 4)), "does not fit into 4x4"),
    (onnx_file([node("Upsample", ["x", "s"])], (1, 1, 4, 4), {"s": floats(1, 1, 2**30, 2**30)}), "Upsample_y"),
    (onnx_file([node("Reshape", ["x", "s"])], (1, 4), {"s": np.asarray([2**62, 2**62])}), "cannot take the shape"),
    (onnx_file([node("ConstantOfShape", ["s"], "c"), node("Add", ["x", "c"])], (1, 4),
               {"s": np.asarray([2**40, 2**40])}), "which is negative or exceeds 134217728 elements"),
    (constant_bomb, "constants of 33292288 elements in all were computed, more than 18874368; fold them in the model"),
    (huge_names(), "characters left out"),
    (many_unsupported, "more lines"),
    (external, "lies in another file, which is not opened; save the model as one file"),
    (onnx_file([node("Log", ["m"], "n"), node("Mul", ["x", "n"])], (1, 2), {"m": floats(-1, -2)}),
     "2 of 2 values of constant are NaN or infinite; retrain or mend the model"),
    (onnx_file([node("Add", ["x", "n"])], (1, 2), {"n": floats(np.inf, 0)}), "1 of 2 values of constant are NaN"),
    (onnx_file([node("MultiThreshold", ["x", "t"], domain=GENERAL, out_dtype="UINT999999999999")], (1, 2),
               {"t": np.ones((1, 1), np.float32)}), "its out_dtype 'UINT999999999999' is unknown; write BIPOLAR"),
    (onnx_file([node("MultiThreshold", ["x", "t"], domain=GENERAL, out_dtype="__import__('os')")], (1, 2),
               {"t": np.ones((1, 1), np.float32)}), "is unknown; write BIPOLAR"),
    (onnx_file([node("Slice", ["x", "z", "z", "z"])], (1, 2), {"z": np.asarray([1])}),
     "takes nothing of a tensor of shape (2,); keep one element at least"),
    (onnx_file([node("Slice", ["x", "a", "b", "c", "d"])], (1, 2), {
        "a": np.asarray([-2**63]), "b": np.asarray([2**63 - 1]), "c": np.asarray([1]), "d": np.asarray([2**62])}),
     "Slice_y: its input is not quantized"),
    (onnx_file([node("Split", ["x", "z"])], (1, 2), {"z": np.asarray([2**40, -2**40])}), "works along the batch"),
    (onnx_file([node("Gather", ["x", "z"], axis=1)], (1, 2), {"z": np.asarray([2**40])}),
     "gathers elements [1099511627776] of an axis of size 2; use those from 0 to 1"),
    (onnx_file([node("Pad", ["x", "z"])], (1, 2), {"z": np.asarray([0, 2**40, 0, 0])}),
     "its output"),
    (quantizer(1.0, 2.0**60), "its bit width"),
    (quantizer(1e-300, 4.0), "must be positive"),
    (onnx_file([node("Relu", ["z"])], (1, 2)), "reads 'z', which nothing makes; export the model again"),
    (onnx_file([node("Relu", ["x"], "a\x1b[31m")], (1, 2), outputs=("b",)), "the output b is made by no node"),
    (onnx_file([node("MyOwn", ["x"], "y\x1b[31m\x07")], (1, 2), outputs=("y\x1b[31m\x07",)), "\\x1b[31m\\x07"),
    (onnx_file([node("Relu", ["x"])], (1, 2**40)), "exceeds 134217728 elements"),
    (onnx_file([node("Relu", ["x"])], (1, -5)), "only the batch may be dynamic and one more axis is needed"),
    (onnx_file([node("Relu", ["x"])], (1, 4), element=TensorProto.STRING),
     "is of type STRING; use float or an integer"),
)


def saved(change: Callable[[str], str]) -> Maker:
    """A saved network with its JSON text changed; the hash of its arrays stays right."""
    def make(folder: Path) -> None:
        serialize.save(small_network(), folder / "net")
        path = folder / "net.json"
        text = path.read_text()
        changed = change(text)
        assert changed != text
        path.write_text(changed)
    return make


def replaced(old: str, new: str) -> Maker:
    return saved(lambda text: text.replace(old, new, 1))


def zip_bomb(folder: Path) -> None:
    """Entries that unpack to more than is read."""
    import zipfile

    with zipfile.ZipFile(folder / "net.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        for k in range(5):
            with archive.open(f"a{k}.npy", "w", force_zip64=True) as member:
                for _ in range(8):
                    member.write(bytes(1 << 16))
    content = (folder / "net.npz").read_bytes()
    # The directory claims 3 GiB for every entry.
    claimed = content.replace((1 << 19).to_bytes(4, "little"), (3 << 30).to_bytes(4, "little"))
    (folder / "net.npz").write_bytes(claimed)


NEWER = "is not a saved value of headrace; save it again"
SAVED = rows(
    "check {dir}/net.json",
    (nothing, "net.json: cannot be read (No such file or directory); a saved value is a pair NAME.json and NAME.npz"),
    (file("net.json", "[" * 100_000), NEWER),
    (file("net.json", '{"a":' * 100_000), NEWER),
    (file("net.json", b"\xff\xfe\x00"), NEWER),
    (file("net.json", "null"), NEWER),
    (file("net.json", '{"format": "headrace 1"}'), "net.npz: cannot be read"),
    (link("net.json", "/dev/zero"), "net.json: is a device or a pipe, not a file"),
    (sparse("net.json", 1 << 40), "net.json: has more than 1073741824 bytes"),
    (replaced('"headrace 1"', '"headrace 99"'), "has the format 'headrace 99' but this version reads 'headrace 1'"),
    (replaced('"lo": -7', '"lo": "x"'), "is damaged (TypeError: lo of datatypes.Interval has the wrong type)"),
    (replaced('"lo": -7', '"lo": 1e400'), "is damaged (TypeError: lo of datatypes.Interval has the wrong type)"),
    (replaced('"lo": -7', '"lo": true'), "is damaged (TypeError: lo of datatypes.Interval has the wrong type)"),
    (replaced('"lo": -7', f'"lo": {-2**70}'), "is damaged (TypeError: lo of datatypes.Interval has the wrong type)"),
    (replaced('"name": "conv0"', '"name": null'), "is damaged (TypeError: name of network.integer.Node"),
    (replaced('"name": "conv0"', '"name": ["a"]'), "is damaged (TypeError: name of network.integer.Node"),
    (replaced('"name": "conv0"', '"name": {"$fraction": "1e999999999"}'), "a fraction is damaged"),
    (replaced('"name": "conv0"', '"name": {"$set": [[]]}'), "is damaged"),
    (replaced('"$array": 0', '"$array": "x"'), "is damaged"),
    (replaced('"$array": 0', '"$array": 10000'), "is damaged (IndexError"),
    (replaced("network.integer_ops.Conv", "os.system"), "is damaged (KeyError: 'os.system')"),
    (replaced('"arrays_sha256": "', '"arrays_sha256": "0'),
     "does not belong to net.json or is damaged; save both again"),
)
PACKED = rows(
    "check {dir}/net.npz",
    (file("net.npz", b""), "net.npz: is not a sound .npz file (BadZipFile); save it again"),
    (file("net.npz", b"PK\x03\x04" + bytes(100)), "net.npz: is not a sound .npz file (BadZipFile); save it again"),
    (zip_bomb, "net.npz: holds "),
    (link("net.npz", "/dev/zero"), "net.npz: is a device or a pipe, not a file"),
)


def python(body: str) -> Maker:
    return file("m.py", f"import sys, os\ndef f():\n    {body}\n")


CODE = rows(
    "check {dir}/m.py:f",
    (nothing, "m.py: no such file; check the path"),
    (python("raise GeneratorExit"), "m.py:f: fails when called (GeneratorExit); mend the file"),
    (python("raise BaseException('no')"), "m.py:f: fails when called (BaseException: no); mend the file"),
    (python("sys.exit(3)"), "m.py:f: fails when called (SystemExit: 3); mend the file"),
    (python("return f()"), "m.py:f: fails when called (RecursionError"),
    (python("raise ValueError('x' * 300000)"), "characters left out"),
    (python("raise MemoryError"), "m.py:f: fails when called (MemoryError); mend the file"),
    (python("import nowhere_to_be_found"),
     "m.py:f: needs nowhere_to_be_found, which is not installed; run pip install"),
    (python("return None"), "m.py:f: returns a NoneType without an example input"),
    (python("return (1, 2, 3)"), "m.py:f: returns a tuple of 3 where two values are needed"),
    (file("m.py", "def f(:\n"), "m.py: fails on import (SyntaxError"),
    (file("m.py", "(" * 5000), "m.py: fails on import ("),
    (file("m.py", "raise GeneratorExit\n"), "m.py: fails on import (GeneratorExit); mend the file"),
    (file("m.py", b"\xff\xfe\x00"), "m.py: fails on import ("),
    (file("m.py", "g = 1\n"), "m.py: has no function 'f'; name one that returns a module and an example input"),
)
OTHERS = rows("check {dir}/m.txt", (nothing, "m.txt: is not a model; pass an .onnx or .tflite file")) + rows(
    "export {dir}/m.onnx --out {dir}/o.onnx", (file("m.onnx", b"junk"), DAMAGED),
    (channels(1 << 28), "exceeds 134217728 elements")) + rows(
    "export {dir}/net.json --out {dir}/o.onnx",
    (lambda folder: serialize.save(small_network(), folder / "net"),
     "an integer network has only thresholds where QONNX has quantizers; export the network")) + rows(
    "build {dir}/m.onnx --out {dir}/b", (file("m.onnx", b"junk"), DAMAGED),
    (diamonds("Add", 100), "its integers need 63 bits")) + rows(
    "predict {dir}/m.onnx --input {dir}/x.npy --output {dir}/y.npy",
    (both(file("m.onnx", b"junk"), lambda folder: np.save(folder / "x.npy", np.zeros((1, 2)))), DAMAGED))


@table(ONNX, SAVED, PACKED, CODE, OTHERS)
def test_models(row: Row, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert row.says in refused(row, tmp_path, capsys)


def test_a_float_input_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model without a quantizer at its input takes only values near 0, which `check` says before `predict` does."""
    from headrace.__main__ import main

    constants = {"W": np.ones((2, 2), np.float32)}
    onnx_file([node("MatMul", ["x", "W"], "m"), quant("m", "y", 1.0, 4.0, 0, constants)], (1, 2), constants)(tmp_path)
    assert main(["check", f"{tmp_path}/m.onnx", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["supported"] is True
    assert said.err == ("headrace: note: the input has no quantizer: it is read as fixed point, and values below -16 "
                        "or above 16 are refused; put a quantizer at the start of the model for other values\n")
