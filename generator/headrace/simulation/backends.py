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
from headrace.progress import Progress, Step, silent
from headrace.simulation import csim, rtl
from headrace.simulation.compare import require_passed
from headrace.simulation.harness import Passed
from headrace.simulation.remaining import remaining
from headrace.timing.hls_fifo_sizing import MOST_STAGES

#: Frames after which pipelines that stall have stopped the network, or will not: every frame is a call of its own.
_STALLED_FRAMES = 2
#: Seconds that the C++ runs for a frame, for each of its cycles.
_RUN_S = 1e-5


@dataclass(frozen=True)
class Cycles:
    """What the RTL takes without stalls. latency: first word in to first frame out; per_frame: from two frames on."""

    per_frame: int | None
    latency: int


@dataclass(frozen=True, eq=False)
class Observed:
    """Words on streams of a network, the output's at least."""

    words: Mapping[Port, Bytes]

    def output(self, dataflow: Dataflow) -> IntArray:
        """The output's integers (frames, elements)."""
        port = dataflow.output_port
        stream = dataflow.streams[port]
        return unpack_stream(self.words[port], stream.lanes, stream.element).reshape(-1, stream.elements)


def run_hls(folder: Path, dataflow: Dataflow, x: IntArray, work: Path) -> Observed:
    """Frames x (frames, elements) through the C++ in `folder`/hls under g++; `work` takes what is compiled."""
    words = pack_stream(x, dataflow.input.lanes, dataflow.input.element)
    return Observed(csim.compile_network(folder / "hls", dataflow, work).run(words, len(x)).words)


def verify_hls(folder: Path, vectors: Vectors, work: Path, scheduled: bool = False,
               progress: Progress = silent) -> None:
    """The same, and every word of every stream is compared with the golden one as it comes.

    scheduled: also compare what every iteration of the processes moves with the loops that the cycles come from, and
    run frames with pipelines that stall, of as many stages as streams are sized for.
    Raises MismatchError at the first stream, in the order of the layers, that differs.
    """
    dataflow, count = vectors.dataflow, len(vectors)
    words = vectors.words[SOURCE, 0]
    model = csim.compile_network(folder / "hls", dataflow, work, progress)
    progress(Step("running the C++ of the HLS", seconds=count * dataflow.cycles_per_frame * _RUN_S))
    run = model.run(words, count, expected=vectors.words)
    if scheduled:
        model.require_scheduled(run)
        frames = min(count, _STALLED_FRAMES)
        model.run(words[: len(words) // count * frames], frames, MOST_STAGES)
    require_passed(dataflow, vectors.words, run.passed, "HLS")


def run_rtl(folder: Path, dataflow: Dataflow, x: IntArray, work: Path) -> Observed:
    """Frames x (frames, elements) through the SystemVerilog in `folder`/rtl under Verilator's compiled harness.

    Only the output is observed.
    """
    words = pack_stream(x, dataflow.input.lanes, dataflow.input.element)
    model = rtl.compile_network(folder / "rtl", dataflow, work)
    traces = model.run({SOURCE: words} | _weights(dataflow, len(x)), tap_frames=0)
    return Observed({dataflow.output_port: traces[rtl.SINK].words})


def verify_rtl(folder: Path, vectors: Vectors, work: Path, progress: Progress = silent) -> Cycles:
    """The same, and every word of every stream is compared with the golden one as it comes.

    Raises MismatchError at the first stream, in the order of the layers, that differs.
    """
    dataflow, expected = vectors.dataflow, vectors.words
    model = rtl.compile_network(folder / "rtl", dataflow, work, progress)
    names = rtl.observed_ports(dataflow)
    given = {names[port]: words for port, words in expected.items()}
    inputs = {SOURCE: expected[SOURCE, 0]} | _weights(dataflow, len(vectors))
    passed = model.compare(inputs, given, progress=remaining("simulating one frame" if len(vectors) == 1 else
                                                             f"simulating {len(vectors)} frames", progress))
    require_passed(dataflow, expected, {port: passed[name] for port, name in names.items()}, "RTL")
    return _cycles(dataflow, len(vectors), passed)


def _weights(dataflow: Dataflow, frames: int) -> dict[str, Bytes]:
    """What streams of weights carry while frames pass."""
    return {port: replayed_weights(layer, frames) for port, layer in external_layers(dataflow).items()}


def _cycles(dataflow: Dataflow, frames: int, passed: Mapping[str, Passed]) -> Cycles:
    words, trace = dataflow.streams[dataflow.output_port].words, passed[rtl.SINK].trace
    return Cycles(trace.cycles_per_frame(words) if frames > 1 else None,
                  int(trace.cycles[words - 1]) - passed[SOURCE].first_cycle)
