"""What the integers of a tensor mean, exactly: value = clip(scale * q + offset, lo, hi) for every channel.

Affine maps and clips compose into this one form, so batch norm, ReLU and hard tanh wait here until a quantizer asks
from which integer on the value reaches a decision point. A curve (LeakyReLU, sigmoid) starts a new line above the old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor
from typing import Any, NamedTuple, TypeVar

import numpy as np

from headrace.datatypes import BIPOLAR
from headrace.network.bounds import above
from headrace.network.curves import Curve
from headrace.network.ops import FloatArray, Quantize
from headrace.network.rounding import FRACTIONS_UP, TIES_UP

T = TypeVar("T")


def each(function: Callable[..., T], *columns: Iterable[Any]) -> tuple[T, ...]:
    """function(*row) of every row of columns of equal length; rows of the same objects are computed once and share it.

    Numbers of an array are the same where they are equal, anything else where it is one object: channels by the
    hundred thousand mostly are, and exact arithmetic on each would take minutes.
    """
    rows = [column.tolist() if isinstance(column, np.ndarray) else list(column) for column in columns]
    keys = list(zip(*(row if isinstance(column, np.ndarray) else map(id, row)
                      for column, row in zip(columns, rows, strict=True)), strict=True))
    results = {key: function(*row) for key, row in dict(zip(keys, zip(*rows, strict=True), strict=True)).items()}
    return tuple(map(results.__getitem__, keys))


def distinct(values: Iterable[T]) -> list[T]:
    """The values that differ, in the order of their first ones."""
    return list(dict.fromkeys({id(value): value for value in values}.values()))


def fractions(values: FloatArray, count: int) -> tuple[Fraction, ...]:
    """The exact values of an array (1,) or (count,), repeated to `count`; equal ones are one object."""
    exact = each(Fraction, np.asarray(values, np.float64))
    return exact * count if len(exact) == 1 else exact


class Channel(NamedTuple):
    """value = clip(scale * q + offset, lo, hi); None is an absent bound.

    Behind a curve, curve(bent.value(q)) stands for q. pooled: it stood for the largest of several since.
    """

    scale: Fraction
    offset: Fraction
    lo: Fraction | None = None
    hi: Fraction | None = None
    curve: Curve | None = None
    bent: Channel | None = None
    pooled: bool = False

    def affine(self, scale: Fraction, offset: Fraction) -> Channel:
        """The channel of scale * value + offset."""
        if scale == 0:
            return Channel(scale, offset)
        lo, hi = (None if bound is None else scale * bound + offset for bound in (self.lo, self.hi))
        lo, hi = (lo, hi) if scale > 0 else (hi, lo)
        return self._replace(scale=self.scale * scale, offset=self.offset * scale + offset, lo=lo, hi=hi)

    def clip(self, lo: Fraction | None, hi: Fraction | None) -> Channel:
        """The channel of min(max(value, lo), hi)."""
        new_lo = lo if self.lo is None else _clip(self.lo, lo, hi)
        new_hi = hi if self.hi is None else _clip(self.hi, lo, hi)
        return self._replace(lo=new_lo, hi=new_hi)

    def bend(self, curve: Curve) -> Channel:
        """The channel of curve(value)."""
        return Channel(Fraction(1), Fraction(0), curve=curve, bent=self, pooled=self.pooled)

    def stretched(self, step: Fraction) -> Channel:
        """The channel when step * q stands for q."""
        if self.bent is not None:
            return self._replace(bent=self.bent.stretched(step))
        return self._replace(scale=self.scale * step)

    def largest(self) -> Channel:
        """The channel of the largest of several values."""
        return self._replace(pooled=self.turns)

    def negated(self) -> Channel:
        """The channel when -q stands for q."""
        if self.bent is not None:
            return self._replace(bent=self.bent.negated())
        return self._replace(scale=-self.scale)

    @property
    def waits(self) -> bool:
        """True if an activation waits for its quantizer."""
        return self.lo is not None or self.hi is not None or self.curve is not None

    @property
    def falls(self) -> bool:
        """True if the value falls while q rises."""
        return (self.scale < 0) != (self.bent is not None and self.bent.falls)

    @property
    def turns(self) -> bool:
        """True if the value falls and rises."""
        return self.curve is not None and (self.curve.turn is not None or (self.bent is not None and self.bent.turns))

    def values(self, q: FloatArray) -> FloatArray:
        """The values of integers in float64."""
        if self.curve is not None and self.bent is not None:
            q = self.curve.values(self.bent.values(q))
        lo, hi = (None if bound is None else float(bound) for bound in (self.lo, self.hi))
        value = float(self.scale) * q + float(self.offset)
        return value if lo is None and hi is None else np.clip(value, lo, hi)

    def value(self, q: Fraction | int) -> Fraction:
        """The exact value of the integer q; that in float64 behind an irrational curve."""
        if self.curve is not None and self.bent is not None:
            x = self.bent.value(q)
            bent = self.curve.exact(x)
            q = Fraction(float(self.curve.values(np.asarray([float(x)]))[0])) if bent is None else bent
        return _clip(self.scale * q + self.offset, self.lo, self.hi)

    def clips_nothing(self, lo: int, hi: int) -> bool:
        """True if the value is scale * q + offset for q in [lo, hi]."""
        return self.curve is None and all(self.value(q) == self.scale * q + self.offset for q in (lo, hi))

    def crossing(self, at: Fraction, closed: bool) -> Fraction | bool | None:
        """Where on the axis of q the value reaches `at` (closed) or exceeds it; a bool if always or never.

        None where that is irrational, behind a curve.
        """
        level = self._crossing(at, closed)
        if isinstance(level, bool) or self.curve is None or self.bent is None:
            return level
        bent = self.curve.crossing(level, closed) if self.scale > 0 else None
        return bent if bent is None or isinstance(bent, bool) else self.bent.crossing(bent, closed)

    def _crossing(self, at: Fraction, closed: bool) -> Fraction | bool:
        """Where on the axis of what stands for q."""
        if self.lo is not None and above(self.lo, at, closed):
            return True
        if self.hi is not None and not above(self.hi, at, closed):
            return False
        if self.scale == 0:
            return above(self.offset, at, closed)
        return (at - self.offset) / self.scale

    def reaches(self, q: int, at: Fraction, closed: bool) -> bool:
        """True if the value of q reaches `at` (closed) or exceeds it."""
        if self.curve is None or self.bent is None:
            return above(self.value(q), at, closed)
        level = self._crossing(at, closed)
        if isinstance(level, bool):
            return level
        if self.scale > 0:
            return self.curve.reaches(self.bent.value(q), level, closed)
        return not self.curve.reaches(self.bent.value(q), level, not closed)

    def first_reaching(self, at: Fraction, closed: bool, lo: int, hi: int) -> int:
        """The smallest q in [lo, hi] whose value reaches `at` (closed) or exceeds it, hi + 1 if there is none.

        The channel is a clipped line that does not fall.
        """
        point = self._crossing(at, closed)
        if isinstance(point, bool):
            return lo if point else hi + 1
        return min(max(ceil(point) if closed else floor(point) + 1, lo), hi + 1)


def _clip(value: Fraction, lo: Fraction | None, hi: Fraction | None) -> Fraction:
    raised = value if lo is None else max(value, lo)
    return raised if hi is None else min(raised, hi)


@dataclass(frozen=True)
class Meaning:
    """The channels of a tensor."""

    channels: tuple[Channel, ...]

    @staticmethod
    def identity(count: int) -> Meaning:
        """value = q."""
        return Meaning((Channel(Fraction(1), Fraction(0)),) * count)

    @staticmethod
    def lines(scales: Iterable[Fraction], offsets: Iterable[Fraction]) -> Meaning:
        """value = scale * q + offset."""
        return Meaning(each(Channel, scales, offsets))

    def __len__(self) -> int:
        return len(self.channels)

    def affine(self, scales: Sequence[Fraction], offsets: Sequence[Fraction]) -> Meaning:
        """The meaning after scale * value + offset, per channel."""
        return Meaning(each(Channel.affine, self.channels, scales, offsets))

    def clip(self, lo: Fraction | None, hi: Fraction | None) -> Meaning:
        """The meaning after min(max(value, lo), hi)."""
        return Meaning(each(lambda channel: channel.clip(lo, hi), self.channels))

    @property
    def scales(self) -> tuple[Fraction, ...]:
        """The scales of the channels."""
        return tuple(channel.scale for channel in self.channels)

    @property
    def offsets(self) -> tuple[Fraction, ...]:
        """The offsets of the channels."""
        return tuple(channel.offset for channel in self.channels)

    def bend(self, curves: Sequence[Curve]) -> Meaning:
        """The meaning after a curve per channel."""
        return Meaning(each(lambda channel, curve: channel.bend(curve), self.channels, curves))

    @property
    def falling(self) -> frozenset[int]:
        """Channels whose value falls while q rises."""
        return frozenset(np.flatnonzero(each(lambda channel: channel.falls, self.channels)).tolist())

    def negated(self, channels: frozenset[int]) -> Meaning:
        """The meaning when the integers of `channels` are negated."""
        negated = each(Channel.negated, self.channels)
        return Meaning(tuple(negated[c] if c in channels else channel for c, channel in enumerate(self.channels)))


def decision_point(quantizer: Quantize, scale: Fraction, code: int) -> tuple[Fraction, bool]:
    """Where a quantizer starts to give at least `code`: (point, whether the point itself belongs to it).

    A tie at code - 1/2 goes up by half_up, and by half_even if `code` is even. Bipolar: sign(0) = +1.
    """
    if quantizer.dtype == BIPOLAR:
        return Fraction(0), True
    position = Fraction(code - quantizer.zero_point)
    if quantizer.rounding in TIES_UP:
        return (position - Fraction(1, 2)) * scale, TIES_UP[quantizer.rounding](code)
    if FRACTIONS_UP[quantizer.rounding](code):
        return (position - 1) * scale, False
    return position * scale, True


def codes_above_lowest(quantizer: Quantize) -> range:
    """The codes that a threshold leads to: all but the lowest; for bipolar the code +1."""
    return range(1, 2) if quantizer.dtype == BIPOLAR else range(quantizer.dtype.lo + 1, quantizer.dtype.hi + 1)
