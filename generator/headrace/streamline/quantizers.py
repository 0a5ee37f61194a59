"""Streamlining of quantizers: a value that waits as a meaning becomes codes by integer thresholds.

A negative scale goes into the weights of the convolution before, or where it cannot (behind a join, or where another
branch reads the same integers) into thresholds with inverted channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval
from headrace.errors import UnsupportedError
from headrace.layers.activation import MAX_THRESHOLDS as MAX_THRESHOLDS_OF_ROW
from headrace.layers.lookup import MAX_INPUT_BITS
from headrace.network import integer as ints
from headrace.network import ops
from headrace.network.tensor_ops import MultiThreshold, Trunc
from headrace.streamline.host_side import quantize_on_host, threshold_on_host, threshold_rows
from headrace.streamline.intervals import Intervals, intervals
from headrace.streamline.joins import summed, weighed
from headrace.streamline.line_thresholds import Levels, first_reaching
from headrace.streamline.meaning import Channel, Meaning, codes_above_lowest, decision_point, distinct, each
from headrace.streamline.offset_codes import offset_codes
from headrace.streamline.pieces import Decisions, Piece, passing
from headrace.streamline.requant_search import dyadic_requant
from headrace.streamline.values import QuantizerTrace, Run, Term, Value, channel_values, integers, plain_integers

#: Widest codes that thresholds produce; wider ones need a requantizer that is exact by its numbers.
MAX_THRESHOLD_BITS = 8
MAX_ACTIVATION_BITS = 16
#: Most thresholds of an activation: 256 MiB of integers.
MAX_THRESHOLDS = 1 << 25


def quantize(run: Run, name: str, op: ops.Quantize, x: Value) -> Value:
    """Codes of a quantizer, on the host for the model's own input."""
    return _quantized(run, name, offset_codes(run.network, name, op), x)


def _quantized(run: Run, name: str, op: ops.Quantize, x: Value) -> Value:
    """Codes of a quantizer as they are."""
    scales = channel_values(name, x, op.scale)
    if x.tensor is None and not x.terms:
        made = _Made(quantize_on_host(run, name, op, x, scales), None, x.meaning)
    elif op.dtype.steps >= 1 << MAX_THRESHOLD_BITS:
        x = summed(run, name, x)
        source = integers(name, x)
        made = _Made(_requantize(run, name, op, x, source, scales), source, x.meaning)
    else:
        decisions = each(lambda scale: [decision_point(op, scale, code) for code in codes_above_lowest(op)], scales)
        made = _activated(run, name, x, decisions, op.dtype)
    codes = Meaning.lines(scales, each(lambda scale: -op.zero_point * scale, scales))
    run.quantizers.append(QuantizerTrace(name, made.tensor, made.source, made.meaning, op, scales, codes, made.terms,
                                         origin=x.origin))
    return replace(x, tensor=made.tensor, meaning=codes, terms=())


class _Made(NamedTuple):
    """A tensor of codes, the integers that its thresholds count on, what these or the sum of the terms mean."""

    tensor: str
    source: str | None
    meaning: Meaning
    terms: tuple[Term, ...] = ()


def _activated(run: Run, name: str, x: Value, decisions: Sequence[Decisions], dtype: DataType) -> _Made:
    """Codes by thresholds; those of a sum of branches are looked for among small multipliers first."""
    if x.terms and (found := weighed(run, x, decisions, dtype)) is not None:
        source, step = found
        return _Made(run.draft.add_threshold(step, source), source, x.meaning, x.terms)
    x = summed(run, name, x)
    meaning, source = _rising(run, x), integers(name, x)
    return _Made(_threshold(run, name, source, meaning, decisions, dtype), source, meaning)


def _rising(run: Run, x: Value) -> Meaning:
    """The meaning after falling channels were negated in the convolution that made them, where that is possible."""
    assert x.tensor is not None  # the callers look
    falling = x.meaning.falling
    return x.meaning.negated(falling) if falling and run.draft.negate(x.tensor, falling) else x.meaning


