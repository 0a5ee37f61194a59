"""Streamlining of joins: two tensors of integers meet in one step.

Where the steps differ by powers of two or signs, the coarser side is multiplied in front of the sum, exactly. Other
steps have no common one worth its bits: the sum then waits for its quantizer, which asks less than its value (sums.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from typing import NamedTuple

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import UnsupportedError
from headrace.network import integer as ints
from headrace.network.tensor_ops import Add, Concat
from headrace.streamline.meaning import Channel, Meaning, distinct, each
from headrace.streamline.sums import MAX_MULTIPLIER_BITS, Point, Weighing, weigh
from headrace.streamline.values import Run, Term, Value, branches, integers, is_power_of_two, plain_integers


class _Step(NamedTuple):
    """The step that a channel of a sum counts in, and how many of them a code of either side is."""

    scale: Fraction
    left: int
    right: int


def add(run: Run, name: str, op: Add, left: Value, right: Value) -> Value:
    """A sum; offsets add up in the meaning. Without a common step it waits for its quantizer as a sum of terms."""
    _require_same_frame(name, (left, right))
    sides = left.meaning.channels, right.meaning.channels
    steps = [None] if left.terms or right.terms else each(lambda a, b: _common_step(a.scale, b.scale), *sides)
    if None in steps:
        return _waiting_sum(run, name, left, right)
    tensors = [plain_integers(run, name, x) for x in (left, right)]
    common = [step for step in steps if step is not None]
    sources = [run.draft.scaled(tensor, np.asarray(multipliers, np.int64)) for tensor, multipliers in
               zip(tensors, ([s.left for s in common], [s.right for s in common]), strict=True)]
    made = run.draft.add("add", ints.Add(), *sources)
    offsets = each(lambda a, b: a.offset + b.offset, *sides)
    return replace(run.made(made, Meaning.lines([s.scale for s in common], offsets)), shape=left.shape)


def _waiting_sum(run: Run, name: str, left: Value, right: Value) -> Value:
    """The terms of both sides; the meaning is what is added to their sum."""
    sources = run.sources(name)
    terms = (*_terms(run, name, left, sources[0]), *_terms(run, name, right, sources[1]))
    offsets = each(lambda a, b: a.offset + b.offset, left.meaning.channels, right.meaning.channels)
    return Value(None, left.frame, left.shape, Meaning.lines((Fraction(1),) * len(offsets), offsets), terms)


def _terms(run: Run, name: str, x: Value, source: str) -> tuple[Term, ...]:
    """A side of a sum as terms; an activation must not wait on it."""
    if not x.terms:
        return (Term(plain_integers(run, name, x), x.meaning.scales, source),)
    if any(channel.waits for channel in distinct(x.meaning.channels)):
        raise UnsupportedError(f"{name}: adds to a sum whose activation no quantizer follows; put a quantizer between "
                               "the two sums")
    return tuple(term._replace(scales=each(lambda a, b: a * b, term.scales, x.meaning.scales)) for term in x.terms)


def weighed(run: Run, name: str, x: Value,
            decisions: Sequence[Sequence[tuple[Fraction, bool]]]) -> tuple[str, IntArray]:
    """A waiting sum with integer multipliers that no decision can tell from its scales, and its thresholds (C, N).

    Raises UnsupportedError where the multipliers would be too wide.
    """
    ranges = [run.draft.channel_range(term.tensor) for term in x.terms]
    found: dict[tuple[object, ...], Weighing | None] = {}
    channels = []
    for c, channel in enumerate(x.meaning.channels):
        sign, rising = (-1, channel.negated()) if channel.falls else (1, channel)
        question = (tuple(sign * term.scales[c] for term in x.terms),
                    tuple((int(lo[c]), int(hi[c])) for lo, hi in ranges),
                    tuple(_point(name, rising, at, closed) for at, closed in decisions[c]))
        if question not in found:
            found[question] = weigh(*question)
        channels.append(found[question])
    weighings = [weighing for weighing in channels if weighing is not None]
    if len(weighings) < len(channels):
        raise UnsupportedError(f"{name}: adds {branches(x)} per integer, which only multipliers of more than "
                               f"{MAX_MULTIPLIER_BITS} bits would keep apart; let the branches share one quantizer, or "
                               "quantize them to fewer bits")
    sources = [run.draft.multiplied(term.tensor, np.asarray([w.multipliers[k] for w in weighings], np.int64))
               for k, term in enumerate(x.terms)]
    total = reduce(lambda left, right: run.draft.add("add", ints.Add(), left, right), sources)
    return total, np.asarray([w.thresholds for w in weighings], np.int64)


def _point(name: str, channel: Channel, at: Fraction, closed: bool) -> Point:
    """Where a sum reaches a decision point, in a channel that rises."""
    point = channel.crossing(at, closed)
    if point is None:
        raise UnsupportedError(f"{name}: quantizes a curve of a sum of branches of different scales; put a quantizer "
                               "between the sum and its activation")
    return point if isinstance(point, bool) else (point, closed)


def _common_step(left: Fraction, right: Fraction) -> _Step | None:
    """The finer of two scales as a positive step, if the other is a power of two of it; a constant side counts 0."""
    if not (left and right):
        step = abs(left or right or Fraction(1))
        return _Step(step, int(left / step), int(right / step))
    if not is_power_of_two(left / right):
        return None
    step = min(abs(left), abs(right))
    return _Step(step, int(left / step), int(right / step))


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
