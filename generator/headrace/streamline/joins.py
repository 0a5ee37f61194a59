"""Streamlining of joins: two tensors of integers meet in one step.

Where the steps differ by powers of two or signs, the coarser side is multiplied in front of the sum, exactly. Nothing
else is exact: 0.3 and 0.5 have no common step worth its bits, so such a model needs one quantizer for both branches.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from headrace.errors import UnsupportedError
from headrace.network import integer as ints
from headrace.network.tensor_ops import Add, Concat
from headrace.streamline.meaning import Channel, Meaning, each
from headrace.streamline.values import MAX_RATIO, Run, Value, integers, is_power_of_two, plain_integers


class _Step(NamedTuple):
    """The step that a channel of a sum counts in, and how many of them a code of either side is."""

    scale: Fraction
    left: int
    right: int


def add(run: Run, name: str, op: Add, left: Value, right: Value) -> Value:
    """A sum; offsets add up in the meaning."""
    tensors = [plain_integers(run, name, x) for x in (left, right)]
    _require_same_frame(name, (left, right))
    sides = left.meaning.channels, right.meaning.channels
    steps = each(lambda a, b: _common_step(a.scale, b.scale), *sides)
    if None in steps:
        raise UnsupportedError(_unequal(run, name, list(zip(*sides, strict=True))[steps.index(None)]))
    common = [step for step in steps if step is not None]
    sources = [run.draft.scaled(tensor, np.asarray(multipliers, np.int64)) for tensor, multipliers in
               zip(tensors, ([s.left for s in common], [s.right for s in common]), strict=True)]
    made = run.draft.add("add", ints.Add(), *sources)
    offsets = each(lambda a, b: a.offset + b.offset, *sides)
    return replace(run.made(made, Meaning.lines([s.scale for s in common], offsets)), shape=left.shape)


def _common_step(left: Fraction, right: Fraction) -> _Step | None:
    """The finer of two scales as a positive step, if the other is a power of two of it; a constant side counts 0."""
    if not (left and right):
        step = abs(left or right or Fraction(1))
        return _Step(step, int(left / step), int(right / step))
    if not is_power_of_two(left / right):
        return None
    step = min(abs(left), abs(right))
    return _Step(step, int(left / step), int(right / step))


def _unequal(run: Run, name: str, channels: tuple[Channel, Channel]) -> str:
    branches = " and ".join(f"{source} with {float(channel.scale):.9g}" for source, channel in
                            zip(run.sources(name), channels, strict=True))
    ratio = float(channels[0].scale / channels[1].scale)
    fault = f"lies beyond {MAX_RATIO}" if not 1 / MAX_RATIO <= abs(ratio) <= MAX_RATIO else "is no power of two"
    return (f"{name}: adds {branches} per integer, whose ratio {ratio:.9g} {fault}; let both branches share "
            "one quantizer")


def _require_same_frame(name: str, values: tuple[Value, ...]) -> None:
    frames = {x.frame for x in values}
    if len(frames) != 1:
        raise UnsupportedError(f"{name}: joins streams of frames {sorted(frames)}; reshape neither branch before it")


def concat(run: Run, name: str, op: Concat, *parts: Value) -> Value:
    """Channels one after the other; each keeps its own meaning, activations that still wait included."""
    tensors = [integers(name, x) for x in parts]
    _require_same_frame(name, tuple(Value(x.tensor, (0, *x.frame[1:]), x.shape, x.meaning) for x in parts))
    channels = tuple(channel for x in parts for channel in x.meaning.channels)
    made = run.made(run.draft.add("concat", ints.Concat(), *tensors), Meaning(channels))
    return replace(made, shape=op.infer(*(x.shape for x in parts)))
