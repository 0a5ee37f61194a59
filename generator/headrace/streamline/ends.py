"""The two ends of a Network that are the host's: views of the input, and at the output heads and views.

A stream has one order, but the host may hand its elements over in any: transposes, reshapes and channels in another
order, in front of the first layer or behind the last, only change in which order the host reads and writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import UnsupportedError
from headrace.network import graph, ops, tensor_ops
from headrace.network.activation import Activation
from headrace.network.blocks import DepthToSpace, SpaceToDepth
from headrace.network.integer import Head, HostOutput
from headrace.network.moves import SelectChannels

View = ops.Reshape | tensor_ops.Transpose | SelectChannels | DepthToSpace | SpaceToDepth
#: Views that change what a channel is.
MOVES_CHANNELS = (SelectChannels, DepthToSpace, SpaceToDepth)
#: Operations of the host on the last values, by what HostOutput calls them; those over elements keep any order.
HEADS: dict[type, Head] = {tensor_ops.Softmax: "softmax", tensor_ops.LogSoftmax: "logsoftmax",
                           tensor_ops.Maximum: "max", tensor_ops.TopK: "topk"}
CURVED_HEADS: dict[str, Head] = {"sigmoid": "sigmoid", "tanh": "tanh"}


def view_of(network: graph.Network, node: graph.Node) -> View | None:
    """The operation of a node whose output has every element of its input once, in any order; else None."""
    if isinstance(node.op, SelectChannels):
        return node.op if node.op.permutes(network.shapes[node.inputs[0]]) else None
    return node.op if isinstance(node.op, View) else None


def head_of(op: graph.Op) -> Head | None:
    """What HostOutput calls an operation that the host can do, None for others."""
    if isinstance(op, Activation):
        return CURVED_HEADS.get(op.kind)
    return HEADS.get(type(op))


@dataclass(frozen=True, eq=False)
class Viewed:
    """A network whose inputs are in the order of the stream, and where their elements are in a sample of the model.

    orders: by input (elements,) index in a flat sample of every element of the new input; None where they are the same.
    """

    network: graph.Network
    orders: Mapping[str, IntArray | None]

    def behind(self, first: Viewed) -> Viewed:
        """The same as views of what were views of the model's inputs themselves."""
        return replace(self, orders={name: _after(first.orders[name], order) for name, order in self.orders.items()})


def _after(first: IntArray | None, order: IntArray | None) -> IntArray | None:
    """One order of the elements and then another."""
    return first if order is None else order if first is None else first[order]


def input_views(network: graph.Network) -> Viewed:
    """The same network without the views that all readers of an input share.

    Operations that treat all elements alike may stand between an input and the views.
    """
    orders: dict[str, IntArray | None] = {}
    for item in network.inputs:
        network, orders[item.name] = _without_shared_views(network, item)
    return Viewed(network, orders)


def _without_shared_views(network: graph.Network, item: graph.Input) -> tuple[graph.Network, IntArray | None]:
    """The network without the views that all readers of one input share, and the order of its elements."""
    places = _places_in_the_input(network, item)
    ends = [source for node in network.nodes if node.name not in places for source in node.inputs if source in places]
    orders = [places[name].reshape(-1) for name in ends]
    if not orders or any(name in places for name in network.outputs) \
            or any(not np.array_equal(order, orders[0]) for order in orders):
        return network, None
    shape = max((places[name].shape for name in ends), key=len)
    moved = not np.array_equal(orders[0], np.arange(orders[0].size))
    if not moved and (len(shape) < 3 or shape == item.shape):
        return network, None
    return _without_views(network, item, places, shape), orders[0] if moved else None


def _places_in_the_input(network: graph.Network, item: graph.Input) -> dict[str, IntArray]:
    """Tensors that hold an input's elements in some order: where each is in the input."""
    places = {item.name: np.arange(prod(item.shape)).reshape(item.shape)}
    for node in network.nodes:
        if len(node.inputs) == 1 and node.inputs[0] in places:
            if view := view_of(network, node):
                places[node.name] = _moved(view, places[node.inputs[0]])
            elif _treats_all_alike(node.op):
                places[node.name] = places[node.inputs[0]]
    return places


def _moved(op: View, places: IntArray) -> IntArray:
    return np.asarray(op.forward(places[None].astype(np.float64))[0], np.int64)


def _treats_all_alike(op: graph.Op) -> bool:
    if isinstance(op, ops.Affine):
        return len(op.scale) == len(op.offset) == 1
    return isinstance(op, ops.Clip) or (isinstance(op, ops.Quantize) and len(op.scale) == 1)


