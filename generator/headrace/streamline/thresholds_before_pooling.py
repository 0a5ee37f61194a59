"""Move thresholds from behind a pooling to in front of it, where the matrix-vector unit applies them for free.

A threshold is non-decreasing, so it commutes with maximum and minimum. Pooling codes instead of accumulators also makes
the pooling buffers narrow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from headrace.network.integer import Conv, IntegerNetwork, MaxPool, Node, Op, Threshold


def thresholds_before_pooling(net: IntegerNetwork) -> IntegerNetwork:
    """The same network with every conv -> pool -> threshold as conv -> threshold -> pool."""
    ops = {node.name: node.op for node in net.nodes}
    readers = Counter(source for node in net.nodes for source in node.inputs)
    stands_for: dict[str, str] = {}  # a threshold that moved -> the pooling that now makes its values
    nodes: list[Node] = []
    for node in net.nodes:
        pool = nodes[-1] if nodes else None
        if pool is not None and _trade_places(node, pool, ops, readers):
            nodes[-1:] = [replace(node, inputs=pool.inputs), replace(pool, inputs=(node.name,))]
            stands_for[node.name] = pool.name
        else:
            nodes.append(replace(node, inputs=tuple(stands_for.get(source, source) for source in node.inputs)))
    return IntegerNetwork(net.host_input, tuple(nodes), net.host_output)


def _trade_places(node: Node, before: Node, ops: Mapping[str, Op], readers: Mapping[str, int]) -> bool:
    """True if `node` thresholds what `before` pools from a convolution's accumulators, and nobody else reads them."""
    if not (isinstance(node.op, Threshold) and isinstance(before.op, MaxPool) and node.inputs == (before.name,)):
        return False
    if node.op.inverted:  # falls where the pooling rises
        return False
    source = before.inputs[0]
    return isinstance(ops.get(source), Conv) and readers[source] == readers[before.name] == 1
