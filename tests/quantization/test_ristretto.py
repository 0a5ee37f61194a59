"""Range rule and weight quantization."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headrace.errors import QuantizationError
from headrace.quantization.primitives import quantize, sqnr_db
from headrace.quantization.ristretto import ristretto, wq, wq_per_channel

exact = settings(derandomize=True, deadline=None)
weights = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e6, 1e6, allow_subnormal=False))


@exact
@given(weights, st.integers(2, 10), st.integers(1, 5), st.integers(-300, 300))
def test_scaling_moves_only_the_fractional_length(w: np.ndarray, bits: int, candidates: int, k: int) -> None:
    before, after = wq(w, bits, candidates), wq(np.ldexp(w, k), bits, candidates)
    if w.any() and np.all(np.ldexp(np.ldexp(w, k), -k) == w):
        assert after.frac_bits == before.frac_bits - k
        assert after.candidates == tuple(fl - k for fl in before.candidates)


@exact
@given(weights, st.integers(2, 10), st.integers(1, 5))
def test_never_worse_than_the_range_rule(w: np.ndarray, bits: int, candidates: int) -> None:
    choice, baseline = wq(w, bits, candidates), ristretto(w, bits)
    assert choice.candidates[0] == baseline
    if w.any():
        assert sqnr_db(w, quantize(w, choice.frac_bits, bits)) >= sqnr_db(w, quantize(w, baseline, bits))


@pytest.mark.parametrize(("w", "bits", "candidates", "errors", "frac_bits"), [
    ([0.9, -0.4, 0.2, 0.1], 4, (3, 4), (0.004375, 0.2153125), 3),
    ([1.1, 0.3, -0.2, 0.25, 0.05, -0.35], 4, (2, 3), (0.0275, 0.05875), 2),
    ([300, -120, 45, 8], 6, (-4, -3), (153, 2713), -4),
    ([0, 0, 0, 0], 3, (2,), (0,), 2),
    ([], 8, (7,), (0,), 7),
    ([1.0], 8, (7, 8), (2.0**-14, (129 / 256) ** 2), 7),
    ([-1.0], 8, (7, 8), (0, 0.25), 7),
])
def test_weights(w: list[float], bits: int, candidates: tuple[int, ...], errors: tuple[float, ...],
                 frac_bits: int) -> None:
    choice = wq(w, bits)
    assert (choice.candidates, choice.frac_bits) == (candidates, frac_bits)
    assert choice.errors == pytest.approx(errors, rel=1e-9)


def test_heavy_tails_want_more_candidates() -> None:
    layers = [2 ** (t / 40) * np.random.default_rng([2024, t]).standard_t(4, 9216) for t in range(40)]
    wider = sum(wq(w, 4, 6).frac_bits > wq(w, 4).frac_bits for w in layers)
    assert 28 <= wider <= 40  # 85 % of the layers
    assert sum(wq(w, 8, 6).frac_bits > wq(w, 8).frac_bits for w in layers) == 0


def test_channels_are_groups_of_their_own() -> None:
    w = np.array([[[0.9, 0.1]], [[0.02, -0.01]]])
    assert [choice.frac_bits for choice in wq_per_channel(w, 4)] == [wq(w[0], 4).frac_bits, wq(w[1], 4).frac_bits]


def test_a_number_has_no_channels() -> None:
    with pytest.raises(QuantizationError, match=r"the weight 1.0 has no output channels; give \(C_out"):
        wq_per_channel(1.0, 4)


@pytest.mark.parametrize("w", [np.array([0.9, -0.4, 0.2, 0.1], np.float32), np.array([9, -4, 2, 1]),
                               np.arange(24.0).reshape(2, 3, 4)[:, ::2, ::-3].T])
def test_other_types_and_layouts(w: np.ndarray) -> None:
    assert wq(w, 4) == wq(np.array(w.ravel().tolist()), 4)
    assert wq(w, 4, 2000).frac_bits == wq(w, 4).frac_bits  # errors beyond float64 lose


@pytest.mark.parametrize(("x", "signed", "frac_bits"), [
    ([], True, 7), ([0.0], True, 7), ([], False, 8), ([0.0], False, 8), ([1.0], True, 7), ([1.0], False, 8),
    ([1 << 40], True, -33), ([2.0**-40], False, 48),
])
def test_range_rule(x: list[float], signed: bool, frac_bits: int) -> None:
    assert ristretto(x, 8, signed) == frac_bits
