"""An IntegerNetwork while it grows: nodes that can still be changed, the exact range of every channel, and names."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval, dot_product_interval, hull
from headrace.errors import InputError
from headrace.layers.requant import MAX_OUTPUT_BITS, kinked, rounded_shift
from headrace.network.integer import (
    AccPool,
    Add,
    ChannelMap,
    Concat,
    Conv,
    Crop,
    DepthToSpace,
    DepthwiseConv,
    IntegerNetwork,
    Lookup,
    MaxPool,
    Node,
    Op,
    Part,
    Reframe,
    Requant,
    SpaceToDepth,
    TensorType,
    Threshold,
    Upsample,
)

#: Widest weights that a product gets from a multiplication of its rows.
MAX_WEIGHT_BITS = 32
#: Exact reachable (lowest, highest) of every channel, each (C,).
Range = tuple[IntArray, IntArray]


def holding(dtype: DataType, values: IntArray) -> DataType:
    """`dtype`, widened if it does not hold the values: a code -8 of int4 becomes +8 when its row is negated."""
    return dtype if dtype.contains(values) else hull(dtype, Interval(int(values.min()), int(values.max())))


class Draft:
    """Integer nodes under construction. `shared` lists the tensors that several nodes of the source read."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.types: dict[str, TensorType] = {}
        self.shared: set[str] = set()
        self._ranges: dict[str, Range] = {}
        self._count = 0

    @staticmethod
    def of(net: IntegerNetwork) -> Draft:
        """The nodes of a network, to ask for the ranges of its channels."""
        draft = Draft()
        draft.types.update(net.types)
        draft.nodes.update((node.name, node) for node in net.nodes)
        return draft

    def add(self, stem: str, op: Op, *sources: str) -> str:
        """Append an operation; its name is the stem and a number counted over the network (conv0, pool1, fc2)."""
        name = f"{stem}{self._count}"
        self._count += 1
        return self._append(name, op, *sources)

    def add_named(self, name: str, op: Op, *sources: str) -> str:
        """Append an operation of this name."""
        return self._append(name, op, *sources)

    def add_threshold(self, op: Threshold | Requant, source: str) -> str:
        """Append an activation: one that follows a convolution, a pool or a sum is named after it.

        Two branches that threshold one tensor alike share the result.
        """
        for node in self.nodes.values():
            if node.inputs == (source,) and _same_threshold(node.op, op):
                return node.name
        name = f"{source}_act"
        if source in self.nodes and not isinstance(self.nodes[source].op, Threshold) and name not in self.nodes:
            return self._append(name, op, source)
        return self.add("threshold" if isinstance(op, Threshold) else "requant", op, source)

    def add_once(self, stem: str, op: Op, source: str) -> str:
        """Append an operation of one tensor, or find the node that already does the same."""
        found = (node.name for node in self.nodes.values() if node.inputs == (source,) and node.op == op)
        return next(found, None) or self.add(stem, op, source)

    def _multiply_rows(self, tensor: str, multipliers: IntArray, output: Interval) -> None:
        """Multiply the rows of the convolution that made a tensor. Raises InputError where that is not possible."""
        node = self.nodes.get(tensor)
        widest = max(abs(int(m)) for m in multipliers).bit_length()
        if node is not None and tensor not in self.shared and isinstance(node.op, Conv) and widest < MAX_WEIGHT_BITS:
            weights = node.op.weights * multipliers[:, None, None, None]
            weight = holding(node.op.weight, weights)
            if weight.bits <= MAX_WEIGHT_BITS:
                self.nodes[tensor] = replace(node, op=replace(node.op, weights=weights, weight=weight))
                self.types[tensor] = self.nodes[tensor].op.infer(*(self.types[source] for source in node.inputs))
                self._ranges.pop(tensor, None)
                return
        raise InputError(f"a branch times a whole number of {widest} bits needs {output.bits} bits and at most "
                         f"{MAX_OUTPUT_BITS} are possible; put a quantizer behind the sum, or let its branches share "
                         "one quantizer")

    def needed(self) -> tuple[Node, ...]:
        """The nodes that the last one depends on: a concatenation whose branches were read instead has no reader."""
        nodes = list(self.nodes.values())
        wanted = {nodes[-1].name} if nodes else set()
        for node in reversed(nodes):
            wanted.update(node.inputs if node.name in wanted else ())
        return tuple(node for node in nodes if node.name in wanted)

    def _append(self, name: str, op: Op, *sources: str) -> str:
        self.types[name] = op.infer(*(self.types[source] for source in sources))
        self.nodes[name] = Node(name, op, sources)
        return name

    def channel_range(self, tensor: str) -> Range:
        """Exact reachable range (lowest, highest), each (C,), of a tensor; found once, whoever reads the tensor."""
        waiting = [tensor]
        while waiting:  # no recursion: branches may follow one another by the thousand
            missing = [source for source in self._spread(waiting[-1]) if source not in self._ranges]
            if not missing:
                name = waiting.pop()
                self._ranges[name] = self._range(name)
            waiting += missing
        return self._ranges[tensor]

    def _spread(self, tensor: str) -> tuple[str, ...]:
        """The tensors whose ranges that of a tensor follows from."""
        node = self.nodes.get(tensor)
        of_their_own = (Conv, DepthwiseConv, Threshold, Lookup, Part)
        return () if node is None or isinstance(node.op, of_their_own) else node.inputs

    def _range(self, tensor: str) -> Range:
        """The range of a tensor, from those of `_spread`."""
        if sources := self._spread(tensor):
            return _moved_range(self.nodes[tensor].op, [self._ranges[source] for source in sources])
        if tensor in self.nodes and isinstance(op := self.nodes[tensor].op, Conv | DepthwiseConv):
            return dot_product_interval(op.effective_weights.reshape(len(op.weights), -1),
                                        self.types[self.nodes[tensor].inputs[0]].dtype)
        tensor_type = self.types[tensor]
        lowest = np.full(tensor_type.shape[2], tensor_type.dtype.lo, np.int64)
        return lowest, np.full_like(lowest, tensor_type.dtype.hi)

    def negate(self, tensor: str, channels: frozenset[int]) -> bool:
        """Make the integers of some channels their negatives by negating rows of the convolution that made them.

        Pools in between swap maximum and minimum. False, and nothing done, where no convolution made them or another
        branch reads them.
        """
        path = self._path_to_conv(tensor)
        there = _channels_on_path([self.nodes[name].op for name in path], channels)
        if there is None:
            return False
        for name, negated in zip(path, there, strict=True):
            node = self.nodes[name]
            self.nodes[name] = replace(node, op=_negated(node.op, negated))
            self.types[name] = self.nodes[name].op.infer(*(self.types[source] for source in node.inputs))
            self._ranges.pop(name, None)
        return bool(path)

    def _path_to_conv(self, tensor: str) -> list[str]:
        """The convolution that made a tensor and the poolings after it, if nothing else reads them, else nothing."""
        path: list[str] = []
        while tensor in self.nodes and tensor not in self.shared:
            path.insert(0, tensor)
            node = self.nodes[tensor]
            if isinstance(node.op, Conv | DepthwiseConv):
                return path
            if not isinstance(node.op, MaxPool | AccPool | Upsample | Reframe | ChannelMap | Crop):
                break
            tensor = node.inputs[0]
        return []

    def scaled(self, tensor: str, multipliers: IntArray) -> str:
        """The tensor with every channel multiplied by an integer, exactly; signs go into weights where they can."""
        falling = frozenset(np.flatnonzero(multipliers < 0).tolist())
        if falling and self.negate(tensor, falling):
            multipliers = np.abs(multipliers)
        return self.multiplied(tensor, multipliers)

    def multiplied(self, tensor: str, multipliers: IntArray) -> str:
        """The tensor with every channel multiplied by an integer, by a requantizer where any is not 1."""
        if np.all(multipliers == 1):
            return tensor
        ends = np.stack(self.channel_range(tensor)).astype(object) * multipliers  # of any size until it is checked
        output = Interval(int(ends.min()), int(ends.max()))
        if output.bits > MAX_OUTPUT_BITS:
            self._multiply_rows(tensor, multipliers, output)
            return tensor
        return self.add("scale", Requant(multipliers, np.zeros_like(multipliers), 0, "half_up", output), tensor)


