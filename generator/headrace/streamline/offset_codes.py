"""Quantizers whose codes move by a whole number: 256 codes from -109 on are 8 bits after a move.

The meaning of the tensor takes the move back: in a convolution the offset times the sum of a row's weights becomes part
of the thresholds, and a border is padded with the code of 0. The codes of a model's output move to those that its file
stores.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from headrace.datatypes import Interval, unsigned_bits
from headrace.network import graph, ops
from headrace.network.moves import Crop
from headrace.network.rounding import Rounding
from headrace.network.tensor_ops import Concat, MultiThreshold, Upsample
from headrace.streamline.ends import View, head_of

#: What a rounding is called when all codes moved by an odd number; those that look at signs are not here.
_MOVED: dict[Rounding, Rounding] = {"half_even": "half_odd", "half_odd": "half_even", "half_up": "half_up",
                                    "floor": "floor", "ceil": "ceil"}


#: Operations behind which a tensor still holds the codes that it was made of.
_KEEPS_CODES = (View, Crop, ops.MaxPool, Upsample, ops.Affine)


def offset_codes(network: graph.Network, name: str, op: ops.Quantize) -> ops.Quantize:
    """The quantizer with codes moved to where they need the fewest bits, or at an output to those of the file.

    It is the same where they are there, or cannot move.
    """
    if not isinstance(op.dtype, Interval) or op.rounding not in _MOVED:
        return op
    move = op.stored if op.stored and _given_out(network, name) else _to_fewest_bits(op.dtype)
    if not move or np.any(op.scale != op.scale.astype(np.float32)) or _joined(network, name):
        return op
    dtype = Interval(op.dtype.lo + move, op.dtype.hi + move)
    rounding = _MOVED[op.rounding] if move % 2 else op.rounding
    return replace(op, dtype=dtype, zero_point=op.zero_point + move, rounding=rounding, stored=op.stored - move)


def _to_fewest_bits(dtype: Interval) -> int:
    """How far codes of a type move to fill the fewest bits; 0 where they do."""
    bits = unsigned_bits(dtype.steps)
    if dtype.bits <= bits:
        return 0
    return (0 if dtype.lo >= 0 else -(1 << (bits - 1))) - dtype.lo


def _given_out(network: graph.Network, name: str) -> bool:
    """True if an output of the model holds the codes."""
    reached = {name}
    for node in network.nodes:
        if not reached.isdisjoint(node.inputs) and (isinstance(node.op, _KEEPS_CODES) or head_of(node.op)):
            reached.add(node.name)
    return not reached.isdisjoint(network.outputs)


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
