"""C simulation: the generated C++ compiled by g++ and run as a child process, so that its failures stay outside."""

from __future__ import annotations

import mmap
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from headrace.dataflow.graph import Dataflow, Port
from headrace.dataflow.hls_graph import carriers, hls_graph
from headrace.errors import MismatchError, ToolError
from headrace.layers.base import Layer
from headrace.packing import Bytes
from headrace.progress import Progress, silent
from headrace.render.hls import render_layers, static_files, testbench_input
from headrace.render.hls_views import graph_views, process_name
from headrace.simulation.frames import Trace
from headrace.simulation.gxx import ap_int_folder, compile_program, require_tools
from headrace.simulation.harness import Passed
from headrace.simulation.process_network import Marks, NetworkSource, network_source, require_scheduled, units
from headrace.simulation.remaining import remaining
from headrace.tools import SHORT_FRAME

__all__ = [
    "LayersCSim", "NetworkCSim", "NetworkRun", "ap_int_folder", "compile_layers", "compile_network", "require_tools",
]

#: Layers in one translation unit, from which on a second one is worth its parsing of the ap_int header.
LAYERS_PER_UNIT = 8
_ABORTED = "csim: "
#: Number of a word that there is not.
_NONE = (1 << 64) - 1
# The kernels' buffers are automatic arrays; together they may exceed the usual 8 MiB of stack.
_WITH_LARGE_STACK = ("sh", "-c", 'ulimit -s "$(ulimit -H -s)"; exec "$0" "$@"')


@dataclass(frozen=True, eq=False)
class NetworkRun:
    """What passed every stream of the dataflow, and what the processes' iterations moved."""

    passed: Mapping[Port, Passed]
    marks: Mapping[str, Marks]

    @property
    def words(self) -> dict[Port, Bytes]:
        """The words of every stream, of a run that did not compare them."""
        return {port: passed.trace.words for port, passed in self.passed.items()}


@dataclass(frozen=True, eq=False)
class NetworkCSim:
    """A compiled network: its processes run side by side, its streams hold what their directives say."""

    program: Path
    dataflow: Dataflow
    source: NetworkSource

    def run(self, words: Bytes, frames: int, stages: int = 0, expected: Mapping[Port, Bytes] | None = None
            ) -> NetworkRun:
        """words: (frames * words per frame, bytes) of the input. expected: of every stream, compared as words come.

        stages: of pipelines that stall with what they hold until more words come or the frame ends, and record no
        iterations; 0: every word leaves at once, so that no pipeline that flushes holds less.
        A FIFO is not a process in C++: its output shows the words of its input. Raises MismatchError if the processes
        wait for each other for good, leave words behind or misplace TLAST.
        """
        longest = max(item.process.loop.iterations for item in hls_graph(self.dataflow).processes)
        recorded = 0 if stages else longest
        carried = carriers(self.dataflow)
        if missing := next((name for name in self._names.values() if name not in self.source.streams), None):
            raise MismatchError(f"top.cpp: declares no stream {missing}; build again")
        with tempfile.TemporaryDirectory(dir=self.program.parent) as folder:
            source, sink, trace, wanted = (Path(folder) / name for name in ("input", "output", "trace", "expected"))
            source.write_bytes(testbench_input(self.dataflow, words, frames))
            command = [str(self.program), str(frames), str(source), str(sink), str(trace), str(recorded), str(stages)]
            if expected is not None:
                self._write_expected(wanted, expected)
                command.append(str(wanted))
            _execute(command)
            streams, marks = _parse_trace(_mapped(trace), self.source)
        return NetworkRun({port: streams[self._names[carrier]] for port, carrier in carried.items()}, marks)

    def _write_expected(self, path: Path, expected: Mapping[Port, Bytes]) -> None:
        """What the program compares with, see `expect` in hls_templates/sim/network.h."""
        by_name = {self._names[carrier]: expected[port] for port, carrier in carriers(self.dataflow).items()}
        with path.open("wb") as file:
            for name in self.source.streams:
                words = by_name.get(name, np.zeros((0, 0), np.uint8))
                file.write(np.array([words.shape[1], len(words)], "<u8").tobytes())
                file.write(np.ascontiguousarray(words).data)

    @cached_property
    def _names(self) -> dict[Port, str]:
        """C++ variables of the streams."""
        return {port: view.name for port, view in graph_views(self.dataflow, hls_graph(self.dataflow), {}).items()}

    def require_scheduled(self, run: NetworkRun) -> None:
        """Raise MismatchError where a process moves other words than its loop says, iteration by iteration."""
        graph = hls_graph(self.dataflow)
        numbers = {self.source.streams.index(name): port for port, name in self._names.items()}
        require_scheduled({process_name(item): item for item in graph.processes}, numbers, run.marks)


