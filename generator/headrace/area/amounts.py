"""What a layer consists of: amounts of structures, each worth LUTs and flip-flops up to factors fitted to synthesis.

Where the numbers in a formula come from. A formula counts what the SystemVerilog is built of: bits, words, inputs of a
multiplexer. A whole number follows from the construction: a bit of an adder takes a LUT, a bit of a register a
flip-flop, and a small sum stands for the handshakes and states of the module. A fraction is an observation and not a
rule: the LUTs per bit where synthesis puts two small functions into one LUT6. The fitted factor of the structure
(benchmarks/estimator.py) multiplies both, so that only the proportions inside of a structure matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from headrace.area.usage import Resources
from headrace.memory import PRICES, Prices


class Cost(NamedTuple):
    """LUTs of logic and flip-flops that a structure has by its construction, before synthesis shares any."""

    lut: float = 0
    ff: float = 0

    def plus(self, other: Cost) -> Cost:
        """Both together."""
        return Cost(self.lut + other.lut, self.ff + other.ff)

    def plus_flat(self, lut: float, ff: float) -> Cost:
        """With so much beside it."""
        return Cost(self.lut + lut, self.ff + ff)

    def times(self, count: int) -> Cost:
        """`count` of them."""
        return Cost(self.lut * count, self.ff * count)


@dataclass
class Amounts:
    """Costs by the name of their structure, and what rules of the RTL fix: memories and multipliers.

    prices: of the device, by which memories are chosen.
    """

    prices: Prices = PRICES
    fixed: Resources = field(default_factory=Resources)
    costs: dict[str, Cost] = field(default_factory=dict)

    def add(self, structure: str, lut: float = 0, ff: float = 0) -> None:
        """More of a structure."""
        before = self.costs.get(structure, Cost())
        self.costs[structure] = Cost(before.lut + lut, before.ff + ff)

    def take(self, resources: Resources) -> None:
        """What is certain: memories and multipliers. LUTs and flip-flops belong to a structure."""
        self.fixed += resources

    def total(self, factors: Mapping[str, Mapping[str, float]]) -> Resources:
        """Resources with the fitted factors by "lut" and "ff"; "default" is for structures that no fitted layer has."""
        lut_else, ff_else = (factors.get("default", {}).get(count, 1.0) for count in ("lut", "ff"))
        lut = sum(cost.lut * factors["lut"].get(name, lut_else) for name, cost in self.costs.items())
        ff = sum(cost.ff * factors["ff"].get(name, ff_else) for name, cost in self.costs.items())
        return replace(self.fixed, lut=round(lut), ff=round(ff))
