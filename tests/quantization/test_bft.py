"""Backward-forward tuning."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.errors import QuantizationError
from headrace.quantization.bft import backward_forward_tune, visiting_order

exact = settings(derandomize=True, deadline=None)


@exact
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=4), st.integers(0, 2), st.integers(0, 1000))
def test_the_score_never_falls(start: list[int], window: int, seed: int) -> None:
    visited = []

    def performance(lengths: Sequence[int]) -> list[float]:
        visited.append(lengths)
        return [hash((seed, lengths)) % 7, 1.0]

    tuned = backward_forward_tune(start, performance, window, (2.0, 0.5))
    assert tuned.score == 2.0 * performance(tuned.frac_bits)[0] + 0.5 >= 2.0 * performance(tuple(start))[0] + 0.5
    assert len(visited) - 2 == tuned.evaluations == len(set(visited)) <= 2 * len(start) * (2 * window + 1)


def test_a_tie_moves_nothing_and_prefers_the_smaller_length() -> None:
    assert backward_forward_tune([3, 3], lambda lengths: [1.0]).frac_bits == (3, 3)
    assert backward_forward_tune([3], lambda lengths: [abs(lengths[0] - 3)], order=[0]).frac_bits == (2,)


@pytest.mark.parametrize(("start", "order", "window", "score", "tuned", "final"), [
    ([5, 4, 3], None, 1, lambda f: 90 - (f[0] - 6) ** 2 - 2 * (f[1] - 4) ** 2 - 3 * (f[2] - 2) ** 2, (6, 4, 2), 90.0),
    ([5, 5], [1, 0, 0, 1], 1, lambda f: 90 - (f[0] - 7) ** 2 - (f[1] - 3) ** 2, (7, 3), 90),
])
def test_known_results(start: list[int], order: list[int] | None, window: int, score: Callable[[Sequence[int]], float],
                       tuned: tuple[int, ...], final: float) -> None:
    result = backward_forward_tune(start, lambda lengths: [score(lengths)], window, order=order)
    assert (result.frac_bits, result.score) == (tuned, final)


def test_order() -> None:
    assert visiting_order(4) == [3, 2, 1, 0, 0, 1, 2, 3]


@pytest.mark.parametrize(("performance", "window", "order", "sentence"), [
    (lambda lengths: [0.0], -1, None, "a window of -1 is negative; use 0 or more"),
    (lambda lengths: [0.0], 0, [2], "names layer 2 of 2; use 0 to 1"),
    (lambda lengths: [0.7, 0.9], 0, None, r"lengths \(1, 1\) has 2 figures for 1 weights; give one weight"),
    (lambda lengths: [float("nan")], 0, None, r"performance of fractional lengths \(1, 1\) is nan"),
])
def test_errors(performance: Callable[[tuple[int, ...]], Sequence[float]], window: int, order: list[int] | None,
                sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        backward_forward_tune([1, 1], performance, window, order=order)
