"""Products with whole numbers while the integer network is made: where they go, and where they are too wide."""

from __future__ import annotations

import numpy as np
import pytest

from headrace.datatypes import DataType, Interval, int_type, uint_type
from headrace.errors import InputError
from headrace.network.integer import Conv, TensorType
from headrace.streamline.draft import Draft
from tests.narrow import the


def draft(dtype: DataType, *rows: int) -> tuple[Draft, str]:
    """A convolution of one channel by these weights."""
    made = Draft()
    made.types["in"] = TensorType((1, 1, 1), uint_type(1))
    return made, made.add("conv", Conv(np.asarray(rows).reshape(-1, 1, 1, 1), dtype), "in")


def rows(made: Draft, tensor: str) -> list[int]:
    weights: list[int] = the(Conv, made.nodes[tensor].op).weights.reshape(-1).tolist()
    return weights


def test_rows_take_factors_that_a_stream_cannot_up_to_32_bits() -> None:
    dtype = Interval(0, 1 << 30)
    made, tensor = draft(dtype, 1 << 30, 3)
    assert made.multiplied(tensor, np.asarray([2, 1])) == tensor and rows(made, tensor) == [1 << 31, 3]
    assert made.types[tensor].dtype.hi == 1 << 31
    made, tensor = draft(dtype, 1 << 30, 3)
    with pytest.raises(InputError, match="a branch times a whole number of 3 bits needs 33 bits and at most 31 are"):
        made.multiplied(tensor, np.asarray([4, 1]))
    assert rows(made, tensor) == [1 << 30, 3]


def test_signs_go_into_rows_and_zeros_do_not() -> None:
    made, tensor = draft(int_type(4), -8, -8, 5)
    last = made.scaled(tensor, np.asarray([0, 1, -2]))
    assert rows(made, tensor) == [-8, -8, -5] and the(Conv, made.nodes[tensor].op).weight == int_type(4)
    assert made.nodes[last].op.multiplier.tolist() == [0, 1, 2]  # type: ignore[union-attr]
