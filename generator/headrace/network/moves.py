"""Operations of a Network that choose elements: channels in any order, with constants between them, and pixels.

As in ops.py, shapes are those of one sample and `forward` works on a batch (N, *shape) in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.errors import InputError
from headrace.layers.window_geometry import Pair
from headrace.network.ops import FloatArray, Shape, require_finite


@dataclass(frozen=True)
class SelectChannels:
    """Channel i (along the first axis of a sample) is channel sources[i] of the input, or `value` where that is -1."""

    sources: tuple[int, ...]
    value: float = 0.0

    def __post_init__(self) -> None:
        require_finite(value=np.asarray(self.value))
        if not self.sources or min(self.sources) < -1:
            raise InputError(f"the channels {self.sources} should be one or more numbers from 0 on, or -1 for a "
                             "constant; name those to keep")

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        if max(self.sources) >= shape[0]:
            raise InputError(f"takes channel {max(self.sources)} of a tensor of {shape[0]} channels; use those from 0 "
                             f"to {shape[0] - 1}")
        return (len(self.sources), *shape[1:])

    def forward(self, x: FloatArray) -> FloatArray:
        """The chosen channels."""
        return chosen(x, self.sources, self.value, axis=1)

    def permutes(self, shape: Shape) -> bool:
        """True if every channel of a tensor of this shape is there once."""
        return sorted(self.sources) == list(range(shape[0]))


def chosen(x: FloatArray, sources: tuple[int, ...], value: float, axis: int) -> FloatArray:
    """Elements `sources` along an axis, `value` for -1."""
    wanted = np.asarray(sources)
    places = [1] * x.ndim
    places[axis] = len(sources)
    return np.asarray(np.where((wanted >= 0).reshape(places), x.take(np.maximum(wanted, 0), axis), value))


@dataclass(frozen=True)
class Crop:
    """Every step-th row and column from `start` up to `stop`, which is left out; pairs (vertical, horizontal)."""

    start: Pair
    stop: Pair
    step: Pair = (1, 1)

    def __post_init__(self) -> None:
        if min(self.start) < 0 or min(self.step) < 1:
            raise InputError(f"a crop from {self.start} in steps of {self.step} should start at 0 or later and go "
                             "forward; give rows and columns in their order")

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        if len(shape) != 3:
            raise InputError(f"a crop needs (channels, height, width), not {shape}; crop before the flatten")
        size = cropped(self.start, self.stop, self.step)
        if min(size) < 1 or self.stop[0] > shape[1] or self.stop[1] > shape[2]:
            raise InputError(f"a crop from {self.start} to {self.stop} leaves nothing of {shape[1]}x{shape[2]} pixels "
                             "or exceeds them; keep one pixel at least")
        return (shape[0], *size)

    def forward(self, x: FloatArray) -> FloatArray:
        """The pixels that stay."""
        rows, columns = (slice(*ends) for ends in zip(self.start, self.stop, self.step, strict=True))
        return x[:, :, rows, columns]


def cropped(start: Pair, stop: Pair, step: Pair) -> Pair:
    """Rows and columns that a crop leaves."""
    rows, columns = (-(-(last - first) // by) for first, last, by in zip(start, stop, step, strict=True))
    return rows, columns
