"""The transform: the same network with more channels inside, for a folding that has better divisors.

Convolutions make the channels that are more, layers that treat channels one by one carry them on, and convolutions
ignore them. Inputs, outputs and raw results stay as they are, and so does every integer that the network has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from headrace.errors import InputError
from headrace.network.integer import INPUT, Conv, IntegerNetwork, Node, TensorType
from headrace.padding.convolutions import padded_conv
from headrace.padding.layout import Layout
from headrace.padding.operations import Padded, padded_op


def padded(net: IntegerNetwork, channels: Mapping[str, int]) -> IntegerNetwork:
    """The network where convolutions make as many channels as `channels` says, by name; see groups for which can.

    Raises InputError naming the node that does not allow it.
    """
    more = {name: count - net.types[name].shape[2] for name, count in channels.items()}
    if not any(more.values()):
        return net
    layouts = {INPUT: Layout.plain(net.host_input.tensor.shape[2])}
    types = {INPUT: net.host_input.tensor}
    nodes: list[Node] = []
    for node in net.nodes:
        try:
            op, layouts[node.name] = _padded(net, node, [layouts[name] for name in node.inputs],
                                             more.get(node.name, 0), types)
            types[node.name] = op.infer(*(types[name] for name in node.inputs))
        except InputError as error:
            raise InputError(f"{node.name}: cannot have padded channels in front: {error}; leave them as they are"
                             ) from None
        nodes.append(replace(node, op=op))
    if not layouts[net.output].is_plain:
        raise InputError(f"{net.output}: is the output, which weights that are never zero in front would change; leave "
                         "the channels in front of them as they are")
    return IntegerNetwork(net.host_input, tuple(nodes), net.host_output)


def _padded(net: IntegerNetwork, node: Node, sources: list[Layout], more: int,
            types: Mapping[str, TensorType]) -> Padded:
    if not more and all(source.is_plain for source in sources):
        return node.op, Layout.plain(net.types[node.name].shape[2])
    if isinstance(node.op, Conv):
        return padded_conv(node.op, sources[0], more)
    return padded_op(node.op, sources, [types[name] for name in node.inputs])
