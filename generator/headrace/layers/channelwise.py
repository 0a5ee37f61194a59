"""What layers share that map every element by itself with parameters of its channel."""

from __future__ import annotations

from abc import abstractmethod

from headrace.datatypes import DataType
from headrace.errors import require_positive
from headrace.fold_rule import require_divides
from headrace.layers.base import Layer
from headrace.layers.stream import Stream


class Channelwise(Layer):
    """`pixels` pixels of C channels, PE channels per cycle, one word out for every word in."""

    input: DataType
    output: DataType
    pixels: int
    pe: int

    def __post_init__(self) -> None:
        require_positive(self.name, channels=self.channels, pixels=self.pixels)
        require_divides(self.name, "PE", self.pe, "channels", self.channels)

    @property
    @abstractmethod
    def channels(self) -> int:
        """Channels of a pixel."""

    @property
    def pixel_words(self) -> int:
        """Words per pixel, channels/PE."""
        return self.channels // self.pe

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.input, self.pe, self.pixels * self.pixel_words),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.output, self.pe, self.pixels * self.pixel_words),)

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.channels}
