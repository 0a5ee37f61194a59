"""Move thresholds from behind a pooling to in front of it, where the matrix-vector unit applies them for free.

A threshold is non-decreasing, so it commutes with maximum and minimum. Pooling codes instead of accumulators also makes
the pooling buffers narrow.
"""

from __future__ import annotations

from generator.network.integer import INPUT, Conv, IntegerNetwork, MaxPool, Node, Threshold


def thresholds_before_pooling(net: IntegerNetwork) -> IntegerNetwork:
    """The same network with every conv -> pool -> threshold as conv -> threshold -> pool."""
    ops = {node.name: node.op for node in net.nodes}
    readers = [source for node in net.nodes for source in node.inputs]
    nodes: list[Node] = []
    for node in net.nodes:
        pool = nodes[-1] if nodes else None
        moves = (
            pool is not None and isinstance(node.op, Threshold) and isinstance(pool.op, MaxPool)
            and node.inputs == (pool.name,) and readers.count(pool.name) == 1
            and pool.inputs[0] != INPUT and isinstance(ops[pool.inputs[0]], Conv) and readers.count(pool.inputs[0]) == 1
        )  # fmt: skip
        if moves and pool is not None:
            # Readers of the threshold must now read the pool, so the two nodes trade places and names stay with readers.
            nodes[-1:] = [Node(pool.name, node.op, pool.inputs), Node(node.name, pool.op, (pool.name,))]
        else:
            nodes.append(node)
    return IntegerNetwork(net.host_input, tuple(nodes), net.host_output)
