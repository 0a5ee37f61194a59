"""Indices of the largest elements of a frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.datatypes import DataType, IntArray, Interval
from headrace.errors import InputError, require_divides, require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Selection
from headrace.layers.schedule import Schedule, Step
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class LabelSelect(Layer):
    """The indices of the `k` largest of `labels` elements, the largest first; among equals the lowest index first."""

    kind = "label_select"
    name: str
    labels: int
    element: DataType
    k: int = 1
    pe: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, labels=self.labels, k=self.k)
        require_divides(self.name, "PE", self.pe, "labels", self.labels)
        if self.k > self.labels:
            raise InputError(f"{self.name}: k={self.k} exceeds labels={self.labels}; choose at most {self.labels}")

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.pe, self.labels // self.pe),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(Interval(0, self.labels - 1), 1, self.k),)

    def golden(self, *x: IntArray) -> IntArray:
        return np.argsort(-x[0], axis=1, kind="stable")[:, : self.k]

    def schedule(self) -> Schedule:
        words = self.inputs[0].words
        steps = (Step(words - 1, 1, 0), Step(1, 1, 1), Step(self.k - 1, 0, 1))
        # The next frame is read while this one's indices leave; its last word waits for them.
        return Schedule(tuple(step for step in steps if step.repeats), 3 + self._stages, run_ahead_words=words,
                        flow=Selection(self.k, self._stages))

    @property
    def _stages(self) -> int:
        """Registers from the input slice to the last place of the list: sorting a word, the places above."""
        return (2 if self.pe > 1 else 0) + self.k - 1

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.labels}

    def parameters(self) -> Parameters:
        return (("LABELS", self.labels), ("PE", self.pe), ("K", self.k), ("E_BITS", self.element.bits),
                ("E_KIND", self.element.kind), ("O_BITS", self.outputs[0].element.bits))
