"""Sums of branches whose scales have no common step: small integer weights that a quantizer cannot tell from them.

A quantizer behind the sum only asks on which side of its decision points the sum lies. The smallest integers m with
thresholds T such that sum m_i q_i >= T_k exactly where sum a_i q_i reaches the point t_k, for every combination of
codes, therefore give the same codes as the real scales a_i. That is found and proved over all combinations: for every
combination of all branches but one, the codes of the last branch up to each point are known exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, lcm, prod
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import IntArray

#: Where the sum starts to give a code: (point, whether the point belongs to it), or whether always or never.
Point = tuple[Fraction, bool] | bool
#: Combinations of branches times decision points that are looked at, at most.
MAX_COMBINATIONS = 1 << 22
#: Widest multipliers of branches that are tried.
MAX_MULTIPLIER_BITS = 16


@dataclass(frozen=True)
class Weighing:
    """Multipliers of the branches, and the thresholds of their sum."""

    multipliers: tuple[int, ...]
    thresholds: tuple[int, ...]


def weigh(scales: Sequence[Fraction], ranges: Sequence[tuple[int, int]], points: Sequence[Point]) -> Weighing | None:
    """The smallest multipliers of branches with these scales and code ranges; None where none were found.

    For two branches they are the smallest that exist, and they always exist but for MAX_MULTIPLIER_BITS; for more,
    the first that work among rounded multiples of the scales.

    >>> weigh([Fraction(3, 10), Fraction(1, 2)], [(0, 3), (0, 3)], [(Fraction(1), True), (Fraction(2), True)])
    Weighing(multipliers=(1, 2), thresholds=(4, 8))
    """
    asked = ask(scales, ranges, points)
    found = None if asked is None else asked.smallest()
    return None if asked is None or found is None else Weighing(asked.whole(found.multipliers), found.thresholds)


def _reached_by_zero(point: Point) -> bool:
    if isinstance(point, bool):
        return point
    return point[0] <= 0 if point[1] else point[0] < 0


@dataclass(frozen=True, eq=False)
class Grid:
    """Every combination of the codes of all branches but the last, and the last one's codes that reach the points.

    codes: (combinations, branches - 1); firsts: (points, combinations), the first code of the last branch that reaches
    a point, from lo to hi + 1.
    """

    codes: IntArray
    spans: Sequence[tuple[int, int]]
    firsts: IntArray
    FAR: ClassVar[int] = 1 << 60

    @staticmethod
    def of(sizes: Sequence[Fraction], spans: Sequence[tuple[int, int]], points: Sequence[Point]) -> Grid:
        """Every combination, and where it reaches every point."""
        axes = [np.arange(lo, hi + 1) for lo, hi in spans[:-1]]
        codes = np.stack([axis.reshape(-1) for axis in np.meshgrid(*axes, indexing="ij")], 1) if axes else np.zeros(
            (1, 0), np.int64)
        lo, hi = spans[-1]
        rows = [np.full(len(codes), lo if point else hi + 1) if isinstance(point, bool) else
                np.clip(_firsts(sizes, codes, *point), lo, hi + 1) for point in points]
        return Grid(codes, spans, np.stack(rows) if rows else np.zeros((0, len(codes)), np.int64))

    def margins(self, multipliers: Sequence[int]) -> tuple[IntArray, IntArray] | None:
        """The smallest sum that reaches each point and the largest that does not, FAR and -FAR where there is none.

        None where these multipliers do not separate what lies on either side of a point.
        """
        reaching, below = self._sides(multipliers)
        lowest, highest = reaching.min(1, initial=self.FAR), below.max(1, initial=-self.FAR)
        return None if np.any(lowest <= highest) else (lowest, highest)

    def _sides(self, multipliers: Sequence[int]) -> tuple[IntArray, IntArray]:
        """The sums (points, combinations) that just reach each point, and those that just do not."""
        lo, hi = self.spans[-1]
        last = multipliers[-1]
        sums = self.codes @ np.asarray(multipliers[:-1], np.int64)
        return (np.where(self.firsts <= hi, sums + last * self.firsts, self.FAR),
                np.where(self.firsts > lo, sums + last * (self.firsts - 1), -self.FAR))

    def against(self, multipliers: Sequence[int]) -> set[int]:
        """Combinations, at most two for each point, that show why these multipliers do not separate; else none."""
        reaching, below = self._sides(multipliers)
        if not reaching.size:
            return set()
        low, high = reaching.argmin(1), below.argmax(1)
        at = np.arange(len(low))
        wrong = reaching[at, low] <= below[at, high]
        return {*low[wrong].tolist(), *high[wrong].tolist()}

    def of_combinations(self, rows: Sequence[int]) -> Grid:
        """The same with these combinations alone."""
        return Grid(self.codes[rows], self.spans, self.firsts[:, rows])

    def thresholds(self, multipliers: Sequence[int]) -> Weighing | None:
        """The thresholds for these multipliers, None where they do not separate what lies on either side of a point."""
        margins = self.margins(multipliers)
        if margins is None:
            return None
        highest = sum(multiplier * span[1] for multiplier, span in zip(multipliers, self.spans, strict=True))
        return Weighing(tuple(multipliers), tuple(np.minimum(margins[0], highest + 1).tolist()))


class _Trials:
    """Multipliers tried one after the other; combinations that spoke against earlier ones are asked first."""

    def __init__(self, grid: Grid) -> None:
        self._grid, self._known = grid, grid.of_combinations([])
        self._rows: set[int] = set()

    def thresholds(self, multipliers: Sequence[int]) -> Weighing | None:
        """As the grid's."""
        if self._known.margins(multipliers) is None:
            return None
        if (found := self._grid.thresholds(multipliers)) is None:
            self._rows |= self._grid.against(multipliers)
            self._known = self._grid.of_combinations(sorted(self._rows))
        return found


