"""What layers share whose words wait in memories that may be UltraRAM."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any, Self

from headrace import memory
from headrace.layers.base import Layer, Parameters
from headrace.layers.weight_store import URAM
from headrace.memory import Ram


@dataclass(frozen=True, eq=False)
class Buffered(Layer):
    """A layer with memories of words that come and go. uram: they are UltraRAM, else what is cheapest."""

    uram: bool = field(default=False, kw_only=True)

    @property
    @abstractmethod
    def buffers(self) -> tuple[int, int, int]:
        """How many memories, the words of each and their bits."""

    @property
    def store(self) -> Ram:
        """What one of the memories takes."""
        _, depth, bits = self.buffers
        return Ram(uram=memory.uram(depth, bits)) if self.uram else memory.ram(depth, bits, self.prices)

    def in_uram(self) -> Self | None:
        return replace(self, uram=True) if self.buffers[0] and self.store.bram18 else None

    @property
    def facts(self) -> dict[str, Any]:
        return {"buffer_in": URAM} if self.uram else {}

    def rtl_parameters(self) -> Parameters:
        return (("URAM", 1),) if self.uram else ()
