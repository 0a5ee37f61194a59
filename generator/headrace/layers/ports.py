"""The ports of a layer's SystemVerilog module beside clock and reset: AXI4-Streams, and the bus that loads weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from headrace.layers.stream import Stream

#: The signals of an AXI4-Stream, as the modules have them.
SIGNALS: Final = ("TDATA", "TVALID", "TREADY")
#: The port that takes new words for all memories of a layer.
LOAD_PORT: Final = "load"
#: Memories that a layer may have on the bus: its weights and its thresholds.
MEMORIES_PER_LAYER: Final = 2


@dataclass(frozen=True)
class StreamPort:
    """An AXI4-Stream of a module: PREFIX_TDATA, PREFIX_TVALID, PREFIX_TREADY. stream: None where nobody uses it."""

    prefix: str
    is_output: bool
    stream: Stream | None

    @property
    def signals(self) -> tuple[str, ...]:
        """The names of its signals."""
        return tuple(f"{self.prefix}_{signal}" for signal in SIGNALS)

    @property
    def tie_offs(self) -> tuple[tuple[str, str], ...]:
        """Its signals and what they are connected to where nobody uses them: inputs to zero, outputs to nothing."""
        return tuple((name, "'0" if self.is_output == name.endswith("TREADY") else "") for name in self.signals)


def side_ports(side: str, streams: tuple[Stream, ...], existing: int) -> list[StreamPort]:
    """The ports of the inputs ("s") or outputs ("m"): s_axis alone, or s0_axis, s1_axis, ... up to `existing`."""
    used = [StreamPort(f"{side}{index if len(streams) > 1 else ''}_axis", side == "m", stream)
            for index, stream in enumerate(streams)]
    return used + [StreamPort(f"{side}{index}_axis", side == "m", None) for index in range(len(streams), existing)]


def first_memory(index: int) -> int:
    """Number on the bus of the first memory of the layer with writable weights of that index; others follow it."""
    return MEMORIES_PER_LAYER * index
