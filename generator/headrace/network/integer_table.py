"""The operation of an IntegerNetwork that looks its values up."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from headrace.datatypes import DataType, IntArray
from headrace.errors import InputError
from headrace.layers.lookup import require_table
from headrace.network.integer_ops import TensorType


@dataclass(frozen=True, eq=False)
class Lookup:
    """y = table[c, x - lowest]; table (C, N) for an input of the N values from `lowest` on."""

    table: IntArray
    output: DataType
    lowest: int = 0

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        if x.dtype.lo != self.lowest:
            raise InputError(f"a table from {self.lowest} on meets an input of {x.dtype}; begin both with one value")
        require_table("the lookup", self.table, x.shape[2], x.dtype, self.output)
        return TensorType(x.shape, self.output)

    def within(self, dtype: DataType) -> Lookup:
        """The same for an input that has fewer of the values; unchanged where it may have others."""
        first = dtype.lo - self.lowest
        if first < 0 or dtype.hi - self.lowest >= self.table.shape[1]:
            return self
        return replace(self, table=self.table[:, first : dtype.hi - self.lowest + 1], lowest=dtype.lo)

    def found(self, x: IntArray) -> IntArray:
        """The entries for x (..., C)."""
        return np.asarray(self.table[np.arange(len(self.table)), x - self.lowest])
