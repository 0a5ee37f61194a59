"""AXI4-Stream for the benches: drivers of cocotbext-axi, their stall patterns, and what the library leaves unchecked.

A frame of the library is a list of words here, whole words and not bytes.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamBus, AxiStreamFrame, AxiStreamSink, AxiStreamSource

STALLS = ("none", "source", "sink", "random")
PERIOD_NS = 10
RESET_CYCLES = 4
# Cycles in one state: mostly short, to hit every alignment; sometimes long enough to fill or drain the buffers.
_SPELLS = (1, 1, 1, 2, 2, 3, 5, 8, 21)


class Domain:
    """A clock and a reset (active low) of the simulation, and drivers that obey them."""

    def __init__(self, dut: Any, clock: str = "ap_clk", reset: str = "ap_rst_n") -> None:
        self.dut, self.clock, self._reset = dut, getattr(dut, clock), getattr(dut, reset)

    def start_clock(self) -> None:
        """Let the clock run."""
        Clock(self.clock, PERIOD_NS, unit="ns").start(start_high=False)

    def source(self, prefix: str) -> AxiStreamSource:
        """A driver that feeds the stream PREFIX_TDATA, PREFIX_TVALID, PREFIX_TREADY."""
        return self._driver(AxiStreamSource, prefix)

    def sink(self, prefix: str) -> AxiStreamSink:
        """A driver that takes what the stream gives."""
        return self._driver(AxiStreamSink, prefix)

    def _driver(self, kind: type, prefix: str) -> Any:
        # The library tells of every frame, with all its words.
        logging.getLogger(f"cocotb.{self.dut._name}.{prefix}").setLevel(logging.ERROR)
        bus = AxiStreamBus.from_prefix(self.dut, prefix)
        return kind(bus, self.clock, self._reset, reset_active_level=False, byte_lanes=1)

    async def reset(self, *drivers: AxiStreamSource | AxiStreamSink) -> None:
        """Hold the reset for some cycles; the drivers stop, and forget their stalls and all words sent or received."""
        self._reset.value = 1  # the drivers look for the edge
        await RisingEdge(self.clock)
        self._reset.value = 0
        await ClockCycles(self.clock, RESET_CYCLES)
        for driver in drivers:
            set_stalls(driver, None)
            driver.clear()
        self._reset.value = 1
        await RisingEdge(self.clock)


def send(source: AxiStreamSource, words: list[int]) -> None:
    """Queue words, to be sent without a gap; source.idle() says when the last one is taken."""
    source.send_nowait(AxiStreamFrame(words))


def set_stalls(driver: AxiStreamSource | AxiStreamSink, pauses: Iterator[bool] | None) -> None:
    """Let the driver hesitate in the cycles that `pauses` marks; None: never."""
    driver.set_pause_generator(pauses)
    driver.pause = False


def source_pauses(stalls: str, seed: int) -> Iterator[bool] | None:
    """For every cycle whether no new word is offered; None where the source never hesitates."""
    return _source_pauses(random.Random(f"source {seed}")) if stalls in ("source", "random") else None


def sink_pauses(stalls: str, seed: int, sink: AxiStreamSink) -> Iterator[bool] | None:
    """For every cycle whether no word is taken; None where the sink is always ready."""
    return _sink_pauses(random.Random(f"sink {seed}"), sink.bus.tvalid) if stalls in ("sink", "random") else None


def _source_pauses(rng: random.Random) -> Iterator[bool]:
    while True:
        yield False
        if rng.random() < 0.4:
            yield from [True] * rng.choice(_SPELLS)


def _sink_pauses(rng: random.Random, valid: Any) -> Iterator[bool]:
    while True:
        wary = rng.random() < 0.5  # then a word is taken only after it has waited, as AXI4-Stream allows
        for _ in range(rng.choice(_SPELLS)):
            while wary and not valid.value:
                yield True
            yield False
        yield from [True] * rng.choice(_SPELLS)
