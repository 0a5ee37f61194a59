"""Thresholds of thresholds become one step: a quantizer, an activation and a quantizer again need one layer.

Converters that calibrate every tensor write such pairs: codes that only a second quantizer reads. A pair of wide codes
stays where no multiplier equals it: two roundings are seldom one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from headrace.datatypes import IntArray, Interval
from headrace.network.integer import Conv, DepthwiseConv, IntegerNetwork, Node, Threshold
from headrace.streamline.draft import Draft, Range
from headrace.streamline.requantize import is_wide, requantizers


def compose_thresholds(net: IntegerNetwork) -> IntegerNetwork:
    """The same network without thresholds that only one other threshold reads."""
    ranges = Draft.of(net)
    readers = Counter(source for node in net.nodes for source in node.inputs)
    nodes = {node.name: node for node in net.nodes}
    borders = {op.pad_value for op in (node.op for node in net.nodes)
               if isinstance(op, Conv | DepthwiseConv) and any(op.pad)}
    for node in net.nodes:
        inner = nodes.get(node.inputs[0])
        if inner is None or readers[inner.name] > 1:
            continue
        span = ranges.channel_range(inner.inputs[0])
        both = _composed(inner, node, *span)
        if both is not None and (not is_wide(both) or _is_line(both, span, borders)):
            nodes[node.name] = replace(node, op=both, inputs=inner.inputs)
            del nodes[inner.name]
    return IntegerNetwork(net.host_input, tuple(nodes.values()), net.host_output)


def _composed(inner: Node, outer: Node, lowest: IntArray, highest: IntArray) -> Threshold | None:
    """Thresholds on what the inner ones read, from lowest to highest (C,); None where this is not a pair."""
    first, second = inner.op, outer.op
    if not (isinstance(first, Threshold) and isinstance(second, Threshold) and isinstance(first.output, Interval)):
        return None
    if first.inverted or second.inverted:
        return None
    # The code k of the inner is reached from its threshold number k - lo - 1 on; lo always, and hi + 1 never. What a
    # channel does not reach comes no later than what none reaches.
    always, never = lowest[:, None], highest[:, None] + 1
    whole = np.concatenate([always, np.clip(first.thresholds, always, never), never], axis=1)
    places = np.clip(second.thresholds - first.output.lo, 0, whole.shape[1] - 1)
    return replace(second, thresholds=np.take_along_axis(whole, places, axis=1))


def _is_line(op: Threshold, span: Range, borders: set[int]) -> bool:
    """True if a multiplier equals wide thresholds, and clips away no code that may have to be a border's."""
    needed = np.asarray([code for code in borders if op.output.contains(np.asarray([code]))], np.int64)
    return any(found.output.contains(needed) for found in requantizers(op, *span))
