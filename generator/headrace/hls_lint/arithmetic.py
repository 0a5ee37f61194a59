"""Operators on values: the number where it is known, the width that the result needs, and the delay."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence

from headrace.hls_lint.delays import delay_ns, is_power
from headrace.hls_lint.values import Heavy, Value, known, merged

_COMPARISONS = ("<", ">", "<=", ">=", "==", "!=", "&&", "||", "!")
_MAX_SHIFT = 4096
_NUMBERS: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_, "|": operator.or_,
    "^": operator.xor, "<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne, "&&": lambda a, b: int(bool(a) and bool(b)), "||": lambda a, b: int(bool(a) or bool(b)),
    "<<": lambda a, b: a << b if 0 <= b <= _MAX_SHIFT else 0, ">>": lambda a, b: a >> b if b >= 0 else 0,
    "/": lambda a, b: abs(a) // abs(b) * (1 if a * b >= 0 else -1) if b else 0,
    "%": lambda a, b: abs(a) % abs(b) * (1 if a >= 0 else -1) if b else 0,
}
_SIGNS: Mapping[str, Callable[[int], int]] = {"-": operator.neg, "+": operator.pos, "~": operator.invert,
                                              "!": lambda a: int(not a)}


def computed(symbol: str, values: Sequence[Value], bits: int, place: tuple[str, int]) -> Value:
    """The result of an operator, whose type has `bits` bits."""
    constants = [value.const for value in values]
    if (number := _folded(symbol, constants)) is not None:
        return known(number, bits)
    if symbol == "&&" and 0 in constants:
        return known(0)
    width = max(value.bits for value in values)
    delay = delay_ns(symbol, width, constants)
    return Value(None, min(bits, _width(symbol, values)), merged(values, delay, _heavy(symbol, values, place)))


def is_divider(symbol: str, values: Sequence[Value]) -> bool:
    """True for a division by anything but a power of two that is left to hardware."""
    divisor = values[-1].const
    return symbol in ("/", "%") and any(value.const is None for value in values) and (
        divisor is None or not is_power(divisor))


def _folded(symbol: str, constants: Sequence[int | None]) -> int | None:
    numbers = [value for value in constants if value is not None]
    if len(numbers) < len(constants):
        return None
    if len(numbers) == 1:
        return _SIGNS[symbol](numbers[0]) if symbol in _SIGNS else None
    return int(_NUMBERS[symbol](*numbers)) if symbol in _NUMBERS else None


def _heavy(symbol: str, values: Sequence[Value], place: tuple[str, int]) -> Heavy | None:
    if symbol == "*" and not any(value.const is not None and is_power(value.const) for value in values):
        return "multiplication", place
    return ("division", place) if is_divider(symbol, values) else None


def _width(symbol: str, values: Sequence[Value]) -> int:
    """Bits that a result needs."""
    left, right = values[0].bits, values[-1].bits
    if symbol in _COMPARISONS:
        return 1
    if symbol == "&":
        return min(left, right)
    if symbol == "*":
        return left + right
    if symbol in ("/", ">>"):
        shift = values[-1].const if symbol == ">>" else None
        return max(1, left - shift) if shift is not None else left
    if symbol == "%":
        return min(left, right)
    if symbol == "<<":
        shift = values[-1].const
        return left + shift if shift is not None else 64
    return max(left, right) + (symbol in ("+", "-"))
