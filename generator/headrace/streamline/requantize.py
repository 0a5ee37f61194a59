"""Thresholds of wide outputs become a multiplication and a shift, where these are proven equal to the thresholds.

Above 4 output bits a requantizer is smaller than a search through 2^n - 1 thresholds. Where no multiplier and shift
fit, the thresholds stay.
"""

from __future__ import annotations

from dataclasses import replace

from headrace.datatypes import Interval
from headrace.errors import InputError
from headrace.network.integer import IntegerNetwork, Node, Threshold
from headrace.streamline.draft import Draft
from headrace.streamline.requant_search import requant_of_thresholds

#: More thresholds than this, those of 4 bits, are worth a multiplier.
MAX_THRESHOLDS = 15


def requantize(net: IntegerNetwork) -> IntegerNetwork:
    """The same network with a Requant for every Threshold above 4 bits that has an equal one."""
    ranges = Draft()
    ranges.types.update(net.types)
    ranges.nodes.update((node.name, node) for node in net.nodes)
    return IntegerNetwork(net.host_input, tuple(_requantized(ranges, node) for node in net.nodes), net.host_output)


def _requantized(ranges: Draft, node: Node) -> Node:
    """A node with a Requant in place of its thresholds, where there is one."""
    op = node.op
    if not isinstance(op, Threshold) or not isinstance(op.output, Interval) or op.output.steps <= MAX_THRESHOLDS:
        return node
    source = node.inputs[0]
    found = requant_of_thresholds(op.thresholds, op.inverted, *ranges.channel_range(source), op.output)
    if found is None:
        return node
    try:
        found.infer(ranges.types[source])
    except InputError:  # its sums would leave 63 bits
        return node
    return replace(node, op=found)
