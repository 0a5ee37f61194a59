"""What a user can choose about the quantization of a network. Needs no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from generator.errors import QuantizationError

MethodName = Literal["ristretto", "ristretto+bft", "wq", "wq+bft", "ggd", "ggd+bft", "coarse-to-fine", "affine",
                     "affine+qat"]
METHOD_NAMES: tuple[str, ...] = get_args(MethodName)
#: Widths that weights and feature maps can have in hardware.
MIN_BITS, MAX_BITS = 2, 8


@dataclass(frozen=True)
class Settings:
    """The method, the widths and how much is spent.

    bias_bits: of the fixed-point methods, whose biases cost nothing in hardware. samples: how many are kept of the data
    for accuracy and tuning. window: fractional lengths that tuning tries on either side.
    Raises QuantizationError for an unknown method and numbers out of range.
    """

    method: str = "ggd"
    weight_bits: int = 8
    act_bits: int = 8
    bias_bits: int = 8
    samples: int = 1000
    window: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHOD_NAMES:
            raise QuantizationError(f"method {self.method!r} is unknown; choose one of {', '.join(METHOD_NAMES)}")
        require_width("weights", self.weight_bits)
        require_width("feature maps", self.act_bits)
        if not MIN_BITS <= self.bias_bits <= 32:
            raise QuantizationError(f"biases of {self.bias_bits} bits are not possible; use {MIN_BITS} to 32")
        for name in ("samples", "window"):
            if getattr(self, name) < 1:
                raise QuantizationError(f"{name}={getattr(self, name)} measures nothing; use 1 or more")


def require_width(what: str, bits: int) -> None:
    """Raise QuantizationError unless the hardware has codes of that width."""
    if not MIN_BITS <= bits <= MAX_BITS:
        raise QuantizationError(f"{what} of {bits} bits have no layer; use {MIN_BITS} to {MAX_BITS}")
