"""What a layer will take of the device, before any synthesis: the structures that it counts, times fitted factors."""

from __future__ import annotations

from collections.abc import Callable, Hashable
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

    @property
    def area_facts(self) -> Hashable | None:
        """All that the structures depend on, as far as it is known without counting them; None where it is not."""

    def amounts(self, a: Amounts) -> None:
        """Add the structures."""


#: What is known of layers by their facts: a planner asks for the same ones many times.
_KNOWN: dict[Hashable, Resources] = {}


def estimate(layer: Counted) -> Resources:
    """Resources of a layer with its memories, as synthesis is expected to count them."""
    return estimate_alike(layer.area_facts, lambda: layer)


def estimate_alike(facts: Hashable | None, layer: Callable[[], Counted]) -> Resources:
    """The estimate of the layers that have these facts. layer: gives one of them, where none was counted before."""
    if facts is None:
        return _counted(layer())
    if facts not in _KNOWN:
        _KNOWN[facts] = _counted(layer())
    return _KNOWN[facts]


def _counted(layer: Counted) -> Resources:
    return amounts(layer).total(fitted(layer.prices.cells))


def amounts(layer: Counted) -> Amounts:
    """The structures that a layer consists of."""
    found = Amounts(layer.prices)
    layer.amounts(found)
    return found
