"""Published trends and step sizes of the quantization methods, and their speed: `python -m benchmarks.quantization`.

Prints gains in dB (expected to 0.3 dB), exact steps (to all digits) with the deviations of the closed form from them in
percent (to 0.1), and run times against their limits. A value outside shows what was expected, and the exit code is 1.
"""

from __future__ import annotations

import math
import sys
import timeit
from collections.abc import Callable

import numpy as np
from rich.console import Console
from rich.table import Table

from headrace.quantization.feature_maps import fq_single
from headrace.quantization.ggd import GeneralizedGamma, half_support
from headrace.quantization.optimal_step import exact_step
from headrace.quantization.primitives import FloatArray, quantize, sqnr_db
from headrace.quantization.ristretto import ristretto, wq

WIDTHS = (4, 6, 8)
LEVELS = (4, 8, 16, 32, 64, 128, 256)
Sampler = Callable[[np.random.Generator, int], FloatArray]

#: Weights: mean SQNR of WQ minus Ristretto in dB for WIDTHS.
WEIGHT_GAINS: dict[str, tuple[Sampler, tuple[float, ...]]] = {
    "Gaussian weights": (lambda rng, n: rng.standard_normal(n), (4.4, 2.6, 1.2)),
    "Laplace weights": (lambda rng, n: rng.laplace(size=n), (5.1, 3.1, 1.1)),
    "uniform weights": (lambda rng, n: rng.uniform(-1, 1, n), (0.6, 0.4, 0.2)),
}
#: Activations: mean SQNR of FQ minus Ristretto in dB for WIDTHS.
ACTIVATION_GAINS: dict[str, tuple[Sampler, tuple[float, ...]]] = {
    "gamma(1) activations": (lambda rng, n: rng.standard_gamma(1.0, n), (5.0, 2.6, 1.1)),
    "ReLU(N(0,1)) activations": (lambda rng, n: np.maximum(rng.standard_normal(n), 0), (3.6, 2.1, 1.2)),
}
#: Densities: true step, and deviation of the closed form in percent, for LEVELS.
STEPS = {
    "Gaussian": (GeneralizedGamma(2, 0, 0.5), (0.995687, 0.586019, 0.335201, 0.188139, 0.104063, 0.056868, 0.030762),
                 (-2.5, 0.6, 0.4, -0.0, -0.3, -0.4, -0.4)),
    "Laplace": (GeneralizedGamma(1, 0, math.sqrt(2)),
                (1.087393, 0.730933, 0.460995, 0.279989, 0.165681, 0.096099, 0.054844),
                (8.9, 4.6, 2.3, 1.1, 0.5, 0.2, 0.1)),
    "Gamma": (GeneralizedGamma(1, -0.5, math.sqrt(0.75)),
              (1.066011, 0.795737, 0.539960, 0.345949, 0.213002, 0.127312, 0.074362),
              (25.2, 15.4, 8.8, 5.1, 2.9, 1.7, 1.0)),
    "Rayleigh-type": (GeneralizedGamma(2, 1, 0.5),
                      (1.265213, 0.700787, 0.388541, 0.213597, 0.116358, 0.062842, 0.033676),
                      (-2.7, 0.2, 0.5, 0.4, 0.2, 0.1, 0.0)),
}
#: Gaussian, closed form with ln Phi missing from the third factor, and with all of eps missing: how much they matter.
GAUSSIAN_WITHOUT = {"ln Phi": (-15.6, -5.2, -3.0, -2.2, -1.8, -1.5, -1.2),
                    "eps": (-26.3, -17.9, -11.6, -7.7, -5.3, -3.8, -2.9)}


def weight_gain(sampler: Sampler, bits: int) -> float:
    """Mean SQNR of WQ minus that of Ristretto over 200 layers of 9216 weights."""
    def gain(t: int) -> float:
        w = sampler(np.random.default_rng([2024, t]), 9216) * 2 ** (t / 200)
        baseline, ours = (quantize(w, fl, bits) for fl in (ristretto(w, bits), wq(w, bits).frac_bits))
        return sqnr_db(w, ours) - sqnr_db(w, baseline)

    return float(np.mean([gain(t) for t in range(200)]))


