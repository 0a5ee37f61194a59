"""Requantizers found for thresholds equal them at every integer; those that do not exist are not found."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.datatypes import Interval, int_type, uint_type
from headrace.engines import golden
from headrace.frontend.tflite.kernels import Multiplier, rounded_twice
from headrace.network.integer import Requant, Threshold
from headrace.network.integer_ops import TensorType
from headrace.network.ops import Affine
from headrace.network.rounding import Rounding
from headrace.streamline.requant_search import dyadic_requant, requant_of_thresholds
from headrace.streamline.requantize import requantize
from headrace.streamline.streamline import streamline
from tests.exact_network import round_exactly
from tests.streamline.graphs import chain, floats, quantizer


def line_thresholds(slope: Fraction, offset: Fraction, rounding: str, output: Interval, reach: int) -> list[int]:
    """T_k by trying every accumulator of [-reach, reach]."""
    codes = [min(max(round_exactly(slope * q + offset, rounding), output.lo), output.hi)
             for q in range(-reach, reach + 1)]
    return [next((q - reach for q, code in enumerate(codes) if code >= k), reach + 1)
            for k in range(output.lo + 1, output.hi + 1)]


def require_equal(T: np.ndarray, inverted: frozenset[int], reach: int, output: Interval) -> Requant:
    ends = np.full(len(T), reach)
    requant = requant_of_thresholds(T, inverted, -ends, ends, output)
    assert requant is not None
    x = np.repeat(np.arange(-reach, reach + 1)[:, None], len(T), 1)[None, None]
    tensor = TensorType((1, x.shape[2], len(T)), output)
    wanted = Threshold(T, output, inverted).count(x)
    assert np.array_equal(golden.apply(requant, tensor, x), wanted)
    return requant


@settings(max_examples=150, deadline=None)
@given(slope=st.fractions(Fraction(1, 200), 1, max_denominator=500), offset=st.fractions(-5, 5, max_denominator=300),
       rounding=st.sampled_from(["half_even", "half_up", "floor"]), inverted=st.booleans(),
       output=st.sampled_from([uint_type(5), int_type(5), uint_type(6)]))
def test_lines_are_found_and_equal_everywhere(slope: Fraction, offset: Fraction, rounding: str, inverted: list[int],
                                              output: Interval) -> None:
    T = np.array([line_thresholds(slope, offset, rounding, output, 300)])
    channels, ends = frozenset({0}) if inverted else frozenset(), np.array([300])
    if requant_of_thresholds(T, channels, -ends, ends, output) is None:
        # Ties that alternate fit only a slope with the very same ties, a multiple of a power of two; counted from the
        # highest code, whose parity is not that of the lowest, they go to the odd neighbour.
        assert rounding == "half_even" and (inverted or slope.denominator & (slope.denominator - 1))
    else:
        require_equal(T, channels, 300, output)


def test_the_shift_is_the_smallest() -> None:
    quarter = np.array([line_thresholds(Fraction(1, 4), Fraction(0), "half_up", int_type(6), 200)])
    requant = require_equal(quarter, frozenset(), 200, int_type(6))
    assert (requant.shift, requant.multiplier.tolist(), requant.rounding) == (2, [1], "half_up")


def test_ties_to_even_need_half_even() -> None:
    quarter = np.array([line_thresholds(Fraction(1, 4), Fraction(0), "half_even", int_type(6), 200)])
    requant = require_equal(quarter, frozenset(), 200, int_type(6))
    assert (requant.shift, requant.multiplier.tolist(), requant.rounding) == (2, [1], "half_even")


def test_channels_share_the_shift_and_constants_need_none() -> None:
    lines = [line_thresholds(slope, Fraction(1, 3), "half_up", uint_type(5), 200)
             for slope in (Fraction(1, 4), Fraction(1, 7))]
    T = np.array([lines[0], [-200] * 31, [201] * 31, lines[1]])
    requant = require_equal(T, frozenset({3}), 200, uint_type(5))
    assert requant.multiplier[1] == requant.multiplier[2] == 0 and requant.multiplier[3] < 0


@pytest.mark.parametrize("inverted", [frozenset(), frozenset({0, 1})])
def test_two_roundings_have_a_kink_in_falling_channels_too(inverted: frozenset[int]) -> None:
    x = np.arange(-8000, 8001)
    twice = [rounded_twice(x, Multiplier.of(scale)) for scale in (0.0041, 0.0083)]
    T = np.array([np.searchsorted(np.clip(codes, -32, 31), np.arange(-31, 32)) - 8000 for codes in twice])
    requant = require_equal(T, inverted, 8000, int_type(6))
    assert requant.kink is not None


def test_a_curve_has_no_requantizer() -> None:
    T = np.array([[k * k for k in range(1, 32)]])
    assert requant_of_thresholds(T, frozenset(), np.array([0]), np.array([1000]), uint_type(5)) is None


@pytest.mark.parametrize("rounding", ["half_even", "half_up", "floor", "ceil"])
def test_dyadic_lines_are_exact(rounding: Rounding) -> None:
    lines = [(Fraction(3, 8), Fraction(1, 4)), (Fraction(-5, 2), Fraction(7))]
    requant = dyadic_requant(lines, rounding, int_type(10))
    x = np.repeat(np.arange(-150, 150)[:, None], 2, 1)[None, None]
    wanted = [[round_exactly(a * int(q) + b, rounding) for (a, b), q in zip(lines, row, strict=True)]
              for row in x[0, 0]]
    assert golden.apply(requant, TensorType((1, 300, 2), int_type(10)), x)[0, 0].tolist() == wanted


def test_other_lines_and_roundings_have_none() -> None:
    assert dyadic_requant([(Fraction(1, 3), Fraction(0))], "half_up", int_type(10)) is None
    assert dyadic_requant([(Fraction(1, 2), Fraction(0))], "away", int_type(10)) is None


@pytest.mark.parametrize(("codes", "kind"), [(16, Threshold), (17, Requant)])
def test_a_multiplier_takes_the_place_of_more_than_15_thresholds(codes: int, kind: type) -> None:
    network = chain((3,), quantizer(int_type(8)), Affine(floats(0.25), floats(0.0)),
                    quantizer(Interval(0, codes - 1)))
    assert [type(node.op) for node in requantize(streamline(network)).nodes] == [kind]
