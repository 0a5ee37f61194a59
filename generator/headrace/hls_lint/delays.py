"""How long an operator takes in the logic of an FPGA, in ns, by its width.

Adders, comparators and multipliers are those of a characterisation of UltraScale+ (-2L) after place and route; gates
and multiplexers are taken without routing. On this scale a sliding window that is known to reach II=1 at 5 ns takes
2.4 ns, and a loop should be at most the clock period less its uncertainty.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

MUX_NS, GATE_NS, SHIFT_NS = 0.22, 0.12, 1.1
#: A block RAM's output behind its clock edge.
MEMORY_NS = 1.24
_ADD = ((1, 0.2), (8, 0.6), (16, 0.65), (32, 0.8), (64, 0.95))
_COMPARE = ((1, 0.15), (8, 0.5), (16, 0.55), (32, 0.66), (64, 0.8))
_MULTIPLY = ((8, 1.8), (16, 2.2), (32, 3.0), (64, 5.0))
#: A divider is a chain of subtractions, one per bit.
_DIVIDE = ((1, 1.0), (8, 6.0), (16, 14.0), (32, 30.0), (64, 65.0))
_TABLES = {"+": _ADD, "-": _ADD, "*": _MULTIPLY, "/": _DIVIDE, "%": _DIVIDE,
           **dict.fromkeys(("<", ">", "<=", ">=", "==", "!="), _COMPARE)}
_GATES = ("&", "|", "^", "&&", "||")


def delay_ns(operator: str, bits: int, constants: Sequence[int | None]) -> float:
    """Delay of an operator on operands of at most `bits` bits; constants: the known values of its operands."""
    known = [value for value in constants if value is not None]
    if operator in ("<<", ">>"):
        return 0.0 if constants[-1] is not None else SHIFT_NS
    if operator in ("*", "/", "%") and any(is_power(value) for value in known):
        return 0.0
    if operator in ("<", ">=") and known == [0]:  # the sign
        return 0.0
    if operator in _GATES:
        return 0.0 if known else GATE_NS
    return _interpolate(_TABLES[operator], bits) if operator in _TABLES else 0.0


def is_power(value: int) -> bool:
    """True for 0 and for powers of two, by which a multiplication or a division is wires."""
    return abs(value) & (abs(value) - 1) == 0


def _interpolate(points: Sequence[tuple[int, float]], bits: int) -> float:
    if bits <= points[0][0]:
        return points[0][1]
    pieces = list(pairwise(points))
    (low, a), (high, b) = next((piece for piece in pieces if bits <= piece[1][0]), pieces[-1])
    return a + (b - a) * (bits - low) / (high - low)
