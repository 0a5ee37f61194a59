"""Data width converter between any two numbers of lanes, one word per cycle on the side that has more of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import lcm

import numpy as np

from headrace.datatypes import DataType, IntArray
from headrace.errors import FoldingError, require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Flow, Narrow, Pipeline, Widen
from headrace.layers.schedule import Loop, Schedule, demand_phases
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class Dwc(Layer):
    """`words` input words of `in_lanes` lanes per frame become words of `out_lanes` lanes, elements in order."""

    kind = "dwc"
    connects = True
    name: str
    in_lanes: int
    out_lanes: int
    element: DataType
    words: int

    def __post_init__(self) -> None:
        require_positive(self.name, in_lanes=self.in_lanes, out_lanes=self.out_lanes, words=self.words)
        if self.words * self.in_lanes % self.out_lanes:
            raise FoldingError(f"{self.name}: a frame of {self.words * self.in_lanes} elements does not fill words of "
                               f"out_lanes={self.out_lanes}; choose a divisor of {self.words * self.in_lanes}")

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.in_lanes, self.words),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.out_lanes, self.words * self.in_lanes // self.out_lanes),)

    @property
    def held_bits(self) -> int:
        return sum(stream.bits for stream in self.streams)  # a word of either side

    def golden(self, *x: IntArray) -> IntArray:
        return x[0]

    def schedule(self) -> Schedule:
        period = lcm(self.in_lanes, self.out_lanes)
        ends = np.arange(self.out_lanes, period + 1, self.out_lanes)
        phases = demand_phases(-(-ends // self.in_lanes), period // self.in_lanes)
        latency = 2 if isinstance(self._flow, Pipeline) else 1
        return Schedule((Loop(self.words * self.in_lanes // period, phases),), latency, flow=self._flow)

    @property
    def _flow(self) -> Flow:
        if self.in_lanes > self.out_lanes and self.in_lanes % self.out_lanes == 0:
            return Narrow(self.in_lanes // self.out_lanes)
        if self.in_lanes < self.out_lanes and self.out_lanes % self.in_lanes == 0:
            return Widen(self.out_lanes // self.in_lanes)
        return Pipeline(0, reads_ahead=True, single=True)

    def parameters(self) -> Parameters:
        return (("IN_LANES", self.in_lanes), ("OUT_LANES", self.out_lanes), ("E_BITS", self.element.bits),
                ("WORDS", self.words))
