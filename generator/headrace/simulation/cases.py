"""Single layers through both back ends: a whole list in one Verilated model and one C++ compilation.

Compiling dominates everything else, so nothing is compiled twice and nothing for one layer alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from headrace.dataflow.external import replayed_weights
from headrace.errors import HeadraceError, InputError, MismatchError
from headrace.layers.base import Layer
from headrace.layers.spec import LayerCase, layer_from_spec
from headrace.packing import Bytes, pack_stream
from headrace.reading import read_json
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
        raise InputError(f"{path}: is no JSON ({error}); correct the file") from None
    specs = specs if isinstance(specs, list) else [specs]
    if not specs:
        raise InputError(f"{path}: holds no layer; write at least one object with a kind")
    return specs


@dataclass(frozen=True, eq=False)
class _Prepared:
    """A case with its input and golden words: one array per stream."""

    case: LayerCase
    inputs: tuple[Bytes, ...]
    expected: tuple[Bytes, ...]

    @staticmethod
    def of(case: LayerCase) -> _Prepared:
        layer = case.layer
        x = case.random_input()
        y = layer.golden(*x)
        return _Prepared(
            case,
            tuple(pack_stream(v, s.lanes, s.element) for v, s in zip(x, layer.inputs, strict=True)),
            tuple(pack_stream(y, s.lanes, s.element) for s in layer.outputs),
        )

    def require_equal(self, engine: str, when: str, actual: Sequence[Bytes]) -> None:
        """Raise MismatchError at the first output whose words differ."""
        layer: Layer = self.case.layer
        for k, (stream, want, got) in enumerate(zip(layer.outputs, self.expected, actual, strict=True)):
            if not np.array_equal(want, got):
                raise MismatchError(f"{engine}, {when}: {first_difference((layer.name, k), stream, want, got)}")


def run_specs(specs: Sequence[Any], engines: Sequence[str], stalls: Stalls | None, seed: int,
              progress: Callable[[str], None] = lambda _: None) -> list[Result]:
    """Compare every layer with golden; one result {spec, bit_exact, cycles, cycles_measured, resources, error} each.

    engines: "rtl", "hls" or both. stalls: the only pattern beside the run without stalls that measures cycles; None
    runs all patterns, each also with a reset in mid-frame. An illegal spec gives a result with its sentence as error.
    """
    results = [Result(spec=spec, bit_exact=False, cycles=None, cycles_measured=None, resources=None, error=None)
               for spec in specs]
    prepared: dict[int, _Prepared] = {}
    for index, spec in enumerate(specs):
        try:
            case = layer_from_spec(spec, index)
            if "hls" in engines:
                require_word_widths(case.layer)
            prepared[index] = _Prepared.of(replace(case, frames=max(case.frames, MIN_FRAMES)))
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


def _run_hls(prepared: dict[int, _Prepared], results: list[Result]) -> None:
    with tempfile.TemporaryDirectory() as work:
        model = csim.compile_layers([item.case.layer for item in prepared.values()], Path(work))
        for position, (index, item) in enumerate(prepared.items()):
            with _recording(results[index]):
                weights = replayed_weights(item.case.layer, item.case.frames)
                item.require_equal("HLS", "C simulation",
                                   model.run(position, (*item.inputs, weights), item.case.frames))


def _run_rtl(prepared: dict[int, _Prepared], results: list[Result], stalls: Stalls | None, seed: int) -> None:
    items = list(prepared.items())
    with tempfile.TemporaryDirectory() as work:
        model = rtl.compile_layers([item.case.layer for _, item in items], Path(work))
        inputs = {rtl.layer_source(position, k): words
                  for position, (_, item) in enumerate(items) for k, words in enumerate(item.inputs)}
        inputs |= {rtl.layer_weights(position): replayed_weights(item.case.layer, item.case.frames)
                   for position, (_, item) in enumerate(items) if item.case.layer.weight_stream}
        mid_frame = {name: 1 + (len(words) // 3) // 2 for name, words in inputs.items()}
        unstalled = model.run(inputs)
        _judge(items, results, "no stalls", unstalled)
        for position, (index, item) in enumerate(items):
            trace = unstalled[rtl.layer_sink(position)]
            results[index]["cycles_measured"] = trace.cycles_per_frame(item.case.layer.outputs[0].words)
        for mode in [stalls] if stalls else Stalls:
            if mode is not Stalls.NONE:
                _judge(items, results, f"stalls {mode.value}", model.run(inputs, mode, seed))
            if stalls is None:
                _judge(items, results, f"stalls {mode.value}, after a reset", model.run(inputs, mode, seed, mid_frame))


def _judge(items: list[tuple[int, _Prepared]], results: list[Result], when: str, traces: dict[str, Trace]) -> None:
    for position, (index, item) in enumerate(items):
        words = [traces[rtl.layer_sink(position, k)].words for k in range(len(item.expected))]
        with _recording(results[index]):
            item.require_equal("RTL", when, words)


@contextmanager
def _recording(result: Result) -> Iterator[None]:
    """A mismatch in the block becomes the error of the result; the first one stays."""
    try:
        yield
    except MismatchError as error:
        result["bit_exact"] = False
        result["error"] = result["error"] or str(error)
