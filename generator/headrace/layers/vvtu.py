"""Vector-vector-threshold unit for depthwise convolutions: one kernel per channel (FINN's VVAU).

y_c = base + #{k : acc_c >= T_ck}, or acc_c itself, with acc_c = sum over taps t of W_ct * x_tc. PE channels and SIMD
taps per cycle. Its input is in depthwise order: for each window, for each group of PE channels, the taps.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import FoldingError, require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.cores.choice import AUTO
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Loop, Phases
from headrace.layers.random_values import drawn_weights
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream
from headrace.layers.weighted import WeightedLayer, row_group
from headrace.layers.window_geometry import SlidingWindow
from headrace.packing import depthwise_windows


@dataclass(frozen=True, eq=False)
class Vvtu(WeightedLayer):
    """Depthwise product with multi-threshold activation.

    weights: (C, K_h*K_w), taps row by row. vectors: windows per frame. A word in holds lanes [SIMD taps][PE channels],
    as a sliding window of SIMD = PE channels emits them.
    """

    kind = "vvtu"
    #: Several groups of channels, several words of taps, words of 18 and 4 bits.
    example = {"channels": 6, "kernel": [3, 2], "height": 2, "width": 3, "pe": 2, "simd": 3, "weight": "ternary",
               "input": "int3", "output": "uint2"}
    hls_memories = ("WEIGHTS", "THRESHOLDS")
    size_names = ("channels", "taps")
    shares_activations = False

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        channels, kernel = f.integer("channels"), f.pair("kernel")
        height, width = f.integer("height"), f.integer("width")
        require_positive(f.name, channels=channels, kernel=kernel, height=height, width=width)
        return cls(f.name, *drawn_weights(f, rng, channels, kernel[0] * kernel[1]), height * width, f.integer("pe", 1),
                    f.integer("simd", 1), f.text("core", AUTO))

    @property
    def latency_cycles(self) -> int:
        return super().latency_cycles - 1  # no input slice

    @property
    def flow(self) -> Pipeline:
        return Pipeline(self.latency_cycles - 1, direct=True, spaced=self.sf > 1)

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.input, self.pe * self.simd, self.vectors * self.nf * self.sf),)

    @property
    def follows_lanes(self) -> int:
        return self.pe  # a window's SIMD, whatever its form

    def behind(self, source: Layer) -> Self:
        if isinstance(source, SlidingWindow) and source.inputs[0].lanes != self.pe:
            lanes = source.inputs[0].lanes
            raise FoldingError(f"{self.name}: pe={self.pe} needs windows of as many channels at a time, and "
                               f"{source.name} has simd={lanes}; give both one number, or leave one of them out")
        return self

    def window_forms(self, columns: int, channels: int, folds: Mapping[str, int]) -> tuple[str, ...]:
        return ("serial", "parallel")

    def golden(self, *x: IntArray) -> IntArray:
        windows = depthwise_windows(x[0].reshape(len(x[0]) * self.vectors, -1), self.mh, self.pe)
        acc = (windows * self.weights.T).sum(axis=1)
        return self.activate(np.asarray(acc, np.int64).reshape(len(x[0]), self.vectors, self.mh))

    @property
    def phases(self) -> Phases:
        return (Loop(self.vectors * self.nf, row_group(self.sf, reads=1)),)

    def parameters(self) -> Parameters:
        return (("CHANNELS", self.mh), ("TAPS", self.mw), ("PE", self.pe), ("SIMD", self.simd),
                ("WINDOWS", self.vectors), *self.arithmetic_parameters)
