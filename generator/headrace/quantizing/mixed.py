"""Mixed precision on networks: which layers keep the low width.

Candidates for the low width are ranked, and a search along the ranking takes as many as the allowed loss of accuracy
permits. Rankings: the SQNR at the low width (Kim et al., arXiv:1810.13329, section 3.3), how little training moves the
weights (US 12,393,828 B2, the subject of this granted US patent), the range of the weights, and the loss of every layer
alone, which costs one evaluation per layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from itertools import count
from typing import Literal

import numpy as np

from headrace.quantization.precision import mixed_precision
from headrace.quantization.weight_difference import rank_layers, record_cycles, select_layers, weight_diff_stats
from headrace.quantizing.data import Batches
from headrace.quantizing.measure import tensor_sqnr_db, weight_sqnr_db
from headrace.quantizing.plan import Widths
from headrace.quantizing.problem import Candidate, Problem
from headrace.quantizing.settings import Settings
from headrace.quantizing.train import Training, train_cycles

#: A method at given widths.
At = Callable[[Problem, Widths, Settings], Candidate]
PURPOSE = "mixed precision within an accuracy drop"


@dataclass(frozen=True)
class Item:
    """What gets a width of its own: the weights of a layer, or a group of tensors."""

    part: Literal["weights", "tensors"]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Mixture:
    """The widths that were chosen: items in rank order, those at the low width, the (low items, loss) pairs that were
    measured, and what the choice cost: networks evaluated and cycles trained.
    """

    widths: Widths
    order: tuple[Item, ...]
    low: tuple[Item, ...]
    trace: tuple[tuple[int, float], ...]
    evaluations: int
    cycles: int


class Trials:
    """Accuracies of a method on the kept samples at mixed widths; counts the networks that it evaluates."""

    def __init__(self, problem: Problem, at: At, settings: Settings) -> None:
        assert settings.mixed is not None  # the callers look
        self.problem, self.at, self.settings = problem, at, settings
        self.low_bits, self.high_bits = settings.mixed
        groups = problem.points.groups if settings.mixed_maps else ()
        self.items = (*(Item("weights", (name,)) for name in problem.net.layers),
                      *(Item("tensors", group) for group in groups))
        self.evaluations = 0
        self._seen: dict[frozenset[Item], float] = {}

    def widths(self, low: Iterable[Item]) -> Widths:
        """The low width for some items, the high width for the others."""
        act_bits = self.high_bits if self.settings.mixed_maps else self.settings.act_bits
        widths = self.problem.widths(self.high_bits, act_bits, self.settings.bias_bits)
        for item in low:
            changed = getattr(widths, item.part) | dict.fromkeys(item.names, self.low_bits)
            widths = replace(widths, **{item.part: changed})
        return widths

    def candidate(self, low: Iterable[Item]) -> Candidate:
        """The quantized network."""
        return self.at(self.problem, self.widths(low), self.settings)

    def accuracy(self, low: Collection[Item]) -> float:
        """Of the quantized network; a repetition costs nothing."""
        key = frozenset(low)
        if key not in self._seen:
            kept = self.problem.kept
            self.evaluations += 1
            self._seen[key] = self.candidate(low).accuracy(kept.x, kept.require_labels(PURPOSE))
        return self._seen[key]

    def first_accuracy(self) -> float:
        """Of the network that losses are measured against: the float network, or the one at the high width."""
        kept = self.problem.kept
        if self.settings.start == "high":
            return self.accuracy(())
        return self.problem.runner.accuracy(kept.x, kept.require_labels(PURPOSE))


def choose_widths(problem: Problem, at: At, settings: Settings, batches: Batches) -> Mixture:
    """The widths of all layers (and of feature maps with `mixed_maps`) by the settings.

    at: a method at given widths. Raises InputError where the data have no labels or cannot be read again for training.
    """
    trials = Trials(problem, at, settings)
    if settings.sqnr_threshold_db is not None:
        low = _above_threshold(trials, settings.sqnr_threshold_db)
        return Mixture(trials.widths(low), trials.items, low, (), 0, 0)
    order = _RANKINGS[settings.select](trials, batches)
    first = trials.first_accuracy() if settings.search != "count" else 0.0
    chosen = select_layers([trials.items.index(item) for item in order],
                           # Losses are whole numbers of samples; the difference of two shares is not quite.
                           lambda low: round(first - trials.accuracy([trials.items[i] for i in low]), 12),
                           settings.accuracy_drop / 100, settings.search, count=settings.count)
    low = tuple(trials.items[i] for i in chosen.layers)
    trained = settings.cycles if settings.select == "weight-difference" else 0
    return Mixture(trials.widths(low), tuple(order), low, chosen.trace, trials.evaluations, trained)


def ranked(problem: Problem, at: At, settings: Settings, batches: Batches, select: str) -> list[Item]:
    """Weights and feature maps, those first that may lose precision.

    Feature maps go by their SQNR, behind the weights where these go by their differences. Raises InputError as
    `choose_widths`.
    """
    by_sqnr = _by_sqnr(Trials(problem, at, replace(settings, select="sqnr", mixed_maps=True)), batches)
    if select == "sqnr":
        return by_sqnr
    weights = _RANKINGS[select](Trials(problem, at, settings), batches)
    return [*weights, *(item for item in by_sqnr if item.part == "tensors")]


def _above_threshold(trials: Trials, threshold_db: float) -> tuple[Item, ...]:
    """The items that keep the low width; layers and feature maps are judged alike."""
    sqnr = dict(zip(map(str, range(len(trials.items))), _sqnr(trials), strict=True))
    bits = mixed_precision(sqnr, threshold_db, trials.low_bits, trials.high_bits).bits
    return tuple(trials.items[int(index)] for index, width in bits.items() if width == trials.low_bits)


def _sqnr(trials: Trials) -> list[float]:
    """SQNR in dB of every item with everything at the low width; of a group, that of its worst tensor."""
    candidate, histograms = trials.candidate(trials.items), trials.problem.tensors
    weights = candidate.net.layers
    return [weight_sqnr_db(weights[item.names[0]].weights, candidate.plan.weights[item.names[0]])
            if item.part == "weights" else
            min(tensor_sqnr_db(candidate, name, histograms[name]) for name in item.names) for item in trials.items]


def _by_sqnr(trials: Trials, batches: Batches) -> list[Item]:
    """Highest SQNR first; what has no signal loses nothing."""
    values = [math.inf if math.isnan(value) else value for value in _sqnr(trials)]
    return [item for _, _, item in sorted(zip([-v for v in values], count(), trials.items, strict=False))]


def _by_weight_difference(trials: Trials, batches: Batches) -> list[Item]:
    """Least moved by training first, from the float network or from the one at the high width."""
    settings = trials.settings
    high = trials.candidate(()) if settings.start == "high" else None
    runner, plan = (trials.problem.runner, None) if high is None else (high.runner, high.plan)
    cycles = train_cycles(runner, batches, Training(settings.cycles, settings.learning_rate, seed=settings.seed), plan)
    snapshots = record_cycles(lambda _: [weight.numpy() for weight, _ in next(cycles).values()], settings.cycles)
    start = [weight.numpy() for weight, _ in runner.parameters.values()]
    return [trials.items[i] for i in rank_layers(weight_diff_stats(start, snapshots))]


def _by_range(trials: Trials, batches: Batches) -> list[Item]:
    """Narrowest range of weights first."""
    ranges = [float(np.ptp(op.weights)) for op in trials.problem.net.layers.values()]
    return [trials.items[i] for i in rank_layers(ranges)]


def _one_at_a_time(trials: Trials, batches: Batches) -> list[Item]:
    """Least loss alone first."""
    return [trials.items[i] for i in rank_layers([-trials.accuracy([item]) for item in trials.items])]


_RANKINGS: dict[str, Callable[[Trials, Batches], list[Item]]] = {
    "sqnr": _by_sqnr,
    "weight-difference": _by_weight_difference,
    "range": _by_range,
    "one-at-a-time": _one_at_a_time,
}
