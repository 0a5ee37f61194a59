"""Dataflow -> the hls/ folder of a build: C++ for Vitis HLS and g++, its memories, a testbench and the Tcl."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2

from headrace.dataflow.external import external_layers, replayed_weights
from headrace.dataflow.graph import SOURCE, Dataflow, Port
from headrace.dataflow.hls_graph import HlsGraph, hls_graph
from headrace.dataflow.vectors import Vectors
from headrace.errors import FoldingError
from headrace.layers.base import Layer
from headrace.layers.registry import kernel_folders
from headrace.packing import Bytes
from headrace.paths import data_folder
from headrace.render.hls_project import render_project
from headrace.render.hls_views import graph_views, kernels, layer_stage, placed_stages, weight_views
from headrace.render.rtl import TOP
from headrace.render.templates import load_template
from headrace.timing.hls_clock import require_clock
from headrace.timing.hls_fifo_sizing import HlsSizing

_SOURCES = ("config.hpp", "weights.hpp", "top.cpp", "testbench.cpp")
#: Vitis HLS has no ap_uint that is wider; words.hpp sets AP_INT_MAX_W to it.
MAX_WORD_BITS = 4096
#: Iterations that an int counts.
_MAX_ITERATIONS = (1 << 31) - 1
#: Iterations after which the longest loop ends, unless a frame has more: to drain the pipelines takes a few cycles of
#: so many, and the loops' counters have no bits for more.
_LONG_ENOUGH = (1 << 24) - 1


def render_hls(dataflow: Dataflow, clock_period_ns: float, part: str, header: str, vectors: int = 1,
               depths: Mapping[Port, int] | None = None) -> dict[str, str]:
    """All text files of hls/ by their path in it.

    clock_period_ns and part go into the projects; header is one line that says where the files come from; vectors:
    how many frames `write_hls_vectors` writes for the co-simulation; depths: of the streams, by their port; without
    them they are sized here.
    Raises InputError where two streams would have one name, and for a clock that a kernel cannot keep, FoldingError for
    words that ap_uint does not hold and loops that an int does not count.
    """
    for layer in dataflow.layers:
        require_word_widths(layer)
    graph = hls_graph(dataflow)
    require_countable(graph)
    require_clock(graph, clock_period_ns)
    values = {
        **_network_values(dataflow, graph, HlsSizing.of(dataflow).depths if depths is None else depths),
        "header": " ".join(header.split()), "top": TOP,
    }
    rendered = {name: template(f"{name}.j2").render(values) for name in _SOURCES}
    project = render_project(clock_period_ns, part, header, vectors, frames_of_a_call(graph))
    return rendered | project | static_files(rendered.values())


def _network_values(dataflow: Dataflow, graph: HlsGraph, depths: Mapping[Port, int]) -> dict[str, Any]:
    """What the templates see of the network."""
    views, weights = graph_views(dataflow, graph, depths), weight_views(dataflow)
    stages = placed_stages(graph, views, weights)
    streams = [*views.values(), *weights.values()]
    source, sink = views[graph.source], views[graph.sink]
    ends = {"IN": source, "OUT": sink} | {view.prefix: view for view in weights.values()}
    boundary = [(f"{prefix}_{name}", value) for prefix, view in ends.items()
                for name, value in (("BITS", view.bits), ("WORDS", view.words))]
    return {"stages": stages, "streams": streams, "boundary": boundary, "weight_streams": list(weights.values()),
            "declaration_width": max(len(stream.declaration) for stream in streams),
            "kinds": ["axis", *kernels(stages)], "input": source, "output": sink}


def frames_of_a_call(graph: HlsGraph) -> int:
    """Frames that hardware takes before its loops end and begin anew: a power of two, as many as fit their counters.

    All processes have the same number, so that none is a call ahead of another.
    """
    longest = max([item.process.loop.iterations for item in graph.processes], default=1)
    return 1 << max(1, _LONG_ENOUGH // max(longest, graph.streams[graph.source].words)).bit_length() - 1


def require_countable(graph: HlsGraph) -> None:
    """Raise FoldingError for a loop of more iterations per frame than an int counts."""
    for item in graph.processes:
        if item.process.loop.iterations > _MAX_ITERATIONS:
            raise FoldingError(f"{item.layer.name}: its C++ would take {item.process.loop.iterations} iterations per "
                               f"frame, and an int counts to {_MAX_ITERATIONS}; give it more lanes (pe, simd), or "
                               "build with --backend rtl")


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
    stages = [layer_stage(index, layer) for index, layer in enumerate(layers)]
    values = {"header": "Single layers.", "stages": stages, "boundary": (), "kinds": kernels(stages)}
    names = {"config.hpp": "config.hpp.j2", "weights.hpp": "weights.hpp.j2", "layers.cpp": "sim/layers.cpp.j2"}
    return {name: template(source).render(values) for name, source in names.items()}


def static_files(rendered: Iterable[str] | None = None) -> dict[str, str]:
    """The kernels, what a testbench includes and the stand-ins for g++, by their path in hls/.

    rendered: the sources that use the kernels; without them all kernels.
    """
    folder = data_folder("hls_templates")
    paths = [*(folder / "include").glob("*.hpp"), *(folder / "sim").glob("*.h"), *folder.glob("*.[ch]pp")]
    files = {str(path.relative_to(folder).as_posix()): path.read_text() for path in sorted(paths)}
    files |= {f"include/{path.name}": path.read_text() for folder in kernel_folders() for path in folder.glob("*.hpp")}
    if rendered is None:
        return files
    used = _included(rendered, {Path(name).name: text for name, text in files.items()})
    return {name: text for name, text in files.items() if Path(name).name in used or name.startswith("sim/")}


def _included(sources: Iterable[str], headers: Mapping[str, str]) -> set[str]:
    """Names of the headers that sources include, directly or not."""
    found: set[str] = set()
    waiting = list(sources)
    while waiting:
        for name in re.findall(r'#include "(.*)"', waiting.pop()):
            if name in headers and name not in found:
                found.add(name)
                waiting.append(headers[name])
    return found


def template(name: str) -> jinja2.Template:
    """A template of hls_templates."""
    return load_template(data_folder("hls_templates"), name)
