"""What every layer is put through: frames under each stall pattern, and a reset in the middle of a frame."""

from __future__ import annotations

from typing import Any

import cocotb
import numpy as np
from axi_stream import Bus, accept, collect, feed, reset, sink_spells, source_gaps, start_clock
from cocotb.triggers import ClockCycles

from generator.datatypes import IntArray
from generator.layers.base import Layer, Stream
from generator.layers.spec import random_values
from generator.packing import pack_stream

FRAMES = 4


def prefixes(side: str, streams: tuple[Stream, ...]) -> list[str]:
    """Names of the buses of one side: s_axis, or s0_axis, s1_axis, ... where there are several."""
    return [f"{side}{k if len(streams) > 1 else ''}_axis" for k in range(len(streams))]


def words_of(values: IntArray, stream: Stream) -> list[int]:
    """Frames of elements as the words of a stream."""
    return [int.from_bytes(word.tobytes(), "little") for word in pack_stream(values, stream.lanes, stream.element)]


async def stream_frames(dut: Any, layer: Layer, stalls: str, seed: int) -> list[int]:
    """Stream random frames through a layer after a reset, compare all outputs; the cycle of each word of the first."""
    rng = np.random.default_rng(seed)
    x = [random_values(rng, stream.element, (FRAMES, stream.elements)) for stream in layer.inputs]
    y = layer.golden(*x)
    await reset(dut, *prefixes("s", layer.inputs))

    sources = [
        cocotb.start_soon(feed(Bus(dut, prefix), words_of(values, stream), source_gaps(stalls, seed + k)))
        for k, (prefix, values, stream) in enumerate(zip(prefixes("s", layer.inputs), x, layer.inputs, strict=True))
    ]
    traces: list[tuple[list[int], list[int]]] = [([], []) for _ in layer.outputs]
    sinks = []
    for k, (prefix, trace) in enumerate(zip(prefixes("m", layer.outputs), traces, strict=True)):
        bus = Bus(dut, prefix)
        sinks.append(cocotb.start_soon(accept(bus, sink_spells(stalls, seed + k))))
        sinks.append(cocotb.start_soon(collect(bus, *trace)))
    for source in sources:
        await source
    await _drain(dut, layer, traces)
    for sink in sinks:
        sink.cancel()
    for prefix, stream, (words, _) in zip(prefixes("m", layer.outputs), layer.outputs, traces, strict=True):
        assert words == words_of(y, stream), f"{layer.name}: wrong words on {prefix} ({stalls=}, {seed=})"
    return traces[0][1]


async def _drain(dut: Any, layer: Layer, traces: list[tuple[list[int], list[int]]]) -> None:
    """Wait until every word is out, then a little longer, so that words too many are seen too."""
    wanted = [FRAMES * stream.words for stream in layer.outputs]
    patience = 2 * layer.cycles + 200
    seen = None
    while seen != (seen := [len(words) for words, _ in traces]) or seen < wanted:
        assert patience > 0, f"{layer.name}: stuck after {seen} of {wanted} words"
        await ClockCycles(dut.ap_clk, 64)


async def keeps_protocol(dut: Any, layer: Layer, stalls: str) -> None:
    """Words and rules of the streams under one stall pattern; the cycles of the model where nobody stalls."""
    start_clock(dut)
    cycles = await stream_frames(dut, layer, stalls, seed=1)
    if stalls == "none":
        words = layer.outputs[0].words
        measured = cycles[-1] - cycles[-1 - words]
        assert measured == layer.cycles, f"{layer.name}: {measured} cycles per frame, the model says {layer.cycles}"


async def forgets_on_reset(dut: Any, layer: Layer) -> None:
    """A reset in the middle of a frame, wherever it is, leaves the layer as after power-up."""
    start_clock(dut)
    for cycles in (1, 2, 3, 7, layer.cycles // 2, layer.cycles - 1, layer.cycles + layer.cycles // 3):
        await reset(dut, *prefixes("s", layer.inputs))
        drivers = [cocotb.start_soon(accept(Bus(dut, prefix))) for prefix in prefixes("m", layer.outputs)]
        for prefix, stream in zip(prefixes("s", layer.inputs), layer.inputs, strict=True):
            ones = [(1 << stream.bits) - 1] * (2 * stream.words)
            drivers.append(cocotb.start_soon(feed(Bus(dut, prefix), ones)))
        await ClockCycles(dut.ap_clk, max(1, cycles))
        for driver in drivers:
            driver.cancel()
        await stream_frames(dut, layer, "random", seed=cycles)
