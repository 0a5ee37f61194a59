"""Streamlining of pooling, enlargement and reordering: the integers move, their meaning stays."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction

from headrace.errors import UnsupportedError
from headrace.network import integer as ints
from headrace.network import ops
from headrace.network.tensor_ops import AvgPool, Transpose, Upsample
from headrace.streamline.meaning import Channel, Meaning, distinct, each
from headrace.streamline.values import Run, Value, integers, own_frame, plain_integers


def max_pool(run: Run, name: str, op: ops.MaxPool, x: Value) -> Value:
    """A maximum; a minimum in the channels whose value falls while the integers rise."""
    pool = ints.MaxPool(op.kernel, op.stride, minimum=x.meaning.falling)
    return run.made(run.draft.add("pool", pool, integers(name, own_frame(run, name, x))),
                    Meaning(each(Channel.largest, x.meaning.channels)))


def avg_pool(run: Run, name: str, op: AvgPool, x: Value) -> Value:
    """A sum; the division by the window goes into the scale."""
    tensor = plain_integers(run, name, own_frame(run, name, x))
    share = Fraction(1, math.prod(op.kernel))
    made = run.draft.add("pool", ints.AccPool(op.kernel, op.stride), tensor)
    return run.made(made, Meaning(each(lambda c: Channel(c.scale * share, c.offset), x.meaning.channels)))


def upsample(run: Run, name: str, op: Upsample, x: Value) -> Value:
    """Repeated pixels."""
    x = own_frame(run, name, x)
    return run.made(run.draft.add("upsample", ints.Upsample(op.scale), integers(name, x)), x.meaning)


def reshape(run: Run, name: str, op: ops.Reshape, x: Value) -> Value:
    """Another shape of the same stream: a vector, the frame itself, other rows, or the layout of the host's floats."""
    return _reshaped(run, name, x, op.infer(x.shape))


def transpose(run: Run, name: str, op: Transpose, x: Value) -> Value:
    """Axes in another order, where only axes of size 1 move: a stream has one order."""
    wide = [axis for axis in op.axes if x.shape[axis] > 1]
    shape = op.infer(x.shape)
    if wide != sorted(wide):
        raise UnsupportedError(f"{name}: turns a tensor of shape {x.shape} into {shape}, but a stream carries pixels "
                               "row by row with their channels; remove the transpose, or export with channels first")
    return _reshaped(run, name, x, shape)


def _reshaped(run: Run, name: str, x: Value, shape: ops.Shape) -> Value:
    channels, height, width = x.frame
    if len(shape) == 1 or shape[-3:] == x.frame or (height * width == 1 and max(shape) == channels):
        return replace(x, shape=shape)
    if [n for n in shape if n > 1] == [n for n in x.frame if n > 1] and channels == shape[0]:
        return replace(x, shape=shape)
    if x.tensor is None and not x.terms and len(shape) == 3 and len(distinct(x.meaning.channels)) == 1:
        frame = (shape[0], shape[1], shape[2])
        return replace(x, frame=frame, shape=shape, meaning=Meaning(x.meaning.channels[:1] * shape[0]))
    if x.tensor is not None and len(shape) in (2, 3) and shape[0] == channels:
        rows = (1, *shape[1:])[-2:]
        made = run.made(run.draft.add("reframe", ints.Reframe(*rows), x.tensor), x.meaning)
        return replace(made, shape=shape)
    raise UnsupportedError(f"{name}: a feature map of shape {x.frame} cannot become {shape} in a stream; "
                           "flatten it only in front of a dense layer")
