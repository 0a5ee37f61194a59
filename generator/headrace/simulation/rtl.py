"""RTL simulation through Verilator and a compiled harness without VPI: many frames, no Python in the loop.

One executable holds one network, or one instance of every layer of a list; it runs as a child process on a job file
and leaves the words that passed each stream, with their cycles, in a result file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from headrace.atomic_files import write_files
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.errors import InputError
from headrace.layers.base import Layer
from headrace.layers.ports import first_memory
from headrace.render.checks import Check, render_checks
from headrace.render.library import PRICED, compile_order, library_paths, library_texts, used_sources
from headrace.render.names import module_name
from headrace.render.rtl import (
    TOP,
    load_parameters,
    memory_file,
    open_ports,
    stream_names,
    template,
    top_open_ports,
)
from headrace.simulation.harness import Endpoint, RtlModel, Side
from headrace.simulation.remaining import Progress
from headrace.simulation.stream_checks import CHECKS, checker, stream_checks
from headrace.simulation.verilate import verilate
from headrace.tools import SHORT_FRAME, require_build_tools

__all__ = [
    "SINK", "RtlModel", "compile_boundary", "compile_built_layers", "compile_layers", "compile_network", "hardware_of",
    "layer_files", "layer_sink", "layer_source", "layer_weights", "link_memories", "observed_ports", "render_layers",
    "require_tools",
]

#: Name of the stream that leaves a network.
SINK = "m_axis"
_TOP_FILE = "top.sv"


@dataclass(frozen=True)
class _Instance:
    """A module under test as the template wants it: `ports` are stream prefixes and indices of endpoints.

    `open_ports` are the other ports and what they are connected to.
    """

    module: str
    parameters: tuple[tuple[str, str], ...]
    ports: tuple[tuple[str, int], ...]
    open_ports: tuple[tuple[str, str], ...] = ()


def require_tools() -> None:
    """Raise ToolError if Verilator or what it needs to compile a model is missing."""
    require_build_tools()


def layer_source(index: int, port: int = 0) -> str:
    """Name of input `port` of layer `index` in a model made by compile_layers."""
    return f"layer{index}_s{port}"


def layer_sink(index: int, port: int = 0) -> str:
    """Name of output `port` of layer `index` in a model made by compile_layers."""
    return f"layer{index}_m{port}"


def layer_weights(index: int) -> str:
    """Name of the stream of weights of layer `index` in a model made by compile_layers."""
    return f"layer{index}_w"


def compile_layers(layers: Sequence[Layer], work: Path, before: Sequence[Path] = ()) -> RtlModel:
    """One model with one instance of every layer, each with streams and a reset of its own.

    work: an empty folder that the model needs as long as it is used. before: sources that are read before the library,
    whose macros hold for it. All layers have the same prices. Raises ToolError where the tools are missing.
    """
    endpoints = render_layers(layers, work)
    texts, places = library_texts(layers[0].prices), {path.name: path for path in library_paths()}
    places[PRICED] = work / PRICED
    places[PRICED].write_text(texts[PRICED])
    sources = [*before, *(places[name] for name in used_sources((work / "harness.sv").read_text(), texts))]
    cycles = max(layer.cycles for layer in layers)
    return _compile(endpoints, sources, work, work, cycles, "-O0" if cycles < SHORT_FRAME else "-O1")


def compile_built_layers(rtl: Path, layers: Sequence[Layer], work: Path) -> RtlModel:
    """The same from the modules in a build's folder `rtl`, each layer as it is there; memories are not written.

    The model runs in a folder with those of link_memories.
    """
    endpoints = render_layers(layers, work, built=True)
    paths = {path.name: path for path in compile_order(rtl.resolve().glob("*.sv")) if path.name != _TOP_FILE}
    texts = {name: path.read_text() for name, path in paths.items()}
    used = used_sources((work / "harness.sv").read_text(), texts)
    return _compile(endpoints, [paths[name] for name in used], work, work, max(layer.cycles for layer in layers))


def layer_files(rtl: Path, layers: Sequence[Layer]) -> list[Path]:
    """What compile_built_layers and link_memories read of a build's folder `rtl` for these layers."""
    texts = {path.name: path.read_text() for path in rtl.glob("*.sv") if path.name != _TOP_FILE}
    modules = used_sources(" ".join(module_name(layer.kind) for layer in layers), texts)
    memories = (name for layer in layers for memory in layer.memories()
                for name in memory.file_names(memory_file(layer, memory.name)))
    return [rtl / name for name in sorted({*modules, *memories})]