@dataclass(frozen=True, eq=False)
class Question:
    """A sum and its points: which of `count` branches count, their signs and sizes, and what their codes reach."""

    points: Sequence[Point]
    count: int
    present: Sequence[int]
    signs: Sequence[int]
    sizes: Sequence[Fraction]
    grid: Grid

    def smallest(self) -> Weighing | None:
        """The smallest multipliers of the branches that count, without signs; None where none were found."""
        if not self.sizes:
            return Weighing((), tuple(0 if _reached_by_zero(point) else 1 for point in self.points))
        if len(self.sizes) == 2:
            return smallest_ratio(self.sizes, _Trials(self.grid).thresholds)
        return _first_multiple(self.sizes, _Trials(self.grid).thresholds)

    @property
    def codes(self) -> list[Fraction]:
        """How many codes, on average the distance of two points, a code of every branch counts."""
        known = [(place, point[0]) for place, point in enumerate(self.points) if not isinstance(point, bool)]
        if len(known) < 2 or known[0][1] == known[-1][1]:
            return list(self.sizes)
        (first, at), (last, to) = known[0], known[-1]
        return [size * (last - first) / (to - at) for size in self.sizes]

    def whole(self, multipliers: Sequence[int]) -> tuple[int, ...]:
        """The multipliers of all branches, with signs."""
        whole = [0] * self.count
        for i, sign, multiplier in zip(self.present, self.signs, multipliers, strict=True):
            whole[i] = sign * multiplier
        return tuple(whole)


def ask(scales: Sequence[Fraction], ranges: Sequence[tuple[int, int]], points: Sequence[Point]) -> Question | None:
    """The question of `weigh`; None where it has more combinations than are looked at."""
    present = sorted((i for i, scale in enumerate(scales) if scale), key=lambda i: ranges[i][1] - ranges[i][0])
    signs = [1 if scales[i] > 0 else -1 for i in present]
    spans = [ranges[i] if sign > 0 else (-ranges[i][1], -ranges[i][0]) for i, sign in zip(present, signs, strict=True)]
    if prod(hi - lo + 1 for lo, hi in spans[:-1]) * len(points) > MAX_COMBINATIONS:
        return None
    sizes = [abs(scales[i]) for i in present]
    return Question(points, len(scales), present, signs, sizes, Grid.of(sizes, spans, points) if present else _NOTHING)


