"""What the shell around an accelerator takes: registers, and what makes words of the network of those of the DMA."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from math import gcd
from typing import Literal

from headrace.area.amounts import Amounts
from headrace.area.structures import slices
from headrace.memory import PRICES, Prices

#: More parts of a word are chosen by the multiplexers behind LUTs; so few need no decoder.
_NARROW_PARTS, _FEW_PARTS = 8, 2
#: Of the place of a word in a gearbox, which is chosen in two steps where it has more.
_PLACE_BITS = 3
#: Of a place that is chosen in two steps; of more it takes three.
_TWO_STEPS_BITS = 4
#: A byte and the bit that says whether it counts.
_BYTE = 9


@dataclass(frozen=True)
class ShellPart:
    """A module headrace_shell_KIND between words of so many bytes; of the registers these are those of frames.

    prices: of the device.
    """

    kind: Literal["narrow", "widen", "gearbox", "registers"]
    in_bytes: int
    out_bytes: int
    prices: Prices = PRICES

    @property
    def area_facts(self) -> Hashable:
        """The part itself."""
        return self

    def priced(self, prices: Prices) -> ShellPart:
        """The same on another device."""
        return replace(self, prices=prices)

    def amounts(self, a: Amounts) -> None:
        """Registers of words, and what selects bytes of them."""
        {"narrow": self._narrow, "widen": self._widen, "gearbox": self._gearbox, "registers": self._registers}[
            self.kind](a)

    def _narrow(self, a: Amounts) -> None:
        parts, bits = self.in_bytes // self.out_bytes, _BYTE * self.out_bytes
        a.add("shell narrow", lut=bits * (parts / 2 if parts <= _NARROW_PARTS else 3 * parts / 8),
              ff=_BYTE * self.in_bytes + bits)
        a.add("shell place", lut=2 * parts + 4, ff=2 * (parts - 1).bit_length() + 5)

    def _widen(self, a: Amounts) -> None:
        parts = self.out_bytes // self.in_bytes
        a.add("shell widen", lut=2.6 * parts + 3 if parts > _FEW_PARTS else parts + 4,
              ff=_BYTE * self.out_bytes + (parts - 1).bit_length() + 2)

    def _gearbox(self, a: Amounts) -> None:
        unit = gcd(self.in_bytes, self.out_bytes)
        (self._to_narrower if self.in_bytes > self.out_bytes else self._to_wider)(a, unit)

    def _to_narrower(self, a: Amounts, unit: int) -> None:
        places = self.in_bytes // unit
        place, bits = (places - 1).bit_length(), _BYTE * self.out_bytes + 1
        near = 4 if place > _PLACE_BITS else 1 << place
        around = _BYTE * (near - 1) * unit + bits if near < places else 0
        slices(a, bits)
        first = around * -(-places // near) / 4
        if place > _TWO_STEPS_BITS:  # a cycle between the second step and the third, ends that are noted
            words = -(-self.in_bytes // self.out_bytes)
            first = around + (around + _BYTE * 12 * unit) * -(-places // 16) / 4
            a.add("shell gearbox", ff=around + words + place + 2)
        a.add("shell gearbox", lut=bits * (2 if near <= 4 else 3) + first,
              ff=_BYTE * (self.in_bytes + self.out_bytes - unit) + place + 4)
        a.add("shell count", lut=self.in_bytes + 6 * place)

    def _to_wider(self, a: Amounts, unit: int) -> None:
        turns, places = self.in_bytes // unit, self.out_bytes // unit
        waits, counters = _BYTE * (self.in_bytes - unit), (turns - 1).bit_length() + (places - 1).bit_length()
        ring = places > 2 * turns
        a.add("shell gearbox", lut=_BYTE * self.in_bytes * (1 if turns <= 4 else 2) + waits,
              ff=_BYTE * self.out_bytes + waits + (1 if ring else turns) + places + counters + 2)
        a.add("shell count", lut=(5 if ring else 6) * places)

    def _registers(self, a: Amounts) -> None:
        a.add("shell registers", lut=140, ff=332)


def between(in_bytes: int, out_bytes: int) -> ShellPart:
    """What makes words of `out_bytes` bytes of words of `in_bytes`.

    >>> [between(16, size).kind for size in (4, 16, 3)]
    ['narrow', 'widen', 'gearbox']
    """
    if out_bytes % in_bytes == 0:
        return ShellPart("widen", in_bytes, out_bytes)
    return ShellPart("narrow" if in_bytes % out_bytes == 0 else "gearbox", in_bytes, out_bytes)
