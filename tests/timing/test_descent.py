"""The smallest number that is fast enough is found whatever the pace looks like, in few trials where it is a line."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import pytest

from headrace.timing.descent import Descent

TARGET = Fraction(1000)
PACES: dict[str, Callable[[int, int], int | None]] = {
    "line": lambda number, smallest: 1000 + max(0, 7 * (smallest - number)),
    "rate": lambda number, smallest: max(1000, -(-1000 * smallest // max(number, 1))),
    "step": lambda number, smallest: 1000 if number >= smallest else 2000,
    "stop": lambda number, smallest: 1000 if number >= smallest else None,
}


def trials(pace: Callable[[int], int | None], enough: int) -> tuple[int, int]:
    """The number found and how many were tried."""
    search, count = Descent(TARGET, 1, enough), 0
    while search.open:
        number, count = search.next(), count + 1
        assert search.too_small < number < search.enough
        found = pace(number)
        search.tried(number, None if found is None else Fraction(found))
    return search.enough, count


@pytest.mark.parametrize("kind", PACES)
@pytest.mark.parametrize("smallest", [2, 3, 57, 4000, 60_000, 99_999, 100_000])
def test_the_smallest_is_found(kind: str, smallest: int) -> None:
    found, count = trials(lambda number: PACES[kind](number, smallest), 100_000)
    assert found == smallest and count <= 2 * 17
    if kind == "line" and smallest > 50_000:  # the first trial is too slow, and tells how much is missing
        assert count <= 9