_NOTHING = Grid(np.zeros((0, 0), np.int64), (), np.zeros((0, 0), np.int64))


def _firsts(sizes: Sequence[Fraction], codes: IntArray, at: Fraction, closed: bool) -> NDArray[np.int64]:
    """The smallest code of the last branch for which a combination reaches the point, exactly; (combinations,)."""
    *others, last = sizes
    unit = lcm(at.denominator, *(size.denominator for size in sizes))
    whole, level, step = [int(size * unit) for size in others], int(at * unit), int(last * unit)
    near = (float(at) - codes @ np.asarray([float(size) for size in others], np.float64)) / float(last)
    guess = np.rint(near)
    rounded = (np.ceil(near) if closed else np.floor(near) + 1).astype(np.int64)
    for row in np.flatnonzero(np.abs(near - guess) <= 1e-9 * (1 + np.abs(near).max())).tolist():
        rest = level - sum(w * q for w, q in zip(whole, codes[row].tolist(), strict=True))
        rounded[row] = -(-rest // step) if closed else rest // step + 1
    return np.asarray(rounded, np.int64)


def smallest_ratio(sizes: Sequence[Fraction], accept: Callable[[Sequence[int]], Weighing | None]) -> Weighing | None:
    """The simplest fraction m1 / m2 near the ratio of two scales that is accepted.

    What is accepted is an interval around the ratio, and its simplest fraction is one of the ratio's intermediate
    convergents, which approach the ratio from alternate sides (Khinchin, Continued Fractions, 1964).
    """
    for whole in _convergents(sizes[0] / sizes[1]):
        run = whole.below(1 << MAX_MULTIPLIER_BITS)
        if run.last >= run.first and accept(run.at(run.last)) is not None:
            return accept(run.at(_first_accepted(run, accept)))
        if run.last < whole.last:
            return None
    return None


def _first_accepted(run: _Run, accept: Callable[[Sequence[int]], Weighing | None]) -> int:
    lo, hi = run.first, run.last
    while lo < hi:
        middle = (lo + hi) // 2
        lo, hi = (lo, middle) if accept(run.at(middle)) is not None else (middle + 1, hi)
    return lo


class _Run(NamedTuple):
    """Fractions (p + j * step_p) / (q + j * step_q) for j = first .. last, as pairs."""

    start: tuple[int, int]
    step: tuple[int, int]
    first: int
    last: int

    def at(self, j: int) -> tuple[int, int]:
        """The fraction of one j."""
        return self.start[0] + j * self.step[0], self.start[1] + j * self.step[1]

    def below(self, limit: int) -> _Run:
        """The part whose numbers are below a limit."""
        ends = [(limit - 1 - start) // step for start, step in zip(self.start, self.step, strict=True) if step]
        return self._replace(last=min(self.last, *ends))


def _convergents(ratio: Fraction) -> Iterator[_Run]:
    """Runs of intermediate convergents of a positive ratio, each ending with a convergent; the last is the ratio."""
    before, last = (0, 1), (1, 0)
    rest = ratio
    while True:
        whole = floor(rest)
        run = _Run(before, last, min(whole, 1), whole)
        yield run
        before, last = last, run.at(run.last)
        if rest == whole:
            return
        rest = 1 / (rest - whole)


def _first_multiple(sizes: Sequence[Fraction], accept: Callable[[Sequence[int]], Weighing | None]) -> Weighing | None:
    """The first accepted multipliers round(size * factor / largest size), the factor rising."""
    largest, factor = max(sizes), 1
    while factor < 1 << MAX_MULTIPLIER_BITS:
        multipliers = [round(size * factor / largest) for size in sizes]
        if (found := accept(multipliers)) is not None:
            return found
        factor = max(factor + 1, ceil(factor * 1.02))
    return None