@dataclass(frozen=True, eq=False)
class LayersCSim:
    """Compiled single layers, spread over a few programs."""

    programs: tuple[Path, ...]
    layers: tuple[Layer, ...]

    def run(self, index: int, inputs: tuple[Bytes, ...], frames: int) -> tuple[Bytes, ...]:
        """Words of every output of layer `index`; inputs: (frames * words per frame, bytes) of every input.

        Raises MismatchError if the C++ reads an empty stream or leaves words behind.
        """
        local, program = divmod(index, len(self.programs))
        data = b"".join(words.tobytes() for words in inputs)
        written = _execute([str(self.programs[program]), str(local), str(frames)], data)
        outputs, start = [], 0
        for stream in self.layers[index].outputs:
            size = frames * stream.words * stream.bytes
            outputs.append(_as_words(written[start : start + size], stream.bytes))
            start += size
        return tuple(outputs)


def compile_network(hls: Path, dataflow: Dataflow, work: Path, progress: Progress = silent) -> NetworkCSim:
    """Compile the sources that lie in the folder `hls`, edited or not, into `work`, layers in pieces and in parallel.

    Raises ToolError if g++ or the ap_int headers are missing or the sources do not compile.
    """
    source = network_source((hls / "top.cpp").read_text())
    pieces = units(source, (hls / "weights.hpp").read_text())
    pieces["network.cpp"] += '#include "testbench.cpp"\n'
    for name, text in pieces.items():
        _write(work.resolve() / name, text)
    folders = [hls.resolve(), hls.resolve() / "include", hls.resolve() / "sim"]
    program = work.resolve() / "network"
    done = remaining("compiling the C++ of the HLS", progress)
    # Processes leave and enter each other's stacks, which a fortified longjmp takes for an error.
    compile_program([work.resolve() / name for name in pieces], program, folders,
                    ["-O2", "-DHEADRACE_NETWORK", "-U_FORTIFY_SOURCE"], done)
    return NetworkCSim(program, dataflow, source)


def compile_layers(layers: Sequence[Layer], work: Path, progress: Progress = silent) -> LayersCSim:
    """Compile every layer with its own kernel, a few in each program, as many at once as there are processors.

    Raises ToolError if g++ or the ap_int headers are missing.
    """
    work = work.resolve()
    flags = ["-O1" if all(layer.cycles < SHORT_FRAME for layer in layers) else "-O2"]
    programs = max(1, -(-len(layers) // LAYERS_PER_UNIT))
    for path, text in static_files().items():
        _write(work / path, text)

    def compile_unit(index: int) -> Path:
        folder = work / f"unit{index}"
        for path, text in render_layers(layers[index::programs]).items():
            _write(folder / path, text)
        folders = [folder, work, work / "include", work / "sim"]
        compile_program([folder / "layers.cpp"], folder / "layers", folders, flags)
        return folder / "layers"

    done, made = remaining(f"compiling the C++ of {len(layers)} layers", progress), list[Path]()
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for program in pool.map(compile_unit, range(programs)):
            made.append(program)
            done(len(made) / programs)
    return LayersCSim(tuple(made), tuple(layers))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _execute(command: Sequence[str], data: bytes = b"") -> bytes:
    """What the program writes. Raises MismatchError with its own message, ToolError if it dies without one."""
    result = subprocess.run([*_WITH_LARGE_STACK, *command], input=data, capture_output=True, check=False)
    message = result.stderr.decode(errors="replace").strip()
    if message.startswith(_ABORTED):
        raise MismatchError(f"C simulation stopped: {message.removeprefix(_ABORTED)}")
    if result.returncode:
        raise ToolError(f"C simulation failed with status {result.returncode}: {message or 'no message'}")
    return result.stdout


def _mapped(path: Path) -> memoryview:
    """What a file holds, for as long as somebody looks at it; what nobody looks at takes no memory."""
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _parse_trace(data: memoryview, source: NetworkSource) -> tuple[dict[str, Passed], dict[str, Marks]]:
    """What passed every stream and the marks of every process, by their names."""
    streams, marks, start = {}, {}, 0
    for name in source.streams:
        word_bytes, count, wrong, kept = np.frombuffer(data, "<u8", 4, start).tolist()
        words = _as_words(data[start + 32 : start + 32 + word_bytes * kept], word_bytes)
        streams[name] = Passed(count, 0, None if wrong == _NONE else wrong, Trace(words, np.zeros(0, np.int64)))
        start += 32 + word_bytes * kept
    for name in source.processes:
        count = int(np.frombuffer(data, "<u8", 1, start)[0])
        marks[name] = np.frombuffer(data, "<u2", count, start + 8)
        start += 8 + 2 * count
    return streams, marks


def _as_words(data: bytes | memoryview, word_bytes: int) -> Bytes:
    return np.frombuffer(data, np.uint8).reshape(-1, word_bytes)
