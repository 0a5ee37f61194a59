"""Streamlining of blocks of pixels: depth to space waits, so that quantizers behind it are done in front of it.

There the convolution before applies their thresholds for free, the buffer holds narrow codes, and channels of one block
may have scales and offsets of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import UnsupportedError
from headrace.network import blocks, graph, ops, tensor_ops
from headrace.network import integer as ints
from headrace.network.activation import Activation
from headrace.network.moves import Crop
from headrace.streamline.joins import summed
from headrace.streamline.meaning import Meaning
from headrace.streamline.values import Run, Value, integers, own_frame

QUANTIZERS = (ops.Quantize, tensor_ops.MultiThreshold, tensor_ops.Trunc)
#: Operations that treat a channel alike wherever its pixels are.
POINTWISE = (*QUANTIZERS, ops.Affine, ops.Clip, Activation)
#: Operations that read the sum of branches without a common step as it waits.
READS_SUMS = (ops.Quantize, ops.Affine, ops.Clip, Activation, tensor_ops.MultiThreshold, tensor_ops.Add,
              blocks.DepthToSpace)


def handled(run: Run, handler: Callable[..., Value], name: str, op: graph.Op, sources: Sequence[Value]) -> Value:
    """What the handler makes of its sources; moves that wait are put behind it, or done first."""
    x = sources[0]
    if len(sources) == 1 and x.moves and isinstance(op, POINTWISE):
        made = handler(run, name, _of_channels(op, _channels_behind(x)), replace(x, moves=()))
        made = replace(made, moves=x.moves)
        return _quantized(run, name, op, made) if isinstance(op, QUANTIZERS) else made
    if len(sources) == 1 and x.moves and isinstance(op, Crop):
        return replace(x, moves=(*x.moves, ints.Crop(op.start, op.stop, op.step)))
    done = [settled(run, name, source) for source in sources]
    return handler(run, name, op, *(done if isinstance(op, READS_SUMS) else [summed(run, name, x) for x in done]))


def depth_to_space(run: Run, name: str, op: blocks.DepthToSpace, x: Value) -> Value:
    """The move waits."""
    x = own_frame(run, name, x)
    if not x.terms:
        integers(name, x)
    return replace(x, moves=(ints.DepthToSpace(op.block),))


def space_to_depth(run: Run, name: str, op: blocks.SpaceToDepth, x: Value) -> Value:
    """Pixels become channels, each with the meaning of its own."""
    made = run.draft.add_once("blocks", ints.SpaceToDepth(op.block), integers(name, own_frame(run, name, x)))
    return run.made(made, Meaning(x.meaning.channels * prod(op.block)))


def settled(run: Run, name: str, x: Value) -> Value:
    """The value behind its moves. Raises UnsupportedError where channels that become one mean different things."""
    if not x.moves:
        return x
    x = replace(summed(run, name, x), moves=x.moves)
    tensor, behind = integers(name, x), _channels_behind(x)
    channels = dict(zip(behind.tolist(), x.meaning.channels, strict=True))
    if any(channels[place] != channel for place, channel in zip(behind.tolist(), x.meaning.channels, strict=True)):
        raise UnsupportedError(f"{name}: reads pixels of one channel that are made of channels with different scales "
                               "or offsets (DepthToSpace, PixelShuffle, ConvTranspose); put a quantizer between")
    for move in x.moves:
        tensor = run.draft.add_once("crop" if isinstance(move, ints.Crop) else "blocks", move, tensor)
    return run.made(tensor, Meaning(tuple(channels[place] for place in sorted(channels))))


def _channels_behind(x: Value) -> IntArray:
    """For every channel in front of the moves the one that its pixels are in behind them."""
    counts = [prod(move.block) for move in x.moves if isinstance(move, ints.DepthToSpace)]
    return np.tile(np.arange(len(x.meaning) // prod(counts)), prod(counts))


def _of_channels(op: graph.Op, behind: IntArray) -> graph.Op:
    """The operation in front of the moves: parameters of a channel are those of the channel behind."""
    def spread(values: ops.FloatArray) -> ops.FloatArray:
        return values if len(values) == 1 else values[behind]
    if isinstance(op, ops.Quantize):
        return replace(op, scale=spread(op.scale))
    if isinstance(op, ops.Affine):
        return replace(op, scale=spread(op.scale), offset=spread(op.offset))
    if isinstance(op, tensor_ops.MultiThreshold):
        return replace(op, thresholds=spread(op.thresholds))
    return replace(op, alpha=spread(op.alpha)) if isinstance(op, Activation) else op


def _quantized(run: Run, name: str, op: graph.Op, made: Value) -> Value:
    """The codes behind the moves, and the quantizer's trace."""
    done, trace = settled(run, name, made), run.quantizers[-1]
    assert done.tensor is not None  # quantizers make integers
    own = op if isinstance(op, ops.Quantize | tensor_ops.MultiThreshold) else trace.op
    run.quantizers[-1] = replace(trace, tensor=done.tensor, scales=trace.scales[: len(done.meaning)],
                                 codes=done.meaning, op=own, moves=made.moves)
    return done
