"""What every operation of a network becomes where its inputs have more channels, and which its output has then.

Channels that are more are treated like the first one of the network, so that what all channels share stays shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import singledispatch

import numpy as np

from headrace.engines.golden import apply
from headrace.errors import InputError
from headrace.network.integer import (
    AccPool,
    Add,
    ChannelMap,
    Concat,
    Conv,
    Crop,
    DepthwiseConv,
    Lookup,
    MaxPool,
    Op,
    Reframe,
    Requant,
    SpaceToDepth,
    TensorType,
    Threshold,
    Upsample,
)
from headrace.padding.convolutions import padded_depthwise, require_unshifted
from headrace.padding.layout import EXTRA, Layout, joined

#: An operation on padded tensors, and the layout of what it makes.
Padded = tuple[Op, Layout]


@singledispatch
def padded_op(op: Op, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    """The operation where a tensor that it reads is padded. Raises InputError where that cannot be.

    kinds: types of the padded tensors.
    """
    for source in sources:
        require_unshifted(source)
    raise InputError(f"a {type(op).__name__} takes channels as they are")


@padded_op.register
def _depthwise(op: DepthwiseConv, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    return padded_depthwise(op, sources[0])


@padded_op.register
def _threshold(op: Threshold, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    """One row for all channels stays one; else what is more never reaches a threshold."""
    source, rows = sources[0], op.thresholds + sources[0].shift
    shared = bool((rows == rows[:1]).all()) and not op.inverted
    extra = np.where(shared, rows[0], kinds[0].dtype.hi + 1)
    padded = replace(op, thresholds=source.spread(rows, extra), inverted=source.places(op.inverted))
    codes = _codes(padded, source, kinds[0]) if shared else [op.output.lo] * len(source.codes)
    return padded, source.with_codes(codes)


@padded_op.register
def _requant(op: Requant, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    source = sources[0]
    offset = op.offset - source.shift * op.multiplier
    padded = replace(op, multiplier=source.spread(op.multiplier, op.multiplier[0]),
                     offset=source.spread(offset, offset[0]),
                     kink=None if op.kink is None else source.spread(op.kink, op.kink[0]))
    return padded, source.with_codes(_codes(padded, source, kinds[0]))


@padded_op.register
def _lookup(op: Lookup, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    source = sources[0]
    require_unshifted(source)
    padded = replace(op, table=source.spread(op.table, op.table[0]))
    padded.infer(kinds[0])  # what is more may hold what the table does not
    return padded, source.with_codes(_codes(padded, source, kinds[0]))


@padded_op.register
def _max_pool(op: MaxPool, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    return replace(op, minimum=sources[0].places(op.minimum)), sources[0]


@padded_op.register
def _acc_pool(op: AccPool, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    source, taps = sources[0], op.kernel[0] * op.kernel[1]
    codes = [None if code is None else code * taps for code in source.codes]
    return op, source.with_codes(codes, source.shift * taps)


@padded_op.register(Upsample)
@padded_op.register(Reframe)
@padded_op.register(Crop)
def _mover(op: Upsample | Reframe | Crop, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    return op, sources[0]


@padded_op.register
def _add(op: Add, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    left, right = sources
    if left.sources != right.sources:
        raise InputError("the channels of both terms would not stand in the same places")
    codes = [None if a is None or b is None else a + b for a, b in zip(left.codes, right.codes, strict=True)]
    return op, left.with_codes(codes, left.shift + right.shift)


@padded_op.register
def _concat(op: Concat, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    for source in sources:
        require_unshifted(source)
    return op, joined(sources)


@padded_op.register
def _channel_map(op: ChannelMap, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    """Its output is as the network has it."""
    require_unshifted(sources[0])
    places = {source: place for place, source in enumerate(sources[0].sources) if source != EXTRA}
    return replace(op, sources=tuple(places.get(source, source) for source in op.sources)), Layout.plain(
        len(op.sources))


@padded_op.register
def _space_to_depth(op: SpaceToDepth, sources: Sequence[Layout], kinds: Sequence[TensorType]) -> Padded:
    require_unshifted(sources[0])
    return op, joined([sources[0]] * (op.block[0] * op.block[1]))


def _codes(op: Threshold | Requant | Lookup, source: Layout, kind: TensorType) -> list[int | None]:
    """What an operation on every channel by itself makes of the codes of channels that are more."""
    known = np.array([[[[0 if code is None else code for code in source.codes]]]], np.int64)
    held = np.clip(known, kind.dtype.lo, kind.dtype.hi)  # of channels that are not more, whatever the type has
    pixel = TensorType((1, 1, len(source.codes)), kind.dtype)
    made = apply(op, op.infer(pixel), held).reshape(-1).tolist()
    return [None if code is None else value for code, value in zip(source.codes, made, strict=True)]


def takes_padding(op: Op) -> bool:
    """True if an operation can read padded tensors."""
    return isinstance(op, Conv) or padded_op.dispatch(type(op)) is not padded_op.dispatch(object)
