"""Backward-forward tuning of a whole network's fractional lengths on its own accuracy.

Source: Kim et al., arXiv:1810.13329, Algorithm 4. Weights, then biases, then feature maps are tuned, each from the last
layer to the first and back, with the others as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from headrace.quantization.bft import backward_forward_tune
from headrace.quantizing.fixed_point import FixedPointFormats, moved
from headrace.quantizing.problem import Problem

Part = Literal["weights", "biases", "tensors"]
#: What is tuned, in this order.
PARTS: tuple[Part, ...] = ("weights", "biases", "tensors")


@dataclass(frozen=True, eq=False)
class _Tuner:
    """Moves the fractional lengths of one part; groups of names move together."""

    problem: Problem
    formats: FixedPointFormats
    part: Part
    groups: Sequence[Sequence[str]]

    def start(self) -> list[int]:
        """The present fractional lengths, one per group."""
        return [getattr(self.formats, self.part)[group[0]].frac_bits for group in self.groups]

    def at(self, lengths: Sequence[int]) -> FixedPointFormats:
        """The formats at other fractional lengths."""
        by_name = {name: length for group, length in zip(self.groups, lengths, strict=True) for name in group}
        return replace(self.formats, **{self.part: moved(getattr(self.formats, self.part), by_name)})

    def performance(self, lengths: tuple[int, ...]) -> list[float]:
        """Accuracy on the kept samples."""
        kept = self.problem.kept
        plan = self.at(lengths).plan(self.problem.net)
        return [self.problem.runner.accuracy(kept.x, kept.require_labels("tuning"), plan)]


def tuned(problem: Problem, formats: FixedPointFormats, window: int = 1,
          parts: Sequence[Part] = PARTS) -> tuple[FixedPointFormats, int]:
    """(formats of an accuracy on the kept samples that is never lower, networks evaluated).

    window: fractional lengths from -window to +window around the present one are tried at every visit. Raises
    InputError where the data have no labels.
    """
    problem.kept.require_labels("tuning")
    evaluations = 0
    for part in parts:
        groups = problem.points.groups if part == "tensors" else tuple((name,) for name in problem.net.layers)
        tuner = _Tuner(problem, formats, part, groups)
        result = backward_forward_tune(tuner.start(), tuner.performance, window)
        formats, evaluations = tuner.at(result.frac_bits), evaluations + result.evaluations
    return formats, evaluations
