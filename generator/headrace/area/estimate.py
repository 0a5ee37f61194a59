"""What a layer will take of the device, before any synthesis: the structures that it counts, times fitted factors."""

from __future__ import annotations

from typing import Protocol

from headrace.area.amounts import Amounts
from headrace.area.factors import fitted
from headrace.area.usage import Resources
from headrace.memory import Prices


class Counted(Protocol):
    """What says of which structures it consists, at the prices of a device."""

    @property
    def prices(self) -> Prices:
        """Of a block RAM and a DSP block."""

    def amounts(self, a: Amounts) -> None:
        """Add the structures."""


def estimate(layer: Counted) -> Resources:
    """Resources of a layer with its memories, as synthesis is expected to count them."""
    return amounts(layer).total(fitted(layer.prices.lut_inputs))


def amounts(layer: Counted) -> Amounts:
    """The structures that a layer consists of."""
    found = Amounts(layer.prices)
    layer.amounts(found)
    return found
