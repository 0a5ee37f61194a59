"""Dataflow -> the hls/ folder of a build: C++ for Vitis HLS and g++, its memories, a testbench and the Tcl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import jinja2

from headrace.dataflow.external import external_layers, replayed_weights
from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.dataflow.insert_fifos import join_depths
from headrace.dataflow.vectors import Vectors
from headrace.errors import FoldingError
from headrace.layers.base import Layer
from headrace.layers.stream import Stream
from headrace.packing import Bytes, Memory
from headrace.paths import data_folder
from headrace.render.hls_project import render_project
from headrace.render.names import identifier
from headrace.render.rtl import TOP, stream_names, words_text
from headrace.render.templates import load_template

_LINE_LENGTH = 110
_SOURCES = ("config.hpp", "weights.hpp", "top.cpp", "testbench.cpp")
#: A stream's default depth in Vitis HLS, to which a FIFO layer on it adds.
_DEFAULT_DEPTH = 2
#: Vitis HLS has no ap_uint that is wider; words.hpp sets AP_INT_MAX_W to it.
MAX_WORD_BITS = 4096


@dataclass(frozen=True)
class StreamView:
    """A stream as the templates want it; depth 0 keeps the compiler's default."""

    name: str
    bits: int
    words: int
    text: str = ""
    depth: int = 0

    @property
    def declaration(self) -> str:
        """The C++ that declares it."""
        return f"hls::stream<ap_uint<{self.bits}> > {self.name};"

    @property
    def padded_bits(self) -> int:
        """Bits of TDATA at a boundary."""
        return (self.bits + 7) // 8 * 8


@dataclass(frozen=True)
class WeightStreamView(StreamView):
    """A stream of weights, and the port of the top that it comes from."""

    port: str = ""

    @property
    def prefix(self) -> str:
        """What the names of its constants begin with."""
        return self.port.removesuffix("_axis").upper()


@dataclass(frozen=True)
class MemoryView:
    """A memory as the templates want it; `values` is the whole initializer."""

    name: str
    title: str
    rows: int
    depth: int
    chunks: int
    values: str


@dataclass(frozen=True)
class StageView:
    """A layer as the templates want it: its constants lie in the namespace config::NAME."""

    name: str
    kind: str
    title: str
    parameters: tuple[tuple[str, int], ...]
    memories: tuple[MemoryView, ...]
    inputs: tuple[StreamView, ...]
    outputs: tuple[StreamView, ...]

    @property
    def name_width(self) -> int:
        """Length of the longest parameter name."""
        return max(len(name) for name, _ in self.parameters)

    @property
    def argument_lines(self) -> list[str]:
        """Template arguments, wrapped."""
        return _wrapped(f"config::{self.name}::{name}" for name, _ in self.parameters)

    @property
    def streams(self) -> list[str]:
        """Variables of the inputs and outputs."""
        return [stream.name for stream in (*self.inputs, *self.outputs)]

    @property
    def port_lines(self) -> list[str]:
        """The streams as parameters of a function."""
        return [f"hls::stream<ap_uint<{stream.bits}> >& {stream.name}" for stream in (*self.inputs, *self.outputs)]

    @property
    def arguments(self) -> list[str]:
        """Function arguments: inputs, outputs, memories."""
        return [*self.streams, *(f"memories::{memory.name}" for memory in self.memories)]


