"""Frames through a build's back ends, seen from outside: words on every stream, cycles where there are any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headrace.dataflow.external import external_layers, replayed_weights
from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import IntArray
from headrace.packing import Bytes, pack_stream, unpack_stream
from headrace.simulation import csim, rtl
from headrace.simulation.compare import require_equal
from headrace.simulation.frames import Stalls
from headrace.timing.hls_fifo_sizing import MOST_STAGES

#: Frames after which pipelines that stall have stopped the network, or will not: every frame is a call of its own.
_STALLED_FRAMES = 2


@dataclass(frozen=True, eq=False)
class Observed:
    """Words on the streams of a network; cycles are measured on the RTL without stalls, from two frames on."""

    engine: str
    words: Mapping[Port, Bytes]
    cycles_per_frame: int | None = None
    latency_cycles: int | None = None

    def output(self, dataflow: Dataflow) -> IntArray:
        """The output's integers (frames, elements)."""
        port = dataflow.output_port
        stream = dataflow.streams[port]
        return unpack_stream(self.words[port], stream.lanes, stream.element).reshape(-1, stream.elements)

    def require_golden(self, vectors: Vectors) -> None:
        """Raise MismatchError at the first stream that differs from the golden model on the frames of `vectors`."""
        require_equal(vectors.dataflow, vectors.words, self.words, self.engine)


def run_hls(folder: Path, dataflow: Dataflow, x: IntArray, work: Path, scheduled: bool = False) -> Observed:
    """Frames x (frames, elements) through the C++ in `folder`/hls under g++; `work` takes what is compiled.

    scheduled: also compare what every iteration of the processes moves with the loops that the cycles come from, and
    run frames with pipelines that stall, of as many stages as streams are sized for.
    """
    words = pack_stream(x, dataflow.input.lanes, dataflow.input.element)
    model = csim.compile_network(folder / "hls", dataflow, work)
    run = model.run(words, len(x))
    if scheduled:
        model.require_scheduled(run)
        frames = min(len(x), _STALLED_FRAMES)
        model.run(words[: len(words) // len(x) * frames], frames, MOST_STAGES)
    return Observed("HLS", run.words)


def run_rtl(folder: Path, dataflow: Dataflow, x: IntArray, work: Path, stalls: Stalls, seed: int = 0) -> Observed:
    """Frames x (frames, elements) through the SystemVerilog in `folder`/rtl under Verilator's compiled harness."""
    words = pack_stream(x, dataflow.input.lanes, dataflow.input.element)
    weights = {port: replayed_weights(layer, len(x)) for port, layer in external_layers(dataflow).items()}
    traces = rtl.compile_network(folder / "rtl", dataflow, work).run({SOURCE: words} | weights, stalls, seed)
    out = traces[rtl.SINK]
    frame = dataflow.streams[dataflow.output_port].words
    return Observed(
        "RTL",
        {port: traces[name].words for port, name in rtl.observed_ports(dataflow).items()},
        cycles_per_frame=out.cycles_per_frame(frame) if len(x) > 1 and stalls is Stalls.NONE else None,
        latency_cycles=int(out.cycles[frame - 1] - traces[SOURCE].cycles[0]),
    )
