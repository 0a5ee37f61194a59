"""Resources: what a piece of hardware takes of a device."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Resources:
    """Logic LUT6, flip-flops, BRAM of 18 Kb, URAM of 288 Kb, DSP48 and the LUTs that serve as memory.

    `lut` does not hold `lutram`; a device's LUTs have to hold both. Resources add up.
    """

    lut: int = 0
    ff: int = 0
    bram18: int = 0
    uram: int = 0
    dsp: int = 0
    lutram: int = 0

    def __add__(self, other: Resources) -> Resources:
        return Resources(self.lut + other.lut, self.ff + other.ff, self.bram18 + other.bram18, self.uram + other.uram,
                         self.dsp + other.dsp, self.lutram + other.lutram)

    def less(self, other: Resources) -> Resources:
        """Without a part of it."""
        return Resources(self.lut - other.lut, self.ff - other.ff, self.bram18 - other.bram18, self.uram - other.uram,
                         self.dsp - other.dsp, self.lutram - other.lutram)

    @property
    def all_luts(self) -> int:
        """LUTs of logic and of memory together, as a device counts them."""
        return self.lut + self.lutram

    @property
    def bram36(self) -> int:
        """Block RAMs of 36 Kb, two of 18 Kb in each."""
        return -(-self.bram18 // 2)


def total(parts: list[Resources]) -> Resources:
    """The sum of all parts."""
    return sum(parts, Resources())
