"""IntegerNetwork -> Dataflow with PE = SIMD = 1: which streaming layers compute each operation."""

from __future__ import annotations

from functools import singledispatch

from generator.dataflow.graph import SOURCE, Dataflow, Placed, Port
from generator.errors import UnsupportedError
from generator.layers import Layer, MaxPool, Mvtu, Swu
from generator.layers.base import Stream
from generator.network import integer
from generator.network.integer import INPUT, IntegerNetwork, Node, TensorType
from generator.packing import conv_matrix


def lower(net: IntegerNetwork) -> Dataflow:
    """The streaming layers of `net`, one element per word on every edge.

    A threshold that alone reads a convolution becomes part of its mvtu. Layer names are those of the nodes, with
    `_swu` for the window in front of a convolution.
    """
    fused = _fused_thresholds(net)
    ports: dict[str, Port] = {INPUT: (SOURCE, 0)}
    placed: list[Placed] = []
    for node in net.nodes:
        if node.name in fused.values():
            continue
        threshold = fused.get(node.name)
        source = node.inputs[0]
        last = ports[source]
        for layer in _layers(node.op, node, net, threshold):
            placed.append(Placed(layer, (last,)))
            last = (layer.name, 0)
        ports[threshold or node.name] = last
    tensor = net.host_input.tensor
    height, width, channels = tensor.shape
    return Dataflow(Stream(tensor.dtype, 1, height * width * channels), tuple(placed))


def _fused_thresholds(net: IntegerNetwork) -> dict[str, str]:
    """Convolution -> the threshold that is its only reader."""
    readers: dict[str, list[Node]] = {}
    for node in net.nodes:
        for source in node.inputs:
            readers.setdefault(source, []).append(node)
    return {
        node.name: readers[node.name][0].name
        for node in net.nodes
        if isinstance(node.op, integer.Conv) and len(readers.get(node.name, ())) == 1
        and isinstance(readers[node.name][0].op, integer.Threshold)
    }  # fmt: skip


@singledispatch
def _layers(op: object, node: Node, net: IntegerNetwork, threshold: str | None) -> list[Layer]:
    raise UnsupportedError(f"{node.name}: {type(op).__name__} has no streaming layer yet")


@_layers.register
def _conv(op: integer.Conv, node: Node, net: IntegerNetwork, threshold: str | None) -> list[Layer]:
    source: TensorType = net.types[node.inputs[0]]
    height, width, channels = source.shape
    out = net.types[node.name]
    kernel = (op.weights.shape[1], op.weights.shape[2])
    layers: list[Layer] = []
    # A kernel that covers the frame, or one pixel, reads the stream in its own order: no window is needed.
    whole_frame = kernel == (height, width) and out.shape[:2] == (1, 1) and not any(op.pad)
    pixelwise = kernel == (1, 1) and op.stride == (1, 1) and not any(op.pad)
    if not (whole_frame and op.dilation == (1, 1)) and not pixelwise:
        layers.append(Swu(f"{node.name}_swu", height, width, channels, kernel, source.dtype, op.stride, op.dilation,
                          op.pad, op.pad_value))
    final = net.types[threshold] if threshold else out
    thresholds = None
    if threshold:
        threshold_op = next(n.op for n in net.nodes if n.name == threshold)
        assert isinstance(threshold_op, integer.Threshold)
        thresholds = threshold_op.thresholds
    layers.append(Mvtu(node.name, conv_matrix(op.weights), thresholds, op.weight, source.dtype, final.dtype,
                       vectors=out.shape[0] * out.shape[1]))
    return layers


@_layers.register
def _max_pool(op: integer.MaxPool, node: Node, net: IntegerNetwork, threshold: str | None) -> list[Layer]:
    source = net.types[node.inputs[0]]
    height, width, channels = source.shape
    return [MaxPool(node.name, height, width, channels, op.kernel, op.stride, source.dtype, op.minimum)]
