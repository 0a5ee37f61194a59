"""What the templates of the C++ see: streams, memories, the functions of the processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow, Port
from headrace.dataflow.hls_graph import HlsGraph, PlacedProcess, carriers
from headrace.errors import InputError
from headrace.layers.base import Layer
from headrace.layers.buffered import Buffered
from headrace.layers.hls import HlsProcess
from headrace.memory import ram
from headrace.packing import Memory
from headrace.render.names import identifier
from headrace.render.rtl import stream_names, words_text
from headrace.timing.hls_fifo_sizing import DEFAULT_DEPTH

_LINE_LENGTH = 110


@dataclass(frozen=True)
class StreamView:
    """A stream as the templates want it."""

    name: str
    bits: int
    words: int
    text: str = ""
    depth: int = DEFAULT_DEPTH
    uram: bool = False

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
    chunk_bits: int
    rows: int
    depth: int
    chunks: int
    values: str


@dataclass(frozen=True)
class FunctionView:
    """The function of a process: the kernel that it calls, its streams, and what is behind them in the call.

    name: its own; config: of the struct that configures the kernel; weights: a stream that takes the place of a memory.
    """

    name: str
    config: str
    kernel: str
    title: str
    inputs: tuple[StreamView, ...]
    outputs: tuple[StreamView, ...]
    memories: tuple[str, ...]
    outputs_first: bool
    weights: tuple[StreamView, ...] = ()

    @property
    def _ports(self) -> tuple[StreamView, ...]:
        return (*self.inputs, *self.weights, *self.outputs)

    @property
    def streams(self) -> list[str]:
        """Variables of the inputs, the weights and the outputs."""
        return [stream.name for stream in self._ports]

    @property
    def port_lines(self) -> list[str]:
        """The streams as parameters of a function."""
        return [f"hls::stream<ap_uint<{stream.bits}> >& {stream.name}" for stream in self._ports]

    @property
    def call_lines(self) -> list[str]:
        """The kernel's arguments, wrapped."""
        sides = (self.outputs, self.inputs) if self.outputs_first else (self.inputs, self.outputs)
        return wrapped([*(stream.name for side in sides for stream in side), *self.memories])


@dataclass(frozen=True)
class StageView:
    """A layer as the templates want it: its constants are those of the struct config::NAME."""

    name: str
    title: str
    parameters: tuple[tuple[str, int], ...]
    memories: tuple[MemoryView, ...]
    functions: tuple[FunctionView, ...]
    inputs: tuple[StreamView, ...]
    outputs: tuple[StreamView, ...]
    inner: tuple[StreamView, ...] = ()

    @property
    def name_width(self) -> int:
        """Length of the longest parameter name."""
        return max(len(name) for name, _ in self.parameters)


def graph_views(dataflow: Dataflow, graph: HlsGraph, depths: Mapping[Port, int]) -> dict[Port, StreamView]:
    """The C++ variable of every stream of the processes, in the order of declaration.

    Raises InputError where two would have one name.
    """
    names, in_uram = stream_names(dataflow), streams_in_uram(dataflow, graph, depths)
    views = {}
    for port, stream in graph.streams.items():
        name = names.get(port) or f"{identifier(port[0])}_{graph.inner[port]}"
        views[port] = StreamView(f"{name}_words", stream.bits, stream.words, words_text(stream),
                                 depths.get(port, DEFAULT_DEPTH), port in in_uram)
    _require_distinct((view.name, port[0]) for port, view in views.items())
    _require_distinct((process_name(item), item.layer.name) for item in graph.processes)
    return views


def streams_in_uram(dataflow: Dataflow, graph: HlsGraph, depths: Mapping[Port, int]) -> set[Port]:
    """The streams that hold what waits in UltraRAM in SystemVerilog: as FIFOs, and as the lines of windows."""
    moved = {layer.name for layer in Buffered.among(dataflow.layers) if layer.uram}
    carried = carriers(dataflow)
    streams = [carried[item.layer.name, 0] for item in dataflow.fifos if item.layer.name in moved]
    streams += [port for port in graph.inner if port[0] in moved]
    needs = {port: ram(depths.get(port, DEFAULT_DEPTH), graph.streams[port].bits, dataflow.prices) for port in streams}
    return {port for port, memory in needs.items() if memory.bram18}


def process_name(item: PlacedProcess) -> str:
    """The function of a process."""
    return identifier(item.layer.name) + item.process.suffix


def weight_views(dataflow: Dataflow) -> dict[str, WeightStreamView]:
    """Streams of weights inside the top, by the name of the layer that takes them."""
    return {layer.name: WeightStreamView(f"{port}_words", stream.bits, stream.words,
                                         f"weights of {layer.name}, {words_text(stream)}", port=port)
            for port, layer in external_layers(dataflow).items() if (stream := layer.weight_stream)}


