"""Streamlining of joins: two tensors of integers meet in one step.

Where the steps differ by powers of two or signs, the coarser side is multiplied in front of the sum, exactly. Other
steps have a common one that costs many bits: the sum then waits for its quantizer, which asks less than its value
(sums.py). Where nothing quantizes it, every branch is multiplied by as many of the common steps as its own has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from math import gcd, lcm
from typing import NamedTuple

import numpy as np

from headrace.datatypes import DataType, Interval
from headrace.errors import InputError, UnsupportedError
from headrace.network import integer as ints
from headrace.network.integer_ops import MAX_ELEMENT_BITS
from headrace.network.tensor_ops import Add, Concat
from headrace.streamline.meaning import Channel, Meaning, distinct, each
from headrace.streamline.requant_search import of_channels
from headrace.streamline.requantize import MAX_THRESHOLDS
from headrace.streamline.sum_requants import requant_of_grids
from headrace.streamline.sums import Point, Question, ask
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


def weighed(run: Run, x: Value, decisions: Sequence[Sequence[tuple[Fraction, bool]]],
            dtype: DataType) -> tuple[str, ints.Threshold | ints.Requant] | None:
    """A waiting sum with integer multipliers that no decision can tell from its scales, and what makes codes of it.

    None where none were found.
    """
    ranges = [run.draft.channel_range(term.tensor) for term in x.terms]
    places: dict[tuple[object, ...], int] = {}
    asked: list[Question] = []
    which: list[int] = []
    for c, channel in enumerate(x.meaning.channels):
        sign, rising = (-1, channel.negated()) if channel.falls else (1, channel)
        parts = (tuple(sign * term.scales[c] for term in x.terms),
                 tuple((int(lo[c]), int(hi[c])) for lo, hi in ranges),
                 tuple(_point(rising, at, closed) for at, closed in decisions[c]))
        if parts not in places:
            question = _question(*parts)
            if question is None:
                return None
            places[parts] = len(asked)
            asked.append(question)
        which.append(places[parts])
    return _answered(run, x, asked, which, dtype)


def _question(scales: Sequence[Fraction], ranges: Sequence[tuple[int, int]],
              points: Sequence[Point | None]) -> Question | None:
    known = [point for point in points if point is not None]
    return ask(scales, ranges, known) if len(known) == len(points) else None


def _answered(run: Run, x: Value, asked: Sequence[Question], which: Sequence[int],
              dtype: DataType) -> tuple[str, ints.Threshold | ints.Requant] | None:
    """The sum and its step; questions are those of the channels `which`."""
    found = [question.smallest() for question in asked]
    smallest = [weighing for weighing in found if weighing is not None]
    if len(smallest) < len(found):
        return None
    wide = None
    if isinstance(dtype, Interval) and dtype.steps > MAX_THRESHOLDS and all(question.sizes for question in asked):
        wide = requant_of_grids([question.grid for question in asked], [question.codes for question in asked],
                                [weighing.multipliers for weighing in smallest], dtype)
    rows = [weighing.multipliers for weighing in smallest] if wide is None else wide[0]
    total = _added(run, x, [asked[k].whole(rows[k]) for k in which])
    if wide is not None:
        return total, of_channels(wide[1], which)
    return total, ints.Threshold(np.asarray([smallest[k].thresholds for k in which], np.int64), dtype)


def _added(run: Run, x: Value, multipliers: Sequence[Sequence[int]]) -> str:
    """The sum of the terms, each times a whole number per channel."""
    sources = [run.draft.multiplied(term.tensor, np.asarray([row[k] for row in multipliers], np.int64))
               for k, term in enumerate(x.terms)]
    return reduce(lambda left, right: run.draft.add("add", ints.Add(), left, right), sources)


def summed(run: Run, name: str, x: Value) -> Value:
    """A waiting sum as integers of the largest step that all its terms are multiples of; other values as they are.

    Raises UnsupportedError where such integers are too wide.
    """
    if not x.terms:
        return x
    ranges = [run.draft.channel_range(term.tensor) for term in x.terms]
    steps = each(lambda *scales: _largest_step(scales), *(term.scales for term in x.terms))
    multipliers = [[int(term.scales[c] / step) for term in x.terms] for c, step in enumerate(steps)]
    bits = max(sum(abs(m) * max(abs(int(lo[c])), abs(int(hi[c]))) for m, (lo, hi) in zip(row, ranges, strict=True))
               for c, row in enumerate(multipliers)).bit_length() + 1
    if bits > MAX_ELEMENT_BITS:
        raise UnsupportedError(f"{name}: reads the sum of {branches(x)} per integer, whose common step would need "
                               f"{bits} bits and at most {MAX_ELEMENT_BITS} are possible; put a quantizer behind the "
                               "sum, or let its branches share one quantizer")
    try:
        total = _added(run, x, multipliers)
    except InputError as error:
        raise UnsupportedError(f"{name}: {error}") from None
    made = run.made(total, Meaning(each(Channel.stretched, x.meaning.channels, steps)))
    return replace(made, shape=x.shape)


def _largest_step(scales: Sequence[Fraction]) -> Fraction:
    """The largest number that all scales are whole multiples of; 1 where all are 0.

    >>> _largest_step((Fraction(3, 10), Fraction(-1, 2)))
    Fraction(1, 10)
    """
    unit = lcm(*(scale.denominator for scale in scales))
    return Fraction(gcd(*(int(scale * unit) for scale in scales)) or unit, unit)


def _point(channel: Channel, at: Fraction, closed: bool) -> Point | None:
    """Where a sum reaches a decision point, in a channel that rises; None where that is irrational or it turns."""
    point = channel.crossing(at, closed)
    return point if point is None or isinstance(point, bool) else (point, closed)


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
