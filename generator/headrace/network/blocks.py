"""Operations of a Network between channels and blocks of pixels, in the order that ONNX calls DCR.

As in ops.py, shapes are those of one sample and `forward` works on a batch (N, *shape) in float64. Other orders are a
selection of channels beside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from headrace.errors import InputError
from headrace.layers.window_geometry import Pair
from headrace.network.ops import FloatArray, Shape


def _require_block(block: Pair) -> None:
    if min(block) < 1:
        raise InputError(f"a block of {block} pixels has none; use sides of 1 or more")


def _require_frame(shape: Shape) -> None:
    if len(shape) != 3:
        raise InputError(f"blocks of pixels need (channels, height, width), not {shape}; move them before the flatten")


@dataclass(frozen=True)
class DepthToSpace:
    """y[k, r*B_h + i, c*B_w + j] = x[(i*B_w + j)*K + k, r, c]; block is (vertical, horizontal)."""

    block: Pair

    def __post_init__(self) -> None:
        _require_block(self.block)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        _require_frame(shape)
        if shape[0] % math.prod(self.block):
            raise InputError(f"{shape[0]} channels do not fill blocks of {self.block[0]}x{self.block[1]} pixels; use a "
                             f"multiple of {math.prod(self.block)}")
        return shape[0] // math.prod(self.block), shape[1] * self.block[0], shape[2] * self.block[1]

    def forward(self, x: FloatArray) -> FloatArray:
        """The same values in their places."""
        blocks = x.reshape(len(x), *self.block, -1, *x.shape[2:])
        return blocks.transpose(0, 3, 4, 1, 5, 2).reshape(len(x), *self.infer(x.shape[1:]))


@dataclass(frozen=True)
class SpaceToDepth:
    """y[(i*B_w + j)*K + k, r, c] = x[k, r*B_h + i, c*B_w + j]; block is (vertical, horizontal)."""

    block: Pair

    def __post_init__(self) -> None:
        _require_block(self.block)

    def infer(self, shape: Shape) -> Shape:
        """Shape of the output."""
        _require_frame(shape)
        if shape[1] % self.block[0] or shape[2] % self.block[1]:
            raise InputError(f"{shape[1]}x{shape[2]} pixels are not made of blocks of {self.block[0]}x{self.block[1]}; "
                             "pad or crop them")
        return shape[0] * math.prod(self.block), shape[1] // self.block[0], shape[2] // self.block[1]

    def forward(self, x: FloatArray) -> FloatArray:
        """The same values in their places."""
        shape = self.infer(x.shape[1:])
        blocks = x.reshape(len(x), x.shape[1], shape[1], self.block[0], shape[2], self.block[1])
        return blocks.transpose(0, 3, 5, 1, 2, 4).reshape(len(x), *shape)