def _requantize(run: Run, name: str, op: ops.Quantize, x: Value, source: str, scales: tuple[Fraction, ...]) -> str:
    """Codes too wide for thresholds: a multiplication and a shift that equal the quotient exactly."""
    requant = None
    if op.dtype.bits <= MAX_ACTIVATION_BITS and isinstance(op.dtype, Interval) and run.clips_nothing(x, source):
        lines = each(lambda channel, scale: (channel.scale / scale, channel.offset / scale + op.zero_point),
                     x.meaning.channels, scales)
        requant = dyadic_requant(lines, op.rounding, op.dtype)
    if requant is None:
        raise UnsupportedError(f"{name}: quantizes to {op.dtype.bits} bits but activations inside the network have at "
                               f"most {MAX_THRESHOLD_BITS}; use fewer bits, or up to {MAX_ACTIVATION_BITS} with a "
                               "scale that is a power of two and no activation before")
    return run.draft.add_threshold(requant, source)


def _threshold(run: Run, name: str, source: str, meaning: Meaning, decisions: Sequence[Decisions],
               dtype: DataType) -> str:
    """Append the thresholds of every channel, or nothing where they give back their source."""
    lowest, highest = run.draft.channel_range(source)
    if len(meaning) * len(decisions[0]) > MAX_THRESHOLDS:
        raise UnsupportedError(f"{name}: has {len(meaning)} channels of {len(decisions[0])} thresholds and at most "
                               f"{MAX_THRESHOLDS} thresholds are possible; use fewer bits or fewer channels")
    if any(channel.turns for channel in distinct(meaning.channels)):
        return _turned(run, name, source, meaning, decisions, dtype)
    T = np.stack(each(_row, meaning.channels, each(Levels.of, decisions), lowest, highest))
    if not meaning.falling and _is_identity(run.draft.types[source].dtype, dtype, T, lowest, highest):
        return source
    return run.draft.add_threshold(ints.Threshold(T, dtype, meaning.falling), source)


def _row(channel: Channel, levels: Levels, lo: int, hi: int) -> IntArray:
    """Ascending thresholds of one channel, between lo and hi + 1: the smallest integer that reaches each code.

    In a falling channel they count what is no longer reached: q reaches a code below Q, and T = Q stands for it.
    """
    if channel.falls:
        return 1 - _row(channel.negated(), levels, -hi, -lo)[::-1]
    if channel.curve is not None:
        return passing(channel, Piece(lo, hi + 1, True), levels.exact)
    return first_reaching(channel, levels, lo, hi)


def _turned(run: Run, name: str, source: str, meaning: Meaning, decisions: Sequence[Decisions],
            dtype: DataType) -> str:
    """A value that falls and rises: thresholds find its interval, a table gives the code of that."""
    upright = each(lambda channel: channel.negated() if channel.falls else channel, meaning.channels)
    lowest, highest = run.draft.channel_range(source)
    falls = np.isin(np.arange(len(meaning)), sorted(meaning.falling))
    lows, highs = np.where(falls, -highest, lowest), np.where(falls, -lowest, highest)
    found = intervals(upright, decisions, lows, highs)
    T = found.thresholds(dtype.steps, lows, highs)
    if T is not None:
        return run.draft.add_threshold(ints.Threshold(_upside(T, falls), dtype, meaning.falling), source)
    if any(channel.pooled for channel in distinct(meaning.channels)):
        raise UnsupportedError(f"{name}: quantizes the largest values of an activation that falls and rises, which "
                               "need not be those of its largest inputs; put the quantizer in front of the pooling")
    return _looked_up(run, name, source, found, falls, dtype)


def _upside(T: IntArray, falls: NDArray[np.bool_]) -> IntArray:
    """Thresholds of the negatives as those of the integers, in the rows that fall."""
    return np.where(falls[:, None], 1 - T[:, ::-1], T)


def _looked_up(run: Run, name: str, source: str, found: Intervals, falls: NDArray[np.bool_], dtype: DataType) -> str:
    """A table of the integers themselves where one of all channels is small, else one of intervals."""
    element = run.draft.types[source].dtype
    if isinstance(element, Interval) and element.bits <= MAX_INPUT_BITS:
        integers = np.arange(element.lo, element.hi + 1)
        table = np.where(falls[:, None], found.table(-integers), found.table(integers))
        if np.all(table == table[:1]):
            return run.draft.add("lookup", ints.Lookup(_codes(table, dtype), dtype, element.lo), source)
    count = found.bounds.shape[1]
    if count > MAX_THRESHOLDS_OF_ROW:
        raise UnsupportedError(f"{name}: the activation before it falls and rises through {count + 1} codes and at "
                               f"most {MAX_THRESHOLDS_OF_ROW + 1} are possible; use fewer bits")
    inverted = frozenset(np.flatnonzero(falls).tolist())
    places = run.draft.add_threshold(ints.Threshold(_upside(found.bounds, falls), Interval(0, count), inverted), source)
    return run.draft.add("lookup", ints.Lookup(_codes(found.counts, dtype), dtype), places)


