"""The methods by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

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

    at: Callable[[Problem, Widths], Candidate]
    refine: Callable[[Problem, Widths, Settings, Batches], Found] | None = None
    join_sums: bool = False
    output: bool = False

    def run(self, problem: Problem, widths: Widths, settings: Settings, batches: Batches) -> Found:
        """The quantized network; `batches` are what methods train with."""
        return self.refine(problem, widths, settings, batches) if self.refine else Found(self.at(problem, widths))


def _formats(rule: Rule, problem: Problem, widths: Widths) -> FixedPointFormats:
    return fixed_point_formats(problem.net, problem.points, problem.tensors, widths, rule)


def _fixed_point(rule: Rule, problem: Problem, widths: Widths) -> Candidate:
    return Candidate(problem.net, _formats(rule, problem, widths).plan(problem.net))


def _tuned(rule: Rule, problem: Problem, widths: Widths, settings: Settings, batches: Batches) -> Found:
    formats, evaluations = tuned(problem, _formats(rule, problem, widths), settings.window)
    return Found(Candidate(problem.net, formats.plan(problem.net)), evaluations)


def _trained(problem: Problem, widths: Widths, settings: Settings, batches: Batches) -> Found:
    training = Training(settings.cycles, settings.learning_rate, seed=settings.seed)
    return Found(quantization_aware(affine(problem, widths), batches, training))


def _fixed_point_methods() -> dict[str, Method]:
    """Every rule as it is and with tuning."""
    methods: dict[str, Method] = {}
    rules: tuple[Rule, ...] = ("ristretto", "wq", "ggd")
    for rule in rules:
        methods[rule] = Method(partial(_fixed_point, rule))
        methods[f"{rule}+bft"] = Method(partial(_fixed_point, rule), partial(_tuned, rule))
    return methods


METHODS: dict[str, Method] = {
    **_fixed_point_methods(),
    "coarse-to-fine": Method(coarse_to_fine, output=True),
    "affine": Method(affine, join_sums=True),
    "affine+qat": Method(affine, _trained, join_sums=True),
}
