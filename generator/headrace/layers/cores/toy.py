"""Core toy: core plain under another name, dearer, so that nobody is given it who does not ask."""

from __future__ import annotations

from headrace.area.amounts import Amounts
from headrace.layers.cores.core import Unit
from headrace.layers.cores.plain import Plain


class Toy(Plain):
    """Products of any operands (headrace_dot_toy)."""

    name, number = "toy", 5
    takes_any_weights = False

    def amounts(self, a: Amounts, unit: Unit) -> None:
        super().amounts(a, unit)
        a.add("toy", lut=1000)