def link_memories(rtl: Path, layers: Sequence[Layer], folder: Path) -> None:
    """Link the memories of layers in a build's folder `rtl` under the names that a model of them reads."""
    folder.mkdir()
    for index, layer in enumerate(layers):
        for memory in layer.memories():
            own, built = _memory_file(index, memory.name), memory_file(layer, memory.name)
            for name, target in zip(memory.file_names(own), memory.file_names(built), strict=True):
                (folder / name).symlink_to(rtl.resolve() / target)


def hardware_of(layer: Layer) -> object:
    """Equal for layers whose modules differ in nothing but what their memories hold."""
    memories = tuple((memory.name, memory.depth, memory.word_bits) for memory in layer.memories())
    loads = load_parameters(layer, 0 if layer.writable else None)
    return (layer.kind, layer.parameters(), layer.rtl_parameters(), loads, memories, open_ports(layer), layer.cycles,
            tuple((stream.bytes, stream.words) for stream in (*layer.inputs, *layer.outputs)))


def render_layers(layers: Sequence[Layer], work: Path, writable: bool = False,
                  built: bool = False) -> tuple[Endpoint, ...]:
    """Write harness.sv, the module `harness` with one instance of every layer, checks.sv and the memories.

    writable: layers that the processor can write have their memories on a bus `load` at its ports; else these stay as
    they are. built: they are writable as in a build, but nobody writes, and the memories lie elsewhere.
    Returns its streams. Stream k has the ports xk_TDATA, xk_TVALID and xk_TREADY; the reset of group g is rst_n_g.
    """
    endpoints: list[Endpoint] = []
    instances = []
    for index, layer in enumerate(layers):
        first = len(endpoints)
        endpoints += _layer_endpoints(index, layer)
        used = [port.prefix for port in layer.ports if port.stream]
        ports = tuple((prefix, first + k) for k, prefix in enumerate(used))
        number = first_memory(index) if layer.writable and (writable or built) else None
        parameters = (*_layer_parameters(index, layer), *load_parameters(layer, number))
        instances.append(_Instance(module_name(layer.kind), parameters, ports,
                                   open_ports(layer, load="load" if layer.writable and writable else "'0")))
        for memory in () if built else layer.memories():
            write_files(work, memory.files(_memory_file(index, memory.name)))
    _render(instances, endpoints, (), work, has_load=writable)
    checks = (Check(e.name, f"x{k}", 8 * e.stream.bytes, f"rst_n_{e.group}") for k, e in enumerate(endpoints))
    (work / CHECKS).write_text(render_checks(checks, "layers side by side", "harness", "clk"))
    return tuple(endpoints)


def compile_network(rtl: Path, dataflow: Dataflow, work: Path, progress: Progress = lambda _: None) -> RtlModel:
    """The network in a build's folder `rtl`; every inner stream is observed under the name that it has there.

    work: an empty folder that the model needs as long as it is used, like `rtl`. Streams are named as by
    render.rtl.stream_names; the network's output is also SINK. Raises ToolError where the tools are missing.
    """
    names = stream_names(dataflow)
    inner = [port for port in dataflow.streams if port not in ((SOURCE, 0), dataflow.output_port)]
    weights = [(port, layer.weight_stream) for port, layer in external_layers(dataflow).items()]
    endpoints = (
        Endpoint(SOURCE, 0, Side.SOURCE, dataflow.input),
        Endpoint(SINK, 0, Side.SINK, dataflow.streams[dataflow.output_port]),
        *(Endpoint(port, 0, Side.SOURCE, stream) for port, stream in weights if stream),
        *(Endpoint(names[port], 0, Side.TAP, dataflow.streams[port]) for port in inner),
    )
    ports = tuple((endpoint.name, k) for k, endpoint in enumerate(endpoints) if endpoint.side is not Side.TAP)
    taps = tuple((len(ports) + k, f"dut0.{names[port]}") for k, port in enumerate(inner))
    unused = ((f"{SINK}_TLAST", ""), *top_open_ports(dataflow))
    instance = _Instance(TOP, (), ports, unused)
    sources = compile_order(rtl.resolve().glob("*.sv"))
    if devices := [path for path in rtl.glob("*.mem") if not path.is_file()]:
        raise InputError(f"{devices[0]}: is not a file; build again")
    _render([instance], endpoints, taps, work)
    stream_checks(dataflow, work)
    cycles = sum(layer.cycles for layer in dataflow.layers)
    return _compile(endpoints, sources, rtl.resolve(), work, cycles, progress=progress)


