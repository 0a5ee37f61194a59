"""SYQ codebooks, scales, gradients and the hardware's order of accumulation."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.datatypes import uint_type
from headrace.errors import QuantizationError
from headrace.quantization import syq
from headrace.quantization.syq import Granularity
from headrace.quantization.thresholds import line_thresholds

exact = settings(derandomize=True, deadline=None, max_examples=40)
GRANULARITIES: list[Granularity] = ["layer", "channel", "row", "pixel"]
SMALL = np.array([[[[0.4, -0.2], [0.0, -0.6]]]])


@pytest.mark.parametrize(("granularity", "alpha"), [
    ("layer", [0.3]), ("channel", [0.3]), ("row", [0.3, 0.3]), ("pixel", [0.4, 0.2, 0.0, 0.6])])
def test_binary(granularity: Granularity, alpha: list[float]) -> None:
    book = syq.codebook(SMALL, ternary=False)
    assert (book.eta, book.Q.tolist()) == (0, [[[[1, -1], [1, -1]]]])
    assert syq.least_squares_scales(SMALL, book.Q, granularity) == pytest.approx(alpha)


def test_ternary() -> None:
    book = syq.codebook(SMALL, ternary=True)
    assert book.eta == pytest.approx(0.03) and book.Q.tolist() == [[[[1, -1], [0, -1]]]]
    assert syq.least_squares_scales(SMALL, book.Q, "layer") == pytest.approx([0.4])
    assert syq.least_squares_scales(SMALL, book.Q, "pixel").tolist() == [0.4, 0.2, 0, 0.6]
    assert syq.codebook([[[[0.03, 0.6]]]], ternary=True).Q.tolist() == [[[[1, 1]]]]  # |W| >= eta


@exact
@given(st.integers(0, 10**6), st.sampled_from(GRANULARITIES), st.booleans(), st.floats(-0.1, 0.1))
def test_scales_minimize_the_error(seed: int, granularity: Granularity, ternary: bool, change: float) -> None:
    W = np.random.default_rng(seed).standard_normal((3, 2, 2, 3))
    Q = syq.codebook(W, ternary).Q
    alpha = syq.least_squares_scales(W, Q, granularity)

    def error(scales: np.ndarray) -> float:
        return float(np.sum((W - syq.effective_weights(Q, scales, granularity)) ** 2))

    assert len(alpha) == {"layer": 1, "channel": 3, "row": 2, "pixel": 6}[granularity]
    assert np.all(alpha >= 0)
    for group in range(len(alpha)):
        assert error(alpha) <= error(alpha + change * (np.arange(len(alpha)) == group)) + 1e-12


def test_gradients() -> None:
    W, Q = np.array([[[[0.4, -0.2, 1.5, -0.6]]]]), np.array([[[[1, -1, 1, -1]]]])
    dW, dalpha = syq.straight_through(W, Q, [0.5], "layer", np.array([[[[1, 2, 3, -1]]]]))
    assert (dW.tolist(), dalpha.tolist()) == ([[[[0.5, 1, 0, -0.5]]]], [3])


def test_gradients_pass_up_to_one() -> None:
    W, Q = np.array([[[[1.0, -1.0, np.nextafter(1, 2)]]]]), np.array([[[[1, -1, 1]]]])
    assert syq.straight_through(W, Q, [0.5], "layer", np.full(W.shape, 2.0))[0].tolist() == [[[[1, 1, 0]]]]


@pytest.mark.parametrize(("granularity", "groups"), [("layer", 1), ("channel", 2), ("row", 3), ("pixel", 12)])
def test_groups_without_weights_have_no_scale(granularity: Granularity, groups: int) -> None:
    empty = np.zeros((2, 0, 3, 4))
    assert syq.least_squares_scales(empty, empty.astype(int), granularity).tolist() == [0] * groups


def test_scales_at_the_end_of_float64() -> None:
    scales = syq.fixed_point_scales([5e-324, 2e-323], 8)
    assert (scales.codes.tolist(), scales.frac_bits) == ([32, 128], 1079)


@exact
@given(st.integers(0, 10**6), st.sampled_from(GRANULARITIES))
def test_the_gradient_of_the_scales_is_exact(seed: int, granularity: Granularity) -> None:
    """E = sum(c * What) is linear in alpha, so that finite differences are the gradient."""
    rng = np.random.default_rng(seed)
    W, c = rng.standard_normal((3, 2, 2, 3)), rng.standard_normal((3, 2, 2, 3))
    Q = syq.codebook(W, ternary=True).Q
    alpha = syq.least_squares_scales(W, Q, granularity)
    gradient = syq.straight_through(W, Q, alpha, granularity, c)[1]

    def energy(scales: np.ndarray) -> float:
        return float(np.sum(c * syq.effective_weights(Q, scales, granularity)))

    for group in range(len(alpha)):
        moved = alpha + (np.arange(len(alpha)) == group)
        assert energy(moved) - energy(alpha) == pytest.approx(gradient[group], abs=1e-9)


def test_activation_gradient() -> None:
    x = [-2.01, -2.0, 0.0, 1.75, 1.76]
    assert syq.activation_gradient(x, np.full(5, 3.0), 2, 4, signed=True).tolist() == [0, 3, 3, 3, 0]


@pytest.mark.parametrize("granularity", GRANULARITIES[2:])
def test_accumulation_in_the_order_of_the_hardware(granularity: Granularity) -> None:
    """Taps outside, channels inside; a group's sum is multiplied once when its last tap is done."""
    rng = np.random.default_rng(4)
    W, x = rng.standard_normal((3, 4, 2, 3)), rng.integers(0, 16, (4, 2, 3))
    Q = syq.codebook(W, ternary=True).Q
    scales = syq.fixed_point_scales(syq.least_squares_scales(W, Q, granularity), 8)
    total = np.zeros(3, np.int64)
    for tap_row in range(2):
        acc = np.zeros(3, np.int64)
        for tap_column in range(3):
            acc += Q[:, :, tap_row, tap_column] @ x[:, tap_row, tap_column]
            group = tap_row if granularity == "row" else tap_row * 3 + tap_column
            if granularity == "pixel" or tap_column == 2:
                total += scales.codes[group] * acc
                acc[:] = 0
    assert syq.accumulate(Q, scales, granularity, x).tolist() == total.tolist()


