"""Indices of the largest elements of a frame."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, multiplexer, shift, slices
from headrace.datatypes import DataType, IntArray, Interval, uint_type
from headrace.errors import InputError, require_positive
from headrace.fold_rule import require_divides
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Selection
from headrace.layers.hls import HlsForm, HlsLoop, HlsProcess
from headrace.layers.phases import Schedule, Step
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class LabelSelect(Layer):
    """The indices of the `k` largest of `labels` elements, the largest first; among equals the lowest index first."""

    kind = "label_select"
    #: More indices than words of a frame, many equal elements.
    example = {"labels": 12, "pe": 4, "k": 5, "element": "int3"}
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

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("labels"), f.dtype("element"), f.integer("k", 1), f.integer("pe", 1))

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
    def hls(self) -> HlsForm:
        words, bits = self.inputs[0].words, self.outputs[0].element.bits
        last = (np.arange(words) == words - 1).astype(np.int64)
        selected = "out0" if self.k == 1 else "list"
        select = HlsProcess(self.kind, ("in0",), (selected,), HlsLoop(np.ones(words, np.int64), last))
        if self.k == 1:
            return HlsForm((select,))
        first = (np.arange(self.k) == 0).astype(np.int64)
        results = HlsProcess("label_results", ("list",), ("out0",), HlsLoop(first, np.ones(self.k, np.int64)),
                             suffix="_results")
        return HlsForm((select, results), {"list": Stream(uint_type(bits), self.k, 1)})

    @property
    def held_bits(self) -> int:
        return max(super().held_bits, self.k * self.outputs[0].element.bits)

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.labels}

    def parameters(self) -> Parameters:
        return (("LABELS", self.labels), ("PE", self.pe), ("K", self.k), ("E_BITS", self.element.bits),
                ("E_KIND", self.element.kind), ("O_BITS", self.outputs[0].element.bits))

    def amounts(self, a: Amounts) -> None:
        """A place per index put, each of which keeps the best and passes the others on, sorted."""
        k, pe, element = self.k, self.pe, self.element.bits
        label = self.outputs[0].element.bits
        entry = element + label
        slices(a, self.inputs[0].bits, label)
        counters(a, self.inputs[0].words, self.labels)
        a.add("label select", lut=6, ff=k.bit_length())
        a.add("compare", lut=k * pe * ((element + 4) // 2) + pe * (pe - 1) // 2 * ((element + 2) // 2))
        if pe > 1:
            ranks = (pe - 1).bit_length()
            a.add("sort", lut=0.5 * pe * (entry * ceil(multiplexer(pe)) + ranks), ff=pe * (2 * entry + ranks) + 4)
        a.add("places of labels", lut=1.2 * k * entry, ff=k * (entry + 1))
        a.add("passed on", lut=0.75 * (k - 1) * pe * entry, ff=(k - 1) * (pe * (entry + 2) + 2))
        a.add("labels", lut=k * label, ff=k * label)
        for wait in range(1, k):
            shift(a, "labels", wait, label)
        shift(a, "passed on", k - 1 + 2 * (pe > 1), 1)  # which element is the last is read at the end alone
