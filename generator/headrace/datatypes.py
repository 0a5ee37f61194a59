"""Element types as intervals of integers, and the width algebra on them.

A type is the set of values that an element can take: [lo, hi], or {-1, +1} for bipolar. Storage width, signedness and
the codes on a wire are derived, never stored beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from headrace.errors import InputError

IntArray = NDArray[np.int64]

#: How a kernel decodes an element; the values of the W_KIND, A_KIND and E_KIND parameters.
UNSIGNED, SIGNED, BIPOLAR_KIND = 0, 1, 2


def unsigned_bits(value: int) -> int:
    """Bits of an unsigned code that reaches `value` >= 0; at least 1.

    >>> [unsigned_bits(v) for v in (0, 1, 2, 255, 256)]
    [1, 1, 2, 8, 9]
    """
    return max(1, value.bit_length())


def signed_bits(lo: int, hi: int) -> int:
    """Bits of a two's complement code that reaches from `lo` to `hi`.

    >>> [signed_bits(-1, 1), signed_bits(-8, 7), signed_bits(-1, 8), signed_bits(0, 3)]
    [2, 4, 5, 3]
    """
    return 1 + max((-lo - 1).bit_length() if lo < 0 else 0, hi.bit_length() if hi > 0 else 0)


@dataclass(frozen=True)
class Interval:
    """The integers from `lo` to `hi`, both included."""

    lo: int
    hi: int

    def __post_init__(self) -> None:
        if self.lo > self.hi:
            raise InputError(f"type [{self.lo},{self.hi}]: the lower bound exceeds the upper; swap them")

    @property
    def signed(self) -> bool:
        """True if the storage is two's complement."""
        return self.lo < 0

    @cached_property
    def bits(self) -> int:
        """Storage width in bits."""
        return signed_bits(self.lo, self.hi) if self.signed else unsigned_bits(self.hi)

    @property
    def kind(self) -> int:
        """The code of this representation in hardware parameters."""
        return SIGNED if self.signed else UNSIGNED

    @property
    def steps(self) -> int:
        """Number of thresholds that produce this type: one less than its values."""
        return self.hi - self.lo

    def contains(self, values: IntArray) -> bool:
        """True if every value belongs to the type."""
        return values.size == 0 or bool(values.min() >= self.lo and values.max() <= self.hi)

    def encode(self, values: IntArray) -> NDArray[np.uint64]:
        """Codes as they stand on a wire, in the low `bits` bits."""
        return np.asarray(values, np.int64).astype(np.uint64) & np.uint64((1 << self.bits) - 1)

    def decode(self, codes: NDArray[np.uint64]) -> IntArray:
        """Values of the codes in the low `bits` bits."""
        values = np.asarray(codes, np.uint64).astype(np.int64)
        if self.signed:
            sign = np.int64(1) << np.int64(self.bits - 1)
            values = (values ^ sign) - sign
        return values

    def __str__(self) -> str:
        for prefix, (lo, hi) in (("int", (-(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1)),
                                 ("uint", (0, (1 << self.bits) - 1))):
            if (self.lo, self.hi) == (lo, hi):
                return f"{prefix}{self.bits}"
        return "ternary" if self == TERNARY else f"[{self.lo},{self.hi}]"


@dataclass(frozen=True)
class Bipolar:
    """The two values -1 and +1, stored in one bit: 1 stands for +1."""

    lo: ClassVar[int] = -1
    hi: ClassVar[int] = 1
    bits: ClassVar[int] = 1
    signed: ClassVar[bool] = True
    kind: ClassVar[int] = BIPOLAR_KIND
    steps: ClassVar[int] = 1

    def contains(self, values: IntArray) -> bool:
        """True if every value is -1 or +1."""
        return bool(np.all(np.abs(values) == 1))

    def encode(self, values: IntArray) -> NDArray[np.uint64]:
        """Codes: 0 for -1, 1 for +1."""
        return (np.asarray(values) > 0).astype(np.uint64)

    def decode(self, codes: NDArray[np.uint64]) -> IntArray:
        """Values of the codes."""
        return 2 * np.asarray(codes, np.uint64).astype(np.int64) - 1

    def __str__(self) -> str:
        return "bipolar"


DataType = Interval | Bipolar

BIPOLAR = Bipolar()
TERNARY = Interval(-1, 1)


def int_type(bits: int) -> Interval:
    """Two's complement of `bits` bits."""
    return Interval(-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def uint_type(bits: int) -> Interval:
    """Unsigned of `bits` bits."""
    return Interval(0, (1 << bits) - 1)


def tightest(values: IntArray) -> DataType:
    """The smallest type that holds all values: bipolar if they are all -1 or +1.

    >>> str(tightest(np.array([-1, 1]))), str(tightest(np.array([-1, 0]))), str(tightest(np.array([0, 3])))
    ('bipolar', 'int1', 'uint2')
    """
    if values.size and BIPOLAR.contains(values):
        return BIPOLAR
    return Interval(int(values.min()), int(values.max())) if values.size else Interval(0, 0)


def parse(text: str) -> DataType:
    """The type written as `bipolar`, `ternary`, `int4`, `uint2` or `[-7,7]`.

    Raises InputError for anything else.
    """
    if text == "bipolar":
        return BIPOLAR
    if text == "ternary":
        return TERNARY
    if match := re.fullmatch(r"(u?)int([1-9]\d?)", text):
        bits = int(match[2])
        if bits <= 32 and (match[1] or bits >= 2):
            return uint_type(bits) if match[1] else int_type(bits)
    if match := re.fullmatch(r"\[(-?\d+),(-?\d+)\]", text):
        return Interval(int(match[1]), int(match[2]))
    raise InputError(f"type {text!r} is unknown; write bipolar, ternary, int2..int32, uint1..uint32 or [lo,hi]")


def dot_product_interval(weights: IntArray, inputs: DataType) -> tuple[IntArray, IntArray]:
    """Exact reachable range of every row of `weights @ x` for x in the input type.

    weights: (MH, MW). Returns (lowest, highest), each (MH,): positive weights meet the bound of their sign.
    """
    positive, negative = np.maximum(weights, 0).sum(1), np.minimum(weights, 0).sum(1)
    return positive * inputs.lo + negative * inputs.hi, positive * inputs.hi + negative * inputs.lo


def as_int(values: object) -> IntArray:
    """Values as int64."""
    return np.asarray(values, np.int64)


def narrow(values: IntArray, dtype: DataType) -> IntArray:
    """Values in the smallest integers of NumPy that hold their type, for keeping; those that it does not have stay.

    Who computes with them takes as_int of them first, unless NumPy widens anyway: in sums, beside int64 or float64.

    >>> [narrow(np.array([-1, 3]), int_type(bits)).dtype.name for bits in (3, 9, 17)]
    ['int8', 'int16', 'int32']
    >>> narrow(np.array([9]), TERNARY).dtype.name
    'int64'
    """
    kinds = (np.int8, np.int16, np.int32, np.int64)
    kind = next(kind for kind in kinds if np.iinfo(kind).min <= dtype.lo and dtype.hi <= np.iinfo(kind).max)
    if values.dtype == kind or not dtype.contains(values):
        return values
    return np.asarray(values, kind)


def hull(left: DataType, right: DataType) -> DataType:
    """The smallest type that holds both: bipolar only where both are."""
    return left if left == right else Interval(min(left.lo, right.lo), max(left.hi, right.hi))
