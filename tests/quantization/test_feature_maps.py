"""Feature-map quantization, single- and double-sided."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from headrace.errors import QuantizationError
from headrace.quantization import feature_maps
from headrace.quantization.feature_maps import DoubleSidedChoice, Reason, SingleSidedChoice, fq_double, fq_single
from headrace.quantization.ggd import gamma_density, half_support
from headrace.quantization.primitives import quantize, sqnr_db
from headrace.quantization.ristretto import ristretto

exact = settings(derandomize=True, deadline=None, max_examples=80)
EXAMPLE = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
DOUBLE = [-2, -1, -0.5, 0.25, 0.5, 1, 2, 3.5]
values = st.floats(1e-3, 1e6) | st.just(0.0)
unsigned = arrays(np.float64, st.integers(1, 40), elements=values)
signed = arrays(np.float64, st.integers(1, 40), elements=values | values.map(lambda v: -v))
MODES = st.sampled_from(["default", "fast"])


@exact
@given(unsigned, st.integers(1, 9), MODES, st.booleans(), st.integers(-200, 200))
def test_scaling_single_sided(x: np.ndarray, bits: int, mode: Literal["default", "fast"], guard: bool, k: int) -> None:
    before, after = fq_single(x, bits, mode, guard), fq_single(np.ldexp(x, k), bits, mode, guard)
    if x.any():
        assert after.frac_bits == before.frac_bits - k
        assert after.candidates == tuple(fl - k for fl in before.candidates)
        assert after.step == (before.step and np.ldexp(before.step, k))


@exact
@given(signed, st.integers(2, 9), MODES, st.booleans(), st.integers(-200, 200))
def test_scaling_double_sided(x: np.ndarray, bits: int, mode: Literal["default", "fast"], guard: bool, k: int) -> None:
    before, after = fq_double(x, bits, mode, guard), fq_double(np.ldexp(x, k), bits, mode, guard)
    if x.any():
        assert after.frac_bits == before.frac_bits - k


@exact
@given(signed, st.integers(2, 9), MODES)
def test_the_guard_is_never_below_the_range_rule(x: np.ndarray, bits: int, mode: Literal["default", "fast"]) -> None:
    if x.any():
        choice, baseline = fq_double(x, bits, mode, guard=True), ristretto(x, bits)
        assert sqnr_db(x, quantize(x, choice.frac_bits, bits)) >= sqnr_db(x, quantize(x, baseline, bits))
        x = np.abs(x)
        single, baseline = fq_single(x, bits, mode, guard=True), ristretto(x, bits, signed=False)
        assert sqnr_db(x, quantize(x, single.frac_bits, bits, False)) >= sqnr_db(x, quantize(x, baseline, bits, False))


def test_the_guard_changes_a_heavy_tail() -> None:
    x = np.sqrt(2) * np.random.default_rng(10).weibull(0.5, 20_000)
    free, guarded = fq_single(x, 8), fq_single(x, 8, guard=True)
    assert ristretto(x, 8, signed=False) == guarded.frac_bits < free.frac_bits
    assert set(guarded.candidates) == {*free.candidates, guarded.frac_bits}


@pytest.mark.parametrize(("bits", "mode", "candidates", "errors", "frac_bits"), [
    (4, "default", (0, 1), (0.5, 0), 1),
    (6, "fast", (2, 3), (0.00531868, 0.03532687), 2),
    (8, "default", (3, 4), (0, 0), 3),
    (8, "fast", (3, 4), (0.00130208, 0.00043587), 4),
])
def test_single_sided(bits: int, mode: Literal["default", "fast"], candidates: tuple[int, int],
                      errors: tuple[float, ...], frac_bits: int) -> None:
    choice = fq_single(EXAMPLE, bits, mode)
    assert (choice.candidates, choice.frac_bits, choice.reason) == (candidates, frac_bits, Reason.CLOSED_FORM)
    assert choice.errors == pytest.approx(errors, abs=1e-8)


@pytest.mark.parametrize(("bits", "mode", "candidates", "errors", "frac_bits"), [
    (4, "default", (0, 1, 2), (0.8125, 0.0625, 3.125), 1),
    (6, "fast", (1, 2, 3), (0.02083371, 0.00621244, 0.04506989), 2),
])
def test_double_sided(bits: int, mode: Literal["default", "fast"], candidates: tuple[int, int, int],
                      errors: tuple[float, float, float], frac_bits: int) -> None:
    choice = fq_double([*DOUBLE, 0, 0], bits, mode)
    assert (choice.candidates, choice.frac_bits, choice.rho) == (candidates, frac_bits, 0.375)
    assert choice.errors == pytest.approx(errors, abs=1e-8)


@pytest.mark.parametrize("bits", [4, 6, 8])
def test_unsigned_codes_have_twice_the_levels(bits: int) -> None:
    samples = np.array(EXAMPLE[1:])
    density = gamma_density(samples.mean(), samples.var())
    assert fq_single(EXAMPLE, bits).step == pytest.approx(half_support(density, 2 ** (bits + 1)) / 2**bits, rel=1e-12)


def test_without_samples() -> None:
    for x in ([], [0.0, 0.0]):
        assert fq_single(x, 8).frac_bits == 8
        assert fq_single(x, 8).reason is Reason.EMPTY
        assert fq_double(x, 8).frac_bits == 7
        assert fq_double(x, 8).negative is fq_double(x, 8).positive is Reason.EMPTY


@pytest.mark.parametrize(("x", "frac_bits"), [([3.0], 7), ([3.0, 0.0, 3.0], 7), ([3.7], 6), ([-3.0, -3.0], 6)])
def test_without_variance(x: list[float], frac_bits: int) -> None:
    """R = 8 - 2 unsigned, 7 - 2 signed; a candidate above R wins only where the sample does not saturate."""
    for mode in ("default", "fast"):
        choice: DoubleSidedChoice | SingleSidedChoice = fq_double(x, 8, mode) if min(x) < 0 else fq_single(x, 8, mode)
        range_rule = 5 if min(x) < 0 else 6
        assert choice.candidates == (range_rule, range_rule + 1)
        assert choice.frac_bits == min(choice.candidates, key=lambda fl: choice.errors[choice.candidates.index(fl)])
        reasons = {choice.reason} if isinstance(choice, SingleSidedChoice) else {choice.negative, choice.positive}
        assert Reason.ZERO_VARIANCE in reasons


@pytest.mark.parametrize(("step", "candidates"), [(0.25, (2,)), (0.2500001, (1, 2)), (0.2499999, (2, 3))])
def test_a_power_of_two_is_the_only_candidate(monkeypatch: pytest.MonkeyPatch, step: float,
                                              candidates: tuple[int, ...]) -> None:
    monkeypatch.setattr(feature_maps, "gamma_step", lambda *_: (step, Reason.EXACT))
    assert fq_single([0.2, 0.6, 1.0], 6).candidates == candidates


def test_almost_no_variance_is_none() -> None:
    assert fq_single([1.0, 1 + 1e-13], 8).reason is Reason.ZERO_VARIANCE
    assert fq_single([1.0, 1 + 1e-11], 8).reason is Reason.EXACT


def test_candidates_of_two_sides_have_no_gap() -> None:
    x = np.concatenate([-1e-3 * np.arange(1, 50), np.arange(1, 50)])
    ends = fq_double(x[:49], 6).candidates, fq_double(x[49:], 6).candidates
    assert fq_double(x, 6).candidates == tuple(range(ends[1][0], ends[0][-1] + 1))
    assert len(fq_double(x, 6).candidates) > 8


def test_a_constant_side_forces_the_data_error() -> None:
    x = [-2.0, -2.0, 0.5, 1.0, 3.0, 0.25]
    assert fq_double(x, 6, "fast") == fq_double(x, 6, "default")
    assert fq_double(x, 6).negative is Reason.ZERO_VARIANCE


def test_one_empty_side_is_skipped() -> None:
    assert fq_double(EXAMPLE, 6).rho == 0
    assert fq_double([-x for x in EXAMPLE], 6).rho == 1
    assert fq_double(EXAMPLE, 6).negative is Reason.EMPTY


@pytest.mark.parametrize(("x", "reason"), [
    (np.linspace(0.98, 1.02, 50), Reason.EXACT),
    (np.linspace(0.1, 2, 50), Reason.CLOSED_FORM),
    ([1.0] + [1e-6] * 60, Reason.EXACT),
])
def test_reason_is_the_trust_region(x: np.ndarray, reason: str) -> None:
    assert fq_single(x, 6).reason is reason


def test_negative_samples_need_signed_codes() -> None:
    with pytest.raises(QuantizationError, match=r"the sample -1\.5 is negative.*use signed codes"):
        fq_single([1.0, -1.5, 0.25], 4)
    with pytest.raises(QuantizationError, match="mode 'quick' is unknown; use default or fast"):
        fq_double([1.0], 4, "quick")  # type: ignore[arg-type]
