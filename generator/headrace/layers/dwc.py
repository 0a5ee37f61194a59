"""Data width converter between any two numbers of lanes, one word per cycle on the side that has more of them."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, lcm

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import multiplexer, slices
from headrace.datatypes import DataType, IntArray
from headrace.errors import FoldingError, require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Flow, Narrow, Pipeline, Widen
from headrace.layers.hls import HlsForm, HlsLoop, HlsProcess
from headrace.layers.phases import Loop, Schedule, demand_phases
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream


@dataclass(frozen=True)
class Dwc(Layer):
    """`words` input words of `in_lanes` lanes per frame become words of `out_lanes` lanes, elements in order."""

    kind = "dwc"
    #: A ratio of 2 to 3, neither of which fills whole bytes.
    example = {"in_lanes": 2, "out_lanes": 3, "element": "int3", "words": 12}
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

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("in_lanes"), f.integer("out_lanes"), f.dtype("element"), f.integer("words"))

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

    @property
    def hls(self) -> HlsForm:
        ins, outs = self.in_lanes, self.out_lanes
        period = lcm(ins, outs)
        # With fewer lanes in than out every iteration takes a word, else every iteration puts one.
        ends = np.arange(1, period // min(ins, outs) + 1)
        reads, writes = np.ones_like(ends), np.ones_like(ends)
        if ins < outs:
            writes = ends * ins // outs - (ends - 1) * ins // outs
        else:
            reads = -(-ends * outs // ins) - -(-(ends - 1) * outs // ins)
        loop = HlsLoop(reads, writes, self.words * ins // period)
        return HlsForm((HlsProcess(self.kind, ("in0",), ("out0",), loop),))

    def parameters(self) -> Parameters:
        return (("IN_LANES", self.in_lanes), ("OUT_LANES", self.out_lanes), ("E_BITS", self.element.bits),
                ("WORDS", self.words))

    def amounts(self, a: Amounts) -> None:
        """Whole ratios choose units or shift them in; others multiplex what is left with the word in (headrace_dwc)."""
        lanes = gcd(self.in_lanes, self.out_lanes)
        unit, into, out = lanes * self.element.bits, self.in_lanes // lanes, self.out_lanes // lanes
        a.add("dwc", lut=3)
        if out == 1:
            a.add("narrowing", lut=unit if into == 2 else (multiplexer(into) + 1) * unit, ff=(into + 1) * unit)
            a.add("dwc control", lut=2 * into.bit_length(), ff=(into - 1).bit_length() + 3)
        elif into == 1:
            a.add("widening", ff=(2 * out - 1) * unit)
            a.add("dwc control", lut=2 * (out - 1).bit_length(), ff=(out - 1).bit_length() + 2)
        else:
            slices(a, into * unit)
            a.add("single slice", lut=2, ff=out * unit + 1)
            level = (into + out - 1).bit_length()
            a.add("dwc control", lut=3 * level + out, ff=level + out + 2)
            _ratio(a, into, out, unit)


def _ratio(a: Amounts, into: int, out: int, unit: int) -> None:
    """Every unit put is one that was left over or one of the word in, by the number left over; so are those left."""
    left = max(into, out) - 1
    choices = [(place < left) + min(place, out - 1) - max(0, place - into + 1) + 1 for place in range(into + out - 1)]
    behind = choices[out:] + [0] * left
    # A word in that does not fill a word out stays where it is.
    kept = [behind[place] + (choices[place] if into < out else 0) for place in range(left)]
    a.add("units put", lut=unit * sum(_choice(count) for count in choices[:out]))
    a.add("units left", lut=unit * sum(_choice(count) for count in kept), ff=left * unit)


def _choice(count: int) -> float:
    """LUTs of one bit that is chosen by the number of units left over."""
    return (0.0, 0.0, 1.0, 1.0, 1.3)[count] if count <= 4 else 0.9 * (count - 1)
