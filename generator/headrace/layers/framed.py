"""What layers share that take frames of pixels, some channels of a pixel per word."""

from __future__ import annotations

from headrace.datatypes import DataType, IntArray
from headrace.fold_rule import require_divides
from headrace.layers.base import Grid, Layer
from headrace.layers.stream import Stream


class Framed(Layer):
    """One input of (height, width, channels), SIMD channels per word."""

    height: int
    width: int
    channels: int
    element: DataType
    simd: int

    def require_lanes(self) -> None:
        """Raise FoldingError unless SIMD divides the channels."""
        require_divides(self.name, "SIMD", self.simd, "channels", self.channels)

    @property
    def in_grid(self) -> Grid:
        return self.height, self.width

    @property
    def pixel_words(self) -> int:
        """Words per pixel, channels/SIMD."""
        return self.channels // self.simd

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.simd, self.height * self.width * self.pixel_words),)

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"simd": self.channels}

    def frames_of(self, x: IntArray) -> IntArray:
        """Frames (frames, elements) as (frames, height, width, channels)."""
        return x.reshape(-1, self.height, self.width, self.channels)
