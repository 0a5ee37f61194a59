
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.datatypes import (
    BIPOLAR,
    TERNARY,
    DataType,
    Interval,
    dot_product_interval,
    int_type,
    parse,
    tightest,
    uint_type,
)
from headrace.errors import InputError


@given(st.integers(-(2**40), 2**40), st.integers(0, 2**40), st.data())
def test_codes_round_trip(lo: int, span: int, data: st.DataObject) -> None:
    dtype = Interval(lo, lo + span)
    values = np.array([*data.draw(st.lists(st.integers(lo, lo + span), max_size=5)), lo, lo + span])
    codes = dtype.encode(values)
    assert int(codes.max()) < 1 << dtype.bits
    assert np.array_equal(dtype.decode(codes), values)


@pytest.mark.parametrize(("dtype", "bits", "signed", "text"), [
    (int_type(4), 4, True, "int4"), (uint_type(1), 1, False, "uint1"), (TERNARY, 2, True, "ternary"),
    (Interval(-7, 7), 4, True, "[-7,7]"), (Interval(-8, 8), 5, True, "[-8,8]"), (Interval(3, 9), 4, False, "[3,9]"),
    (BIPOLAR, 1, True, "bipolar"), (Interval(0, 0), 1, False, "[0,0]"),
])
def test_storage_and_name(dtype: DataType, bits: int, signed: bool, text: str) -> None:
    assert (dtype.bits, dtype.signed, str(dtype)) == (bits, signed, text)
    assert parse(text) == dtype


@pytest.mark.parametrize("text", ["int1", "uint0", "int33", "float", "", "[3,1]", "acc"])
def test_unknown_types_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="type"):
        parse(text)


def test_tightest() -> None:
    assert tightest(np.array([1, -1, 1])) == BIPOLAR
    assert tightest(np.array([1, 0])) == Interval(0, 1)


@given(st.integers(0, 2**32 - 1))
def test_dot_product_interval_is_reached_and_never_left(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.integers(-3, 4, (2, 3))
    types: list[DataType] = [BIPOLAR, Interval(-2, 1), uint_type(1)]
    dtype = types[seed % 3]
    values = [-1, 1] if dtype == BIPOLAR else list(range(dtype.lo, dtype.hi + 1))
    every_x = np.stack(np.meshgrid(values, values, values), -1).reshape(-1, 3)
    acc = every_x @ weights.T
    lo, hi = dot_product_interval(weights, dtype)
    assert np.array_equal(acc.min(0), lo) and np.array_equal(acc.max(0), hi)
