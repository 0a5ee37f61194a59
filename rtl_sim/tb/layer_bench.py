"""What every layer is put through: frames under each stall pattern, and a reset in the middle of a frame."""

from __future__ import annotations

from typing import Any

import axi_stream
import cocotb
import numpy as np
from cocotb.triggers import ClockCycles
from cocotb.utils import get_sim_steps
from cocotbext.axi import AxiStreamSink

from generator.datatypes import IntArray
from generator.layers.base import Layer, Stream
from generator.layers.spec import random_values
from generator.packing import pack_stream

FRAMES = 4
POLL_CYCLES = 64


def prefixes(side: str, streams: tuple[Stream, ...]) -> list[str]:
    """Names of the buses of one side: s_axis, or s0_axis, s1_axis, ... where there are several."""
    return [f"{side}{k if len(streams) > 1 else ''}_axis" for k in range(len(streams))]


def words_of(values: IntArray, stream: Stream) -> list[int]:
    """Frames of elements as the words of a stream."""
    return [int.from_bytes(word.tobytes(), "little") for word in pack_stream(values, stream.lanes, stream.element)]


class Bench:
    """A layer, the drivers of its streams, and a clock that runs."""

    def __init__(self, dut: Any, layer: Layer) -> None:
        axi_stream.start_clock(dut)
        self.dut, self.layer = dut, layer
        self.sources = [axi_stream.stream_source(dut, prefix) for prefix in prefixes("s", layer.inputs)]
        self.sinks = [axi_stream.stream_sink(dut, prefix) for prefix in prefixes("m", layer.outputs)]
        for prefix, sink in zip(prefixes("m", layer.outputs), self.sinks, strict=True):
            cocotb.start_soon(axi_stream.watch(sink, f"{layer.name}, {prefix}"))

    async def start(self, words: list[list[int]], stalls: str, seed: int) -> None:
        """Reset, then feed each input its words."""
        await axi_stream.reset(self.dut, *self.sources, *self.sinks)
        for k, sink in enumerate(self.sinks):
            axi_stream.set_stalls(sink, axi_stream.sink_pauses(stalls, seed + k))
        for k, source in enumerate(self.sources):
            axi_stream.set_stalls(source, axi_stream.source_pauses(stalls, seed + k))
            axi_stream.send(source, words[k])

    async def stream_frames(self, stalls: str, seed: int) -> list[int]:
        """Stream random frames after a reset and compare all outputs; the cycle of each word of the first."""
        layer, rng = self.layer, np.random.default_rng(seed)
        x = [random_values(rng, stream.element, (FRAMES, stream.elements)) for stream in layer.inputs]
        y = layer.golden(*x)
        inputs = [words_of(values, stream) for values, stream in zip(x, layer.inputs, strict=True)]
        await self.start(inputs, stalls, seed)
        await self._drain()
        cycles = []
        for k, (sink, stream) in enumerate(zip(self.sinks, layer.outputs, strict=True)):
            words, times = received(sink)
            assert words == words_of(y, stream), f"{layer.name}: wrong words on output {k} ({stalls=}, {seed=})"
            cycles.append(times)
        return cycles[0]

    async def _drain(self) -> None:
        """Wait until every word is out, then a little longer, so that words too many are seen too."""
        wanted = [FRAMES * stream.words for stream in self.layer.outputs]
        patience = 8 * self.layer.cycles + 200  # with stalls, between two words
        seen, idle_cycles = [0] * len(wanted), 0
        while idle_cycles == 0 or any(a < b for a, b in zip(seen, wanted, strict=True)):
            assert idle_cycles < patience, f"{self.layer.name}: stuck after {seen} of {wanted} words"
            await ClockCycles(self.dut.ap_clk, POLL_CYCLES)
            before, seen = seen, [sink.count() for sink in self.sinks]
            idle_cycles = idle_cycles + POLL_CYCLES if seen == before else 0
        assert all(source.idle() for source in self.sources), f"{self.layer.name}: words were not taken"


def received(sink: AxiStreamSink) -> tuple[list[int], list[int]]:
    """Words that came since the last reset, and the cycle of each. Without TLAST each is a frame of its own."""
    frames = [sink.recv_nowait() for _ in range(sink.count())]
    period = get_sim_steps(axi_stream.PERIOD_NS, "ns")
    return [frame.tdata[0] for frame in frames], [frame.sim_time_start // period for frame in frames]


async def keeps_protocol(dut: Any, layer: Layer, stalls: str) -> None:
    """Words and rules of the streams under one stall pattern; the cycles of the model where nobody stalls."""
    cycles = await Bench(dut, layer).stream_frames(stalls, seed=1)
    if stalls == "none":
        words = layer.outputs[0].words
        measured = cycles[-1] - cycles[-1 - words]
        assert measured == layer.cycles, f"{layer.name}: {measured} cycles per frame, the model says {layer.cycles}"


async def forgets_on_reset(dut: Any, layer: Layer) -> None:
    """A reset in the middle of a frame, wherever it is, leaves the layer as after power-up."""
    bench = Bench(dut, layer)
    ones = [[(1 << stream.bits) - 1] * (2 * stream.words) for stream in layer.inputs]
    for cycles in (1, 2, 3, 7, layer.cycles // 2, layer.cycles - 1, layer.cycles + layer.cycles // 3):
        await bench.start(ones, "none", seed=0)
        await ClockCycles(dut.ap_clk, max(1, cycles))
        await bench.stream_frames("random", seed=cycles)
