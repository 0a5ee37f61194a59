"""Single layers through both back ends: a whole list in one Verilated model and one C++ compilation.

Compiling dominates everything else, so nothing is compiled twice and nothing for one layer alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from headrace.bounded_reading import read_json
from headrace.dataflow.external import replayed_weights
from headrace.datatypes import IntArray
from headrace.errors import HeadraceError, InputError, MismatchError
from headrace.layers.base import Layer
from headrace.layers.spec import LayerCase, layer_from_spec
from headrace.layers.stream import Stream
from headrace.packing import Bytes, pack_stream
from headrace.render.hls import require_word_widths
from headrace.simulation import csim, rtl
from headrace.simulation.compare import first_difference
from headrace.simulation.frames import Stalls, Trace

Result = dict[str, Any]

#: The steady state shows between the last two of at least this many frames.
MIN_FRAMES = 3


def load_specs(path: Path) -> list[Any]:
    """The specs in a file: a JSON object, or a list of them."""
    try:
        specs = read_json(path)
    except OSError:
        raise InputError(f"{path}: cannot be read; check the path") from None
    except ValueError as error:
        raise InputError(f"{path}: is not JSON ({error}); correct the file") from None
    specs = specs if isinstance(specs, list) else [specs]
    if not specs:
        raise InputError(f"{path}: holds no layer; write at least one object with a kind")
    return specs


@dataclass(frozen=True, eq=False)
class Words:
    """A layer with what frames put on its streams: words in, all padding bits set, and the golden words out."""

    layer: Layer
    frames: int
    inputs: tuple[Bytes, ...]
    expected: tuple[Bytes, ...]

    @staticmethod
    def of(layer: Layer, x: Sequence[IntArray]) -> Words:
        """x: one array (frames, elements) per input."""
        y = layer.golden(*x)
        given = (with_garbage(pack_stream(v, s.lanes, s.element), s) for v, s in zip(x, layer.inputs, strict=True))
        return Words(layer, len(x[0]), tuple(given), tuple(pack_stream(y, s.lanes, s.element) for s in layer.outputs))

    @staticmethod
    def random(layer: Layer, frames: int, seed: int) -> Words:
        """Random frames from the ranges of the inputs."""
        return Words.of(layer, LayerCase(layer, frames, seed).random_input())

    def repeated(self, times: int) -> Words:
        """The same frames over and over."""
        inputs, expected = (tuple(np.tile(words, (times, 1)) for words in side)
                            for side in (self.inputs, self.expected))
        return Words(self.layer, times * self.frames, inputs, expected)

    @property
    def weights(self) -> Bytes:
        """The words of the stream of weights, none where the layer has no such stream."""
        words, stream = replayed_weights(self.layer, self.frames), self.layer.weight_stream
        return with_garbage(words, stream) if stream else words

    def require_equal(self, engine: str, actual: Sequence[Bytes]) -> None:
        """Raise MismatchError at the first output whose words differ. engine: and when, for the message."""
        for k, (stream, want, got) in enumerate(zip(self.layer.outputs, self.expected, actual, strict=True)):
            if not np.array_equal(want, got):
                raise MismatchError(f"{engine}: {first_difference((self.layer.name, k), stream, want, got)}")


def with_garbage(words: Bytes, stream: Stream) -> Bytes:
    """The words with all padding bits set."""
    spare = 8 * stream.bytes - stream.bits
    return words | np.array([0] * (stream.bytes - 1) + [256 - (1 << 8 - spare) if spare else 0], np.uint8)


@dataclass(frozen=True)
class Ran:
    """What passed the streams of one layer in a run of the RTL, and when."""

    inputs: tuple[Trace, ...]
    outputs: tuple[Trace, ...]

    @property
    def words(self) -> list[Bytes]:
        """Of every output."""
        return [trace.words for trace in self.outputs]


class LayersRtl:
    """Layers side by side in one Verilated model."""

    def __init__(self, layers: Sequence[Layer], work: Path, before: Sequence[Path] = ()) -> None:
        """work, before: as of rtl.compile_layers. Raises ToolError where tools are missing."""
        self.model = rtl.compile_layers(layers, work, before)

    def run(self, items: Sequence[Words], stalls: Stalls = Stalls.NONE, seed: int = 0,
            resets: bool = False) -> list[Ran]:
        """Stream the frames of every layer at once; resets: each also starts anew in the middle of a frame.

        Raises MismatchError where a stream breaks a rule or stops.
        """
        inputs: dict[str, Bytes] = {}
        after: dict[str, int] = {}
        for index, item in enumerate(items):
            own = {rtl.layer_source(index, k): words for k, words in enumerate(item.inputs)}
            inputs |= own | ({rtl.layer_weights(index): item.weights} if item.layer.weight_stream else {})
            after |= {name: _mid_frame(len(words), item.frames) for name, words in own.items()}
        traces = self.model.run(inputs, stalls, seed, after if resets else None)
        return [Ran(tuple(traces[rtl.layer_source(index, k)] for k in range(len(item.inputs))),
                    tuple(traces[rtl.layer_sink(index, k)] for k in range(len(item.expected))))
                for index, item in enumerate(items)]


def _mid_frame(words: int, frames: int) -> int:
    """Words after which about half of the frames and half of another one are through."""
    in_frame = words // frames
    return in_frame * ((frames - 1) // 2) + in_frame // 2 + 1


class LayersHls:
    """Layers in programs of C++."""

    def __init__(self, layers: Sequence[Layer], work: Path) -> None:
        """work: an empty folder that is needed as long as the programs are. Raises ToolError without the tools."""
        self.programs = csim.compile_layers(layers, work)

    def run(self, index: int, item: Words) -> tuple[Bytes, ...]:
        """Words of every output of layer `index`. Raises MismatchError where the C++ reads or leaves other words."""
        return self.programs.run(index, (*item.inputs, item.weights), item.frames)


def run_specs(specs: Sequence[Any], engines: Sequence[str], stalls: Stalls | None, seed: int,
              progress: Callable[[str], None] = lambda _: None) -> list[Result]:
    """Compare every layer with golden; one result {spec, bit_exact, cycles, cycles_measured, resources, error} each.

    engines: "rtl", "hls" or both. stalls: the only pattern beside the run without stalls that measures cycles; None
    runs all patterns, each also with a reset in mid-frame. An illegal spec gives a result with its sentence as error.
    """
    results = [Result(spec=spec, bit_exact=False, cycles=None, cycles_measured=None, resources=None, error=None)
               for spec in specs]
    prepared: dict[int, Words] = {}
    for index, spec in enumerate(specs):
        try:
            case = layer_from_spec(spec, index)
            if "hls" in engines:
                require_word_widths(case.layer)
            prepared[index] = Words.random(case.layer, max(case.frames, MIN_FRAMES), case.seed)
            results[index] |= {"cycles": case.layer.cycles, "bit_exact": True}
        except HeadraceError as error:
            results[index]["error"] = str(error)
    if not prepared:
        return results
    if "hls" in engines:
        progress(f"{len(prepared)} layers: compiling and running C++")
        _run_hls(prepared, results)
    if "rtl" in engines:
        progress(f"{len(prepared)} layers: compiling and running SystemVerilog")
        _run_rtl(prepared, results, stalls, seed)
    return results


def _run_hls(prepared: dict[int, Words], results: list[Result]) -> None:
    with tempfile.TemporaryDirectory() as work:
        programs = LayersHls([item.layer for item in prepared.values()], Path(work))
        for position, (index, item) in enumerate(prepared.items()):
            with _recording(results[index]):
                item.require_equal("HLS, C simulation", programs.run(position, item))


def _run_rtl(prepared: dict[int, Words], results: list[Result], stalls: Stalls | None, seed: int) -> None:
    items = list(prepared.values())
    with tempfile.TemporaryDirectory() as work:
        model = LayersRtl([item.layer for item in items], Path(work))

        def judge(when: str, ran: list[Ran]) -> None:
            for index, item, one in zip(prepared, items, ran, strict=True):
                with _recording(results[index]):
                    item.require_equal(f"RTL, {when}", one.words)

        unstalled = model.run(items)
        judge("no stalls", unstalled)
        for index, item, one in zip(prepared, items, unstalled, strict=True):
            results[index]["cycles_measured"] = one.outputs[0].cycles_per_frame(item.layer.outputs[0].words)
        for mode in [stalls] if stalls else Stalls:
            if mode is not Stalls.NONE:
                judge(f"stalls {mode.value}", model.run(items, mode, seed))
            if stalls is None:
                judge(f"stalls {mode.value}, after a reset", model.run(items, mode, seed, resets=True))


@contextmanager
def _recording(result: Result) -> Iterator[None]:
    """A mismatch in the block becomes the error of the result; the first one stays."""
    try:
        yield
    except MismatchError as error:
        result["bit_exact"] = False
        result["error"] = result["error"] or str(error)
