"""A dataflow small enough to read, with every kind of memory: fifo -> dwc -> mvtu with thresholds -> raw mvtu."""

from __future__ import annotations

import numpy as np

from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.datatypes import BIPOLAR, TERNARY, IntArray, Interval, uint_type
from headrace.layers.base import Layer
from headrace.layers.dwc import Dwc
from headrace.layers.fifo import Fifo
from headrace.layers.mvtu import Mvtu

PIXELS = 4


def chain(*layers: Layer) -> Dataflow:
    """Layers one after the other."""
    sources = [SOURCE, *(layer.name for layer in layers)]
    placed = tuple(Placed(layer, ((source, 0),)) for source, layer in zip(sources, layers, strict=False))
    return Dataflow(layers[0].inputs[0], placed)


def small_dataflow() -> Dataflow:
    """12 channels of uint4 on 4 pixels -> 6 of uint2 -> 5 accumulators."""
    rng = np.random.default_rng(0)
    hidden = Mvtu("fc0", rng.integers(-1, 2, (6, 12)), np.sort(rng.integers(-20, 21, (6, 3)), axis=1), TERNARY,
                  uint_type(4), uint_type(2), PIXELS, pe=2, simd=3)
    last = Mvtu("fc1", rng.choice([-1, 1], (5, 6)), None, BIPOLAR, uint_type(2), Interval(-18, 18), PIXELS,
                pe=1, simd=2)
    return chain(Fifo("fifo0", 8, 2, uint_type(4), 24), Dwc("dwc0", 2, 3, uint_type(4), 24), hidden, last)


def small_frames(dataflow: Dataflow, frames: int) -> IntArray:
    """Seeded frames (frames, elements) of the input's range."""
    return np.random.default_rng(1).integers(0, 16, (frames, dataflow.input.elements))
