"""What an exploration varies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from headrace.dataflow.choose_cores import ALL, require_cores
from headrace.errors import InputError
from headrace.layers.cores.choice import AUTO
from headrace.quantizing.settings import require_width
from headrace.request import Options


@dataclass(frozen=True)
class Axes:
    """Every board at every clock and rate with every core, of the network at every pair of widths.

    No rate fills the boards. cores: of all layers. weight_bits and act_bits: of a float network that is quantized; none
    for a network that is quantized already. Raises InputError where a value stands twice or cannot be.
    """

    boards: Sequence[str] = ()
    fps: Sequence[float] = ()
    clocks_mhz: Sequence[float] = (Options.clock_mhz,)
    cores: Sequence[str] = (AUTO,)
    weight_bits: Sequence[int] = ()
    act_bits: Sequence[int] = ()

    def __post_init__(self) -> None:
        for what, values in (("board", self.boards), ("rate", self.fps), ("clock", self.clocks_mhz),
                             ("core", self.cores), ("width of weights", self.weight_bits),
                             ("width of activations", self.act_bits)):
            twice = [value for value in values if list(values).count(value) > 1]
            if twice:
                raise InputError(f"the {what} {twice[0]} is given twice; leave one out")
        for core in self.cores:
            require_cores({ALL: core})
        for what, widths in (("weights", self.weight_bits), ("feature maps", self.act_bits)):
            for bits in widths:
                require_width(what, bits)
        if bool(self.weight_bits) != bool(self.act_bits):
            raise InputError("a float network is quantized to widths of weights and of activations; give both")

    def widths(self) -> list[tuple[int, int] | None]:
        """Pairs of widths of weights and activations; None for the network as it is."""
        return list(product(self.weight_bits, self.act_bits)) or [None]

    def options(self, **others: Any) -> list[tuple[str, Options]]:
        """The core and the options of every point of one network; others: the same for all. Raises InputError."""
        return [(core, Options(board, float(clock), None if rate is None else float(rate),
                               cores={} if core == AUTO else {ALL: core}, **others))
                for board, clock, core, rate in product(self.boards or (None,), self.clocks_mhz, self.cores or (AUTO,),
                                                        self.fps or (None,))]
