"""An IntegerNetwork while it grows: nodes that can still be changed, the exact range of every channel, and names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from generator.datatypes import BIPOLAR, DataType, IntArray, Interval, dot_product_interval
from generator.network.integer import INPUT, Conv, MaxPool, Node, Op, TensorType, Threshold


def _holding(dtype: DataType, values: IntArray) -> DataType:
    """`dtype`, widened if it does not hold the values: a code -8 of int4 becomes +8 when its row is negated."""
    if dtype.contains(values):
        return dtype
    return Interval(min(dtype.lo, int(values.min())), max(dtype.hi, int(values.max())))


class Draft:
    """A chain of integer nodes under construction."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.types: dict[str, TensorType] = {}
        self._count = 0

    def add(self, stem: str, op: Op, source: str) -> str:
        """Append an operation; its name is the stem and a number counted over the network (conv0, pool1, fc2)."""
        name = f"{stem}{self._count}"
        self._count += 1
        return self._append(name, op, source)

    def add_threshold(self, op: Threshold, source: str) -> str:
        """Append thresholds: those that follow a convolution or a pool are named after it."""
        if source in self.nodes and not isinstance(self.nodes[source].op, Threshold):
            return self._append(f"{source}_act", op, source)
        return self.add("threshold", op, source)

    def _append(self, name: str, op: Op, source: str) -> str:
        self.types[name] = op.infer(self.types[source])
        self.nodes[name] = Node(name, op, (source,))
        return name

    def channel_range(self, tensor: str) -> tuple[IntArray, IntArray]:
        """Exact reachable range (lowest, highest), each (C,), of a tensor."""
        if tensor != INPUT:
            node = self.nodes[tensor]
            if isinstance(node.op, MaxPool):
                return self.channel_range(node.inputs[0])
            if isinstance(node.op, Conv):
                rows = node.op.weights.reshape(len(node.op.weights), -1)
                return dot_product_interval(rows, self.types[node.inputs[0]].dtype)
        tensor_type = self.types[tensor]
        lowest = np.full(tensor_type.shape[2], tensor_type.dtype.lo, np.int64)
        return lowest, np.full_like(lowest, tensor_type.dtype.hi)

    def negate(self, tensor: str, channels: frozenset[int]) -> str:
        """Make the integers of some channels their negatives; returns the tensor that holds them.

        Rows of the convolution that made them are negated, and pools in between swap maximum and minimum. What no
        convolution made (codes of a quantizer) goes through a 1x1 convolution with +1 and -1 on its diagonal.
        """
        if not channels:
            return tensor
        path = self._path_to_conv(tensor)
        if path is None:
            signs = np.asarray([-1 if c in channels else 1 for c in range(self.types[tensor].shape[2])], np.int64)
            return self.add("conv", Conv(np.diag(signs)[:, None, None, :], Interval(-1, 1)), tensor)
        for name in path:
            node = self.nodes[name]
            self.nodes[name] = replace(node, op=_negated(node.op, channels))
            self.types[name] = self.nodes[name].op.infer(self.types[node.inputs[0]])
        return tensor

    def _path_to_conv(self, tensor: str) -> list[str] | None:
        """The convolution that made a tensor and the pools after it, or None."""
        path: list[str] = []
        while tensor in self.nodes:
            path.insert(0, tensor)
            node = self.nodes[tensor]
            if isinstance(node.op, Conv):
                return path
            if isinstance(node.op, Threshold):
                return None
            tensor = node.inputs[0]
        return None


def _negated(op: Op, channels: frozenset[int]) -> Op:
    """A convolution with rows negated, or a pool that takes the minimum where it took the maximum."""
    if isinstance(op, MaxPool):
        return replace(op, minimum=op.minimum ^ channels)
    assert isinstance(op, Conv)
    weights = op.weights.copy()
    weights[sorted(channels)] *= -1
    return replace(op, weights=weights, weight=op.weight if op.weight == BIPOLAR else _holding(op.weight, weights))
