"""Concatenations at a model's end that no stream does: of rows, or of tensors whose axes were moved or merged.

A detector ends so: the heads of its strides are transposed, reshaped and joined. The tensors in front of that follow
one another on the output stream, as several outputs do, and the host puts their elements where the model has them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from headrace.datatypes import IntArray
from headrace.network import graph, ops
from headrace.network.activation import Activation
from headrace.network.integer import HostOutput
from headrace.network.tensor_ops import Concat, LogSoftmax, Maximum, Softmax, TopK
from headrace.streamline.ends import CURVED_HEADS, HEADS, Tail, body_of, head_of, view_of, views_and_heads


def split_tails(network: graph.Network) -> tuple[tuple[graph.Node, ...], tuple[Tail, ...]]:
    """The nodes that the hardware does, and what the host does behind them for every output."""
    makers = {node.name: node for node in network.nodes}
    tails = tuple(_without_joins(network, views_and_heads(network, name, output, makers), makers) for name, output in
                  zip(network.output_names, network.outputs, strict=True))
    return body_of(network, tails), tails


def _without_joins(network: graph.Network, tail: Tail, makers: Mapping[str, graph.Node]) -> Tail:
    """The tail with the concatenation that it begins with, and views in front of it, where a stream cannot do these."""
    node = makers.get(tail.tensors[0])
    if node is None or not isinstance(node.op, Concat) or sum(bool(head_of(item.op)) for item in tail.nodes) > 1:
        return tail
    inner = _moving(network, node.name)
    made = {item.name for item in inner}
    tensors = tuple(dict.fromkeys(name for item in inner for name in item.inputs if name not in made))
    if _streams(network, inner, tensors):
        return tail
    return Tail(tail.name, tensors, (*inner, *tail.nodes))


def _moving(network: graph.Network, name: str) -> list[graph.Node]:
    """The views and concatenations that a tensor is made by, in order."""
    wanted = {name}
    found: list[graph.Node] = []
    for node in reversed(network.nodes):
        if node.name in wanted and (isinstance(node.op, Concat) or view_of(network, node)):
            wanted.update(node.inputs)
            found.insert(0, node)
    return found


def _streams(network: graph.Network, inner: Sequence[graph.Node], tensors: Sequence[str]) -> bool:
    """True if all concatenations join channels of pixels, whatever shape these have."""
    joins = [node for node in inner if isinstance(node.op, Concat)]
    made = (*tensors, *(node.name for node in joins))
    places = {name: np.arange(prod(network.shapes[name])).reshape(network.shapes[name]) for name in made}
    before = dict(places)
    for node in inner:
        if node not in joins:
            before[node.name], places[node.name] = before[node.inputs[0]], _moved(node, places)
    return all(len(places[name]) == len(before[name])
               and np.array_equal(places[name].reshape(-1), before[name].reshape(-1))
               for node in joins for name in node.inputs)


def _moved(node: graph.Node, places: Mapping[str, IntArray]) -> IntArray:
    return np.asarray(node.op.forward(*(places[name][None].astype(np.float64) for name in node.inputs))[0], np.int64)


def joined_output(tail: Tail, parts: Mapping[str, HostOutput], frames: Mapping[str, ops.Shape]) -> HostOutput:
    """One output of the frames (C, H, W) of several tensors, each in the order of its stream."""
    places: dict[str, IntArray] = {}
    first = 0
    for name, (channels, height, width) in frames.items():
        stream = first + np.arange(prod(frames[name])).reshape(height, width, channels)
        places[name] = stream.transpose(2, 0, 1).reshape(parts[name].shape)
        first += stream.size
    scale, offset = (np.concatenate([np.tile(values, frames[name][1] * frames[name][2]) for name, values in items])
                     for items in ([(name, part.scale) for name, part in parts.items()],
                                   [(name, part.offset) for name, part in parts.items()]))
    return _with_head(tail.nodes, places, HostOutput((first,), scale, offset, name=tail.name))


def _with_head(nodes: Sequence[graph.Node], places: dict[str, IntArray], made: HostOutput) -> HostOutput:
    """The output with the views and the head behind the elements that stand at `places` in its stream."""
    for node in nodes:
        source = places[node.inputs[0]]
        if isinstance(node.op, Activation):
            made, places[node.name] = replace(made, head=CURVED_HEADS[node.op.kind]), source
        elif isinstance(node.op, Softmax | LogSoftmax | Maximum | TopK):
            k = node.op.k if isinstance(node.op, TopK) else made.k
            made = replace(made, shape=source.shape, before=source.reshape(-1), head=HEADS[type(node.op)], k=k)
            left = node.op.infer(source.shape)
            places[node.name] = np.arange(prod(left)).reshape(left)
        else:
            places[node.name] = _moved(node, places)
    last = places[nodes[-1].name]
    return replace(made, result=last.shape, order=last.reshape(-1))
