"""Low-precision layers by weight differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.errors import QuantizationError
from headrace.quantization.weight_difference import (
    Statistic,
    rank_layers,
    record_cycles,
    select_layers,
    weight_diff_stats,
)

exact = settings(derandomize=True, deadline=None)
STATS = [0.099, 0.68, 0.739, 0.866, 0.442, 0.229, 0.514, 0.047, 0.201, 0.559]
LOSS = [0, 0.001128, 0.003875, 0.006771, 0.008066, 0.011244, 0.016267, 0.01767, 0.023626, 0.026437, 0.031909]


def by_count(loss: Sequence[float]) -> Callable[[Sequence[int]], float]:
    return lambda low: loss[len(low)]


def test_selection_by_every_method() -> None:
    order = rank_layers(STATS)
    assert order == [7, 0, 8, 5, 4, 6, 9, 1, 2, 3]
    halving = select_layers(order, by_count(LOSS), 0.01, "halving", n_stop=5)
    assert (halving.layers, halving.trace) == ((7, 0, 8, 5, 4), ((5, 0.011244),))
    assert select_layers(order, by_count(LOSS), 0.01, "bisect").layers == (7, 0, 8, 5)
    assert select_layers(order, method="count", count=3).layers == (7, 0, 8)
    assert select_layers(order, method="count", count=3, skip_smallest=True).layers == (0, 8, 5)


def test_equal_statistics_rank_by_index() -> None:
    order, loss = rank_layers([0.5] * 5), by_count([0, 0.0021, 0.0041, 0.0065, 0.0120, 0.0170])
    assert select_layers(order, loss, 0.01, "halving").layers == (0, 1)
    assert select_layers(order, loss, 0.01, "bisect").layers == (0, 1, 2)
    assert select_layers([0], by_count([0, 0]), 0.01, "halving").layers == ()


@exact
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40), st.floats(-0.1, 1.1), st.sampled_from(["halving", "bisect"]),
       st.booleans())
def test_bisect_finds_the_most_layers_and_both_ask_seldom(losses: list[float], threshold: float,
                                                          method: Literal["halving", "bisect"], skip: bool) -> None:
    losses, asked = sorted(losses), []
    order = list(reversed(range(len(losses) + skip)))

    def loss_of(low: Sequence[int]) -> float:
        asked.append(low)
        return losses[len(low) - 1]

    selection = select_layers(order, loss_of, threshold, method, skip)
    most = sum(loss <= threshold for loss in losses)
    assert len(asked) <= math.ceil(math.log2(len(losses))) + 1
    assert selection.trace == tuple((len(low), losses[len(low) - 1]) for low in asked)
    assert selection.layers == tuple(order[skip : skip + len(selection.layers)])
    assert len(selection.layers) == most if method == "bisect" else len(selection.layers) <= most
    bits = selection.bits(len(order), 4, 8)
    assert [layer for layer in bits if bits[layer] == 4] == sorted(selection.layers)


def test_statistics_are_those_of_all_elements_and_cycles() -> None:
    rng = np.random.default_rng(0)
    initial = [rng.standard_normal((2, 3)), rng.standard_normal(50)]
    snapshots = [[w + rng.standard_normal(w.shape) * 0.1 - 0.02 for w in initial] for _ in range(3)]
    for layer, start in enumerate(initial):
        d = np.concatenate([(cycle[layer] - start).ravel() for cycle in snapshots])
        expected: dict[Statistic, float] = {"mean_square": (d**2).mean(), "mean": abs(d.mean()),
                                          "variance": d.var(), "std": d.std()}
        for kind, value in expected.items():
            assert weight_diff_stats(initial, snapshots, kind)[layer] == pytest.approx(value, rel=1e-12)
            assert weight_diff_stats(initial, [initial, initial], kind)[layer] == 0


def test_the_size_of_a_layer_has_no_influence() -> None:
    small, large = np.zeros(4), np.zeros(400)
    assert len(set(weight_diff_stats([small, large], [[small + 0.5, large + 0.5]]))) == 1


def test_cycles_are_recorded_by_value() -> None:
    weights = np.zeros(2)

    def run_cycle(k: int) -> list[np.ndarray]:
        weights[:] = k + 1
        return [weights]

    assert [cycle[0].tolist() for cycle in record_cycles(run_cycle, 2)] == [[1, 1], [2, 2]]


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: select_layers([0, 1], method="count", count=3), "count=3 low-precision layers cannot be taken from 2"),
    (lambda: select_layers([0, 1], method="count", count=-1), "count=-1 low-precision"),
    (lambda: select_layers([0, 1], method="count"), "count=None low-precision"),
    (lambda: select_layers([0, 1], method="halving"), "with loss function None cannot select layers"),
    (lambda: select_layers([0, 1], lambda low: 0.0, method="all"),  # type: ignore[arg-type]
     "method 'all'"),
    (lambda: select_layers([0, 1], lambda low: math.nan), "the loss with 1 low-precision layers is nan"),
    (lambda: select_layers([0, 1], lambda low: 0.0, math.nan), "a threshold of nan accepts no loss"),
    (lambda: rank_layers([1.0, math.nan]), "statistics: 1 of 2 values are nan or inf"),
    (lambda: weight_diff_stats([[1.0]], [[[1.0]]], "range"),  # type: ignore[arg-type]
     "statistic 'range' is unknown"),
    (lambda: weight_diff_stats([[1.0]], []), "need 1 or more cycles"),
    (lambda: weight_diff_stats([[1.0]], [[[1.0, 2.0]]]), "layer 0: weights of shapes"),
    (lambda: weight_diff_stats([[]], [[[]]]), "layer 0: weights of shapes"),
    (lambda: record_cycles(lambda k: [], 0), "0 training cycles show no difference"),
])
def test_errors(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        call()
