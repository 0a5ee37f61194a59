"""Thresholds of wide outputs become a multiplication and a shift, where these are proven equal to the thresholds.

Above 4 output bits a requantizer is smaller than a search through 2^n - 1 thresholds. Where no multiplier and shift
fit, a table takes the place of thresholds on codes; else they stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain

import numpy as np

from headrace.datatypes import DataType, IntArray, Interval
from headrace.errors import InputError
from headrace.network.integer import IntegerNetwork, Lookup, Requant, Threshold
from headrace.streamline.draft import Draft
from headrace.streamline.requant_search import requant_of_thresholds

#: More thresholds than this, those of 4 bits, are worth a multiplier.
MAX_THRESHOLDS = 15
#: A table of 2^8 codes is no larger than the memory of 2^8 - 1 thresholds of 8 bits, and needs no search.
MAX_TABLE_BITS = 8


def requantize(net: IntegerNetwork) -> IntegerNetwork:
    """The same network with a Requant for every Threshold above 4 bits that has an equal one, or else with a table."""
    work = Draft.of(net)
    for node in net.nodes:
        if isinstance(node.op, Threshold) and is_wide(node.op):
            (source,) = node.inputs
            tried: Iterator[Requant | Lookup] = chain(requantizers(node.op, *work.channel_range(source)),
                                                      _table(node.op, work.types[source].dtype))
            any(_replaced(work, node.name, op) for op in tried)
    return IntegerNetwork(net.host_input, tuple(work.nodes.values()), net.host_output)


def is_wide(op: Threshold) -> bool:
    """True where a multiplier is smaller than a search."""
    return isinstance(op.output, Interval) and op.output.steps > MAX_THRESHOLDS


def requantizers(op: Threshold, lowest: IntArray, highest: IntArray) -> Iterator[Requant]:
    """Requantizers that equal thresholds: of their type, else of the codes that are reached, to clip at these.

    lowest, highest: (C,) what can occur. An activation inside of the codes, such as ReLU on codes with a sign, is a
    clip that no line makes.
    """
    assert isinstance(op.output, Interval)
    for output in dict.fromkeys((op.output, _reached(op, op.output, lowest, highest))):
        first = output.lo - op.output.lo
        T = op.thresholds[:, first : first + output.steps]
        found = requant_of_thresholds(T, op.inverted, lowest, highest, output) if output.steps > 1 else None
        if found is not None:
            yield found


def _table(op: Threshold, source: DataType) -> tuple[Lookup, ...]:
    """The code of every code, where these are few: what activations with a bend make of codes."""
    if not isinstance(source, Interval) or source.bits > MAX_TABLE_BITS:
        return ()
    values = np.repeat(np.arange(source.lo, source.hi + 1)[:, None], len(op.thresholds), axis=1)
    return (Lookup(op.count(values).T.copy(), op.output, source.lo),)


def _reached(op: Threshold, output: Interval, lowest: IntArray, highest: IntArray) -> Interval:
    """From the lowest to the highest code that an input can get; all of them where channels fall."""
    if op.inverted:
        return output
    first, last = ((op.thresholds <= end[:, None]).sum(1) for end in (lowest, highest))
    return Interval(output.lo + int(first.min()), output.lo + int(last.max()))


def _replaced(work: Draft, name: str, op: Requant | Lookup) -> bool:
    """Put an operation into a node and note the types behind it; False, and nothing done, where these do not fit."""
    nodes = work.nodes | {name: replace(work.nodes[name], op=op)}
    types = dict(work.types)
    try:
        for node in nodes.values():
            if node.name == name or op.output != work.types[name].dtype:
                types[node.name] = node.op.infer(*(types[source] for source in node.inputs))
    except InputError:  # sums that would leave 63 bits, or a reader that needs codes which are not reached
        return False
    work.nodes, work.types = nodes, types
    return True
