"""Fractional lengths of feature maps from a gamma fit (FQ).

Source: Kim et al., arXiv:1810.13329, Algorithms 2 and 3. N is the level count of the symmetric quantizer: 2^(bits+1)
for unsigned codes, 2^bits for signed ones. Everything is computed on samples scaled by a power of two, so that
scaling the data by 2^k moves FL by exactly -k.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from headrace.errors import QuantizationError
from headrace.quantization.ggd import GeneralizedGamma, gamma_density, half_support, in_trust_region, model_errors
from headrace.quantization.optimal_step import exact_step
from headrace.quantization.primitives import (
    Choice,
    FloatArray,
    ceil_log2,
    code_type,
    finite,
    float_pow2,
    floor_log2,
    least_error,
    peak_of,
    scale_pow2,
)
from headrace.quantization.ristretto import range_frac_bits, require_non_negative

#: default chooses by the error on the data, fast by the model of equation (7).
Mode = Literal["default", "fast"]


class Reason(StrEnum):
    """Where the candidates of a group of samples come from."""

    EMPTY = "EMPTY"
    ZERO_VARIANCE = "ZERO_VARIANCE"
    CLOSED_FORM = "closed_form"
    EXACT = "exact"


@dataclass(frozen=True)
class Fit:
    """Gamma fit of one group: its step (None without a density) and its candidates, ascending."""

    reason: Reason
    candidates: tuple[int, ...]
    step: float | None = None
    density: GeneralizedGamma | None = None


@dataclass(frozen=True)
class SingleSidedChoice(Choice):
    """Result of `fq_single`; `step` is the optimal step in units of x, None for EMPTY and ZERO_VARIANCE."""

    step: float | None
    reason: Reason


@dataclass(frozen=True)
class DoubleSidedChoice(Choice):
    """Result of `fq_double`; rho is the share of negative samples among the non-zero ones, nan if there are none."""

    rho: float
    negative: Reason
    positive: Reason


def gamma_step(density: GeneralizedGamma, kappa: float, levels: int) -> tuple[float, Reason]:
    """Optimal step of a gamma density: the closed form in its trust region, else exact.

    Source: arXiv:1810.13329, Algorithm 2, equations (5) and (6).

    >>> step, reason = gamma_step(gamma_density(1, 1), 1.0, 32)
    >>> round(step, 6), str(reason)
    (0.400259, 'closed_form')
    """
    if in_trust_region(kappa, levels):
        return 2 * half_support(density, levels) / levels, Reason.CLOSED_FORM
    return exact_step(density, levels), Reason.EXACT


@dataclass(frozen=True, eq=False)
class _Samples:
    """Non-zero samples and how often each occurs, None for once."""

    values: FloatArray
    counts: FloatArray | None

    def where(self, kept: NDArray[np.bool_]) -> _Samples:
        """Some of the samples."""
        return _Samples(self.values[kept], None if self.counts is None else self.counts[kept])

    @property
    def number(self) -> float:
        """How many samples there are."""
        return self.values.size if self.counts is None else float(self.counts.sum())


def _fit(samples: _Samples, levels: int, bits: int, signed: bool) -> Fit:
    """Fit the density to magnitudes of one sign; bits and signed give the range rule of samples without variance."""
    magnitudes = np.abs(samples.values)
    if magnitudes.size == 0:
        return Fit(Reason.EMPTY, ())
    mean = float(np.average(magnitudes, weights=samples.counts))
    variance = float(np.average(np.square(magnitudes - mean), weights=samples.counts))
    if variance <= (1e-12 * mean) ** 2:
        first = range_frac_bits(float(np.max(magnitudes)), bits, signed)
        return Fit(Reason.ZERO_VARIANCE, (first, first + 1))
    density = gamma_density(mean, variance)
    step, reason = gamma_step(density, mean * mean / variance, levels)
    return Fit(reason, tuple(sorted({-ceil_log2(step), -floor_log2(step)})), step, density)


def _unit_samples(x: ArrayLike, bits: int, signed: bool, mode: Mode, counts: ArrayLike | None) -> tuple[_Samples, int]:
    """(non-zero samples scaled into [-1, 1], exponent of the scale); checks all arguments."""
    code_type(bits, signed)
    if mode not in ("default", "fast"):
        raise QuantizationError(f"feature-map mode {mode!r} is unknown; use default or fast")
    samples = finite("feature map", x)
    if not signed:
        require_non_negative(samples)
    often = None if counts is None else finite("counts", counts)
    if often is not None and (often.shape != samples.shape or np.any(often < 0)):
        raise QuantizationError(f"counts of shape {often.shape} do not fit samples of shape {samples.shape}; give how "
                                "often each sample occurs, 0 or more")
    used = samples != 0 if often is None else (samples != 0) & (often > 0)
    kept = _Samples(samples, often).where(used)
    exponent = ceil_log2(peak_of(kept.values)) if kept.values.size else 0
    return _Samples(scale_pow2(kept.values, -exponent), kept.counts), exponent


def _shifted(choice: Choice, exponent: int) -> Choice:
    """The choice for samples that are 2^exponent times larger."""
    return Choice(choice.frac_bits - exponent, tuple(fl - exponent for fl in choice.candidates),
                  tuple(float_pow2(error, 2 * exponent) for error in choice.errors))


def _first_minimum(candidates: Sequence[int], errors: Sequence[float]) -> Choice:
    """The candidate of the least error, the first of equals."""
    return Choice(candidates[errors.index(min(errors))], tuple(candidates), tuple(errors))


def _guarded(candidates: set[int], samples: _Samples, bits: int, signed: bool, guard: bool) -> list[int]:
    """The candidates in ascending order, with the FL of the range rule if `guard`."""
    return sorted(candidates | {range_frac_bits(peak_of(samples.values), bits, signed)} if guard else candidates)


def fq_single(x: ArrayLike, bits: int, mode: Mode = "default", guard: bool = False,
              counts: ArrayLike | None = None) -> SingleSidedChoice:
    """Fractional length of non-negative samples in unsigned codes.

    Moments m, v of the non-zero samples give kappa = m^2/v, lam = m/v and the optimal step for N = 2^(bits+1); the
    candidates are -ceil_log2(step) and -floor_log2(step). The least D wins, a tie keeps the smaller FL:
    default mode D = sum (x - Q(x))^2, fast mode the model of equation (7) (not for shipping).
    guard adds the FL of `ristretto` and compares on the data in either mode, so the result is never worse than that.
    x: any shape; counts: how often each sample occurs, in the same shape (once where absent; of a histogram otherwise).
    Without non-zero samples FL = bits. Source: arXiv:1810.13329, Algorithm 2.
    Raises QuantizationError for negative samples, nan, inf, impossible widths and unknown modes.

    >>> choice = fq_single([0, .5, 1, 1.5, 2, 3, 4, 6], 4)
    >>> choice.frac_bits, choice.candidates, choice.errors, round(choice.step, 8), str(choice.reason)
    (1, (0, 1), (0.5, 0.0), 0.66633081, 'closed_form')
    """
    samples, exponent = _unit_samples(x, bits, False, mode, counts)
    levels = 2 ** (bits + 1)
    fit = _fit(samples, levels, bits, signed=False)
    if fit.reason is Reason.EMPTY:
        return SingleSidedChoice(bits, (bits,), (0.0,), None, fit.reason)
    candidates = _guarded(set(fit.candidates), samples, bits, False, guard)
    if mode == "fast" and not guard and fit.density:
        choice = _first_minimum(candidates, model_errors(fit.density, levels, candidates))
    else:
        choice = least_error(samples.values, candidates, bits, False, samples.counts)
    choice = _shifted(choice, exponent)
    step = float_pow2(fit.step, exponent) if fit.step else None
    return SingleSidedChoice(choice.frac_bits, choice.candidates, choice.errors, step, fit.reason)


def _mixed_model(fits: Sequence[Fit], shares: Sequence[float], levels: int, candidates: Sequence[int]) -> Choice:
    """Fast mode of two groups: their modelled errors weighted by their shares."""
    errors = np.zeros(len(candidates))
    for fit, share in zip(fits, shares, strict=True):
        if fit.density:
            errors += share * np.array(model_errors(fit.density, levels, candidates))
    return _first_minimum(candidates, errors.tolist())


def fq_double(x: ArrayLike, bits: int, mode: Mode = "default", guard: bool = False,
              counts: ArrayLike | None = None) -> DoubleSidedChoice:
    """Fractional length of samples of both signs in signed codes.

    The magnitudes of the negative and of the positive samples are fitted apart, N = 2^bits each; candidates are all
    integers from the smallest to the largest of their FLs. Fast mode weighs the models with rho = #neg / (#neg + #pos);
    zeros count nowhere. A group without variance, and guard, force the comparison on the data.
    x: any shape; counts: as of `fq_single`. Without non-zero samples FL = bits - 1.
    Source: arXiv:1810.13329, Algorithm 3.
    Raises QuantizationError for nan, inf, impossible widths and unknown modes.

    >>> choice = fq_double([-2, -1, -.5, .25, .5, 1, 2, 3.5], 4)
    >>> choice.frac_bits, choice.candidates, choice.errors, choice.rho
    (1, (0, 1, 2), (0.8125, 0.0625, 3.125), 0.375)
    """
    samples, exponent = _unit_samples(x, bits, True, mode, counts)
    if samples.values.size == 0:
        return DoubleSidedChoice(bits - 1, (bits - 1,), (0.0,), float("nan"), Reason.EMPTY, Reason.EMPTY)
    groups = (samples.where(samples.values < 0), samples.where(samples.values > 0))
    rho = groups[0].number / samples.number
    fits = [_fit(group, 2**bits, bits, signed=True) for group in groups]
    ends = [fl for fit in fits for fl in fit.candidates]
    candidates = _guarded(set(range(min(ends), max(ends) + 1)), samples, bits, True, guard)
    constant = any(fit.reason is Reason.ZERO_VARIANCE for fit in fits)
    if mode == "fast" and not guard and not constant:
        choice = _mixed_model(fits, (rho, 1 - rho), 2**bits, candidates)
    else:
        choice = least_error(samples.values, candidates, bits, True, samples.counts)
    choice = _shifted(choice, exponent)
    return DoubleSidedChoice(choice.frac_bits, choice.candidates, choice.errors, rho, fits[0].reason, fits[1].reason)
