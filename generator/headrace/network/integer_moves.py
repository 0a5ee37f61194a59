"""Operations of an IntegerNetwork that choose elements: channels in any order, with constants between them, and pixels.

Tensors are (height, width, channels). The formulas are those of the streaming layers of the same names.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.errors import InputError
from headrace.layers.window_geometry import Pair
from headrace.network.integer_ops import TensorType
from headrace.network.moves import cropped


@dataclass(frozen=True)
class ChannelMap:
    """Channel i is channel sources[i] of the input, or the constant code `constant` where that is -1."""

    sources: tuple[int, ...]
    constant: int = 0

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output: that of the input, whose type holds the constant."""
        if not self.sources or min(self.sources) < -1 or max(self.sources) >= x.shape[2]:
            raise InputError(f"takes channels {self.sources} of a tensor of {x.shape[2]} channels; use those from 0 to "
                             f"{x.shape[2] - 1}, or -1 for a constant")
        if -1 in self.sources and not x.dtype.contains(np.asarray([self.constant])):
            raise InputError(f"the constant {self.constant} is not a value of {x.dtype}; use one that it holds")
        return TensorType((*x.shape[:2], len(self.sources)), x.dtype)


@dataclass(frozen=True)
class Crop:
    """Every step-th row and column from `start` up to `stop`, which is left out; pairs (vertical, horizontal)."""

    start: Pair
    stop: Pair
    step: Pair = (1, 1)

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output."""
        size = cropped(self.start, self.stop, self.step)
        if min(self.start) < 0 or min(self.step) < 1 or min(size) < 1 or any(
                stop > whole for stop, whole in zip(self.stop, x.shape[:2], strict=True)):
            raise InputError(f"a crop from {self.start} to {self.stop} in steps of {self.step} leaves nothing of "
                             f"{x.shape[0]}x{x.shape[1]} pixels or exceeds them; keep one pixel at least")
        return TensorType((*size, x.shape[2]), x.dtype)
