"""Methods side by side: each quantizes the network, and samples that none of them has seen say which is best."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from headrace.errors import InputError
from headrace.network.float_graph import FloatNetwork
from headrace.network.ops import FloatArray
from headrace.progress import Step
from headrace.quantization.primitives import sqnr_db
from headrace.quantizing.calibrate import HELD_EVERY, Track
from headrace.quantizing.data import Batches
from headrace.quantizing.equalise import equalised
from headrace.quantizing.methods import METHODS, Found
from headrace.quantizing.mixed import Mixture, choose_widths
from headrace.quantizing.problem import Candidate, Problem, pose
from headrace.quantizing.runner import top1
from headrace.quantizing.settings import AFFINE_ONLY, AUTO, Settings

#: Seconds of a method, before one was tried.
METHOD_S = 5.0
#: What method auto tries: settings that differ from those given.
_AUTO: tuple[dict[str, Any], ...] = (
    {"method": "affine"},
    {"method": "affine", "ranges": "mse", "correct_bias": True},
    {"method": "ptq"},
    {"method": "ptq", "equalize": True},
    {"method": "ggd"},
)
#: What a comparison adds; tuning needs labels.
_COMPARED: tuple[dict[str, Any], ...] = (
    {"method": "affine", "weight_scales": "tensor"},
    {"method": "affine", "ranges": "percentile"},
    {"method": "affine", "ranges": "entropy"},
    {"method": "affine", "equalize": True},
    {"method": "ristretto"},
    {"method": "wq"},
    {"method": "coarse-to-fine"},
)
_TUNED: dict[str, Any] = {"method": "ggd+bft"}


@dataclass(frozen=True, eq=False)
class Attempt:
    """A network quantized by `settings`; mixture: what mixed precision chose, where it was asked for."""

    settings: Settings
    problem: Problem
    found: Found
    mixture: Mixture | None


@dataclass(frozen=True)
class Trial:
    """How a method did on samples that it had not seen: accuracy (None without labels), SQNR of the scores in dB."""

    name: str
    accuracy: float | None
    sqnr_db: float
    chosen: bool = False


class Bench:
    """A float network and the data that it is quantized with; each kind of problem is posed once.

    hold: keep samples back for `trial`.
    """

    def __init__(self, net: FloatNetwork, batches: Batches, track: Track, hold: bool) -> None:
        self.net, self.batches, self.track, self.hold = net, batches, track, hold
        self._problems: dict[tuple[bool, bool, bool], Problem] = {}

    def problem(self, settings: Settings) -> Problem:
        """What the method of the settings starts from."""
        method = METHODS[settings.method]
        kind = (method.join_sums, method.output, settings.equalize)
        if kind not in self._problems:
            net = equalised(self.net) if settings.equalize else self.net
            self._problems[kind] = pose(net, self.batches, settings.samples, hold=self.hold,
                                        join_sums=method.join_sums, output=method.output, track=self.track)
        return self._problems[kind]

    def attempt(self, settings: Settings) -> Attempt:
        """The network quantized by settings that name one method."""
        method, problem = METHODS[settings.method], self.problem(settings)
        mixture = choose_widths(problem, method.at, settings, self.batches) if settings.mixed else None
        widths = mixture.widths if mixture else problem.widths_by(settings)
        return Attempt(settings, problem, method.run(problem, widths, settings, self.batches), mixture)

    def trial(self, attempt: Attempt) -> Trial:
        """How the network does on the samples that were held back."""
        held, candidate = attempt.problem.held, attempt.found.candidate
        wanted = attempt.problem.runner.scores(held.x)
        scores = candidate.runner.scores(held.x, candidate.plan) / self._gains(candidate)
        accuracy = None if held.labels is None else top1(scores, held.labels)
        return Trial(described(attempt.settings), accuracy, sqnr_db(wanted, scores))


    def _gains(self, candidate: Candidate) -> float | FloatArray:
        """By which factor the scores of a candidate differ."""
        gains = [candidate.gains.get(name, 1.0) for name in self.net.outputs]
        return gains[0] if len(gains) == 1 else np.repeat(gains, [
            math.prod(self.net.shapes[name]) for name in self.net.outputs])


def choose(bench: Bench, settings: Settings, compare: bool,
           progress: Callable[[str], None]) -> tuple[Attempt, tuple[Trial, ...]]:
    """The attempt of the settings, or for method auto the best one, and the trials of all that were run.

    Raises InputError where too few samples are kept to hold some back.
    """
    attempts, rivals = list[Attempt](), _rivals(bench, settings, compare)
    for rival in rivals:
        progress(Step(f"{described(rival)}, {len(attempts) + 1} of {len(rivals)}", "methods",
                      len(attempts) / len(rivals), seconds=METHOD_S * len(rivals)))
        attempts.append(bench.attempt(rival))
    trials = [bench.trial(attempt) for attempt in attempts]
    winner = _best(trials, len(attempts[0].problem.held.x)) if settings.method == AUTO else 0
    marked = tuple(replace(trial, chosen=place == winner) for place, trial in enumerate(trials))
    return attempts[winner], marked


def _rivals(bench: Bench, settings: Settings, compare: bool) -> list[Settings]:
    """The settings that are tried; those given come first. Of method auto all are equalised where that is asked for."""
    auto = settings.method == AUTO
    own = [] if auto else [settings]
    first = replace(settings, method="affine") if auto else settings
    held = bench.problem(first).held
    if not len(held.x):
        raise InputError(f"{len(bench.problem(first).kept.x)} samples are too few to hold some back; give data of "
                         f"{HELD_EVERY} samples or more")
    changes = [*_AUTO, *(_COMPARED if compare else ())] + ([_TUNED] if compare and held.labels is not None else [])
    plain = replace(settings, **_DEFAULTS)
    kept = {"equalize": True} if auto and settings.equalize else {}
    rivals = list(own)
    for change in changes:
        if (rival := replace(plain, **change | kept)) not in rivals:
            rivals.append(rival)
    return rivals


def _best(trials: list[Trial], count: int) -> int:
    """Place of the best trial: the best scores among those whose accuracy is within a standard error of the best.

    Source: the one standard error rule of L. Breiman et al., "Classification and regression trees", 1984, section 3.4.
    """
    shares = [trial.accuracy for trial in trials if trial.accuracy is not None]
    least = -math.inf
    if shares:
        top = max(shares)
        least = top - math.sqrt(top * (1 - top) / count)
    able = [place for place, trial in enumerate(trials) if trial.accuracy is None or trial.accuracy >= least]
    return max(able, key=lambda place: trials[place].sqnr_db)


def described(settings: Settings) -> str:
    """The method with the options of the command line that change it."""
    changed = [name for name in _DEFAULTS if name != "method" and getattr(settings, name) != _DEFAULTS[name]]
    values = [getattr(settings, name) for name in changed]
    options = [f"--{name.replace('_', '-')}" + ("" if value is True else f" {value}")
               for name, value in zip(changed, values, strict=True)]
    return " ".join([settings.method, *options])


#: What rivals differ in.
_DEFAULTS = {name: getattr(Settings(), name) for name in ("method", "equalize", *AFFINE_ONLY)}
