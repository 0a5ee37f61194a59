"""IntegerNetwork -> Dataflow with PE = SIMD = 1: which streaming layers compute each operation."""

from __future__ import annotations

from collections import Counter
from functools import reduce, singledispatchmethod
from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np

from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.datatypes import DataType, hull
from headrace.errors import UnsupportedError
from headrace.layers import (
    AccPool,
    Add,
    ChannelMap,
    Concat,
    Crop,
    DepthToSpace,
    Fork,
    Layer,
    Lookup,
    MaxPool,
    Mvtu,
    Requant,
    Swu,
    Take,
    Threshold,
    Upsample,
    Vvtu,
)
from headrace.layers.concat import MAX_INPUTS
from headrace.layers.fork import MAX_BRANCHES
from headrace.layers.stream import Stream
from headrace.network import integer_blocks as blocks
from headrace.network import integer_moves as moves
from headrace.network import integer_ops as ops
from headrace.network import integer_table
from headrace.network.integer import INPUT, IntegerNetwork, Node, Part, Sequence
from headrace.packing import conv_matrix


def lower(net: IntegerNetwork) -> Dataflow:
    """The streaming layers of `net`, one element per word on every edge.

    A threshold that alone reads a convolution becomes part of its mvtu or vvtu. Layers are named after their nodes,
    with `_swu` for the window in front of a convolution, or `_crop` for one of single pixels, `_fork` behind a tensor
    with several readers, and `_fork_0` and so on behind a fork, or `_0` and so on in front of a concatenation, with too
    few branches.
    """
    return _Lowering(net).run()


class _Joined(NamedTuple):
    """What a concatenation reads: channels per pixel, their type, where they come from."""

    channels: int
    dtype: DataType
    port: Port


