"""Cross-layer equalisation on networks; see quantization/equalisation.py for its source."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from headrace.network import ops
from headrace.network.float_graph import FloatConv, FloatLinear, FloatNetwork, FloatNode, Weighted
from headrace.network.ops import FloatArray
from headrace.network.tensor_ops import AvgPool
from headrace.quantization.equalisation import equalising_scales

#: Rounds over all pairs; a chain of layers settles in a few.
ROUNDS = 20


def equalised(net: FloatNetwork) -> FloatNetwork:
    """The same function with channels rescaled between every two layers that nothing else reads between."""
    layers = net.layers
    pairs = _pairs(net)
    for _ in range(ROUNDS):
        for first, second in pairs:
            layers[first], layers[second] = _rescaled(layers[first], layers[second])
    return net.with_parameters({name: op.weights for name, op in layers.items()},
                               {name: op.bias for name, op in layers.items()})


def _pairs(net: FloatNetwork) -> list[tuple[str, str]]:
    """Layers and the layer that alone reads their output, through operations that a positive factor passes."""
    count = Counter(source for node in net.nodes for source in node.inputs)
    count.update(net.outputs)
    readers = {source: node for node in net.nodes for source in node.inputs}
    return [(name, found.name) for name in net.layers if (found := _reader(name, count, readers)) is not None]


def _reader(name: str, count: Counter[str], readers: dict[str, FloatNode]) -> FloatNode | None:
    while count[name] == 1 and name in readers:
        node = readers[name]
        if isinstance(node.op, FloatConv | FloatLinear):
            return node
        if not _passes_factors(node.op):
            return None
        name = node.name
    return None


def _passes_factors(op: object) -> bool:
    """True if op(s x) = s op(x) for s > 0, channel by channel."""
    if isinstance(op, ops.Clip):
        return op.lo in (0, -np.inf) and op.hi == np.inf
    return isinstance(op, ops.MaxPool | AvgPool | ops.Reshape)


def _rescaled(first: Weighted, second: Weighted) -> tuple[Weighted, Weighted]:
    """Both layers with the channels between them rescaled."""
    channels = len(first.weights)
    columns = _by_input_channel(second, channels)
    scale = equalising_scales(np.abs(first.weights.reshape(channels, -1)).max(1),
                              np.abs(columns.reshape(channels, -1)).max(1))
    per_row = scale.reshape(-1, *[1] * (first.weights.ndim - 1))
    read = _by_output_channel(second, columns * scale.reshape(-1, *[1] * (columns.ndim - 1)))
    return replace(first, weights=first.weights / per_row, bias=first.bias / scale), replace(second, weights=read)


def _by_input_channel(op: Weighted, channels: int) -> FloatArray:
    """The weights (channels, outputs, ...) that read each channel of the layer in front, flattened or not."""
    if isinstance(op, FloatLinear):
        return op.weights.reshape(len(op.weights), channels, -1).swapaxes(0, 1)
    outputs, inputs, *kernel = op.weights.shape
    grouped = op.weights.reshape(op.groups, outputs // op.groups, inputs, *kernel).swapaxes(1, 2)
    return grouped.reshape(channels, outputs // op.groups, *kernel)


def _by_output_channel(op: Weighted, columns: FloatArray) -> FloatArray:
    """The weights as the layer has them; undoes _by_input_channel."""
    if isinstance(op, FloatLinear):
        return columns.swapaxes(0, 1).reshape(op.weights.shape)
    grouped = columns.reshape(op.groups, -1, *columns.shape[1:]).swapaxes(1, 2)
    return grouped.reshape(op.weights.shape)
