"""One battery for every streaming layer: golden = RTL = HLS, under every stall pattern, and the cycles of the model.

A test module of a layer derives a class from LayerBattery and states its parameter sets:

    class TestDwc(LayerBattery):
        specs = ({"kind": "dwc", "in_lanes": 3, "out_lanes": 2, "element": "uint3", "words": 4},)

All layers of a class are compiled into one Verilated model and one set of C programs.
"""

from __future__ import annotations

import importlib
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from headrace.dataflow.external import replayed_weights
from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.layers.base import Layer
from headrace.layers.spec import layer_from_spec, random_values
from headrace.layers.stream import Stream
from headrace.packing import Bytes, pack_stream
from headrace.render.library import library_paths
from headrace.simulation import csim, rtl
from headrace.simulation.frames import Stalls, Trace
from headrace.timing.cycle_model import CycleModel
from headrace.tools import verilator

FRAMES = 6
SEED = 7


class Subjects:
    """The layers of one class with random frames, what must come out, and the compiled back ends."""

    def __init__(self, layers: Sequence[Layer], work: Path) -> None:
        self.layers = layers
        self.work = work
        self.inputs: list[tuple[Bytes, ...]] = []
        self.expected: list[Bytes] = []
        self._traces: dict[tuple[Stalls, bool], dict[str, Trace]] = {}
        rng = np.random.default_rng(SEED)
        for layer in layers:
            x = [random_values(rng, stream.element, (FRAMES, stream.elements)) for stream in layer.inputs]
            self.inputs.append(tuple(pack_stream(a, s.lanes, s.element) for a, s in zip(x, layer.inputs, strict=True)))
            out = layer.outputs[0]
            self.expected.append(pack_stream(layer.golden(*x), out.lanes, out.element))

    @cached_property
    def rtl_model(self) -> rtl.RtlModel:
        return rtl.compile_layers(self.layers, self._folder("rtl"))

    @cached_property
    def hls_model(self) -> csim.LayersCSim:
        return csim.compile_layers(self.layers, self._folder("hls"))

    def traces(self, stalls: Stalls, resets: bool = False) -> dict[str, Trace]:
        """All layers once under one stall pattern; garbage in the padding of the inputs must not matter."""
        key = (stalls, resets)
        if key not in self._traces:
            inputs = {rtl.layer_source(i, k): with_garbage(words, stream)
                      for i, layer in enumerate(self.layers)
                      for k, (words, stream) in enumerate(zip(self.inputs[i], layer.inputs, strict=True))}
            inputs |= {rtl.layer_weights(i): with_garbage(replayed_weights(layer, FRAMES), layer.weight_stream)
                       for i, layer in enumerate(self.layers) if layer.weight_stream}
            after = {name: 1 + len(words) // 2 for name, words in inputs.items()} if resets else None
            self._traces[key] = self.rtl_model.run(inputs, stalls, SEED, after)
        return self._traces[key]

    def _folder(self, name: str) -> Path:
        folder = self.work / name
        folder.mkdir()
        return folder


def with_garbage(words: Bytes, stream: Stream) -> Bytes:
    """The words with all padding bits set."""
    spare = 8 * stream.bytes - stream.bits
    return words | np.array([0] * (stream.bytes - 1) + [256 - (1 << 8 - spare) if spare else 0], np.uint8)


class LayerBattery:
    """The battery; a subclass gives `specs` or, for what they cannot say, `extra` layers."""

    specs: ClassVar[Sequence[Mapping[str, Any]]] = ()
    extra: ClassVar[Sequence[Layer]] = ()

    @classmethod
    def layers(cls) -> list[Layer]:
        return [*(layer_from_spec(spec, index).layer for index, spec in enumerate(cls.specs)), *cls.extra]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        if "index" in metafunc.fixturenames:
            ids = [f"{k}-{'-'.join(str(v) for v in spec.values())}" for k, spec in enumerate(self.specs)]
            ids += [f"extra{k}" for k in range(len(self.extra))]
            metafunc.parametrize("index", range(len(ids)), ids=ids)

    @pytest.fixture(scope="class")
    @classmethod
    def subjects(cls, tmp_path_factory: pytest.TempPathFactory) -> Subjects:
        return Subjects(cls.layers(), tmp_path_factory.mktemp("battery"))

    @pytest.mark.parametrize("stalls", Stalls)
    def test_rtl_equals_golden(self, subjects: Subjects, index: int, stalls: Stalls) -> None:
        for port in range(len(subjects.layers[index].outputs)):
            np.testing.assert_array_equal(subjects.traces(stalls)[rtl.layer_sink(index, port)].words,
                                          subjects.expected[index])

    def test_rtl_starts_anew_after_a_reset_in_the_middle(self, subjects: Subjects, index: int) -> None:
        for port in range(len(subjects.layers[index].outputs)):
            np.testing.assert_array_equal(subjects.traces(Stalls.RANDOM, True)[rtl.layer_sink(index, port)].words,
                                          subjects.expected[index])

    def test_rtl_takes_the_cycles_of_the_model(self, subjects: Subjects, index: int) -> None:
        layer = subjects.layers[index]
        trace = subjects.traces(Stalls.NONE)[rtl.layer_sink(index)]
        assert trace.cycles_per_frame(layer.outputs[0].words) == layer.cycles

    def test_rtl_has_the_latency_of_the_model(self, subjects: Subjects, index: int) -> None:
        traces, schedule = subjects.traces(Stalls.NONE), subjects.layers[index].schedule()
        first_out = traces[rtl.layer_sink(index)].cycles[0]
        first_in = traces[rtl.layer_source(index)].cycles[0]
        assert first_out - first_in == schedule.cycles_to_first_write + schedule.latency_cycles

    def test_rtl_moves_every_word_in_the_cycle_of_the_model(self, subjects: Subjects, index: int) -> None:
        layer = subjects.layers[index]
        if len(layer.inputs) > 1 or len(layer.outputs) > 1:
            return  # forks and joins: tests/dataflow/test_cycle_model.py
        model = CycleModel(Dataflow(layer.inputs[0], (Placed(layer, ((SOURCE, 0),)),))).trace(FRAMES)
        traces = subjects.traces(Stalls.NONE)
        source, sink = traces[rtl.layer_source(index)].cycles, traces[rtl.layer_sink(index)].cycles
        taken = len(model[SOURCE, 0])  # the model ends with the last word out; words that none needs may follow
        np.testing.assert_array_equal(source[:taken] - source[0], model[SOURCE, 0] - model[SOURCE, 0][0])
        np.testing.assert_array_equal(sink - source[0], model[layer.name, 0] - model[SOURCE, 0][0])

    def test_hls_equals_golden(self, subjects: Subjects, index: int) -> None:
        weights = replayed_weights(subjects.layers[index], FRAMES)
        for words in subjects.hls_model.run(index, (*subjects.inputs[index], weights), FRAMES):
            np.testing.assert_array_equal(words, subjects.expected[index])

    def test_every_parameter_set_lints(self, subjects: Subjects) -> None:
        wrapper = subjects.rtl_model.work / "harness.sv"
        command = [verilator(), "--lint-only", "-Wall", "--top-module", "harness", *library_paths(), wrapper]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def battery(kind: str) -> type[LayerBattery]:
    """The first battery in the test module of a kind of layer."""
    module = vars(importlib.import_module(f"tests.layers.test_{kind}")).values()
    return next(item for item in module if isinstance(item, type) and issubclass(item, LayerBattery)
                and item is not LayerBattery)