def activation_gain(sampler: Sampler, bits: int) -> float:
    """Mean SQNR of FQ minus that of Ristretto over 100 tensors of 20000 samples."""
    def gain(t: int) -> float:
        x = sampler(np.random.default_rng([2025, t]), 20000) * 2 ** (t / 100)
        lengths = (ristretto(x, bits, signed=False), fq_single(x, bits).frac_bits)
        baseline, ours = (quantize(x, fl, bits, signed=False) for fl in lengths)
        return sqnr_db(x, ours) - sqnr_db(x, baseline)

    return float(np.mean([gain(t) for t in range(100)]))


class Report:
    """Tables of measured values; remembers whether all were as expected."""

    def __init__(self) -> None:
        self.console, self.inside = Console(width=110), True

    def cell(self, value: float, expected: float, tolerance: float, digits: int) -> str:
        """One value; with the expected one if it is outside."""
        good = abs(value - expected) <= tolerance
        self.inside &= good
        return f"{value:.{digits}f}" if good else f"[red]{value:.{digits}f} not {expected:.{digits}f}[/red]"

    def gains(self) -> None:
        """Gains over Ristretto."""
        table = Table("gain over Ristretto, dB", *(f"{bits} bit" for bits in WIDTHS))
        for gain_of, rows in ((weight_gain, WEIGHT_GAINS), (activation_gain, ACTIVATION_GAINS)):
            for name, (sampler, expected) in rows.items():
                cells = (self.cell(gain_of(sampler, b), e, 0.3, 1) for b, e in zip(WIDTHS, expected, strict=True))
                table.add_row(name, *cells)
        self.console.print(table)

    def steps(self) -> None:
        """Exact steps, and deviations of the closed form from them."""
        table = Table("exact step; closed form, %", *(f"N={levels}" for levels in LEVELS))
        for name, (density, steps, deviations) in STEPS.items():
            exact = [exact_step(density, levels) for levels in LEVELS]
            table.add_row(name, *(self.cell(s, e, 6e-7, 6) for s, e in zip(exact, steps, strict=True)))
            closed = [2 * half_support(density, levels) / levels for levels in LEVELS]
            table.add_row("- closed form", *self.deviations(closed, exact, deviations))
            if name == "Gaussian":
                for part, expected in GAUSSIAN_WITHOUT.items():
                    table.add_row(f"- without {part}", *self.deviations(gaussian_without(part), exact, expected))
        self.console.print(table)

    def deviations(self, steps: list[float], exact: list[float], expected: tuple[float, ...]) -> list[str]:
        """Deviations in percent, which must round to the expected ones."""
        rows = zip(steps, exact, expected, strict=True)
        return [self.cell(100 * (step / true - 1), percent, 0.051, 1) for step, true, percent in rows]

    def speed(self) -> None:
        """Run times, the best of three, against their limits."""
        rng = np.random.default_rng(0)
        weights, x = rng.standard_normal(2_400_000), np.maximum(rng.standard_normal(10_000_000), 0)
        cases: list[tuple[str, Callable[[], object], float]] = [
            ("WQ, 2.4 M weights", lambda: wq(weights, 8), 0.5), ("FQ, 10 M samples", lambda: fq_single(x, 8), 3.0)]
        for name, call, limit_s in cases:
            elapsed_s = min(timeit.repeat(call, number=1, repeat=3))
            self.inside &= elapsed_s < limit_s
            self.console.print(f"{name}: {elapsed_s:.2f} s (limit {limit_s} s)")


def gaussian_without(part: str) -> list[float]:
    """Steps of the closed form for the Gaussian with ln Phi (in the third factor) or all of eps left out."""
    def step(levels: int) -> float:
        r, log_n = 0.5, math.log(levels)
        log_phi = math.log(2 ** (2 - r) * 2 / 3) + math.lgamma(r)
        lead = (2 - r) * math.log(log_n) + log_phi
        x = (lead - (log_phi if part == "ln Phi" else 0)) / (2 * log_n)
        correction = (1 + 4 * log_n / levels) * (1 - 3 / (4 * log_n)) * (1 + x) ** (2 - r)
        y = 2 * log_n - lead + (0.0 if part == "eps" else math.log(correction))
        return 2 * math.sqrt(y / 0.5) / levels

    return [step(levels) for levels in LEVELS]


def main() -> int:
    """Print everything; 1 if a value is outside."""
    report = Report()
    report.gains()
    report.steps()
    report.speed()
    return 0 if report.inside else 1


if __name__ == "__main__":
    sys.exit(main())