def _codes(counts: IntArray, dtype: DataType) -> IntArray:
    """The codes of so many reached decisions."""
    return 2 * counts - 1 if dtype == BIPOLAR else dtype.lo + counts


def _is_identity(source: DataType, dtype: DataType, T: IntArray, lowest: IntArray, highest: IntArray) -> bool:
    """True if the thresholds map every code of their source, from lowest to highest (C,), to itself."""
    if source != dtype:
        return False
    if dtype == BIPOLAR:
        return bool(np.all(T >= 0) and np.all(T <= 1))
    steps = np.arange(dtype.lo + 1, dtype.hi + 1)
    return np.array_equal(T, np.clip(steps, lowest[:, None], highest[:, None] + 1))


def multi_threshold(run: Run, name: str, op: MultiThreshold, x: Value) -> Value:
    """FINN's thresholds on real values: value = out_scale * count + out_bias."""
    steps = op.thresholds.shape[1]
    if steps >= 1 << MAX_THRESHOLD_BITS:
        raise UnsupportedError(f"{name}: has {steps} thresholds but activations inside the network have at most "
                               f"{MAX_THRESHOLD_BITS} bits; use fewer")
    scale, bias = Fraction(op.out_scale), Fraction(op.out_bias)
    base = bias / scale
    if op.dtype == BIPOLAR and steps == 1:
        dtype: DataType = BIPOLAR
        line = (scale / 2, bias + scale / 2)
    else:
        # Codes that carry the bias where it is a whole number of steps, so that 0.0 has the code 0.
        first = int(base) if base.denominator == 1 else 0
        dtype, line = Interval(first, first + steps), (scale, bias - first * scale)
    if x.tensor is None and not x.terms:
        made = _Made(threshold_on_host(run, name, op, x, dtype), None, x.meaning)
    else:
        made = _activated(run, name, x, [[(at, True) for at in row] for row in threshold_rows(name, op, x)], dtype)
    count = len(made.meaning)
    codes = Meaning.lines([line[0]] * count, [line[1]] * count)
    ones = (Fraction(1),) * count
    run.quantizers.append(QuantizerTrace(name, made.tensor, made.source, made.meaning, op, ones, codes, made.terms,
                                         origin=x.origin))
    return replace(x, tensor=made.tensor, meaning=codes, terms=())


def trunc(run: Run, name: str, op: Trunc, x: Value) -> Value:
    """Dropped bits: a quantizer whose step is 2^shift codes of the input."""
    tensor = plain_integers(run, name, x)
    scale, out_scale = Fraction(float(op.scale[0])), Fraction(float(op.out_scale[0]))
    for channel in distinct(x.meaning.channels):
        if any((part / scale).denominator != 1 for part in (channel.scale, channel.offset)):
            raise UnsupportedError(f"{name}: its input is not made of whole multiples of its scale {float(scale):g}; "
                                   "truncate with the scale of the tensor before it")
    step = scale * Fraction(2) ** op.shift
    count = len(x.meaning)
    moved = replace(x, meaning=x.meaning.affine([Fraction(1)] * count, [op.zero_point * scale] * count))
    dtype = op.dtype or _reached(run, moved, tensor, step)
    made = _quantized(run, name, ops.Quantize(np.asarray([float(step)]), dtype, 0, op.rounding), moved)
    codes = Meaning.lines([out_scale] * count, [-Fraction(op.out_zero_point) * out_scale] * count)
    run.quantizers[-1] = replace(run.quantizers[-1], codes=codes)
    return replace(made, meaning=codes)


def _reached(run: Run, x: Value, tensor: str, step: Fraction) -> Interval:
    """Codes that hold every value of a tensor in steps, rounded either way."""
    ends = [end / step for bound in run.draft.channel_range(tensor)
            for end in distinct(each(Channel.value, x.meaning.channels, bound))]
    return Interval(min(ends).__floor__(), max(ends).__ceil__())