def placed_stages(graph: HlsGraph, views: Mapping[Port, StreamView],
                  weights: Mapping[str, StreamView]) -> list[StageView]:
    """The layers of a network."""
    items: dict[str, list[PlacedProcess]] = {}
    for item in graph.processes:
        items.setdefault(item.layer.name, []).append(item)
    stages = []
    for name, processes in items.items():
        streams = {role: views[port] for item in processes
                   for roles, ports in ((item.process.inputs, item.inputs), (item.process.outputs, item.outputs))
                   for role, port in zip(roles, ports, strict=True)}
        stages.append(stage_view(identifier(name), processes[0].layer, streams, weights.get(name)))
    return stages


def layer_stage(index: int, layer: Layer) -> StageView:
    """A layer by itself; the index keeps apart layers of one name."""
    sides = {"in": layer.inputs, "out": layer.outputs}
    streams = {f"{side}{k}": stream for side, all_of in sides.items() for k, stream in enumerate(all_of)}
    views = {role: StreamView(role, stream.bits, stream.words)
             for role, stream in {**streams, **layer.hls.streams}.items()}
    weights = layer.weight_stream
    stage = stage_view(f"layer{index}", layer, views,
                       StreamView("weights", weights.bits, weights.words) if weights else None)
    return replace(stage, inner=tuple(views[role] for role in layer.hls.streams))


def stage_view(name: str, layer: Layer, streams: Mapping[str, StreamView], weights: StreamView | None) -> StageView:
    """A layer whose streams are called as in `streams`, by their roles."""
    memories = {memory.name: _memory(name, memory) for memory in layer.memories()}
    takes, gives = (" and ".join(map(words_text, side)) for side in (layer.inputs, layer.outputs))
    title = f"{name}: {layer.kind}, {takes} to {gives}"
    arguments = {memory: tuple(f"memories::{view.name}" for view in views) for memory, views in memories.items()}
    if weights:
        arguments["WEIGHTS"] = (weights.name,)
    functions = tuple(_function(name, title, process, streams, arguments, weights) for process in layer.hls.processes)
    ins, outs = (tuple(stream for role, stream in streams.items() if role.startswith(side)) for side in ("in", "out"))
    return StageView(name, title, layer.parameters(), tuple(chain(*memories.values())), functions,
                     (*ins, *((weights,) if weights else ())), outs)


def _function(name: str, title: str, process: HlsProcess, streams: Mapping[str, StreamView],
              arguments: Mapping[str, tuple[str, ...]], weights: StreamView | None) -> FunctionView:
    inputs, outputs = (tuple(streams[role] for role in roles) for roles in (process.inputs, process.outputs))
    memories = tuple(chain(*(arguments.get(memory, ("headrace::no_memory",)) for memory in process.memories)))
    return FunctionView(name + process.suffix, name, process.kernel, title, inputs, outputs, memories,
                        process.outputs_first, (weights,) if weights else ())


def _memory(stage: str, memory: Memory) -> list[MemoryView]:
    """The arrays of a memory, in the order in which the kernel takes them."""
    views = []
    for name, words in memory.arrays().items():
        chunks = memory.chunks(words)
        rows, depth, width = chunks.shape
        title = f"{stage}: {name}, {rows} x {depth} words of {words.shape[2]} x {memory.dtype}"
        body = ",\n".join(_row(row) for row in chunks.tolist())
        views.append(MemoryView(f"{stage}_{name}", title, memory.chunk_bits(words), rows, depth, width, body))
    return views


def _row(words: list[list[int]]) -> str:
    lines = (f"    {line}\n" for line in wrapped(_braced(word) for word in words))
    return "  {\n" + "".join(lines) + "  }"


def _braced(word: list[int]) -> str:
    return "{" + ", ".join(f"{chunk:#x}" for chunk in word) + "}"


def wrapped(items: Iterable[str]) -> list[str]:
    """Items separated by commas, in lines of a bounded length."""
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) + 2 > _LINE_LENGTH:
            lines[-1] += ","
            lines.append("")
        lines[-1] += f", {item}" if lines[-1] else item
    return lines


def kernels(stages: Sequence[StageView]) -> list[str]:
    """Headers of the kernels that the stages call."""
    return sorted({_HEADERS.get(function.kernel, function.kernel) for stage in stages for function in stage.functions})


#: Kernels that lie in the header of another one.
_HEADERS = {"window_rows": "window", "label_results": "label_select", "depth_to_space_rows": "depth_to_space"}


def _require_distinct(named: Iterable[tuple[str, str]]) -> None:
    taken: dict[str, str] = {}
    for name, layer in named:
        if name.lower() in taken:
            raise InputError(f"{layer}: its C++ would be called {name} like that of {taken[name.lower()]}; "
                             "rename the layer")
        taken[name.lower()] = layer
