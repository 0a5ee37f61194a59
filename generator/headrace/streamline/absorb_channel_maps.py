"""Let neighbours do what a channel map does, where that costs nothing.

A convolution in front makes its rows in the wanted order, and not those that nobody reads. A convolution behind has its
columns in the given order, sums those of one channel, and none for constants. What is left is a filter of words, or
nothing. Both work through layers that treat channels one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from headrace.datatypes import BIPOLAR, Interval
from headrace.network.integer import (
    INPUT,
    AccPool,
    ChannelMap,
    Conv,
    Crop,
    DepthwiseConv,
    IntegerNetwork,
    Lookup,
    MaxPool,
    Node,
    Op,
    Reframe,
    Requant,
    Threshold,
    Upsample,
)
from headrace.streamline.draft import holding

#: Operations that treat channels one by one.
Channelwise = Threshold | Requant | Lookup | MaxPool | AccPool | Upsample | Crop | Reframe | DepthwiseConv
#: Widest weights of a convolution whose columns are summed.
_MAX_WEIGHT_BITS = 8
_CONSTANT = -1


def absorb_channel_maps(net: IntegerNetwork) -> IntegerNetwork:
    """The same network with fewer and smaller channel maps."""
    work = _Nodes(net)
    for change in (work.compose, work.pull, work.push):
        for name in [node.name for node in net.nodes if isinstance(node.op, ChannelMap)]:
            if name in work.nodes:
                change(name)
    return IntegerNetwork(net.host_input, tuple(_with_tables(net, work.nodes.values())), net.host_output)


def _with_tables(net: IntegerNetwork, nodes: Iterable[Node]) -> Iterator[Node]:
    """The nodes; tables in front of which channels are gone that reached other values have no entries for these."""
    types = {INPUT: net.host_input.tensor}
    for node in nodes:
        found = [types[source] for source in node.inputs]
        made = replace(node, op=node.op.within(found[0].dtype)) if isinstance(node.op, Lookup) else node
        types[node.name] = made.op.infer(*found)
        yield made


class _Nodes:
    """The nodes while they change; the last one makes the output."""

    def __init__(self, net: IntegerNetwork) -> None:
        self.net = net
        self.nodes = {node.name: node for node in net.nodes}
        self.output = net.output

    def _map(self, name: str) -> ChannelMap:
        op = self.nodes[name].op
        assert isinstance(op, ChannelMap)
        return op

    def _readers(self, tensor: str) -> list[Node]:
        return [node for node in self.nodes.values() if tensor in node.inputs]

    def _set(self, name: str, op: Op) -> None:
        self.nodes[name] = replace(self.nodes[name], op=op)

    def _settle(self, name: str, sources: Sequence[int], channels: int) -> None:
        """What is left of a map; nothing where it keeps all channels in their order."""
        self._set(name, replace(self._map(name), sources=tuple(sources)))
        (source,) = self.nodes[name].inputs
        if list(sources) != list(range(channels)) or (name == self.output and len(self._readers(source)) > 1):
            return
        del self.nodes[name]
        for node in self._readers(name):
            inputs = tuple(source if tensor == name else tensor for tensor in node.inputs)
            self.nodes[node.name] = replace(node, inputs=inputs)
        if name == self.output:
            self.output = source
            self.nodes[source] = self.nodes.pop(source)  # the last one makes the output

    def compose(self, name: str) -> None:
        """Read what the map in front reads."""
        (source,) = self.nodes[name].inputs
        before = self.nodes.get(source)
        if before is None or not isinstance(before.op, ChannelMap):
            return
        op = self._map(name)
        sources = tuple(_CONSTANT if s == _CONSTANT else before.op.sources[s] for s in op.sources)
        own, theirs = _CONSTANT in op.sources, _CONSTANT in (before.op.sources[s] for s in op.sources if s >= 0)
        if own and theirs and op.constant != before.op.constant:
            return
        constant = before.op.constant if theirs else op.constant
        self.nodes[name] = Node(name, ChannelMap(sources, constant), before.inputs)
        if not self._readers(source):
            del self.nodes[source]

    def pull(self, name: str) -> None:
        """Make the rows of the convolution in front those that the map takes, in its order."""
        path = self._path_to_conv(name)
        sources = self._map(name).sources
        kept = list(dict.fromkeys(source for source in sources if source >= 0))
        if not path or not kept:
            return
        for tensor in path:
            self._set(tensor, _chosen(self.nodes[tensor].op, kept))
        self._settle(name, [kept.index(source) if source >= 0 else _CONSTANT for source in sources], len(kept))

    def _path_to_conv(self, name: str) -> list[str]:
        """The tensors from the map's source to the convolution that made it, which nobody else reads; else none."""
        path: list[str] = []
        (tensor,) = self.nodes[name].inputs
        while tensor in self.nodes and len(self._readers(tensor)) == 1:
            path.append(tensor)
            op = self.nodes[tensor].op
            if isinstance(op, Conv):
                return path
            if not isinstance(op, Channelwise):
                break
            (tensor,) = self.nodes[tensor].inputs
        return []

    def push(self, name: str) -> None:
        """Leave the order, repeats and constants to the convolutions behind; the map keeps channels in their order."""
        op = self._map(name)
        kept = sorted({source for source in op.sources if source >= 0})
        places = [kept.index(source) if source >= 0 else _CONSTANT for source in op.sources]
        in_order = places == list(range(len(kept)))
        if not kept or not (in_order or self._absorbs(name, op, places)):
            return
        if not in_order:
            self._absorb(name, places)
        (source,) = self.nodes[name].inputs
        self._settle(name, kept, _channels(self.net, source, self.nodes))

    def _absorbs(self, tensor: str, op: ChannelMap, places: list[int]) -> bool:
        """True if all readers can take the kept channels in their order."""
        readers = self._readers(tensor)
        return bool(readers) and tensor != self.output and all(
            _fits(node.op, op, places) if isinstance(node.op, Conv)
            else isinstance(node.op, Channelwise) and sorted(places) == list(range(len(places)))
            and self._absorbs(node.name, op, places) for node in readers)

    def _absorb(self, tensor: str, places: list[int]) -> None:
        for node in self._readers(tensor):
            if isinstance(node.op, Conv):
                self._set(node.name, _summed(node.op, places))
            else:
                self._set(node.name, _chosen(node.op, np.argsort(places).tolist()))
                self._absorb(node.name, places)