class _Lowering:
    """State of one run: the layers so far and the ports that their readers have yet to take."""

    def __init__(self, net: IntegerNetwork) -> None:
        self.net = net
        self.readers = Counter(source for node in net.nodes for source in node.inputs)
        self.fused = _fused_thresholds(net, self.readers)
        self.placed: list[Placed] = []
        self.free: dict[str, list[Port]] = {}

    def run(self) -> Dataflow:
        if not self.net.nodes:
            raise UnsupportedError("the network has no layer between its input and its output; add one")
        self._provide(INPUT, (SOURCE, 0))
        absorbed = set(self.fused.values())
        for node in self.net.nodes:
            if node.name not in absorbed:
                self._lower(node.op, node, [self.free[source].pop(0) for source in node.inputs])
        tensor = self.net.host_input.tensor
        return Dataflow(Stream(tensor.dtype, 1, int(np.prod(tensor.shape))), tuple(self.placed))

    def _place(self, layer: Layer, *sources: Port) -> Port:
        self.placed.append(Placed(layer, sources))
        return (layer.name, 0)

    def _provide(self, tensor: str, port: Port) -> None:
        """Make `port` readable as `tensor`, through a fork, or a tree of them, where several nodes read it."""
        self.free[tensor] = self._forked(tensor, f"{tensor}_fork", port, self.readers[tensor])

    def _forked(self, tensor: str, name: str, port: Port, count: int) -> list[Port]:
        """`count` equal streams of a tensor; a fork of more branches than there are has forks behind them."""
        if count <= 1:
            return [port]
        height, width, channels = self.net.types[tensor].shape
        branches = min(count, MAX_BRANCHES)
        self._place(Fork(name, channels, self.net.types[tensor].dtype, height * width, branches), port)
        shares = [count // branches + (k < count % branches) for k in range(branches)]
        leaves = [self._forked(tensor, f"{name}_{k}", (name, k), share) for k, share in enumerate(shares)]
        return [leaf for group in leaves for leaf in group]

    def _pixels(self, tensor: str) -> int:
        height, width, _ = self.net.types[tensor].shape
        return height * width

    @singledispatchmethod
    def _lower(self, op: object, node: Node, ports: list[Port]) -> None:
        raise UnsupportedError(f"{node.name}: {type(op).__name__} has no streaming layer")

    @_lower.register
    def _conv(self, op: ops.Conv, node: Node, ports: list[Port]) -> None:
        source = self.net.types[node.inputs[0]]
        kernel = (op.weights.shape[1], op.weights.shape[2])
        # A kernel that covers the frame, or one pixel, reads the stream in its own order: no window is needed.
        whole_frame = kernel == source.shape[:2] and self._pixels(node.name) == 1 and op.dilation == (1, 1)
        pixelwise = kernel == (1, 1) and op.stride == (1, 1)
        port = ports[0]
        if any(op.pad) or not (whole_frame or pixelwise):
            port = self._window(op, node, port, depthwise=False)
        final, thresholds, dtype = self._activation(node)
        unit = Mvtu(node.name, conv_matrix(op.weights), thresholds, op.weight, source.dtype, dtype,
                    vectors=self._pixels(node.name),
                    scales=None if op.scales is None else op.scales.reshape(len(op.scales), -1))
        self._provide(final, self._place(unit, port))

    @_lower.register
    def _depthwise(self, op: ops.DepthwiseConv, node: Node, ports: list[Port]) -> None:
        port = self._window(op, node, ports[0], depthwise=True)
        final, thresholds, dtype = self._activation(node)
        unit = Vvtu(node.name, conv_matrix(op.weights), thresholds, op.weight, self.net.types[node.inputs[0]].dtype,
                    dtype, vectors=self._pixels(node.name))
        self._provide(final, self._place(unit, port))

    def _window(self, op: ops.Conv | ops.DepthwiseConv, node: Node, port: Port, depthwise: bool) -> Port:
        source = self.net.types[node.inputs[0]]
        height, width, channels = source.shape
        kernel = (op.weights.shape[1], op.weights.shape[2])
        if kernel == (1, 1) and not any(op.pad):  # windows of one pixel that leave others out: no buffer is needed
            return self._place(Crop(f"{node.name}_crop", height, width, channels, (0, 0), (height, width), op.stride,
                                    source.dtype), port)
        return self._place(Swu(f"{node.name}_swu", height, width, channels, kernel, source.dtype, op.stride,
                               op.dilation, op.pad, op.pad_value, depthwise=depthwise), port)

    def _activation(self, node: Node) -> tuple[str, np.ndarray | None, DataType]:
        """The tensor that a convolution's unit makes, its thresholds if it applies some, and the tensor's type."""
        if node.name not in self.fused:
            return node.name, None, self.net.types[node.name].dtype
        threshold = next(other for other in self.net.nodes if other.name == self.fused[node.name])
        assert isinstance(threshold.op, ops.Threshold)
        return threshold.name, threshold.op.thresholds, threshold.op.output

    @_lower.register
    def _threshold(self, op: ops.Threshold, node: Node, ports: list[Port]) -> None:
        layer = Threshold(node.name, op.thresholds, self.net.types[node.inputs[0]].dtype, op.output,
                          self._pixels(node.name), op.inverted)
        self._provide(node.name, self._place(layer, *ports))

    @_lower.register
    def _requant(self, op: ops.Requant, node: Node, ports: list[Port]) -> None:
        layer = Requant(node.name, op.multiplier, op.offset, op.shift, op.rounding,
                        self.net.types[node.inputs[0]].dtype, op.output, self._pixels(node.name), kink=op.kink,
                        zero=op.zero)
        self._provide(node.name, self._place(layer, *ports))

    @_lower.register
    def _lookup(self, op: integer_table.Lookup, node: Node, ports: list[Port]) -> None:
        layer = Lookup(node.name, op.table, self.net.types[node.inputs[0]].dtype, op.output, self._pixels(node.name))
        self._provide(node.name, self._place(layer, *ports))

    @_lower.register
    def _max_pool(self, op: ops.MaxPool, node: Node, ports: list[Port]) -> None:
        source = self.net.types[node.inputs[0]]
        layer = MaxPool(node.name, *source.shape, op.kernel, op.stride, source.dtype, op.minimum)
        self._provide(node.name, self._place(layer, *ports))

    @_lower.register
    def _acc_pool(self, op: ops.AccPool, node: Node, ports: list[Port]) -> None:
        source = self.net.types[node.inputs[0]]
        layer = AccPool(node.name, *source.shape, op.kernel, op.stride, source.dtype)
        self._provide(node.name, self._place(layer, *ports))

    @_lower.register
    def _upsample(self, op: ops.Upsample, node: Node, ports: list[Port]) -> None:
        source = self.net.types[node.inputs[0]]
        self._provide(node.name, self._place(Upsample(node.name, *source.shape, op.scale, source.dtype), *ports))

    @_lower.register
    def _channel_map(self, op: moves.ChannelMap, node: Node, ports: list[Port]) -> None:
        source = self.net.types[node.inputs[0]]
        layer = ChannelMap(node.name, source.shape[2], op.sources, source.dtype, self._pixels(node.name), op.constant)
        self._provide(node.name, self._place(layer, *ports))

    @_lower.register
    def _crop(self, op: moves.Crop, node: Node, ports: list[Port]) -> None:
        source = self.net.types[node.inputs[0]]
        self._provide(node.name, self._place(Crop(node.name, *source.shape, op.start, op.stop, op.step, source.dtype),
                                             *ports))

    @_lower.register
    def _depth_to_space(self, op: blocks.DepthToSpace, node: Node, ports: list[Port]) -> None:
        source, channels = self.net.types[node.inputs[0]], self.net.types[node.name].shape[2]
        if op.block[0] == 1 or source.shape[1] == 1:  # the pixels of a block already follow one another
            self._provide(node.name, ports[0])
            return
        layer = DepthToSpace(node.name, *source.shape[:2], channels, op.block, source.dtype)
        self._provide(node.name, self._place(layer, *ports))

    @_lower.register
    def _space_to_depth(self, op: blocks.SpaceToDepth, node: Node, ports: list[Port]) -> None:
        source = self.net.types[node.inputs[0]]
        if op.block[0] == 1 or self.net.types[node.name].shape[1] == 1:
            self._provide(node.name, ports[0])
            return
        # The windows of a kernel that is its own stride are the blocks.
        window = Swu(node.name, *source.shape, op.block, source.dtype, op.block)
        self._provide(node.name, self._place(window, *ports))

    @_lower.register
    def _reframe(self, op: ops.Reframe, node: Node, ports: list[Port]) -> None:
        self._provide(node.name, ports[0])

    @_lower.register
    def _add(self, op: ops.Add, node: Node, ports: list[Port]) -> None:
        left, right = (self.net.types[source] for source in node.inputs)
        layer = Add(node.name, left.shape[2], left.dtype, right.dtype, self._pixels(node.name))
        self._provide(node.name, self._place(layer, *ports))

    @_lower.register
    def _concat(self, op: ops.Concat, node: Node, ports: list[Port]) -> None:
        types = [self.net.types[source] for source in node.inputs]
        parts = [_Joined(kind.shape[2], kind.dtype, port) for kind, port in zip(types, ports, strict=True)]
        self._provide(node.name, self._joined(node.name, parts, self._pixels(node.name)).port)

    @_lower.register
    def _sequence(self, op: Sequence, node: Node, ports: list[Port]) -> None:
        types = [self.net.types[source] for source in node.inputs]
        parts = [_Joined(prod(kind.shape), kind.dtype, port) for kind, port in zip(types, ports, strict=True)]
        self._provide(node.name, self._joined(node.name, parts, pixels=1).port)

    @_lower.register
    def _part(self, op: Part, node: Node, ports: list[Port]) -> None:
        source = self.net.types[node.inputs[0]]
        if prod(op.shape) == prod(source.shape) and op.dtype == source.dtype:  # another frame of the same elements
            self._provide(node.name, ports[0])
            return
        layer = Take(node.name, prod(source.shape), op.first, prod(op.shape), source.dtype, op.dtype)
        self._provide(node.name, self._place(layer, *ports))

    def _joined(self, name: str, parts: list[_Joined], pixels: int) -> _Joined:
        """The channels of all parts; where these are more than a layer has inputs, of groups of them first."""
        if len(parts) == 1:
            return parts[0]
        if len(parts) > MAX_INPUTS:
            ends = [k * len(parts) // MAX_INPUTS for k in range(MAX_INPUTS + 1)]
            groups = [parts[start:end] for start, end in pairwise(ends)]
            parts = [self._joined(f"{name}_{k}", group, pixels) for k, group in enumerate(groups)]
        element = reduce(hull, (part.dtype for part in parts))
        elements = () if all(part.dtype == element for part in parts) else tuple(part.dtype for part in parts)
        layer = Concat(name, tuple(part.channels for part in parts), element, pixels, elements=elements)
        return _Joined(sum(layer.channels), element, self._place(layer, *(part.port for part in parts)))


def _fused_thresholds(net: IntegerNetwork, readers: Counter[str]) -> dict[str, str]:
    """Convolution -> the threshold without inversion that is its only reader."""
    makers = {node.name: node.op for node in net.nodes}
    return {
        node.inputs[0]: node.name
        for node in net.nodes
        if isinstance(node.op, ops.Threshold) and not node.op.inverted and readers[node.inputs[0]] == 1
        and isinstance(makers.get(node.inputs[0]), ops.Conv | ops.DepthwiseConv)
    }
