"""Thresholds of clipped lines in float64 are those of fractions: near integers, at bounds, at all sizes."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from headrace.streamline.line_thresholds import Levels, first_reaching
from headrace.streamline.meaning import Channel


def drawn_fraction(draw: random.Random) -> Fraction:
    """Simple numbers, which make ties, floats of any size, and neighbours of integers."""
    return draw.choice((Fraction(draw.randint(-40, 40), draw.choice((1, 2, 4, 3))), Fraction(draw.gauss(0, 3)),
                        Fraction(draw.gauss(0, 1)) * Fraction(2) ** draw.randint(-60, 60),
                        draw.randint(-9, 9) + Fraction(draw.choice((-1, 1)), 1 << draw.randint(40, 80))))


@pytest.mark.parametrize("seed", range(300))
def test_levels_are_reached_where_fractions_say(seed: int) -> None:
    draw = random.Random(seed)
    scale = abs(drawn_fraction(draw)) or draw.choice((Fraction(0), Fraction(1), Fraction(1, 10**400)))
    lo, hi = (sorted((drawn_fraction(draw), drawn_fraction(draw))) if draw.random() < 0.5 else (None, None))
    channel = Channel(scale, drawn_fraction(draw), lo, hi)
    exact = sorted((drawn_fraction(draw), draw.random() < 0.5) for _ in range(40))
    exact += [(bound, closed) for bound in (lo, hi) if bound is not None for closed in (True, False)]
    least, most = sorted((draw.randint(-1000, 1000), draw.randint(-(1 << 40), 1 << 40)))
    found = first_reaching(channel, Levels.of(exact), least, most)
    assert found.tolist() == [channel.first_reaching(at, closed, least, most) for at, closed in exact]
