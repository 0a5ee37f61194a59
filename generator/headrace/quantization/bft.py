"""Backward-forward tuning of fractional lengths against the accuracy of the network (BFT).

Source: Kim et al., arXiv:1810.13329, Algorithm 4.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from headrace.errors import QuantizationError

#: Fractional lengths of all layers -> figures of merit, such as (Top-1, Top-5).
Performance = Callable[[tuple[int, ...]], Sequence[float]]


@dataclass(frozen=True)
class Tuning:
    """Result of `backward_forward_tune`; `evaluations` counts the networks that were run."""

    frac_bits: tuple[int, ...]
    score: float
    evaluations: int


def visiting_order(layers: int) -> list[int]:
    """Last to first, then first to last.

    >>> visiting_order(3)
    [2, 1, 0, 0, 1, 2]
    """
    return [*reversed(range(layers)), *range(layers)]


def backward_forward_tune(frac_bits: Sequence[int], performance: Performance, window: int = 1,
                          weights: Sequence[float] = (1.0,), order: Sequence[int] | None = None) -> Tuning:
    """Tune one layer after the other to the best sum of weights * performance, which never falls.

    Every visit of a layer tries FL + d, d = -window..window, with all other layers as they are; a tie keeps the
    smallest |d|, then the smaller FL. frac_bits: one per layer, of weights, biases or feature maps. order: layers to
    visit, `visiting_order` by default. At most 2 L (2 window + 1) evaluations; repeated ones are remembered.
    Source: arXiv:1810.13329, Algorithm 4.
    Raises QuantizationError for a negative window, an unknown layer, figures without a weight and a score that
    is not a number.

    >>> backward_forward_tune([5, 4], lambda fl: [-(fl[0] - 6) ** 2 - abs(fl[1] - 2)])
    Tuning(frac_bits=(6, 2), score=0.0, evaluations=8)
    """
    order = visiting_order(len(frac_bits)) if order is None else order
    _require_visits(order, len(frac_bits), window)
    seen: dict[tuple[int, ...], float] = {}

    def score(lengths: tuple[int, ...]) -> float:
        if lengths not in seen:
            seen[lengths] = _weighted(lengths, performance(lengths), weights)
        return seen[lengths]

    current = tuple(frac_bits)
    for layer in order:
        trials = {d: (*current[:layer], current[layer] + d, *current[layer + 1 :]) for d in range(-window, window + 1)}
        best = max(trials, key=lambda d: (score(trials[d]), -abs(d), -d))
        current = trials[best]
    return Tuning(current, score(current), len(seen))


def _weighted(lengths: tuple[int, ...], figures: Sequence[float], weights: Sequence[float]) -> float:
    """sum weights * figures of some fractional lengths."""
    if len(figures) != len(weights):
        raise QuantizationError(f"performance of fractional lengths {lengths} has {len(figures)} figures for "
                                f"{len(weights)} weights; give one weight for each, 0 for those to ignore")
    score = sum(weight * figure for weight, figure in zip(weights, figures, strict=True))
    if math.isnan(score):
        raise QuantizationError(f"performance of fractional lengths {lengths} is nan; return finite figures")
    return score


def _require_visits(order: Sequence[int], layers: int, window: int) -> None:
    """Raise QuantizationError unless window and order make sense."""
    if window < 0:
        raise QuantizationError(f"a window of {window} is negative; use 0 or more")
    if strangers := [layer for layer in order if not 0 <= layer < layers]:
        raise QuantizationError(f"visiting order names layer {strangers[0]} of {layers}; use 0 to {layers - 1}")
