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
from typing import ClassVar

import numpy as np
import pytest

from headrace.dataflow.graph import SOURCE, Dataflow, Placed
from headrace.layers.base import Layer
from headrace.layers.flow import Ring, Window
from headrace.layers.spec import layer_from_spec
from headrace.render.library import PRICED, library_paths
from headrace.simulation.cases import LayersHls, LayersRtl, Ran, Words
from headrace.simulation.frames import Stalls
from headrace.timing.cycle_model import CycleModel
from headrace.tools import verilator

FRAMES = 6
#: Frames that every layer gets in one go at least; a layer with a memory gets more frames than that holds words.
SOAK = 64
SEED = 7


class Runs:
    """The layers of a class, compiled for both back ends; what was run once is remembered."""

    def __init__(self, layers: Sequence[Layer], work: Path) -> None:
        self.layers = layers
        self.words = [Words.random(layer, FRAMES, SEED + k) for k, layer in enumerate(layers)]
        self._work = work
        self._ran: dict[tuple[Stalls, bool], list[Ran]] = {}

    @cached_property
    def rtl(self) -> LayersRtl:
        return LayersRtl(self.layers, self._folder("rtl"))

    @cached_property
    def hls(self) -> LayersHls:
        return LayersHls(self.layers, self._folder("hls"))

    def ran(self, stalls: Stalls, resets: bool = False) -> list[Ran]:
        """All layers once under one stall pattern, which also seeds what the registers power up with."""
        if (stalls, resets) not in self._ran:
            self._ran[stalls, resets] = self.rtl.run(self.words, stalls, SEED, resets)
        return self._ran[stalls, resets]

    @cached_property
    def soak(self) -> list[tuple[Words, Ran]]:
        """Many frames without a pause: a counter that is off by one at every frame's end gets to its bound."""
        items = [item.repeated(-(-max(SOAK, depth(item.layer)) // FRAMES)) for item in self.words]
        return list(zip(items, self.rtl.run(items, Stalls.RANDOM, SEED + 1), strict=True))

    def _folder(self, name: str) -> Path:
        folder = self._work / name
        folder.mkdir()
        return folder


def depth(layer: Layer) -> int:
    """Words of the deepest memory that a layer's words pass."""
    control = layer.schedule().control
    return 1 + control.buffer.depth if isinstance(control, Window | Ring) else (layer.stream_depth or 0)


class LayerBattery:
    """The battery; a subclass gives `specs` or, for what they cannot say, `extra` layers."""

    specs: ClassVar[Sequence[Mapping[str, object]]] = ()
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
    def runs(cls, tmp_path_factory: pytest.TempPathFactory) -> Runs:
        return Runs(cls.layers(), tmp_path_factory.mktemp("battery"))

    @pytest.mark.parametrize("stalls", Stalls)
    def test_rtl_equals_golden(self, runs: Runs, index: int, stalls: Stalls) -> None:
        runs.words[index].require_equal("RTL", runs.ran(stalls)[index].words)

    def test_rtl_starts_anew_after_a_reset_in_the_middle(self, runs: Runs, index: int) -> None:
        runs.words[index].require_equal("RTL", runs.ran(Stalls.RANDOM, True)[index].words)

    def test_rtl_stays_right_for_many_frames(self, runs: Runs, index: int) -> None:
        item, ran = runs.soak[index]
        item.require_equal("RTL", ran.words)

    def test_rtl_takes_the_cycles_of_the_model(self, runs: Runs, index: int) -> None:
        layer, ran = runs.layers[index], runs.ran(Stalls.NONE)[index]
        assert ran.outputs[0].cycles_per_frame(layer.outputs[0].words) == layer.cycles

    def test_rtl_has_the_latency_of_the_model(self, runs: Runs, index: int) -> None:
        schedule, ran = runs.layers[index].schedule(), runs.ran(Stalls.NONE)[index]
        latency = schedule.cycles_to_first_write + schedule.latency_cycles
        assert [out.cycles[0] - ran.inputs[0].cycles[0] for out in ran.outputs] == [latency] * len(ran.outputs)

    def test_rtl_moves_every_word_in_the_cycle_of_the_model(self, runs: Runs, index: int) -> None:
        layer, ran = runs.layers[index], runs.ran(Stalls.NONE)[index]
        start = ran.inputs[0].cycles[0]
        if len(layer.inputs) == len(layer.outputs) == 1:
            model = CycleModel(Dataflow(layer.inputs[0], (Placed(layer, ((SOURCE, 0),)),))).trace(FRAMES)
            taken = len(model[SOURCE, 0])  # the model ends with the last word out; words that none needs may follow
            np.testing.assert_array_equal(ran.inputs[0].cycles[:taken] - start, model[SOURCE, 0] - model[SOURCE, 0][0])
            wanted = model[layer.name, 0] - model[SOURCE, 0][0]
        else:  # the model has one source and one sink; with many, all of which are there, the schedule says it
            schedule = layer.schedule()
            frames = np.arange(FRAMES)[:, None] * schedule.cycles
            wanted = (frames + schedule.write_cycles() + schedule.latency_cycles).reshape(-1)
        for out in ran.outputs:
            np.testing.assert_array_equal(out.cycles - start, wanted)

    def test_hls_equals_golden(self, runs: Runs, index: int) -> None:
        item = runs.words[index]
        item.require_equal("HLS", runs.hls.run(index, item))

    def test_every_parameter_set_lints(self, runs: Runs) -> None:
        work = runs.rtl.model.work
        library = (work / PRICED if path.name == PRICED else path for path in library_paths())
        command: list[str | Path] = [verilator(), "--lint-only", "-Wall", "--top-module", "harness",
                                     *library, work / "harness.sv"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def batteries(kind: str) -> list[type[LayerBattery]]:
    """All batteries in the test module of a kind of layer."""
    module = vars(importlib.import_module(f"tests.layers.test_{kind}")).values()
    return [item for item in module if isinstance(item, type) and issubclass(item, LayerBattery)
            and item is not LayerBattery]


def battery(kind: str) -> type[LayerBattery]:
    """The first one."""
    return batteries(kind)[0]