def render_hls(dataflow: Dataflow, clock_period_ns: float, part: str, header: str, vectors: int = 1) -> dict[str, str]:
    """All text files of hls/ by their path in it.

    clock_period_ns and part go into the projects; header is one line that says where the files come from; vectors:
    how many frames `write_hls_vectors` writes for the co-simulation.
    Raises InputError where two streams would have one name, FoldingError for words that ap_uint does not hold.
    """
    for layer in dataflow.layers:
        require_word_widths(layer)
    views = stream_views(dataflow)
    # A FIFO is no process: it is the depth of its stream, which keeps the name that its producer gave it.
    weights = _weight_streams(dataflow)
    stages = [_placed_view(item, views, weights) for item in dataflow.placed
              if item.layer.stream_depth is None]
    streams = [*dict.fromkeys(views.values()), *weights.values()]
    source, sink = views[SOURCE, 0], views[dataflow.output_port]
    ends = {"IN": source, "OUT": sink} | {view.prefix: view for view in weights.values()}
    boundary = [(f"{prefix}_{name}", value) for prefix, view in ends.items()
                for name, value in (("BITS", view.bits), ("WORDS", view.words))]
    values = {
        "header": " ".join(header.split()), "top": TOP,
        "stages": stages, "streams": streams, "boundary": boundary, "weight_streams": list(weights.values()),
        "declaration_width": max(len(stream.declaration) for stream in streams),
        "kinds": ["axis", *_kinds(stages)], "input": source, "output": sink,
    }
    rendered = {name: template(f"{name}.j2").render(values)
                for name in _SOURCES}
    return rendered | render_project(clock_period_ns, part, header, vectors) | static_files()


def write_hls_vectors(folder: Path, vectors: Vectors) -> None:
    """Write input.bin and golden.bin: what the testbench reads and wants."""
    words, dataflow = vectors.words, vectors.dataflow
    (folder / "input.bin").write_bytes(testbench_input(dataflow, words[SOURCE, 0], len(vectors)))
    (folder / "golden.bin").write_bytes(words[dataflow.output_port].tobytes())


def testbench_input(dataflow: Dataflow, words: Bytes, frames: int) -> bytes:
    """What the testbench reads: every frame's words, and behind them the weights that stream by meanwhile."""
    weights = b"".join(replayed_weights(layer, 1).tobytes() for layer in external_layers(dataflow).values())
    return b"".join(frame.tobytes() + weights for frame in words.reshape(frames, -1))


def require_word_widths(layer: Layer) -> None:
    """Raise FoldingError if a word of the layer is wider than ap_uint can be."""
    if layer.held_bits > MAX_WORD_BITS:
        raise FoldingError(f"{layer.name}: words of {layer.held_bits} bits are too wide for the HLS back end, which "
                           f"holds at most {MAX_WORD_BITS}; use fewer lanes, or the rtl back end alone")


def render_layers(layers: Sequence[Layer]) -> dict[str, str]:
    """A C++ program that runs each of the layers by its index, and what it includes besides `static_files`."""
    stages = [_layer_view(index, layer) for index, layer in enumerate(layers)]
    values = {"header": "Single layers.", "stages": stages, "boundary": (), "kinds": _kinds(stages)}
    names = {"config.hpp": "config.hpp.j2", "weights.hpp": "weights.hpp.j2", "layers.cpp": "sim/layers.cpp.j2"}
    return {name: template(source).render(values) for name, source in names.items()}


def static_files() -> dict[str, str]:
    """The kernels, what a testbench includes and the stand-ins for g++, by their path in hls/."""
    folder = data_folder("hls_templates")
    paths = chain((folder / "include").glob("*.hpp"), (folder / "sim").glob("*.h"), folder.glob("*.[ch]pp"))
    return {str(path.relative_to(folder).as_posix()): path.read_text() for path in sorted(paths)}


def producers(dataflow: Dataflow) -> dict[Port, Port]:
    """For every stream the one whose C++ variable carries it: a FIFO's output is its input, deeper."""
    found: dict[Port, Port] = {(SOURCE, 0): (SOURCE, 0)}
    for item in dataflow.placed:
        ports = [(item.layer.name, k) for k in range(len(item.layer.outputs))]
        found |= {port: port if item.layer.stream_depth is None else found[item.sources[0]] for port in ports}
    return found


