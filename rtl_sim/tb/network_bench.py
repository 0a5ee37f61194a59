"""cocotb bench of a whole accelerator: frames through it, and every stream compared with the golden words.

It reads job.json in the folder where it runs and leaves result.json there; run.py writes the one and reads the other.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cocotb
from axi_stream import Domain, send, set_stalls, sink_pauses, source_pauses
from cocotb.triggers import ClockCycles, RisingEdge
from cocotbext.axi import AxiStreamSink, AxiStreamSource
from records import Stream, compare, expected_words, max_occupancy, measure, read_record, read_vectors

POLL_CYCLES = 64


class Network:
    """The streams of the accelerator, from streams.json. weights: by stream, how often they pass in a frame."""

    def __init__(self, path: Path) -> None:
        description = json.loads(path.read_text())
        self.streams = [Stream(**item) for item in description["streams"]]
        self.output: str = description["output"]
        self.weights: dict[str, int] = description["weights"]
        self.fifos: list[dict[str, str]] = description["fifos"]
        self.watchdog_cycles: int = description["watchdog_cycles"]

    def stream(self, name: str) -> Stream:
        """The stream of this name."""
        return next(stream for stream in self.streams if stream.name == name)


class Drivers:
    """What feeds the accelerator, its weights too, and what takes its results."""

    def __init__(self, domain: Domain, weights: list[str]) -> None:
        self.domain = domain
        self.sources: list[AxiStreamSource] = [domain.source(name) for name in ("s_axis", *weights)]
        self.sink: AxiStreamSink = domain.sink("m_axis")

    async def start(self, words: list[list[int]], job: dict[str, Any]) -> None:
        """Reset, then feed every source its words."""
        await self.domain.reset(*self.sources, self.sink)
        set_stalls(self.sink, sink_pauses(job["stalls"], job["seed"], self.sink))
        for k, source in enumerate(self.sources):
            set_stalls(source, source_pauses(job["stalls"], job["seed"] + k))
            send(source, words[k])

    def idle(self) -> bool:
        """True if all words were taken."""
        return all(source.idle() for source in self.sources)


@cocotb.test()
async def network_equals_golden_model(dut: Any) -> None:
    """Every word of every stream is that of the golden model; run.py finds in the log whether one broke a rule."""
    job = json.loads(Path("job.json").read_text())
    network = Network(Path(job["streams"]))
    vectors = read_vectors(Path(job["vectors"]))
    source = expected_words(vectors["s_axis"], job["frames"])

    dut.close_files.value = 0  # inputs power up with random values too
    domain = Domain(dut)
    domain.start_clock()
    drivers = Drivers(domain, list(network.weights))
    weights = [expected_words(vectors[name], job["frames"] * times) for name, times in network.weights.items()]
    if job["stalls"] == "random":
        words = len(vectors["s_axis"][0])
        aborted = source[: 1 + (words // 2 + 7919 * job["seed"]) % words]  # anywhere in the frame
        await drivers.start([aborted, *weights], job)
        set_stalls(drivers.sources[0], None)
        await ClockCycles(dut.ap_clk, 2 * len(aborted) + 10)  # the reset that follows must leave no trace of it
    await drivers.start([source, *weights], job)
    deadlock = await _finish(dut, network, drivers, job["frames"])
    await _close_records(dut)

    result = {key: job[key] for key in ("frames", "stalls", "seed")} | _judge(network, vectors, job["frames"], deadlock)
    if job["stalls"] != "none":  # frames whose ends were held up end closer together than any steady state allows
        result["cycles_per_frame"] = None
    Path("result.json").write_text(json.dumps(result, indent=2))
    assert result["bit_exact"], result["mismatch"]


async def _finish(dut: Any, network: Network, drivers: Drivers, frames: int) -> str | None:
    """Wait until all frames are through; a sentence if they get stuck."""
    words_to_send = frames * network.stream(network.output).words
    while True:
        await ClockCycles(dut.ap_clk, POLL_CYCLES)
        idle_cycles = dut.idle_cycles.value.to_unsigned()
        # Words that no output needs may still be on their way after the last output.
        if drivers.idle() and dut.words_sent.value.to_unsigned() >= words_to_send and idle_cycles >= POLL_CYCLES:
            return None
        if idle_cycles >= network.watchdog_cycles:
            return _who_waits(dut, network, idle_cycles)


def _flags(signal: Any, network: Network) -> list[bool]:
    value = signal.value.to_unsigned()
    return [bool(value >> index & 1) for index in range(len(network.streams))]


def _who_waits(dut: Any, network: Network, idle_cycles: int) -> str:
    """Who waits for whom, when nothing moves."""
    flags = _flags(dut.stream_valid, network), _flags(dut.stream_ready, network)
    states = list(zip(network.streams, *flags, strict=True))
    offered = ", ".join(stream.name for stream, valid, ready in states if valid and not ready)
    wanted = ", ".join(stream.name for stream, valid, ready in states if ready and not valid)
    return (f"no word moved for {idle_cycles} cycles, after {dut.words_sent.value.to_unsigned()} words of output; "
            f"not taken: {offered or 'nothing'}; waited for: {wanted or 'nothing'}")


async def _close_records(dut: Any) -> None:
    dut.close_files.value = 1
    await RisingEdge(dut.ap_clk)
    await RisingEdge(dut.ap_clk)


def _judge(network: Network, vectors: dict[str, list[list[int]]], frames: int, deadlock: str | None) -> dict[str, Any]:
    """Compare and measure what was recorded."""
    differences, records = [], {}
    for stream in network.streams:
        last_bit = 8 * stream.bytes if stream.name == network.output else None
        record = read_record(Path(f"{stream.name}.rec"), stream.bytes + (last_bit is not None))
        wanted = expected_words(vectors[stream.name], frames, last_bit=last_bit)
        # Where the network is stuck, the words that are missing are no news.
        difference = compare(stream, record.words, wanted[: len(record.words)] if deadlock else wanted)
        differences += [difference] if difference else []
        records[stream.name] = record
    # The earliest frame, and in it the layer nearest to the input: min() keeps the first of equals.
    mismatch = min(differences, key=lambda item: item[0])[1] if differences else deadlock
    return {
        "bit_exact": mismatch is None,
        "mismatch": mismatch,
        **measure(records["s_axis"], records[network.output], network.stream(network.output).words),
        "fifo_max_occupancy": {
            fifo["name"]: max_occupancy(records[fifo["input"]], records[fifo["output"]]) for fifo in network.fifos
        },
    }
