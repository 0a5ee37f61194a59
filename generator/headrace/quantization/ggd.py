"""Generalized gamma densities and the closed form of their optimal uniform quantizer.

Density: p(x) = mu |x|^beta exp(-lam |x|^alpha), symmetric, mu = alpha lam^r / (2 Gamma(r)), r = (1 + beta) / alpha.
Quantizer: N levels (even) at odd multiples of step / 2 on [-L, L], L = N step / 2.

Sources: Kim et al., arXiv:1810.13329, equations (4) to (7); Hui and Neuhoff, "Asymptotic analysis of optimal
fixed-rate uniform scalar quantization", IEEE Trans. Information Theory 47(3), 2001.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from headrace.errors import QuantizationError


@dataclass(frozen=True)
class GeneralizedGamma:
    """The density mu |x|^beta exp(-lam |x|^alpha). Raises QuantizationError unless alpha, lam > 0 and beta > -1."""

    alpha: float
    beta: float
    lam: float

    def __post_init__(self) -> None:
        finite = all(map(math.isfinite, (self.alpha, self.beta, self.lam)))
        if not (finite and self.alpha > 0 and self.beta > -1 and self.lam > 0):
            raise QuantizationError(f"{self} is not a density; alpha and lam must be above 0 and beta above -1")

    @property
    def shape(self) -> float:
        """r = (1 + beta) / alpha; kappa for alpha = 1."""
        return (1 + self.beta) / self.alpha

    @property
    def log_mu(self) -> float:
        """ln mu; mu itself leaves float64 for narrow distributions."""
        return math.log(self.alpha / 2) + self.shape * math.log(self.lam) - math.lgamma(self.shape)

    @property
    def mu(self) -> float:
        """The normalization alpha lam^r / (2 Gamma(r)).

        >>> round(gamma_density(5, 2).mu, 12)
        0.00034434705
        """
        return _exp(self.log_mu)


def _exp(x: float) -> float:
    """e^x, inf where float64 ends."""
    return math.exp(x) if x < 709 else math.inf


def gamma_density(mean: float, variance: float) -> GeneralizedGamma:
    """The density with alpha = 1 that has these moments on one side: kappa = mean^2 / variance, lam = mean / variance.

    mu carries the factor 1/2, so the density is the symmetric one. Source: arXiv:1810.13329, Algorithm 2.
    Raises QuantizationError unless both moments are above 0.

    >>> gamma_density(5, 2)
    GeneralizedGamma(alpha=1.0, beta=11.5, lam=2.5)
    """
    if not (mean > 0 and variance > 0):
        raise QuantizationError(f"mean {mean} and variance {variance} give no gamma density; both must be above 0")
    return GeneralizedGamma(1.0, mean * mean / variance - 1, mean / variance)


def require_levels(levels: int) -> None:
    """Raise QuantizationError unless N is even and at least 2."""
    if levels < 2 or levels % 2:
        raise QuantizationError(f"N={levels} levels are not symmetric; use an even number from 2 on")


def _scaled_support(alpha: float, beta: float, levels: int) -> float:
    """y = lam L^alpha. The three factors of equation (6) are those of arXiv:1810.13329; see `half_support`."""
    require_levels(levels)
    undefined = QuantizationError(f"the closed form is not defined for alpha={alpha}, beta={beta}, N={levels}; "
                                  "use exact_step")
    if levels < 3:
        raise undefined
    r, log_n = (1 + beta) / alpha, math.log(levels)
    log_phi = (2 - r) * math.log(2) + math.log(alpha / 3) + math.lgamma(r)
    lead = (2 - r) * math.log(log_n) + log_phi
    tail, correction = 1 + (3 - 3 * alpha + 2 * beta) / (2 * alpha * log_n), 1 + lead / (2 * log_n)
    if tail <= 0 or correction <= 0:
        raise undefined
    epsilon = math.log1p(2 * alpha * log_n / levels) + math.log(tail) + (2 - r) * math.log(correction)
    y = 2 * log_n - lead + epsilon
    if y <= 0:
        raise undefined
    return y


def half_support(density: GeneralizedGamma, levels: int) -> float:
    """Half support L_N of the optimal uniform quantizer with N levels; the step is 2 L_N / N.

        Phi = 2^(2-r) alpha Gamma(r) / 3,  x = ((2-r) ln ln N + ln Phi) / (2 ln N)
        E   = ln[(1 + 2 alpha ln N / N) (1 + (3 - 3 alpha + 2 beta) / (2 alpha ln N)) (1 + x)^(2-r)]
        L_N = ((2 ln N - (2-r) ln ln N - ln Phi + E) / lam)^(1/alpha)

    L_N is in the units of x. Source: arXiv:1810.13329, equations (5) and (6), with ln Phi inside the third factor.
    Raises QuantizationError where the form is not defined (N < 3, very large or very small r): use `exact_step`.

    >>> round(half_support(GeneralizedGamma(2, 0, 0.5), 4), 12)
    1.940700362988
    """
    y = _scaled_support(density.alpha, density.beta, levels)
    return float((y / density.lam) ** (1 / density.alpha))


def closed_form_defined(alpha: float, beta: float, levels: int) -> bool:
    """True where `half_support` is defined; lam has no influence.

    >>> closed_form_defined(1, 99, 16), closed_form_defined(1, 0, 16)
    (False, True)
    """
    try:
        _scaled_support(alpha, beta, levels)
    except QuantizationError:
        return False
    return True


def in_trust_region(kappa: float, levels: int) -> bool:
    """True where the closed form for alpha = 1 is within 25 % of the best step: N >= 8, 0.05 <= kappa <= 2 ln N.

    >>> in_trust_region(1.0, 16), in_trust_region(6.0, 16), in_trust_region(1.0, 4)
    (True, False, False)
    """
    return levels >= 8 and 0.05 <= kappa <= 2 * math.log(levels)


def model_distortion(density: GeneralizedGamma, levels: int, support: float) -> float:
    """D(L) = (2L/N)^2 / 12 + 4 mu / (alpha lam)^3 exp(-lam L^alpha) L^(beta + 3 - 3 alpha), L = `support` > 0.

    The mean squared error that the asymptotic theory predicts for half support L, in squared units of x.
    Source: arXiv:1810.13329, equation (7). Raises QuantizationError for odd N and support <= 0.

    >>> round(model_distortion(GeneralizedGamma(2, 0, 0.5), 4, 1.991373371887041), 9)
    0.110438734
    """
    require_levels(levels)
    if not support > 0:
        raise QuantizationError(f"a half support of {support} holds no levels; give a number above 0")
    alpha, beta, lam = density.alpha, density.beta, density.lam
    log_overload = (math.log(4) + density.log_mu - 3 * math.log(alpha * lam) - lam * support**alpha
                    + (beta + 3 - 3 * alpha) * math.log(support))
    return (2 * support / levels) ** 2 / 12 + _exp(log_overload)


def model_errors(density: GeneralizedGamma, levels: int, candidates: Sequence[int]) -> list[float]:
    """Equation (7) at the steps 2^-FL of the candidates."""
    return [model_distortion(density, levels, float(np.ldexp(levels / 2, -fl))) for fl in candidates]
