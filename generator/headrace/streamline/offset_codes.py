"""Quantizers whose codes need more bits than their number asks for: 256 codes from -109 on are 8 bits after a move.

The codes move by a whole number, which the meaning of the tensor takes back: in a convolution the offset times the sum
of a row's weights becomes part of the thresholds, and a border is padded with the code of 0.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headrace.datatypes import Interval, unsigned_bits
from headrace.network import graph, ops
from headrace.network.rounding import Rounding
from headrace.network.tensor_ops import Concat, MultiThreshold

#: What a rounding is called when all codes moved by an odd number; those that look at signs are not here.
_MOVED: dict[Rounding, Rounding] = {"half_even": "half_odd", "half_odd": "half_even", "half_up": "half_up",
                                    "floor": "floor", "ceil": "ceil"}


def offset_codes(network: graph.Network, name: str, op: ops.Quantize) -> ops.Quantize:
    """The quantizer with codes moved to where they need the fewest bits; itself where they do, or cannot move."""
    dtype = op.dtype
    if not isinstance(dtype, Interval) or dtype.bits <= unsigned_bits(dtype.steps) or op.rounding not in _MOVED:
        return op
    if np.any(op.scale != op.scale.astype(np.float32)) or _joined(network, name):
        return op
    lowest = -(1 << (unsigned_bits(dtype.steps) - 1))
    move = (0 if dtype.lo >= 0 else lowest) - dtype.lo
    rounding = _MOVED[op.rounding] if move % 2 else op.rounding
    return replace(op, dtype=Interval(dtype.lo + move, dtype.hi + move), zero_point=op.zero_point + move,
                   rounding=rounding)


def _joined(network: graph.Network, name: str) -> bool:
    """True if a concatenation reads the codes: all of its channels share the code of 0 then."""
    reached = {name}
    for node in network.nodes:
        if not reached.isdisjoint(node.inputs):
            if isinstance(node.op, Concat):
                return True
            if not isinstance(node.op, ops.Quantize | MultiThreshold | ops.Conv | ops.Linear):
                reached.add(node.name)
    return False
