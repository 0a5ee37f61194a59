"""Maximum (or minimum) over windows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.datatypes import DataType, IntArray, uint_type
from headrace.layers.base import Layer, Parameters
from headrace.layers.pooling import Pooling
from headrace.layers.spec_fields import Fields
from headrace.layers.window_geometry import Pair
from headrace.packing import Memory


@dataclass(frozen=True)
class MaxPool(Pooling):
    """Pooling over (height, width, channels); kernel and stride are (vertical, horizontal) pairs.

    `minimum` lists the channels whose minimum is taken: those whose meaning has a negative scale.
    """

    kind = "max_pool"
    #: Overlapping windows that leave a column unused, two words per pixel.
    example = {"height": 5, "width": 6, "channels": 4, "pe": 2, "kernel": [3, 3], "stride": [2, 2], "element": "int3"}
    hls_memories = ("MINIMUM",)
    name: str
    height: int
    width: int
    channels: int
    kernel: Pair
    stride: Pair
    element: DataType
    minimum: frozenset[int] = frozenset()
    pe: int = 1

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        kernel, channels = f.pair("kernel"), f.integer("channels")
        minimum = frozenset(range(channels) if f.flag("minimum") else ())
        return cls(f.name, f.integer("height"), f.integer("width"), channels, kernel, f.pair("stride", kernel),
                       f.dtype("element"), minimum, f.integer("pe", 1))

    def golden(self, *x: IntArray) -> IntArray:
        is_minimum = np.isin(np.arange(self.channels), list(self.minimum))
        pooled = [np.where(is_minimum, window.min((1, 2)), window.max((1, 2))) for window in self.windows(x[0])]
        return np.stack(pooled, axis=1).reshape(len(x[0]), -1)

    @property
    def mode(self) -> int:
        """0: maximum everywhere, 1: minimum everywhere, 2: per channel, from the memory MINIMUM."""
        return 0 if not self.minimum else 1 if len(self.minimum) == self.channels else 2

    def parameters(self) -> Parameters:
        return (*super().parameters(), ("MODE", self.mode))

    def memories(self) -> tuple[Memory, ...]:
        if self.mode != 2:
            return ()
        mask = np.isin(np.arange(self.channels), list(self.minimum)).astype(np.int64)
        return (Memory("MINIMUM", mask.reshape(self.pixel_words, 1, self.pe), uint_type(1)),)
