"""The operation of a Network that applies a curve to every element."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from headrace.errors import InputError
from headrace.network.curves import Curve, Elu, Erf, Leaky, Power, Sigmoid, Softplus, Softsign, Tanh
from headrace.network.gates import Gelu, HardSwish, Mish, Swish
from headrace.network.ops import FloatArray, Shape, require_finite
from headrace.network.reciprocals import exact

#: Curves by name, made from a parameter that some of them have and a second one.
CURVES: dict[str, Callable[[Fraction, Fraction], Curve]] = {
    "leaky_relu": lambda slope, _: Leaky(slope), "elu": lambda alpha, _: Elu(alpha),
    "celu": lambda alpha, _: Elu(alpha, alpha), "sigmoid": lambda *_: Sigmoid(), "tanh": lambda *_: Tanh(),
    "erf": lambda *_: Erf(), "softplus": lambda *_: Softplus(), "softsign": lambda *_: Softsign(),
    "power": lambda exponent, _: Power(int(exponent)), "silu": lambda *_: Swish(), "swish": Swish,
    "mish": lambda *_: Mish(), "hard_swish": lambda slope, _: HardSwish(exact(slope)),
    "gelu": lambda factor, _: Gelu(factor),
}
#: Those whose parameter must be positive.
_POSITIVE = ("elu", "celu", "swish", "hard_swish", "gelu", "power")


@dataclass(frozen=True, eq=False)
class Activation:
    """A curve of CURVES, element by element; alpha (1,) or (C,) is its parameter: a slope, a limit below 0, a gain.

    cubic: the second parameter of "swish".
    """

    kind: str
    alpha: FloatArray = field(default_factory=lambda: np.zeros(1))
    cubic: float = 0.0

    def __post_init__(self) -> None:
        require_finite(alpha=self.alpha, cubic=np.asarray([self.cubic]))
        if self.kind not in CURVES:
            raise InputError(f"activation {self.kind!r} is unknown; choose one of {sorted(CURVES)}")
        if self.kind in _POSITIVE and np.any(self.alpha <= 0):
            raise InputError(f"alpha {float(self.alpha.min()):g} of {self.kind} must be positive; correct the model")
        if self.cubic < 0 or (self.kind == "power" and np.any(self.alpha % 1)):
            raise InputError(f"the parameters {self.alpha.tolist()} and {self.cubic:g} of {self.kind} must be whole "
                             "and not negative; correct the model")

    def curve(self, alpha: Fraction) -> Curve:
        """The curve of one parameter."""
        return CURVES[self.kind](alpha, Fraction(self.cubic))

    @property
    def curves(self) -> tuple[Curve, ...]:
        """One curve, or one per channel."""
        return tuple(self.curve(Fraction(float(alpha))) for alpha in self.alpha)

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
