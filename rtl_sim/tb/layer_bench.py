"""What every layer is put through: frames under each stall pattern, and a reset in the middle of a frame.

run_layer.py leaves ports.json where the simulation runs: for every kind of layer the names of its reset and streams.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cocotb
import numpy as np
from axi_stream import PERIOD_NS, STALLS, Domain, send, set_stalls, sink_pauses, source_pauses
from cocotb.triggers import ClockCycles
from cocotb.utils import get_sim_steps
from cocotbext.axi import AxiStreamSink

from headrace.layers.base import Layer
from headrace.layers.spec import example_layer
from headrace.packing import Bytes
from headrace.simulation.cases import Words

#: Of every kind of layer in the model, the names of its reset and streams.
PORTS: dict[str, dict[str, Any]] = json.loads(Path("ports.json").read_text())
KINDS = [cocotb.Param(kind, kind) for kind in PORTS]
FRAMES = 4
POLL_CYCLES = 64


class Bench:
    """A layer, the drivers of its streams, and a clock that runs."""

    def __init__(self, dut: Any, layer: Layer) -> None:
        ports = PORTS[layer.kind]
        self.layer, self.domain = layer, Domain(dut, "clk", ports["reset"])
        for other in PORTS.values():  # with random values at their inputs they would break rules
            getattr(dut, other["reset"]).value = 0
        self.domain.start_clock()
        self.sources = [self.domain.source(prefix) for prefix in ports["inputs"]]
        self.sinks = [self.domain.sink(prefix) for prefix in ports["outputs"]]

    async def start(self, words: list[list[int]], stalls: str, seed: int) -> None:
        """Reset, then feed each input its words."""
        await self.domain.reset(*self.sources, *self.sinks)
        for k, sink in enumerate(self.sinks):
            set_stalls(sink, sink_pauses(stalls, seed + k, sink))
        for k, source in enumerate(self.sources):
            set_stalls(source, source_pauses(stalls, seed + k))
            send(source, words[k])

    async def stream_frames(self, stalls: str, seed: int) -> list[int]:
        """Stream random frames after a reset and compare all outputs; the cycle of each word of the first."""
        item = Words.random(self.layer, FRAMES, seed)
        await self.start([integers(words) for words in item.inputs], stalls, seed)
        await self._drain()
        words, cycles = zip(*map(received, self.sinks), strict=True)
        outputs = zip(words, self.layer.outputs, strict=True)
        item.require_equal(f"{stalls=}, {seed=}", [as_bytes(out, stream.bytes) for out, stream in outputs])
        return cycles[0]

    async def _drain(self) -> None:
        """Wait until every word is out, then a little longer, so that words too many are seen too."""
        wanted = [FRAMES * stream.words for stream in self.layer.outputs]
        patience = 8 * self.layer.cycles + 200  # with stalls, between two words
        seen, idle_cycles = [0] * len(wanted), 0
        while idle_cycles == 0 or any(a < b for a, b in zip(seen, wanted, strict=True)):
            assert idle_cycles < patience, f"{self.layer.name}: stuck after {seen} of {wanted} words"
            await ClockCycles(self.domain.clock, POLL_CYCLES)
            before, seen = seen, [sink.count() for sink in self.sinks]
            idle_cycles = idle_cycles + POLL_CYCLES if seen == before else 0
        assert all(source.idle() for source in self.sources), f"{self.layer.name}: words were not taken"


def integers(words: Bytes) -> list[int]:
    """Words (n, bytes) as integers."""
    return [int.from_bytes(word.tobytes(), "little") for word in words]


def as_bytes(words: list[int], size: int) -> Bytes:
    """The other way round."""
    return np.array([list(word.to_bytes(size, "little")) for word in words], np.uint8).reshape(-1, size)


def received(sink: AxiStreamSink) -> tuple[list[int], list[int]]:
    """Words that came since the last reset, and the cycle of each. Without TLAST each is a frame of its own."""
    frames = [sink.recv_nowait() for _ in range(sink.count())]
    period = get_sim_steps(PERIOD_NS, "ns")
    return [frame.tdata[0] for frame in frames], [frame.sim_time_start // period for frame in frames]


@cocotb.test()
@cocotb.parametrize(kind=KINDS, stalls=STALLS)
async def keeps_protocol(dut: Any, kind: str, stalls: str) -> None:
    """Words and rules of the streams under one stall pattern; the cycles of the model where nobody stalls."""
    layer = example_layer(kind)
    cycles = await Bench(dut, layer).stream_frames(stalls, seed=1)
    if stalls == "none":
        words = layer.outputs[0].words
        measured = cycles[-1] - cycles[-1 - words]
        assert measured == layer.cycles, f"{layer.name}: {measured} cycles per frame, the model says {layer.cycles}"


@cocotb.test()
@cocotb.parametrize(kind=KINDS)
async def forgets_on_reset(dut: Any, kind: str) -> None:
    """A reset in the middle of a frame, wherever it is, leaves the layer as after power-up."""
    layer = example_layer(kind)
    bench = Bench(dut, layer)
    ones = [[(1 << stream.bits) - 1] * (2 * stream.words) for stream in layer.inputs]
    for cycles in (1, 2, 3, 7, layer.cycles // 2, layer.cycles - 1, layer.cycles + layer.cycles // 3):
        await bench.start(ones, "none", seed=0)
        await ClockCycles(bench.domain.clock, max(1, cycles))
        await bench.stream_frames("random", seed=cycles)
