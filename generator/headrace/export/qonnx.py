"""A Network as a QONNX file: quantizers as Quant, BipolarQuant and Trunc, all else in standard ONNX.

Reading the file again gives the same integers. Constants that float32 does not hold, such as the slopes of folded batch
norms, are stored in float64, and their arithmetic stands between casts.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from headrace.atomic_files import write_file
from headrace.errors import UnsupportedError
from headrace.export.onnx_activations import activation
from headrace.export.onnx_arithmetic import affine, clip
from headrace.export.onnx_graph import GraphWriter
from headrace.export.onnx_moves import crop, select_channels
from headrace.export.qonnx_quantizers import multi_threshold, product, quantize, trunc
from headrace.network import moves, ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.graph import Network, Node

Writer = Callable[[GraphWriter, Node], None]


def _pool(graph: GraphWriter, node: Node) -> None:
    assert isinstance(node.op, ops.MaxPool | tensor_ops.AvgPool)
    graph.node("MaxPool" if isinstance(node.op, ops.MaxPool) else "AveragePool", [node.inputs[0]], node.name,
               kernel_shape=list(node.op.kernel), strides=list(node.op.stride))


def _reshape(graph: GraphWriter, node: Node) -> None:
    assert isinstance(node.op, ops.Reshape)
    if len(graph.network.shapes[node.name]) == 1:
        graph.node("Flatten", [node.inputs[0]], node.name, axis=1)
        return
    shape = np.asarray([0, *graph.network.shapes[node.name]], np.int64)  # 0 keeps the batch
    graph.node("Reshape", [node.inputs[0], graph.constant(f"{node.name}.shape", shape)], node.name)


def _pad(graph: GraphWriter, node: Node) -> None:
    assert isinstance(node.op, tensor_ops.PadFrame)
    top, left, bottom, right = node.op.pad
    pads = graph.constant(f"{node.name}.pads", np.asarray([0, 0, top, left, 0, 0, bottom, right], np.int64))
    value = graph.constant(f"{node.name}.value", np.float32(node.op.value))
    graph.node("Pad", [node.inputs[0], pads, value], node.name, mode="constant")


def _upsample(graph: GraphWriter, node: Node) -> None:
    assert isinstance(node.op, tensor_ops.Upsample)
    scales = graph.constant(f"{node.name}.scales", np.asarray([1, 1, *node.op.scale], np.float32))
    graph.node("Resize", [node.inputs[0], "", scales], node.name, mode="nearest", nearest_mode="floor",
               coordinate_transformation_mode="asymmetric")


def _transpose(graph: GraphWriter, node: Node) -> None:
    assert isinstance(node.op, tensor_ops.Transpose)
    graph.node("Transpose", [node.inputs[0]], node.name, perm=[0, *(axis + 1 for axis in node.op.axes)])


def _add(graph: GraphWriter, node: Node) -> None:
    graph.node("Add", list(node.inputs), node.name)


def _concat(graph: GraphWriter, node: Node) -> None:
    graph.node("Concat", list(node.inputs), node.name, axis=1)


def _softmax(graph: GraphWriter, node: Node) -> None:
    graph.node("Softmax", [node.inputs[0]], node.name, axis=1)


def _topk(graph: GraphWriter, node: Node) -> None:
    assert isinstance(node.op, tensor_ops.TopK)
    if node.op.k == 1:
        graph.node("ArgMax", [node.inputs[0]], node.name, axis=1, keepdims=1)
        return
    count = graph.constant(f"{node.name}.k", np.asarray([node.op.k], np.int64))
    values = graph.name(f"{node.name}.values")
    graph.node("TopK", [node.inputs[0], count], values, axis=1, largest=1, sorted=1)
    graph.nodes[-1].output.append(node.name)
    graph.nodes[-1].name = node.name


WRITERS: dict[type, Writer] = {
    ops.Quantize: quantize, ops.Conv: product, ops.Linear: product, ops.Affine: affine, ops.Clip: clip,
    ops.MaxPool: _pool, ops.Reshape: _reshape, tensor_ops.PadFrame: _pad, tensor_ops.AvgPool: _pool,
    tensor_ops.Upsample: _upsample, tensor_ops.Transpose: _transpose, tensor_ops.Add: _add,
    tensor_ops.Concat: _concat, tensor_ops.MultiThreshold: multi_threshold, tensor_ops.Trunc: trunc,
    tensor_ops.Softmax: _softmax, tensor_ops.TopK: _topk, moves.Crop: crop, moves.SelectChannels: select_channels,
    Activation: activation,
}


def qonnx_bytes(network: Network) -> bytes:
    """The QONNX file of a network: the same bytes for the same network.

    Raises UnsupportedError naming the node that QONNX has no form for.
    """
    graph = GraphWriter(network)
    for node in network.nodes:
        if type(node.op) not in WRITERS:
            raise UnsupportedError(f"{node.name}: {type(node.op).__name__} has no form in QONNX files yet; save the "
                                   "network as .npz instead")
        WRITERS[type(node.op)](graph, node)
    truncs = [node.op for node in network.nodes if isinstance(node.op, tensor_ops.Trunc)]
    if len({op.dtype is None for op in truncs}) > 1:
        raise UnsupportedError("the network truncates with and without a new scale, which are two versions of QONNX; "
                               "use one of them")
    integers = frozenset(node.name for node in network.nodes if _are_indices(network, node.name))
    general = 1 if any(op.dtype is None for op in truncs) else 2
    return bytes(graph.model(integers, general).SerializeToString(deterministic=True))


def _are_indices(network: Network, name: str) -> bool:
    """True for the result of a TopK, reshaped or not."""
    makers = {node.name: node for node in network.nodes}
    while name in makers and isinstance(makers[name].op, ops.Reshape):
        name = makers[name].inputs[0]
    return name in makers and isinstance(makers[name].op, tensor_ops.TopK)


def save_qonnx(network: Network, path: Path | str) -> None:
    """Write a network as a QONNX file, whole or not at all. Raises UnsupportedError as `qonnx_bytes`, and OSError."""
    content = qonnx_bytes(network)
    write_file(Path(path), content)