def compile_boundary(sources: Sequence[Path], module: str, dataflow: Dataflow, work: Path,
                     progress: Progress = lambda _: None) -> RtlModel:
    """A module with the streams of a network at its ports: SOURCE, SINK and those of weights; nothing inside is seen.

    Its other ports are m_axis_TLAST, and `load_bit` where layers can be written. work: an empty folder that the model
    needs as long as it is used. Raises ToolError where the tools are missing.
    """
    weights = [(port, layer.weight_stream) for port, layer in external_layers(dataflow).items()]
    endpoints = (Endpoint(SOURCE, 0, Side.SOURCE, dataflow.input),
                 Endpoint(SINK, 0, Side.SINK, dataflow.streams[dataflow.output_port]),
                 *(Endpoint(port, 0, Side.SOURCE, stream) for port, stream in weights if stream))
    loads = (("load_bit", "1'b0"),) if any(name == "load" for name, _ in top_open_ports(dataflow)) else ()
    ports = tuple((endpoint.name, k) for k, endpoint in enumerate(endpoints))
    _render([_Instance(module, (), ports, ((f"{SINK}_TLAST", ""), *loads))], endpoints, (), work)
    checks = (Check(e.name, f"x{k}", 8 * e.stream.bytes, "rst_n_0") for k, e in enumerate(endpoints))
    (work / CHECKS).write_text(render_checks(checks, "a network from outside", "harness", "clk"))
    return _compile(endpoints, sources, work, work, sum(layer.cycles for layer in dataflow.layers), progress=progress)


def observed_ports(dataflow: Dataflow) -> dict[Port, str]:
    """Every port of a network and the name under which a model of compile_network reports it."""
    return {port: SINK if port == dataflow.output_port else name for port, name in stream_names(dataflow).items()}


def _layer_endpoints(index: int, layer: Layer) -> list[Endpoint]:
    weights = layer.weight_stream
    return [
        *(Endpoint(layer_source(index, k), index, Side.SOURCE, stream) for k, stream in enumerate(layer.inputs)),
        *(Endpoint(layer_sink(index, k), index, Side.SINK, stream) for k, stream in enumerate(layer.outputs)),
        *([Endpoint(layer_weights(index), index, Side.SOURCE, weights)] if weights else []),
    ]


def _memory_file(index: int, memory_name: str) -> str:
    return f"layer{index}_{memory_name.lower()}.mem"


def _layer_parameters(index: int, layer: Layer) -> tuple[tuple[str, str], ...]:
    files = ((f"{memory.name}_FILE", f'"{_memory_file(index, memory.name)}"') for memory in layer.memories())
    return (*((name, str(value)) for name, value in (*layer.parameters(), *layer.rtl_parameters())), *files)


def _render(instances: Sequence[_Instance], endpoints: Sequence[Endpoint], taps: Sequence[tuple[int, str]],
            work: Path, has_load: bool = False) -> None:
    """Write the wrapper and what its harness has to know of it."""
    streams = [{"side": e.side.value, "group": e.group, "bytes": e.stream.bytes} for e in endpoints]
    context = {"instances": instances, "groups": len(instances), "streams": streams, "taps": taps,
               "has_load": has_load}
    (work / "harness.sv").write_text(template("harness.sv.j2").render(context))
    (work / "streams.hpp").write_text(template("harness_streams.hpp.j2").render(context))


def _compile(endpoints: tuple[Endpoint, ...], sources: Sequence[Path], folder: Path, work: Path,
             cycles: int, optimization: str = "-O1", progress: Progress = lambda _: None) -> RtlModel:
    """Verilate and compile the wrapper in `work`. folder: where the memories lie; cycles: the longest frame."""
    require_tools()
    work = work.resolve()
    own = [checker(), work / "harness.sv", work / CHECKS]
    executable = verilate("harness", [*sources, *own], "harness.cpp", work, optimization, progress=progress)
    return RtlModel(executable, folder, work, endpoints, cycles)
