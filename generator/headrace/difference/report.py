"""What a comparison with a framework found: codes that differ, why, at which quantizer, and the outputs of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from headrace.engines.host import Float32Array


class Cause(Enum):
    """Why a code differs."""

    TIE = "exact tie"
    CANCELLATION = "exact cancellation"
    ROUNDING = "float32 rounding"
    INHERITED = "earlier difference"
    ERROR = "unexplained"


@dataclass(frozen=True)
class CodeDifference:
    """One differing code; position is (channel, row, column).

    `distance` is how far the exact value lies from the decision point, `allowed` what float32 rounding can cover, both
    in steps of the quantizer.
    """

    sample: int
    position: tuple[int, int, int]
    framework_code: int
    integer_code: int
    cause: Cause
    distance: float
    allowed: float


@dataclass(frozen=True)
class QuantizerDifference:
    """The comparison at one quantizer: differences from the framework's codes by cause.

    `quantizer` is its module or node, `tensor` the integers; `first` is the first unexplained difference, or the first
    of all.
    """

    framework: str
    quantizer: str
    tensor: str
    compared: int
    causes: dict[Cause, int]
    first: CodeDifference | None

    @property
    def differing(self) -> int:
        """Codes that differ."""
        return sum(self.causes.values())

    def __str__(self) -> str:
        text = f"{self.quantizer} ({self.tensor}): {self.differing} of {self.compared} codes differ"
        if self.first is None:
            return text
        d = self.first
        return (f"{text} ({_told(self.causes)}); first in sample {d.sample} at {d.position}: "
                f"{self.framework} {d.framework_code}, integer {d.integer_code}, {d.cause.value}, "
                f"{d.distance:.3g} steps from the decision point (float32 allows {d.allowed:.3g})")


@dataclass(frozen=True)
class Difference:
    """Integer network against a framework on the same inputs, quantizer by quantizer and at the output.

    `framework` and `exact` are the outputs of both, (samples, elements).
    """

    samples: int
    quantizers: tuple[QuantizerDifference, ...]
    output_max: float
    output_errors: int
    decisions_changed: int
    framework: Float32Array = field(repr=False)
    exact: Float32Array = field(repr=False)

    @property
    def explained(self) -> bool:
        """True if ties and float32 rounding explain every difference."""
        return not self.output_errors and not any(q.causes[Cause.ERROR] for q in self.quantizers)

    @property
    def first(self) -> QuantizerDifference | None:
        """The first quantizer with a difference."""
        return next((quantizer for quantizer in self.quantizers if quantizer.differing), None)

    def __str__(self) -> str:
        lines = [str(quantizer) for quantizer in self.quantizers]
        lines.append(self._all_codes())
        lines.append(f"outputs of {self.samples} samples: largest difference {self.output_max:.3g}, "
                     f"{self.output_errors} unexplained, {self.decisions_changed} with another largest score")
        lines.append("every difference is explained" if self.explained else "there are UNEXPLAINED differences")
        return "\n".join(lines)

    def _all_codes(self) -> str:
        """How many codes differ in all, where first and why."""
        compared = sum(quantizer.compared for quantizer in self.quantizers)
        if self.first is None:
            return f"all layers: none of {compared} codes differs"
        causes = {cause: sum(quantizer.causes[cause] for quantizer in self.quantizers) for cause in Cause}
        return (f"all layers: {sum(causes.values())} of {compared} codes differ ({_told(causes)}); the first layer "
                f"that differs is {self.first.quantizer} ({self.first.tensor})")


def _told(causes: Mapping[Cause, int]) -> str:
    return ", ".join(f"{count} {cause.value}" for cause, count in causes.items() if count)