def _without_views(network: graph.Network, item: graph.Input, places: dict[str, IntArray],
                   shape: ops.Shape) -> graph.Network:
    """The network whose input has `shape`, and what reads it in another shape reshapes it."""
    alias = {item.name: item.name}
    nodes: list[graph.Node] = []
    for node in network.nodes:
        if node.name in places and view_of(network, node):
            alias[node.name] = alias[node.inputs[0]]
            continue
        sources = [alias.get(source, source) for source in node.inputs]
        if node.name not in places:
            sources = [_in_shape(nodes, name, places[old].shape, shape) if old in places else name
                       for name, old in zip(sources, node.inputs, strict=True)]
        nodes.append(replace(node, inputs=tuple(sources)))
        alias[node.name] = node.name
    starts = tuple(replace(item, shape=shape) if other is item else other for other in network.inputs)
    return replace(network, inputs=starts, nodes=tuple(nodes))


def _in_shape(nodes: list[graph.Node], name: str, wanted: ops.Shape, given: ops.Shape) -> str:
    """The tensor in the shape that its reader wants, reshaped once."""
    if wanted == given:
        return name
    view = f"{name}.as_{'x'.join(map(str, wanted))}"
    if all(node.name != view for node in nodes):
        nodes.append(graph.Node(view, ops.Reshape(wanted), (name,)))
    return view


@dataclass(frozen=True, eq=False)
class Tail:
    """What the host does to tensors of the network for one output: the last views and heads.

    There is one tensor, or those of a concatenation that is the host's.
    """

    name: str
    tensors: tuple[str, ...]
    nodes: tuple[graph.Node, ...]


def body_of(network: graph.Network, tails: tuple[Tail, ...]) -> tuple[graph.Node, ...]:
    """The nodes that the outputs need without those that are the host's."""
    needed = {tensor for tail in tails for tensor in tail.tensors}
    body: list[graph.Node] = []
    for node in reversed(network.nodes):
        if node.name in needed:
            needed.update(node.inputs)
            body.insert(0, node)
    return tuple(body)


def views_and_heads(network: graph.Network, name: str, tensor: str, makers: Mapping[str, graph.Node]) -> Tail:
    """The last views and heads of one output."""
    nodes: list[graph.Node] = []
    while (node := makers.get(tensor)) and (view_of(network, node) or head_of(node.op)):
        if isinstance(node.op, MOVES_CHANNELS) and any(head_of(item.op) for item in nodes):
            break  # the head sees the channels in their new order
        nodes.insert(0, node)
        tensor = node.inputs[0]
    return Tail(name, (tensor,), tuple(nodes))


def with_tail(tail: tuple[graph.Node, ...], output: HostOutput) -> HostOutput:
    """The host's last steps with the heads and views of the model.

    Raises UnsupportedError for heads that the host does not combine.
    """
    heads = [node for node in tail if head_of(node.op)]
    if not heads:
        return _arranged(output, output.shape, tail)
    last = heads[-1]
    if len(heads) > 2 or (len(heads) == 2 and not isinstance(last.op, tensor_ops.TopK)):
        raise UnsupportedError(f"{heads[1].name}: follows {heads[0].name} but a model ends with one head; remove one")
    at = tail.index(last)
    # The head in front of a TopK keeps the order: the largest values behind it are those before it.
    before, after = tuple(node for node in tail[:at] if node not in heads), tail[at + 1 :]
    if isinstance(last.op, Activation):
        return _arranged(replace(output, head=CURVED_HEADS[last.op.kind]), output.shape, (*before, *after))
    shape = output.shape
    for view in before:
        if not isinstance(view.op, ops.Reshape):
            raise UnsupportedError(f"{view.name}: moves axes in front of {last.name}, and the host reads results in "
                                   f"the order of the stream; transpose behind {last.name}, or end the model in front "
                                   "of it")
        shape = view.op.infer(shape)
    assert isinstance(last.op, tensor_ops.Softmax | tensor_ops.LogSoftmax | tensor_ops.Maximum | tensor_ops.TopK)
    left = last.op.infer(shape)
    k = last.op.k if isinstance(last.op, tensor_ops.TopK) else output.k
    return _arranged(replace(output, shape=shape, head=HEADS[type(last.op)], k=k), left, after)


def _arranged(output: HostOutput, left: ops.Shape, views: tuple[graph.Node, ...]) -> HostOutput:
    """The output with views behind the head, which leaves the shape `left`."""
    places = np.arange(prod(left)).reshape(left)
    for view in views:
        assert isinstance(view.op, View)
        places = _moved(view.op, places)
    order = places.reshape(-1)
    if places.shape == left and np.array_equal(order, np.arange(order.size)):
        return output
    return replace(output, result=places.shape,
                   order=None if np.array_equal(order, np.arange(order.size)) else order)