def _channels(net: IntegerNetwork, tensor: str, nodes: dict[str, Node]) -> int:
    """Channels of a tensor; a convolution may make fewer than in the network as it was."""
    op = nodes[tensor].op if tensor in nodes else None
    while op is not None and not isinstance(op, Conv | ChannelMap) and len(nodes[tensor].inputs) == 1:
        (tensor,) = nodes[tensor].inputs
        op = nodes[tensor].op if tensor in nodes else None
    if isinstance(op, Conv):
        return len(op.weights)
    return len(op.sources) if isinstance(op, ChannelMap) else net.types[tensor].shape[2]


def _rows(kept: list[int]) -> Callable[[Any], Any]:
    return lambda values: np.ascontiguousarray(values[kept]) if len(values) > 1 else values


def _chosen(op: Op, kept: list[int]) -> Op:
    """The operation on, or a convolution that makes, the channels `kept` in this order."""
    rows = _rows(kept)
    if isinstance(op, Conv):
        scales = None if op.scales is None else rows(op.scales)
        return replace(op, weights=np.ascontiguousarray(op.weights[kept]), scales=scales)
    if isinstance(op, DepthwiseConv):
        return replace(op, weights=np.ascontiguousarray(op.weights[kept]))
    if isinstance(op, Threshold):
        inverted = frozenset(c for c, source in enumerate(kept) if source in op.inverted)
        return replace(op, thresholds=np.ascontiguousarray(op.thresholds[kept]), inverted=inverted)
    if isinstance(op, Requant):
        kink = None if op.kink is None else op.kink[kept]
        return replace(op, multiplier=op.multiplier[kept], offset=op.offset[kept], kink=kink)
    if isinstance(op, Lookup):
        return replace(op, table=np.ascontiguousarray(op.table[kept]))
    if isinstance(op, MaxPool):
        return replace(op, minimum=frozenset(c for c, source in enumerate(kept) if source in op.minimum))
    return op


def _fits(op: Conv, given: ChannelMap, places: list[int]) -> bool:
    """True if constants add nothing to the products, and sums of columns are not too wide."""
    constants = op.weights[..., np.asarray(places) == _CONSTANT]
    silent = given.constant == 0 and (not any(op.pad) or op.pad_value == 0)
    if constants.any() and not silent:
        return False
    summed = _summed(op, places)
    return summed.weight.bits <= max(_MAX_WEIGHT_BITS, op.weight.bits)


def _summed(op: Conv, places: list[int]) -> Conv:
    """The convolution over the kept channels: the columns of each are summed, those of constants left out."""
    weights = np.zeros((*op.weights.shape[:3], max(places) + 1), np.int64)
    for column, place in enumerate(places):
        if place != _CONSTANT:
            weights[..., place] += op.weights[..., column]
    dtype = op.weight
    if not dtype.contains(weights):
        dtype = holding(Interval(-1, 1) if dtype == BIPOLAR else dtype, weights)
    elif dtype == Interval(-1, 1) and np.all(np.abs(weights) == 1):
        dtype = BIPOLAR
    return replace(op, weights=weights, weight=dtype)
