"""The operation of a Network that applies a curve to every element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from headrace.errors import InputError
from headrace.network.curves import (
    Curve,
    Elu,
    HardSwish,
    Leaky,
    Mish,
    Sigmoid,
    Silu,
    Softplus,
    Softsign,
    Tanh,
)
from headrace.network.ops import FloatArray, Shape, require_finite

#: Curves by name, made from a parameter that most of them have not.
CURVES: dict[str, Callable[[Fraction], Curve]] = {
    "leaky_relu": Leaky, "elu": Elu, "celu": lambda alpha: Elu(alpha, alpha),
    "sigmoid": lambda _: Sigmoid(), "tanh": lambda _: Tanh(), "softplus": lambda _: Softplus(),
    "softsign": lambda _: Softsign(), "silu": lambda _: Silu(), "mish": lambda _: Mish(),
    "hard_swish": lambda slope: HardSwish(-1 / (16 * slope), slope),
}


@dataclass(frozen=True, eq=False)
class Activation:
    """A curve of curves.CURVES, element by element; alpha (1,) or (C,) is its parameter: a slope, a limit below 0."""

    kind: str
    alpha: FloatArray = field(default_factory=lambda: np.zeros(1))

    def __post_init__(self) -> None:
        require_finite(alpha=self.alpha)
        if self.kind not in CURVES:
            raise InputError(f"activation {self.kind!r} is unknown; choose one of {sorted(CURVES)}")
        if self.kind in ("elu", "celu", "hard_swish") and np.any(self.alpha <= 0):
            raise InputError(f"alpha {float(self.alpha.min()):g} of {self.kind} must be positive; correct the model")

    @property
    def curves(self) -> tuple[Curve, ...]:
        """One curve, or one per channel."""
        return tuple(CURVES[self.kind](Fraction(float(alpha))) for alpha in self.alpha)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        if len(self.alpha) not in (1, shape[0]):
            raise InputError(f"alpha for {len(self.alpha)} channels meets a tensor of {shape[0]} channels; "
                             "use one value or one per channel")
        return shape

    def forward(self, x: FloatArray) -> FloatArray:
        """Values in float64."""
        if len(self.alpha) == 1:
            return self.curves[0].values(x)
        return np.stack([curve.values(x[:, c]) for c, curve in enumerate(self.curves)], axis=1)
