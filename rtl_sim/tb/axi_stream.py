"""AXI4-Stream drivers for cocotb, and the stall patterns that they follow.

All of them look at the bus right after a rising edge of the clock, when the values are those that the edge saw.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Any

from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge

STALLS = ("none", "source", "sink", "random")
PERIOD_NS = 10
RESET_CYCLES = 4
# Cycles in one state: mostly short, to hit every alignment; sometimes long enough to fill or drain the buffers.
_SPELLS = (1, 1, 1, 2, 2, 3, 5, 8, 21)


def source_gaps(stalls: str, seed: int) -> Iterator[int] | None:
    """Idle cycles before each word; None where the source never hesitates."""
    return _gaps(random.Random(f"source {seed}")) if stalls in ("source", "random") else None


def sink_spells(stalls: str, seed: int) -> Iterator[tuple[int, int]] | None:
    """Pairs (cycles ready, cycles not ready); None where the sink is always ready."""
    return _spells(random.Random(f"sink {seed}")) if stalls in ("sink", "random") else None


def _gaps(rng: random.Random) -> Iterator[int]:
    while True:
        yield rng.choice(_SPELLS) if rng.random() < 0.4 else 0


def _spells(rng: random.Random) -> Iterator[tuple[int, int]]:
    while True:
        yield rng.choice(_SPELLS), rng.choice(_SPELLS)


class Bus:
    """The signals PREFIX_TDATA, PREFIX_TVALID and PREFIX_TREADY of a dut."""

    def __init__(self, dut: Any, prefix: str) -> None:
        self.clock = dut.ap_clk
        self.data, self.valid, self.ready = (getattr(dut, f"{prefix}_{name}") for name in ("TDATA", "TVALID", "TREADY"))
        self.name = prefix


def start_clock(dut: Any) -> None:
    """Let the clock run."""
    Clock(dut.ap_clk, PERIOD_NS, unit="ns").start(start_high=False)


async def reset(dut: Any, *fed: str) -> None:
    """Hold the reset for some cycles; no driver may run. fed: prefixes of the buses that the bench feeds."""
    for prefix in fed:
        Bus(dut, prefix).valid.value = 0
    dut.ap_rst_n.value = 0
    await ClockCycles(dut.ap_clk, RESET_CYCLES)
    dut.ap_rst_n.value = 1
    await RisingEdge(dut.ap_clk)


async def feed(bus: Bus, words: Iterable[int], gaps: Iterator[int] | None = None) -> None:
    """Offer the words one after the other and return when the last one is taken."""
    edge = RisingEdge(bus.clock)
    for word in words:
        for _ in range(next(gaps) if gaps else 0):
            bus.valid.value = 0
            await edge
        bus.data.value = word
        bus.valid.value = 1
        await edge
        while not bus.ready.value:
            await edge
    bus.valid.value = 0


async def accept(bus: Bus, spells: Iterator[tuple[int, int]] | None = None) -> None:
    """Drive TREADY for ever."""
    edge = RisingEdge(bus.clock)
    bus.ready.value = 1
    for ready_cycles, stall_cycles in spells or ():
        bus.ready.value = 1
        for _ in range(ready_cycles):
            await edge
        bus.ready.value = 0
        for _ in range(stall_cycles):
            await edge


async def collect(bus: Bus, words: list[int], cycles: list[int]) -> None:
    """Append every accepted word and its cycle, for ever; fail where the stream breaks a rule of AXI4-Stream."""
    edge = RisingEdge(bus.clock)
    cycle, waiting = 0, None
    while True:
        await edge
        valid, ready = bool(bus.valid.value), bool(bus.ready.value)
        word = int(bus.data.value.to_unsigned()) if valid else None
        if waiting is not None:
            assert valid, f"{bus.name}: TVALID fell in cycle {cycle} before TREADY came"
            assert word == waiting, f"{bus.name}: TDATA changed in cycle {cycle} before TREADY came"
        waiting = None if ready else word
        if valid and ready:
            words.append(word)  # type: ignore[arg-type]
            cycles.append(cycle)
        cycle += 1
