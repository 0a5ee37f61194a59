"""The exact integer network against the float32 forward of its ONNX file: see comparison.py.

A file of standard operations runs in onnxruntime, without its optimizations; one with quantizers of QONNX or FINN in
the executor of qonnx, node by node.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from headrace.difference.comparison import Comparison
from headrace.difference.report import Difference
from headrace.engines.host import Float32Array, Samples
from headrace.errors import InputError, ToolError
from headrace.frontend.onnx.graph import OnnxGraph, read
from headrace.frontend.onnx.reader import with_views
from headrace.frontend.onnx.values import Feature
from headrace.network.graph import Network
from headrace.samples import by_input, checked_samples, count_of
from headrace.streamline.streamline import Streamlined, streamline_traced

Arrays = dict[str, Any]
QUANTIZERS = ("Quant", "IntQuant", "BipolarQuant", "Trunc", "MultiThreshold")


def onnx_difference(path: Path, x: Samples) -> Difference:
    """Compare the forward of an ONNX file with the exact integer network on the samples x (N, ...).

    Raises what from_file and streamline raise, and ToolError where qonnx or onnxruntime is not installed.
    """
    return comparer(path, x)(x)


def comparer(path: Path, x: Samples) -> Callable[[Samples], Difference]:
    """What compares samples like x with a file, which is read once. Raises InputError where they do not fit."""
    network, views = with_views(path)
    if isinstance(x, np.ndarray) and len(network.inputs) == 1 and network.input.shape != x.shape[1:]:
        raise InputError(f"{path}: takes samples of shape {network.input.shape} but the input has {x.shape[1:]}; "
                         "reshape it")
    checked_samples(network.inputs, x)
    streamlined = streamline_traced(network)
    return lambda x: compare_file(path, network, views, streamlined, x)


def compare_file(path: Path, network: Network, views: Mapping[str, Feature], streamlined: Streamlined,
                 x: Samples) -> Difference:
    """`onnx_difference` for a file that was already read and streamlined."""
    graph = read(path)
    outputs = {node.name: node.outputs[0] for node in graph.nodes}
    traces = [trace for trace in streamlined.quantizers if trace.name in outputs]
    wanted = list(dict.fromkeys([*network.output_names, *(outputs[trace.name] for trace in traces)]))
    framework, tensors = forward(path, graph, by_input(network.inputs, x), wanted)
    comparison = Comparison(framework, network, streamlined, x, {})
    quantizers = [comparison.of_values(trace, _stored(network, views, trace.name, tensors, outputs[trace.name]))
                  for trace in traces]
    return comparison.outputs(quantizers, [tensors[name] for name in network.output_names])


def _stored(network: Network, views: Mapping[str, Feature], name: str, tensors: Arrays, tensor: str) -> Any:
    """A tensor of the file in the arrangement of the Network's, of which it is a view unless it holds plain codes."""
    view = views.get(tensor)
    return tensors[tensor] if view is None else view.stored(tensors[tensor], network.shapes[name])


def forward(path: Path, graph: OnnxGraph, x: Mapping[str, Float32Array], wanted: list[str]) -> tuple[str, Arrays]:
    """Who computed the tensors, and the wanted ones (N, elements), sample by sample as files have a batch of 1."""
    standard = all(node.domain == "" and node.op_type not in QUANTIZERS for node in graph.nodes)
    try:
        run = (_onnxruntime if standard else _qonnx)(path, graph, wanted)
    except ImportError as error:
        raise ToolError(f"running an ONNX file needs {error.name}, which is not installed; run pip install qonnx "
                        "onnxruntime") from None
    name = "onnxruntime" if standard else "qonnx"
    given = _typed(path, graph, x)
    try:
        with warnings.catch_warnings(action="ignore"):  # qonnx tells of shapes at almost every node
            samples = [run({name: part[at] for name, part in given.items()}) for at in range(count_of(given))]
    except Exception as error:
        said = " ".join(str(error).split())
        raise ToolError(f"{path}: {name} cannot run the file on these samples ({said[:300]}); give samples as the file "
                        f"takes them, or install another version of {name}") from None
    return name, {key: np.concatenate([sample[key].reshape(1, -1) for sample in samples]) for key in wanted}


#: Runs a file on one sample of every input.
Run = Callable[[Arrays], Arrays]


def _onnxruntime(path: Path, graph: OnnxGraph, wanted: list[str]) -> Run:
    """A session without optimizations, whose tensors are all float32 as the file says."""
    import onnxruntime

    model = onnx.load(str(path))
    given = {item.name for item in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in wanted if name not in given)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return lambda sample: dict(zip(wanted, session.run(wanted, sample), strict=True))


def _typed(path: Path, graph: OnnxGraph, x: Mapping[str, Float32Array]) -> Arrays:
    """The samples of every input (N, *shape), shaped and typed as the file takes one of them."""
    kinds = {item.name: item.type.tensor_type.elem_type for item in onnx.load(str(path)).graph.input}
    return {name: part.reshape(-1, *graph.inputs[name]).astype(onnx.helper.tensor_dtype_to_np_dtype(kinds[name]))
            for name, part in x.items()}


def _qonnx(path: Path, graph: OnnxGraph, wanted: list[str]) -> Run:
    from qonnx.core.modelwrapper import ModelWrapper
    from qonnx.core.onnx_exec import execute_onnx
    from qonnx.transformation.infer_shapes import InferShapes

    model = ModelWrapper(str(path))
    for node in model.graph.node:  # old dialects have their quantizers elsewhere
        if node.op_type in ("Quant", "BipolarQuant", "Trunc"):
            node.domain = "qonnx.custom_op.general"
    model = model.transform(InferShapes())

    def run(sample: Arrays) -> Arrays:
        context: Arrays = execute_onnx(model, sample, return_full_exec_context=True)
        return context
    return run
