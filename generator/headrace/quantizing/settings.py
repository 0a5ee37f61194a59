"""What a user can choose about the quantization of a network. Needs no torch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Literal, get_args

from headrace.errors import QuantizationError
from headrace.quantization.weight_difference import Method

MethodName = Literal["ristretto", "ristretto+bft", "wq", "wq+bft", "ggd", "ggd+bft", "coarse-to-fine", "affine",
                     "ptq", "affine+qat"]
METHOD_NAMES: tuple[str, ...] = get_args(MethodName)
#: Tries methods and takes the best on samples that it holds back.
AUTO = "auto"
RangeName = Literal["minmax", "percentile", "mse", "entropy"]
RANGE_NAMES: tuple[str, ...] = get_args(RangeName)
ScalesName = Literal["channel", "tensor"]
SCALES_NAMES: tuple[str, ...] = get_args(ScalesName)
RoundingName = Literal["nearest", "adaptive"]
ROUNDING_NAMES: tuple[str, ...] = get_args(RoundingName)
SelectName = Literal["sqnr", "weight-difference", "range", "one-at-a-time"]
SELECT_NAMES: tuple[str, ...] = get_args(SelectName)
SEARCH_NAMES: tuple[str, ...] = get_args(Method)
#: Widths that weights and feature maps can have in hardware.
MIN_BITS, MAX_BITS = 2, 8
#: Settings of affine scales; the others have rules of their own.
AFFINE_ONLY = ("weight_scales", "ranges", "rounding", "correct_bias")
#: Settings that say nothing without two widths to choose from.
MIXED_ONLY = ("mixed_maps", "select", "search", "count", "accuracy_drop", "sqnr_threshold_db", "start")


@dataclass(frozen=True)
class Settings:
    """The method, the widths and how much is spent.

    bias_bits: of the fixed-point methods, whose biases cost nothing in hardware. samples: how many are kept of the data
    for accuracy and tuning. window: fractional lengths that tuning tries on either side.

    equalize: rescale channels between layers first (cross-layer equalisation). Of the affine methods: weight_scales,
    per output channel or layer; ranges of feature maps; rounding of weights; correct_bias, which adaptive rounding
    includes.
    edge_bits: of the input and of the weights of the first and the last layer, None for those of all. weight_widths,
    tensor_widths: of single layers' weights and of single tensors, by name.

    mixed: low and high width of the weights (None: weight_bits for all), with mixed_maps of the feature maps too, by
    their SQNR. Layers are ranked by `select`, and `search` takes as many at the low width as lose at most accuracy_drop
    percentage points against the first network, the float one or the one at the high width (`start`); or `count`; or
    sqnr_threshold_db decides alone. cycles, learning_rate, seed: of training, for the ranking by weight differences and
    for affine+qat.
    Raises QuantizationError for an unknown method and numbers out of range.
    """

    method: str = "ggd"
    weight_bits: int = 8
    act_bits: int = 8
    bias_bits: int = 8
    samples: int = 1000
    window: int = 1
    equalize: bool = False
    weight_scales: ScalesName = "channel"
    ranges: RangeName = "minmax"
    rounding: RoundingName = "nearest"
    correct_bias: bool = False
    edge_bits: int | None = None
    weight_widths: dict[str, int] = field(default_factory=dict)
    tensor_widths: dict[str, int] = field(default_factory=dict)
    mixed: tuple[int, int] | None = None
    mixed_maps: bool = False
    select: SelectName = "sqnr"
    search: Method = "bisect"
    count: int | None = None
    accuracy_drop: float = 1.0
    sqnr_threshold_db: float | None = None
    start: Literal["float", "high"] = "float"
    cycles: int = 1
    learning_rate: float = 0.0003
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in (AUTO, *METHOD_NAMES):
            raise QuantizationError(f"method {self.method!r} is unknown; choose one of {AUTO}, "
                                    f"{', '.join(METHOD_NAMES)}")
        if self.method not in ("affine", "affine+qat"):
            self._require_affine()
        require_width("weights", self.weight_bits)
        require_width("feature maps", self.act_bits)
        if self.edge_bits is not None:
            require_width("the first and the last layer", self.edge_bits)
        for name, bits in (self.weight_widths | self.tensor_widths).items():
            require_width(name, bits)
        if not MIN_BITS <= self.bias_bits <= 32:
            raise QuantizationError(f"biases of {self.bias_bits} bits are not possible; use {MIN_BITS} to 32")
        for name in ("samples", "window", "cycles"):
            if getattr(self, name) < 1:
                raise QuantizationError(f"{name}={getattr(self, name)} does nothing; use 1 or more")
        if not 0 < self.learning_rate < math.inf:
            raise QuantizationError(f"a learning rate of {self.learning_rate} trains nothing; use a number above 0")
        if self.mixed is not None:
            self._require_mixed(*self.mixed)
        else:
            require_mixed(field.name for field in fields(self) if getattr(self, field.name) != field.default)

    def _require_affine(self) -> None:
        """Raise QuantizationError for settings of affine scales: the method has no use for them."""
        defaults = {field.name: field.default for field in fields(self)}
        if idle := [name.replace("_", "-") for name in AFFINE_ONLY if getattr(self, name) != defaults[name]]:
            raise QuantizationError(f"{', '.join(idle)}: method {self.method} chooses for itself; give method affine, "
                                    f"or leave {'them' if len(idle) > 1 else 'it'} out")

    def _require_mixed(self, low: int, high: int) -> None:
        require_width("low-precision weights", low)
        require_width("high-precision weights", high)
        if self.edge_bits is not None or self.weight_widths or self.tensor_widths:
            raise QuantizationError("mixed widths are chosen for all layers; leave widths of single layers out")
        if low >= high:
            raise QuantizationError(f"mixed widths {low},{high} must rise; give the smaller one first")
        if self.select != "sqnr" and (self.mixed_maps or self.sqnr_threshold_db is not None):
            raise QuantizationError(f"{self.select} ranks weights, so feature maps and SQNR thresholds have no place "
                                    "in it; select by sqnr")
        if not self.accuracy_drop >= 0:
            raise QuantizationError(f"an accuracy drop of {self.accuracy_drop} points is impossible; use 0 or more")
        if self.count is not None and self.search != "count":
            raise QuantizationError(f"count={self.count} has no effect with search {self.search}; search by count, or "
                                    "leave count out")


def require_mixed(chosen: Iterable[str]) -> None:
    """Raise QuantizationError if one of the settings that were chosen needs two widths; for settings without them."""
    if idle := [name.removesuffix("_db").replace("_", "-") for name in chosen if name in MIXED_ONLY]:
        raise QuantizationError(f"{', '.join(idle)}: without two widths of the weights there is nothing to choose; "
                                f"give mixed widths (--mixed A,B), or leave {'them' if len(idle) > 1 else 'it'} out")


def require_width(what: str, bits: int) -> None:
    """Raise QuantizationError unless the hardware has codes of that width."""
    if not MIN_BITS <= bits <= MAX_BITS:
        raise QuantizationError(f"{what} of {bits} bits have no layer; use {MIN_BITS} to {MAX_BITS}")
