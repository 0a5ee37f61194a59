"""The exact integer network against the float32 forward of its ONNX file: see comparison.py.

The executor of qonnx runs a file node by node: standard operations in onnxruntime, quantizers in its own float32.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from headrace.difference.comparison import Comparison, Difference, codes_of_values, frames
from headrace.engines.host import Float32Array
from headrace.errors import ToolError
from headrace.frontend.onnx.graph import OnnxGraph, read
from headrace.frontend.onnx.reader import from_file
from headrace.streamline.streamline import Streamlined, streamline_traced

Arrays = dict[str, Any]
QUANTIZERS = ("Quant", "BipolarQuant", "Trunc")


def onnx_difference(path: Path, x: Float32Array) -> Difference:
    """Compare the forward of an ONNX file with the exact integer network on the samples x (N, ...).

    Raises what from_file and streamline raise, and ToolError where qonnx or onnxruntime is not installed.
    """
    network = from_file(path)
    return compare_file(path, streamline_traced(network), x)


def compare_file(path: Path, streamlined: Streamlined, x: Float32Array) -> Difference:
    """`onnx_difference` for a file that was already read and streamlined."""
    graph = read(path)
    outputs = {node.name: node.outputs[0] for node in graph.nodes}
    wanted = [graph.output, *(outputs[trace.name] for trace in streamlined.quantizers if trace.name in outputs)]
    framework, tensors = forward(path, graph, x, wanted)
    comparison = Comparison(framework, from_file(path), streamlined, x, {})
    quantizers = []
    for trace in streamlined.quantizers:
        if trace.name in outputs:
            found = frames(tensors[outputs[trace.name]], comparison.values[trace.tensor])
            # QuantizeLinear gives the codes themselves, all others what they mean.
            codes = found if found.dtype.kind in "iu" else codes_of_values(trace, found.astype(np.float64))
            quantizers.append(comparison.quantizer(trace, codes.astype(np.int64).transpose(0, 3, 1, 2)))
    return comparison.outputs(quantizers, tensors[graph.output])


def forward(path: Path, graph: OnnxGraph, x: Float32Array, wanted: list[str]) -> tuple[str, Arrays]:
    """Who computed the tensors, and the wanted ones (N, ...), sample by sample as files have a batch of 1."""
    try:
        from qonnx.core.modelwrapper import ModelWrapper
        from qonnx.core.onnx_exec import execute_onnx
        from qonnx.transformation.infer_shapes import InferShapes
    except ImportError as error:
        raise ToolError(f"running an ONNX file needs {error.name}, which is not installed; run pip install qonnx "
                        "onnxruntime") from None
    model = ModelWrapper(str(path))
    for node in model.graph.node:  # old dialects have their quantizers elsewhere
        if node.op_type in QUANTIZERS:
            node.domain = "qonnx.custom_op.general"
    model = model.transform(InferShapes())
    samples = [execute_onnx(model, {graph.input: sample[None]}, return_full_exec_context=True) for sample in x]
    return "qonnx", {name: np.concatenate([sample[name].reshape(1, -1) for sample in samples]) for name in wanted}
