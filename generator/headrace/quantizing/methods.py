"""The methods by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from headrace.quantizing.adapt import adapted
from headrace.quantizing.affine import affine
from headrace.quantizing.data import Batches
from headrace.quantizing.fixed_point import FixedPointFormats, Rule, fixed_point_formats
from headrace.quantizing.plan import Widths
from headrace.quantizing.problem import Candidate, Problem
from headrace.quantizing.scaled import coarse_to_fine
from headrace.quantizing.settings import Settings
from headrace.quantizing.train import Training, quantization_aware
from headrace.quantizing.tune import tuned


@dataclass(frozen=True, eq=False)
class Found:
    """What a method found; `evaluations` counts the networks that it ran on the kept samples."""

    candidate: Candidate
    evaluations: int = 0


@dataclass(frozen=True)
class Method:
    """How a network is quantized at given widths, and what happens after.

    join_sums: the branches of a sum share a quantizer; output: the network's output has one.
    """

    at: Callable[[Problem, Widths, Settings], Candidate]
    refine: Callable[[Problem, Widths, Settings, Batches], Found] | None = None
    join_sums: bool = False
    output: bool = False

    def run(self, problem: Problem, widths: Widths, settings: Settings, batches: Batches) -> Found:
        """The quantized network; `batches` are what methods train with."""
        if self.refine is None:
            return Found(self.at(problem, widths, settings))
        return self.refine(problem, widths, settings, batches)


def _affine(chosen: Mapping[str, Any], problem: Problem, widths: Widths, settings: Settings) -> Candidate:
    return affine(problem, widths, replace(settings, method="affine", **chosen))


def _formats(rule: Rule, problem: Problem, widths: Widths) -> FixedPointFormats:
    return fixed_point_formats(problem.net, problem.points, problem.tensors, widths, rule)


def _fixed_point(rule: Rule, problem: Problem, widths: Widths, settings: Settings) -> Candidate:
    return Candidate(problem.net, _formats(rule, problem, widths).plan(problem.net))


def _tuned(rule: Rule, problem: Problem, widths: Widths, settings: Settings, batches: Batches) -> Found:
    formats, evaluations = tuned(problem, _formats(rule, problem, widths), settings.window)
    return Found(Candidate(problem.net, formats.plan(problem.net)), evaluations)


def _trained(problem: Problem, widths: Widths, settings: Settings, batches: Batches) -> Found:
    training = Training(settings.cycles, settings.learning_rate, seed=settings.seed)
    return Found(quantization_aware(affine(problem, widths, settings), batches, training))


def _fitted(chosen: Mapping[str, Any], problem: Problem, widths: Widths, settings: Settings,
            batches: Batches) -> Found:
    """Affine scales; biases and codes fitted where the settings, or what is `chosen` in their place, ask for it."""
    settings = replace(settings, method="affine", **chosen)
    candidate = affine(problem, widths, settings)
    fit = settings.correct_bias or settings.rounding == "adaptive"
    return Found(adapted(problem, candidate, settings) if fit else candidate)


def _fixed_point_methods() -> dict[str, Method]:
    """Every rule as it is and with tuning."""
    methods: dict[str, Method] = {}
    rules: tuple[Rule, ...] = ("ristretto", "wq", "ggd")
    for rule in rules:
        methods[rule] = Method(partial(_fixed_point, rule))
        methods[f"{rule}+bft"] = Method(partial(_fixed_point, rule), partial(_tuned, rule))
    return methods


#: What method ptq chooses of the settings of affine scales.
BEST = {"ranges": "mse", "rounding": "adaptive"}

METHODS: dict[str, Method] = {
    **_fixed_point_methods(),
    "coarse-to-fine": Method(lambda problem, widths, settings: coarse_to_fine(problem, widths), output=True),
    "affine": Method(affine, partial(_fitted, {}), join_sums=True),
    "ptq": Method(partial(_affine, BEST), partial(_fitted, BEST), join_sums=True),
    "affine+qat": Method(affine, _trained, join_sums=True),
}
