"""`raw` outputs of files whose output tensor holds codes are those codes, whatever their type and zero point."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import NodeProto, helper

from headrace.model import Model, load
from tests.frontend.onnx_files import executed, floats, grid, model, node

CODES = [(np.uint8, 0), (np.uint8, 11), (np.uint8, 109), (np.uint8, 128), (np.int8, -128), (np.int8, -21), (np.int8, 0)]
#: What may stand behind the last QuantizeLinear.
ENDS: dict[str, list[NodeProto]] = {
    "codes": [node("Flatten", ["q"])],
    "numbers": [node("DequantizeLinear", ["q", "s", "z"])],
    "pooled": [node("MaxPool", ["q"], "m", kernel_shape=[2, 2], strides=[2, 2]),
               node("DequantizeLinear", ["m", "s", "z"])],
    "rescaled": [node("DequantizeLinear", ["q", "t", "z"])],
    "head": [node("DequantizeLinear", ["q", "s", "z"], "d"), node("GlobalMaxPool", ["d"], "g"),
             node("Flatten", ["g"], "f"), node("Softmax", ["f"], axis=1)],
}
#: The tensor of the file whose codes are meant.
HOLDS = {"codes": "q", "numbers": "q", "pooled": "m", "rescaled": "q"}


def giving(proto: onnx.ModelProto, name: str, kind: type[np.generic]) -> onnx.ModelProto:
    """The model with codes as its output."""
    changed = onnx.ModelProto()
    changed.CopyFrom(proto)
    element = helper.np_dtype_to_tensor_dtype(np.dtype(kind))
    changed.graph.output[0].CopyFrom(helper.make_tensor_value_info(name, element, None))
    return changed


def file(path: Path, kind: type[np.generic], zero_point: int, end: str) -> tuple[Model, onnx.ModelProto]:
    """A padded convolution between quantizers of one zero point."""
    rng = np.random.default_rng(2)
    weights = {"W": rng.integers(-7, 8, (4, 3, 3, 3)).astype(np.int8), "v": floats(0.125), "o": np.asarray(0, np.int8)}
    steps = {"r": floats(0.0625), "s": floats(0.5), "t": floats(0.25)}
    nodes = [node("QuantizeLinear", ["x", "r", "z"], "xq"), node("DequantizeLinear", ["xq", "r", "z"], "xd"),
             node("DequantizeLinear", ["W", "v", "o"], "w"), node("Conv", ["xd", "w"], "c", pads=[1, 1, 1, 1]),
             node("QuantizeLinear", ["c", "s", "z"], "q"), *ENDS[end]]
    proto = model(nodes, (1, 3, 6, 6), weights | steps | {"z": np.asarray(zero_point, kind)})
    if end == "codes":
        proto = giving(proto, "y", kind)
    path.write_bytes(proto.SerializeToString())
    return load(path), proto


@pytest.mark.parametrize("end", sorted(HOLDS))
@pytest.mark.parametrize(("kind", "zero_point"), CODES)
def test_raw_is_what_the_file_stores(tmp_path: Path, kind: type[np.generic], zero_point: int, end: str) -> None:
    net, proto = file(tmp_path / "m.onnx", kind, zero_point, end)
    x = grid(1, 3, 6, 6, step=1 / 32, reach=16)
    stored = executed(giving(proto, HOLDS[end], kind), x, HOLDS[end])
    assert len(np.unique(stored)) > 20
    for engine in ("fast", "golden"):
        raw = net.predict(x, engine=engine, raw=True)
        np.testing.assert_array_equal(raw, stored.astype(np.int64).transpose(0, 2, 3, 1).reshape(1, -1))
    np.testing.assert_array_equal(net.predict(x), executed(proto, x))


@pytest.mark.parametrize(("kind", "zero_point"), CODES)
def test_raw_in_front_of_a_head_is_what_the_head_reads(tmp_path: Path, kind: type[np.generic], zero_point: int) -> None:
    net, proto = file(tmp_path / "m.onnx", kind, zero_point, "head")
    x = grid(1, 3, 6, 6, step=1 / 32, reach=4)
    stored = executed(giving(proto, "q", kind), x, "q").astype(np.int64).max((2, 3))
    np.testing.assert_array_equal(net.predict(x, raw=True), stored)
