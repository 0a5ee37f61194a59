"""Core mixed: for a board whose DSP blocks, or whose LUTs, do not suffice for all rows of a layer.

The first rows of every word are those of core dsp, the others those of core pairs, or of halves where weights are
wider.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.multipliers import DSP_PRODUCT_BITS
from headrace.datatypes import DataType, IntArray, uint_type
from headrace.layers.cores.core import Core, Operands, Unit
from headrace.layers.cores.dsp import Dsp, lanes, most_lanes
from headrace.layers.cores.halves import MAX_BITS, Halves
from headrace.layers.cores.pairs import MAX_PLANES, Pairs, pair_sum_bits

#: How a request says how many rows, and the most that it can ask for.
_WRITTEN, MAX_ROWS = re.compile(r"mixed:([1-9][0-9]{0,5})"), 999_999


@dataclass(frozen=True)
class Mixed(Core):
    """Products of some rows in DSP blocks and of the others in LUTs (headrace_dot_mixed).

    rows: of every word that are in DSP blocks; 0: half of those that share multipliers.
    """

    name: ClassVar[str] = "mixed"
    number: ClassVar[int] = 7
    on_request: ClassVar[bool] = True
    splits_rows: ClassVar[bool] = True
    rows: int = 0

    @property
    def full_name(self) -> str:
        return f"{self.name}:{self.rows}" if self.rows else self.name

    def refusal(self, operands: Operands) -> str:
        if refused := _of_any_rows(operands):
            return refused
        rows, pe, least = self.rows_in_blocks(operands), operands.pe, _least_rows(operands)
        if pe <= least:
            return (f"it takes a PE of {max(least, rows) + 1} or more, not {pe}"
                    + f", and {self.name}:{least} or more" * (0 < self.rows < least))
        if rows >= pe:
            return f"{rows} rows in DSP blocks leave none of PE={pe} for LUTs"
        bits = rows * (operands.weight.bits + operands.input.bits)
        return (f"products of {rows} of PE={pe} rows have {bits} bits together, and a DSP block is taken for "
                f"{DSP_PRODUCT_BITS} or more") * (rows < least)

    def forms_that_serve(self, operands: Operands) -> str:
        least, most = _least_rows(operands), operands.pe - 1
        if _of_any_rows(operands) or least > most:
            return ""
        return f"{self.name}:{least}" + f" to {self.name}:{most}" * (least < most)

    def rows_in_blocks(self, operands: Operands) -> int:
        """Rows of a word that are in DSP blocks."""
        if self.rows:
            return self.rows
        shares = lanes(operands)
        return -(-operands.pe // shares) // 2 * shares or operands.pe // 2

    def stages(self, operands: Operands, preset: bool) -> int:
        return Dsp().stages(self._parts(operands)[0], preset)

    def recoded(self, words: IntArray, operands: Operands) -> tuple[IntArray, DataType] | None:
        weight = operands.weight
        if not weight.signed:
            return None
        codes = weight.encode(words).astype(np.int64)
        codes[:, :self.rows_in_blocks(operands)] ^= 2 ** (weight.bits - 1)  # the offset of core dsp
        return codes, uint_type(weight.bits)

    def amounts(self, a: Amounts, unit: Unit) -> None:
        blocks, rest = self._parts(unit.operands)
        others = _others(rest)
        Dsp().amounts(a, replace(unit, operands=blocks))
        others.amounts(a, replace(unit, operands=rest))
        waits = Dsp().stages(blocks, unit.preset) - others.stages(rest, unit.preset)
        wide = rest.weight.bits > MAX_PLANES
        a.add("pairs", ff=rest.pe * waits * (2 * unit.sum_bits if wide else pair_sum_bits(rest, unit.sum_bits)))

    def adds_two(self, unit: Unit) -> bool:
        return True

    def within(self, operands: Operands, multipliers: int) -> Mixed | None:
        """The core with as many rows as so many multipliers hold; None where it does not serve so."""
        shares = most_lanes(operands)
        rows = min(multipliers // operands.simd, (operands.pe - 1) // shares) * shares
        found = Mixed(rows)
        return found if rows and found.serves(operands) else None

    def _parts(self, operands: Operands) -> tuple[Operands, Operands]:
        """The operands of the rows in DSP blocks, and of the others."""
        rows = self.rows_in_blocks(operands)
        return replace(operands, pe=rows), replace(operands, pe=operands.pe - rows)


def mixed_as_written(text: str) -> Mixed | None:
    """The core that `mixed:ROWS` asks for; None for any other text."""
    found = _WRITTEN.fullmatch(text)
    return Mixed(int(found[1])) if found else None


def _of_any_rows(operands: Operands) -> str:
    """Why no number of rows can be in DSP blocks; "" where some can, if there are rows enough."""
    weight, element = operands.weight.bits, operands.input.bits
    if element < 2 and not operands.has_bipolar:
        return f"it takes inputs of 2 bits or more, not {element}"
    if weight > MAX_BITS:
        return f"it takes weights of at most {MAX_BITS} bits, not {weight}"
    return Dsp().refusal(operands)


def _least_rows(operands: Operands) -> int:
    """As few rows as are worth a DSP block."""
    return -(-DSP_PRODUCT_BITS // (operands.weight.bits + operands.input.bits))


def _others(operands: Operands) -> Core:
    """What the rows in LUTs are."""
    return Pairs() if operands.weight.bits <= MAX_PLANES else Halves()
