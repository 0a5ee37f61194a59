"""Dataflow -> the rtl/ folder of a build: top.sv, the SystemVerilog library and the memory images."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Container, Sequence
from dataclasses import dataclass

import jinja2

from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import SOURCE, Dataflow, Placed, Port
from headrace.dataflow.resets import reset_owners
from headrace.errors import InputError
from headrace.layers.base import Layer
from headrace.layers.ports import LOAD_PORT, SIGNALS, first_memory
from headrace.layers.stream import Stream
from headrace.layers.weighted import WeightedLayer
from headrace.paths import data_folder
from headrace.render.instances import contents, parameter_texts
from headrace.render.library import library_texts, used_sources
from headrace.render.names import identifier, module_name
from headrace.render.templates import load_template

#: The module of top.sv, and of what an HLS compiler makes of the C++.
TOP = "accelerator"
#: The module that gives the latter the ports of the former.
ADAPTER = "hls_adapter"
#: The macro with which leaf modules take their forms of cells; synthesis defines it, simulation does not.
#: The forms keep to UG974 and UG953: I5 of a LUT6_2 is tied high where its outputs are two functions of five inputs,
#: and where O6 is one of six, O5 is its half for I5 = 0; a CARRY8 is one chain of eight (SINGLE_CY8), whose CI_TOP is
#: tied low.
PRIMITIVES = "HEADRACE_PRIMITIVES"
#: The macro that says that they are those of the 7 series: chains of CARRY4, and products as synthesis infers them.
SERIES7 = "HEADRACE_SERIES7"
#: What is defined where the cells of a family are counted (memory.Prices.cells).
MACROS = {"xcup": (PRIMITIVES,), "xc7": (PRIMITIVES, SERIES7), "ecp5": ()}
#: The sources of rtl/ in the order in which every tool can read them: `verilator -F rtl/filelist.f`.
FILE_LIST = "filelist.f"
_SHAPE = ("MW", "MH", "PE", "SIMD")


def render_rtl(dataflow: Dataflow, header: str) -> dict[str, str]:
    """All files of rtl/ by their path in it. header: one line that says where they come from.

    Raises InputError where two streams would have one name.
    """
    top, modules = _top(dataflow, header), rtl_modules(dataflow)
    files = {"top.sv": top, FILE_LIST: "\n".join([*modules, "top.sv"]) + "\n"} | modules
    for layer in dataflow.layers:
        for memory in layer.memories():
            files |= memory.files(memory_file(layer, memory.name))
    return files


def rtl_modules(dataflow: Dataflow) -> dict[str, str]:
    """The files of the library that the network uses, by name; packages first."""
    return used_sources(_top(dataflow, ""), library_texts(dataflow.prices))


def render_adapter(dataflow: Dataflow, header: str) -> str:
    """The module ADAPTER around Verilog that an HLS compiler wrote; header: where it comes from."""
    source, sink = (_wire(name, dataflow.streams[port]) for name, port in
                    (("s_axis", (SOURCE, 0)), ("m_axis", dataflow.output_port)))
    weights = weight_wires(dataflow)
    return template("adapter.sv.j2").render(
        header=" ".join(header.split()), adapter=ADAPTER, top=TOP, input=source, output=sink,
        weights=weights, range_width=max(len(wire.range) for wire in (source, sink, *weights)),
    )


def primitive_sources(dataflow: Dataflow, macros: Sequence[str]) -> dict[str, str]:
    """The modules in use that PRIMITIVES changes, by file name, in their forms of cells that `macros` choose.

    Every file defines the macros itself: what a tool packages, compiles alone or in whatever order keeps its form.
    """
    tests = re.compile(rf"^`ifn?def {PRIMITIVES}$", re.MULTILINE)
    defines = "".join(f"`define {macro}\n" for macro in macros)
    return {name: defines + text for name, text in rtl_modules(dataflow).items() if tests.search(text)}


def fifo_streams(dataflow: Dataflow) -> list[tuple[str, str, int, str]]:
    """Names of output and input of every FIFO, its words, and its reset, in the order of the port fifo_marks of TOP."""
    names, resets = stream_names(dataflow), layer_resets(dataflow)
    return [(names[item.layer.name, 0], names[item.sources[0]], item.layer.stream_depth or 0, resets[item.layer.name])
            for item in dataflow.fifos]


def layer_resets(dataflow: Dataflow) -> dict[str, str]:
    """The wire of TOP that resets each layer, by its name."""
    return {name: f"{identifier(owner)}_rst_n" for name, owner in reset_owners(dataflow).items()}


def writable_layers(dataflow: Dataflow) -> list[WeightedLayer]:
    """The layers with memories that the processor writes; those of the k-th begin at first_memory(k) on the bus."""
    return [layer for layer in WeightedLayer.among(dataflow.layers) if layer.writable]


def memory_file(layer: Layer, memory_name: str) -> str:
    """Name of the image that the parameter MEMORY_NAME_FILE of a layer reads."""
    return f"{identifier(layer.name)}_{memory_name.lower()}.mem"


def stream_names(dataflow: Dataflow) -> dict[Port, str]:
    """Name of every stream: its signals are NAME_TDATA, NAME_TVALID and NAME_TREADY.

    Raises InputError where two streams would have one name (also where only the case differs: they name files too).
    """
    names: dict[Port, str] = {}
    taken = {"m_axis": "the network's output"} | {
        port: f"the weights of {layer.name}" for port, layer in external_layers(dataflow).items()}
    for layer_name, k in dataflow.streams:
        base = SOURCE if layer_name == SOURCE else identifier(layer_name)
        name = base if k == 0 else f"{base}_{k}"
        if other := taken.get(name.lower()):
            raise InputError(f"{layer_name}: its output {k} would be called {name} like {other}; rename the layer")
        taken[name.lower()] = f"output {k} of {layer_name}"
        names[layer_name, k] = name
    return names


def template(name: str) -> jinja2.Template:
    """A template of rtl_sim/templates."""
    return load_template(data_folder("rtl_sim") / "templates", name, {"bit_range": bit_range})


def bit_range(bits: int) -> str:
    """A packed range: `[7:0]`."""
    return f"[{bits - 1}:0]"


def words_text(stream: Stream) -> str:
    """What a stream carries: `64 words of 4 x uint2 per frame`."""
    return f"{stream.words} words of {stream.lanes} x {stream.element} per frame"


def open_ports(layer: Layer, load: str = "'0") -> tuple[tuple[str, str], ...]:
    """The kernel's ports that the layer does not use, and what they are connected to: outputs to nothing.

    load: what the bus for new weights is connected to.
    """
    bus = ((LOAD_PORT, load),) if layer.has_load_port else ()
    return (*bus, *(tie_off for port in layer.ports if port.stream is None for tie_off in port.tie_offs))


def load_parameters(layer: Layer, first_memory: int | None) -> tuple[tuple[str, str], ...]:
    """The parameters of a layer whose memories the processor writes, from `first_memory` on; None: it writes none."""
    if first_memory is None:
        return ()
    return tuple((name, str(value)) for name, value in layer.load_parameters(first_memory))


def top_open_ports(dataflow: Dataflow) -> tuple[tuple[str, str], ...]:
    """The ports of TOP beside clock, reset and streams, and what they are connected to where nobody uses them."""
    marks = (("fifo_marks", ""),) if fifo_streams(dataflow) else ()
    return (*marks, *((("load", "'0"),) if writable_layers(dataflow) else ()))


@dataclass(frozen=True)
class Wire:
    """A stream as the template wants it."""

    name: str
    text: str
    words: int
    range: str


@dataclass(frozen=True)
class _Instance:
    """A layer as the template wants it; `title` and `notes` are its comment, `unused` lines of ports tied off."""

    name: str
    module: str
    title: str
    notes: tuple[str, ...]
    parameters: tuple[tuple[str, str], ...]
    ports: tuple[tuple[str, str], ...]
    unused: tuple[str, ...]


def _top(dataflow: Dataflow, header: str) -> str:
    names, resets = stream_names(dataflow), layer_resets(dataflow)
    wires = {port: _wire(names[port], stream) for port, stream in dataflow.streams.items()}
    weights = weight_wires(dataflow)
    weight_ports = {layer.name: name for name, layer in external_layers(dataflow).items()}
    last_word = wires[dataflow.output_port].words - 1
    loaded = {layer.name: first_memory(k) for k, layer in enumerate(writable_layers(dataflow))}
    takers = {"s_axis": dataflow.placed[0].layer.name} | {name: layer for layer, name in weight_ports.items()}
    return template("top.sv.j2").render(
        header=" ".join(header.split()),
        top=TOP,
        cycles=dataflow.cycles_per_frame,
        contents=contents(dataflow),
        input=wires[SOURCE, 0],
        output=wires[dataflow.output_port],
        wires=[wire for port, wire in wires.items() if port[0] != SOURCE],
        range_width=max(len(wire.range) for wire in (*wires.values(), *weights)),
        weights=weights,
        resets=list(dict.fromkeys(resets.values())),
        gates=[(name, resets[layer]) for name, layer in takers.items()],
        output_reset=resets[dataflow.output_port[0]],
        layers=[_instance(item, names, loaded, weight_ports, resets[item.layer.name]) for item in dataflow.placed],
        fifos=fifo_streams(dataflow),
        has_load=bool(loaded),
        has_open_ports=any(value == "" for layer in dataflow.layers for _, value in open_ports(layer)),
        count_bits=max(1, last_word.bit_length()),
        last_word=last_word,
    )


def weight_wires(dataflow: Dataflow) -> list[Wire]:
    """The streams of weights, as the templates want them."""
    return [_wire(name, stream, f"weights of {layer.name}, ") for name, layer in external_layers(dataflow).items()
            if (stream := layer.weight_stream)]


def _wire(name: str, stream: Stream, text: str = "") -> Wire:
    return Wire(name, text + words_text(stream), stream.words, bit_range(8 * stream.bytes))


def _instance(item: Placed, names: dict[Port, str], loaded: dict[str, int], weight_ports: dict[str, str],
              reset: str) -> _Instance:
    layer = item.layer
    files = [(f"{memory.name}_FILE", f'"{memory_file(layer, memory.name)}"') for memory in layer.memories()]
    module = module_name(layer.kind)
    parameters = parameter_texts(module, (*layer.parameters(), *files, *layer.rtl_parameters(),
                                          *load_parameters(layer, loaded.get(layer.name))))
    weights = [weight_ports[layer.name]] if layer.name in weight_ports else []
    outputs = tuple((layer.name, k) for k in range(len(layer.outputs)))
    ends = {names[SOURCE, 0], *weights}
    ports = (("ap_clk", "ap_clk"), ("ap_rst_n", reset),
             *_connections(layer, (*(names[port] for port in (*item.sources, *outputs)), *weights), ends),
             *([("load", "load")] if layer.name in loaded else []))
    unused = [f".{name}({value})" for name, value in open_ports(layer) if (name, "load") not in ports]
    return _Instance(identifier(layer.name), module, _title(layer), _notes(layer), _aligned(parameters),
                     _aligned(ports), tuple(textwrap.wrap(", ".join(unused), 114, break_long_words=False)))


def _connections(layer: Layer, streams: tuple[str, ...], ends: Container[str]) -> list[tuple[str, str]]:
    """The signals of the streams that the layer uses, connected to wires that are named by `streams`.

    ends: streams that come from outside, whose words are not taken before all layers have left their reset.
    """
    used = [port for port in layer.ports if port.stream]
    return [(signal, f"{stream}_taken" if wire == "TREADY" and stream in ends else f"{stream}_{wire}")
            for port, stream in zip(used, streams, strict=True)
            for signal, wire in zip(port.signals, SIGNALS, strict=True)]


def _title(layer: Layer) -> str:
    shape = [f"{name}={value}" for name, value in layer.parameters() if name in _SHAPE]
    return ", ".join([f"{layer.name}: {layer.kind}", *shape, f"{layer.cycles} cycles per frame"])


def _notes(layer: Layer) -> tuple[str, ...]:
    """One line for each side of the layer and one for its memories."""
    sides = (("takes", layer.inputs), ("gives", layer.outputs))
    notes = [f"{verb} {' and '.join(map(words_text, streams))}" for verb, streams in sides]
    if layer.weight_stream:
        notes[0] += f", weights from outside: {words_text(layer.weight_stream)}"
    memories = [f"{memory.name.lower()} {memory.depth} words of {memory.word_bits} bits ({memory.dtype})"
                for memory in layer.memories()]
    return (*notes, *([f"holds {', '.join(memories)}"] if memories else []))


def _aligned(pairs: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    width = max(len(name) for name, _ in pairs)
    return tuple((name.ljust(width), value) for name, value in pairs)
