"""Sum over windows: average pooling without its division, which a requantizer behind it takes over."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.datatypes import DataType, IntArray, Interval
from headrace.layers.base import Layer, Parameters
from headrace.layers.pooling import Pooling
from headrace.layers.spec_fields import Fields
from headrace.layers.window_geometry import Pair


@dataclass(frozen=True)
class AccPool(Pooling):
    """Sums over (height, width, channels); kernel and stride are (vertical, horizontal) pairs.

    The output's type is the exact interval of the sums.
    """

    kind = "acc_pool"
    #: Overlapping windows that leave a column unused, two words per pixel.
    example = {"height": 5, "width": 6, "channels": 4, "pe": 2, "kernel": [3, 3], "stride": [2, 2], "element": "int3"}
    sums = True
    name: str
    height: int
    width: int
    channels: int
    kernel: Pair
    stride: Pair
    element: DataType
    pe: int = 1

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        kernel = f.pair("kernel")
        return cls(f.name, f.integer("height"), f.integer("width"), f.integer("channels"), kernel,
                       f.pair("stride", kernel), f.dtype("element"), f.integer("pe", 1))

    @property
    def output(self) -> Interval:
        taps = self.kernel[0] * self.kernel[1]
        return Interval(taps * self.element.lo, taps * self.element.hi)

    def golden(self, *x: IntArray) -> IntArray:
        sums = [window.sum((1, 2)) for window in self.windows(x[0])]
        return np.stack(sums, axis=1).reshape(len(x[0]), -1)

    def parameters(self) -> Parameters:
        return (*super().parameters(), ("O_BITS", self.output.bits))