def _moved_range(op: Op, ranges: list[Range]) -> Range:
    """The range behind an operation that moves or sums elements, from those of its inputs."""
    lo, hi = ranges[0]
    if isinstance(op, AccPool):
        taps = op.kernel[0] * op.kernel[1]
        return taps * lo, taps * hi
    if isinstance(op, Add):
        return lo + ranges[1][0], hi + ranges[1][1]
    if isinstance(op, DepthToSpace):
        return lo.reshape(prod(op.block), -1).min(0), hi.reshape(prod(op.block), -1).max(0)
    if isinstance(op, SpaceToDepth):
        return np.tile(lo, prod(op.block)), np.tile(hi, prod(op.block))
    if isinstance(op, ChannelMap):
        places, constant = np.maximum(op.sources, 0), np.asarray(op.sources) < 0
        return np.where(constant, op.constant, lo[places]), np.where(constant, op.constant, hi[places])
    if isinstance(op, Concat):
        return np.concatenate([low for low, _ in ranges]), np.concatenate([high for _, high in ranges])
    if isinstance(op, Requant):
        sums = [kinked(end * op.multiplier + op.offset, op.kink) for end in (lo, hi)]
        ends = np.stack([rounded_shift(total, op.shift, op.rounding) for total in sums]) + op.zero
        ends = np.clip(ends, op.output.lo, op.output.hi)
        return ends.min(0), ends.max(0)
    return lo, hi


def _channels_on_path(path: list[Op], channels: frozenset[int]) -> list[frozenset[int]] | None:
    """The channels of every operation that `channels` behind the last one are; None where a map mixes them with others.

    A constant other than 0 cannot become its negative, for a map has one for all channels.
    """
    found: list[frozenset[int]] = []
    for op in reversed(path):
        found.insert(0, channels)
        if isinstance(op, ChannelMap):
            sources = frozenset(op.sources[c] for c in channels)
            others = {source for c, source in enumerate(op.sources) if c not in channels}
            if sources & others - {-1} or (-1 in sources and op.constant):
                return None
            channels = sources - {-1}
    return found


def _same_threshold(old: Op, new: Op) -> bool:
    return (isinstance(old, Threshold) and isinstance(new, Threshold) and old.output == new.output
            and old.inverted == new.inverted and np.array_equal(old.thresholds, new.thresholds))


def _negated(op: Op, channels: frozenset[int]) -> Op:
    """A convolution with rows negated, or a pool that takes the minimum where it took the maximum."""
    if isinstance(op, MaxPool):
        return replace(op, minimum=op.minimum ^ channels)
    if isinstance(op, Conv | DepthwiseConv):
        weights = op.weights.astype(np.int64)
        weights[sorted(channels)] *= -1
        return replace(op, weights=weights, weight=op.weight if op.weight == BIPOLAR else holding(op.weight, weights))
    return op
