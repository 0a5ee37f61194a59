"""Operations of an IntegerNetwork between channels and blocks of pixels; tensors are (height, width, channels)."""

from __future__ import annotations

from dataclasses import dataclass

from headrace.layers.window_geometry import Pair
from headrace.network import blocks
from headrace.network.integer_ops import TensorType


@dataclass(frozen=True)
class DepthToSpace:
    """y[r*B_h + i, c*B_w + j, k] = x[r, c, (i*B_w + j)*K + k]; block is (vertical, horizontal)."""

    block: Pair

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output. Raises InputError where the channels do not fill blocks."""
        return _moved(blocks.DepthToSpace(self.block), x)



@dataclass(frozen=True)
class SpaceToDepth:
    """y[r, c, (i*B_w + j)*K + k] = x[r*B_h + i, c*B_w + j, k]; block is (vertical, horizontal)."""

    block: Pair

    def infer(self, x: TensorType) -> TensorType:
        """Type of the output. Raises InputError where the pixels do not fill blocks."""
        return _moved(blocks.SpaceToDepth(self.block), x)



def _moved(op: blocks.DepthToSpace | blocks.SpaceToDepth, x: TensorType) -> TensorType:
    height, width, channels = x.shape
    channels, height, width = op.infer((channels, height, width))
    return TensorType((height, width, channels), x.dtype)