def test_thresholds_take_the_scale_into_the_slope() -> None:
    scales = syq.fixed_point_scales([0.31, 0.07], 8)
    slope = Fraction(0.75) / 2**scales.frac_bits
    row = line_thresholds(slope, -0.5, uint_type(2), 0.5, -4000, 4000)
    total = np.arange(-4000, 4001)
    y = 0.75 * total * 2.0**-scales.frac_bits - 0.5
    assert row.apply(total).tolist() == np.clip(np.floor(y / 0.5 + 0.5), 0, 3).tolist()


def test_scales_of_zero() -> None:
    assert syq.fixed_point_scales([0.0, 0.0], 6).codes.tolist() == [0, 0]
    assert syq.least_squares_scales(np.zeros((1, 1, 1, 2)), np.zeros((1, 1, 1, 2), int), "layer").tolist() == [0]
    assert syq.codebook(np.zeros((1, 1, 1, 2)), ternary=False).Q.tolist() == [[[[1, 1]]]]


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda: syq.group_index((2, 3), "layer"), r"weights of shape \(2, 3\) have no kernel window"),
    (lambda: syq.group_index((1, 1, 2, 2), "tap"),  # type: ignore[arg-type]
     "granularity 'tap' is unknown; choose one of"),
    (lambda: syq.codebook([1.0], True, -0.1), "eta_frac=-0.1 is not a share of the largest weight; use 0 to 1"),
    (lambda: syq.effective_weights(SMALL, np.array([np.nan]), "layer"), "scales: 1 of 1 values are nan or inf"),
    (lambda: syq.straight_through(SMALL, SMALL, [np.inf], "layer", SMALL), "scales: 1 of 1 values are nan or inf"),
    (lambda: syq.fixed_point_scales([0.5, -0.1], 8), "the scale -0.1 is negative; clip scales at 0"),
])
def test_errors(call: Callable[[], object], sentence: str) -> None:
    with pytest.raises(QuantizationError, match=sentence):
        call()
