"""Engine fast on the public binary CNV network, against onnxruntime and the qonnx executor.

All three classify the same images in one run, and their outputs must be equal. onnxruntime cannot read the quantizers
of the file, so it gets the same network in float32 with constant weights and comparisons. `python -m
benchmarks.fast_engine` prints a table and writes build/bench-fast-engine.json.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx

from benchmarks.figures import MODELS, print_values, save
from headrace.frontend.onnx.reader import from_file
from headrace.model import Model, load

MODEL = MODELS / "cnv_w1a1_cifar10_quant.onnx"
OUT = Path("build/bench-fast-engine.json")
IMAGES, QONNX_IMAGES, REPEATS = 512, 3, 4
MIN_SPEEDUP_QONNX, MIN_SPEEDUP_ORT = 20, 1
Images = np.ndarray[Any, np.dtype[np.float32]]


def float_session(path: Path) -> onnxruntime.InferenceSession:
    """The network of the file in standard operations: weights as their signs, activations by comparison with 0."""
    graph = onnx.load(path).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    renamed: dict[str, str] = {}
    for node in graph.node:
        inputs = [renamed.get(name, name) for name in node.input]
        if node.op_type == "Quant":
            renamed[node.output[0]] = inputs[0]  # the images lie on its grid
        elif node.op_type == "BipolarQuant" and inputs[0] in arrays:
            signs = np.where(arrays[inputs[0]] >= 0, 1, -1) * arrays[inputs[1]]
            arrays[node.output[0]] = signs.astype(np.float32)
        elif node.op_type == "BipolarQuant":
            name = node.output[0]
            nodes += [helper.make_node("GreaterOrEqual", [inputs[0], "zero_"], [f"{name}_up"]),
                      helper.make_node("Where", [f"{name}_up", "one_", "minus_one_"], [name])]
        else:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.input[:] = inputs
            nodes.append(copy)
    arrays |= {"zero_": np.float32(0), "one_": np.float32(1), "minus_one_": np.float32(-1)}
    read = {name for node in nodes for name in node.input}
    ends = [helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, ["N", *shape])
            for value, shape in ((graph.input[0], (3, 32, 32)), (graph.output[0], (10,)))]
    constants = [numpy_helper.from_array(np.asarray(a), name) for name, a in arrays.items() if name in read]
    model = helper.make_model(helper.make_graph(nodes, "cnv", ends[:1], ends[1:], constants),
                              opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def milliseconds(predict: Callable[[Images], Any], x: Images) -> tuple[float, Any]:
    """The time per image and the outputs."""
    started = time.perf_counter()
    y = predict(x)
    return (time.perf_counter() - started) / len(x) * 1e3, y


def measure() -> dict[str, float]:
    """Milliseconds per image of the three."""
    x = np.random.default_rng(0).integers(-128, 128, (IMAGES, 3, 32, 32)).astype(np.float32)
    model: Model = load(from_file(MODEL))
    session = float_session(MODEL)
    wrapper = ModelWrapper(str(MODEL))
    source, sink = session.get_inputs()[0].name, session.get_outputs()[0].name

    def qonnx(images: Images) -> Images:
        return np.concatenate([execute_onnx(wrapper, {source: image[None]})[sink] for image in images])

    slow, y_qonnx = milliseconds(qonnx, x[:QONNX_IMAGES])
    fast, ort = float("inf"), float("inf")
    for _ in range(REPEATS):  # in turns, so that whatever else the machine does meets both
        once, y = milliseconds(model.predict, x)
        fast = min(fast, once)
        once, y_ort = milliseconds(lambda images: session.run(None, {source: images})[0], x)
        ort = min(ort, once)
    if not (np.array_equal(y, y_ort) and np.array_equal(y[:QONNX_IMAGES], y_qonnx)):
        raise SystemExit("benchmarks.fast_engine: the outputs differ")
    return {"fast_ms_per_image": fast, "onnxruntime_ms_per_image": ort, "qonnx_ms_per_image": slow,
            "speedup_onnxruntime": ort / fast, "speedup_qonnx": slow / fast}


def main() -> int:
    if not MODEL.exists():
        print(f"benchmarks.fast_engine: skipped, {MODEL.name} is not in {MODEL.parent}")
        return 0
    results = measure()
    print_values(__doc__.strip().splitlines()[0], results, 2)
    save(OUT, results)
    enough = results["speedup_qonnx"] >= MIN_SPEEDUP_QONNX and results["speedup_onnxruntime"] >= MIN_SPEEDUP_ORT
    return 0 if enough else 1


if __name__ == "__main__":
    sys.exit(main())