def stream_views(dataflow: Dataflow) -> dict[Port, StreamView]:
    """The C++ variable of every stream, in the order of declaration; a FIFO's output is its input's variable.

    The depths of FIFOs are those of the RTL, except in front of joins: they depend on latencies that an HLS compiler
    chooses, so these streams hold a whole branch's fill and a margin.
    """
    names, carriers = stream_names(dataflow), producers(dataflow)
    depths = dict.fromkeys(carriers.values(), 0)
    for layer in dataflow.layers:
        if layer.stream_depth is not None:
            carrier = carriers[layer.name, 0]
            depths[carrier] = (depths[carrier] or _DEFAULT_DEPTH) + layer.stream_depth
    for port, depth in join_depths(dataflow).items():
        depths[carriers[port]] = max(depths[carriers[port]], _DEFAULT_DEPTH + depth)
    views = {port: StreamView(f"{names[port]}_words", stream.bits, stream.words, words_text(stream), depths[port])
             for port, stream in dataflow.streams.items() if port in depths}
    return {port: views[carrier] for port, carrier in carriers.items()}


def template(name: str) -> jinja2.Template:
    """A template of hls_templates."""
    return load_template(data_folder("hls_templates"), name)


def _weight_streams(dataflow: Dataflow) -> dict[str, WeightStreamView]:
    """Streams of weights inside the top, by the name of the layer that takes them."""
    return {layer.name: WeightStreamView(f"{port}_words", stream.bits, stream.words,
                                         f"weights of {layer.name}, {words_text(stream)}", port=port)
            for port, layer in external_layers(dataflow).items() if (stream := layer.weight_stream)}


def _placed_view(item: Placed, views: Mapping[Port, StreamView], weights: Mapping[str, StreamView]) -> StageView:
    layer = item.layer
    outputs = tuple(views[layer.name, k] for k in range(len(layer.outputs)))
    inputs = [views[port] for port in item.sources] + [weights[name] for name in (layer.name,) if name in weights]
    return _stage(identifier(layer.name), layer, tuple(inputs), outputs)


def _layer_view(index: int, layer: Layer) -> StageView:
    # The index keeps apart layers of one name.
    inputs = [*layer.inputs, *([layer.weight_stream] if layer.weight_stream else [])]
    return _stage(f"layer{index}", layer, _numbered("in", inputs), _numbered("out", layer.outputs))


def _numbered(side: str, streams: Iterable[Stream]) -> tuple[StreamView, ...]:
    return tuple(StreamView(f"{side}{k}", stream.bits, stream.words) for k, stream in enumerate(streams))


def _stage(name: str, layer: Layer, inputs: tuple[StreamView, ...], outputs: tuple[StreamView, ...]) -> StageView:
    memories = tuple(_memory(name, memory) for memory in layer.memories())
    takes, gives = (" and ".join(map(words_text, side)) for side in (layer.inputs, layer.outputs))
    title = f"{name}: {layer.kind}, {takes} to {gives}"
    return StageView(name, layer.kind, title, layer.parameters(), memories, inputs, outputs)


def _memory(stage: str, memory: Memory) -> MemoryView:
    chunks = memory.chunks()
    rows, depth, width = chunks.shape
    title = f"{stage}: {memory.name.lower()}, {rows} x {depth} words of {memory.words.shape[2]} x {memory.dtype}"
    body = ",\n".join(_row(row) for row in chunks.tolist())
    return MemoryView(f"{stage}_{memory.name.lower()}", title, rows, depth, width, body)


def _row(words: list[list[int]]) -> str:
    lines = (f"    {line}\n" for line in _wrapped(_braced(word) for word in words))
    return "  {\n" + "".join(lines) + "  }"


def _braced(word: list[int]) -> str:
    return "{" + ", ".join(f"{chunk:#x}" for chunk in word) + "}"


def _wrapped(items: Iterable[str]) -> list[str]:
    """Items separated by commas, in lines of a bounded length."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) + 2 > _LINE_LENGTH:
            lines[-1] += ","
            lines.append("")
        lines[-1] += f", {item}" if lines[-1] else item
    return lines


def _kinds(stages: Iterable[StageView]) -> list[str]:
    return sorted({stage.kind for stage in stages})
