"""Weights that the processor writes: the driver on the simulated board against the model with the same weights."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from headrace.benches.simulated_board import SimulatedBoard
from headrace.build_folder import Build
from headrace.building import random_frames
from headrace.dataflow.graph import Dataflow, Placed
from headrace.dataflow.make_writable import make_writable, parse_writable
from headrace.datatypes import BIPOLAR, TERNARY, IntArray, Interval, int_type, uint_type
from headrace.drivers.writable import memory_images
from headrace.errors import InputError
from headrace.layers.mvtu import Mvtu
from headrace.layers.random_values import random_values
from headrace.layers.weight_store import RAM
from headrace.layers.weighted import WeightedLayer
from headrace.network.integer import DepthwiseConv, HostOutput, IntegerNetwork, Node, Requant
from headrace.render.rtl import render_rtl
from tests.drivers.test_cpp import compiled
from tests.small_dataflow import chain, small_dataflow
from tests.small_dataflows import named_mvtu
from tests.small_networks import UINT2, host_input, random_conv, random_threshold
from tests.unverified_build import write_unverified

STORAGE = {"fc0": "ram", "fc1": "uram", "dw0": "uram", "fc3": "uram", "dw1": "uram", "fc2": "ram"}
LAYERS = tuple(STORAGE)

if TYPE_CHECKING:
    from headrace_driver import Accelerator


def requant(rng: np.random.Generator, shift: int) -> Requant:
    return Requant(rng.integers(1, 9, 8), rng.integers(-99, 99, 8), shift, "half_up", int_type(4))


def network() -> IntegerNetwork:
    """2x2 pixels: bipolar operands, thresholds on matches; depthwise; requantized and raw ternary sums."""
    rng = np.random.default_rng(4)
    nodes = (
        Node("fc0", random_conv(rng, (10, 1, 1, 12), Interval(-7, 7)), ("input",)),
        Node("fc0_act", random_threshold(rng, 10, BIPOLAR, 90), ("fc0",)),
        Node("fc1", random_conv(rng, (8, 1, 1, 10), BIPOLAR), ("fc0_act",)),
        Node("fc1_act", random_threshold(rng, 8, UINT2, 5), ("fc1",)),
        Node("dw0", DepthwiseConv(rng.integers(-3, 4, (8, 2, 2, 1)), Interval(-3, 3), pad=(1, 1, 0, 0)), ("fc1_act",)),
        Node("dw0_act", random_threshold(rng, 8, UINT2, 9), ("dw0",)),
        Node("fc3", random_conv(rng, (8, 1, 1, 8), Interval(-7, 7)), ("dw0_act",)),
        Node("fc3_act", requant(rng, 6), ("fc3",)),
        Node("dw1", DepthwiseConv(rng.integers(-3, 4, (8, 2, 2, 1)), Interval(-3, 3), pad=(1, 1, 0, 0)), ("fc3_act",)),
        Node("dw1_act", requant(rng, 5), ("dw1",)),
        Node("fc2", random_conv(rng, (6, 2, 2, 8), TERNARY), ("dw1_act",)),
    )
    return IntegerNetwork(host_input(2, 2, 12, uint_type(4)), nodes, HostOutput((6,), np.ones(6), np.zeros(6)))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    return write_unverified(tmp_path_factory.mktemp("writable") / "b", network(), "rtl", cycles=24, writable=STORAGE,
                            cores={"fc0": "pairs", "fc3": "pairs"})


def weighted(dataflow: Dataflow, name: str) -> WeightedLayer:
    return next(layer for layer in dataflow.layers if isinstance(layer, WeightedLayer) and layer.name == name)


def with_weights(dataflow: Dataflow, name: str, weights: IntArray, thresholds: IntArray | None) -> Dataflow:
    changed = replace(weighted(dataflow, name), weights=weights, thresholds=thresholds)
    return Dataflow(dataflow.input, tuple(
        Placed(changed if item.layer.name == name else item.layer, item.sources) for item in dataflow.placed))


def golden(dataflow: Dataflow, x: IntArray) -> IntArray:
    return dataflow.golden(x)[dataflow.output_port]


def samples(built: Build, x: IntArray) -> np.ndarray:
    """The samples whose codes are x."""
    return x.reshape(len(x), 2, 2, 12).transpose(0, 3, 1, 2).astype(np.float32)


def test_it_starts_with_the_weights_of_the_build(accelerator: Accelerator) -> None:
    assert accelerator.self_test() == "exact"


def test_memory_in_uram_is_empty_until_the_driver_loads_it(driver: ModuleType, board: SimulatedBoard, built: Build,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver.Accelerator, "restore_weights", lambda self, layer: None)
    accelerator = driver.Accelerator(board, built.folder / "driver" / "headrace_driver")
    assert accelerator.self_test() != "exact"


def test_the_cpp_driver_refuses_to_compute_with_empty_memory(program: Path, built: Build, tmp_path: Path) -> None:
    cpp = built.folder / "driver" / "cpp"
    source = Path(__file__).with_name("weights_driver.cpp")
    command = [compiled(source, tmp_path, built), program, built.folder / "rtl", cpp]
    refusal, verdict = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert refusal == ("fc1: its weights are in UltraRAM, which is empty after power-up; write them with "
                       "write_weights, or fc1_weights.bin with write_memory as self_test.cpp does")
    assert verdict == "exact"


@pytest.mark.parametrize("kind", ["random", "lowest", "highest"])
def test_weights_are_rewritten_between_frames(accelerator: Accelerator, board: SimulatedBoard, built: Build,
                                              kind: str) -> None:
    rng = np.random.default_rng(len(kind))
    x = random_frames(built.dataflow, 5, 3)
    changed = built.dataflow
    board.stalls = kind == "random"
    for name in LAYERS:
        layer = weighted(built.dataflow, name)
        ends = {"random": random_values(rng, layer.weight, layer.weights.shape),
                "lowest": np.full_like(layer.weights, layer.weight.lo),
                "highest": np.full_like(layer.weights, layer.weight.hi)}
        thresholds = None
        if layer.thresholds is not None:
            spread = 2 * max(abs(layer.accumulator.lo), abs(layer.accumulator.hi))  # beyond what is reached, too
            thresholds = np.sort(rng.integers(-spread, spread + 1, layer.thresholds.shape), axis=1)
        accelerator.write_weights(name, ends[kind], thresholds)
        changed = with_weights(changed, name, ends[kind], thresholds)
        assert np.array_equal(accelerator.predict(samples(built, x), raw=True), golden(changed, x)), name
    for name in LAYERS:
        accelerator.restore_weights(name)
    assert accelerator.self_test() == "exact"


def test_a_write_that_was_interrupted_leaves_no_trace(accelerator: Accelerator, built: Build) -> None:
    """A part of a word that was pushed before is not mixed with the words of the next write."""
    x = random_frames(built.dataflow, 3, 3)
    parts = {name: accelerator.memories.weight_parts(name, weighted(built.dataflow, name).weights) for name in LAYERS}
    words = {name: len(weighted(built.dataflow, name).memories()[0].mem_text().split()) for name in LAYERS}
    name = max(LAYERS, key=lambda layer: len(parts[layer]) / words[layer])
    assert len(parts[name]) > words[name]  # a word is more than one part
    accelerator.write("memory", accelerator.memories.layers[name]["weights"]["memory"])
    accelerator.write("word", 0)
    accelerator.device.write(accelerator.model["writable"]["data"], 0xFFFFFFFF)
    layer = weighted(built.dataflow, name)
    changed = np.roll(layer.weights, 1, axis=0)
    accelerator.write_weights(name, changed)
    wanted = golden(with_weights(built.dataflow, name, changed, layer.thresholds), x)
    assert np.array_equal(accelerator.predict(samples(built, x), raw=True), wanted)


def test_thresholds_stay_where_only_weights_are_written(accelerator: Accelerator, built: Build) -> None:
    x = random_frames(built.dataflow, 3, 3)
    layer = weighted(built.dataflow, "fc1")
    accelerator.write_weights("fc1", -layer.weights)
    wanted = golden(with_weights(built.dataflow, "fc1", -layer.weights, layer.thresholds), x)
    assert np.array_equal(accelerator.predict(samples(built, x), raw=True), wanted)


@pytest.mark.parametrize(("name", "weights", "thresholds", "sentence"), [
    ("fc7", np.zeros((1, 1), int), None, r"fc7: its weights cannot be written; choose from \['dw0', 'dw1', 'fc0', "),
    ("fc0", np.full((10, 12), 8), None, "fc0: the weights reach from 8 to 8 but must be from -7 to 7"),
    ("fc1", np.zeros((8, 10), int), None, "fc1: the weights reach from 0 to 0 but must be -1 or 1"),
    ("fc0", np.zeros((12, 10), int), None, r"fc0: weights of shape \(12, 10\) and type int64 should be integers of"),
    ("fc0", np.zeros((10, 12)), None, r"type float64 should be integers of shape \(10, 12\)"),
    ("fc1", np.ones((8, 10), int), np.tile([3, 2, 1], (8, 1)), "fc1: the thresholds of a row do not ascend; sort them"),
    ("fc2", np.ones((6, 32), int), np.ones((6, 1), int), "fc2: has no thresholds; leave them out"),
])
def test_unfit_weights_change_nothing(accelerator: Accelerator, name: str, weights: np.ndarray,
                                      thresholds: np.ndarray | None,
                                      sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        accelerator.write_weights(name, weights, thresholds)
    assert accelerator.self_test() == "exact"


def test_cycles_are_those_of_fixed_weights(built: Build, tmp_path: Path) -> None:
    fixed = write_unverified(tmp_path / "b", network(), "rtl",
                              folding=built.record["folding"])
    assert [layer.cycles for layer in fixed.dataflow.layers] == [layer.cycles for layer in built.dataflow.layers]


@pytest.mark.parametrize(("names", "sentence"), [
    (["fc5"], r"fc5: is not a layer whose weights can be writable; choose from \['fc0', 'fc1'\]"),
    (["dwc0"], "dwc0: is not a layer whose weights can be writable"),
])
def test_layers_that_cannot_be_written(names: list[str], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        make_writable(small_dataflow(), parse_writable(names, []))


def test_raw_sums_in_front_of_other_layers_cannot_be_written() -> None:
    first, last = (layer for layer in small_dataflow().layers if isinstance(layer, Mvtu))
    raw = replace(first, thresholds=None, output=first.accumulator)
    with pytest.raises(InputError, match=r"fc0: is not a layer whose weights can be writable; choose from \['fc1'\]"):
        make_writable(chain(raw, replace(last, input=raw.output, simd=2, pe=1, output=Interval(-9999, 9999))),
                      parse_writable(["fc0"], []))


def test_a_layer_named_twice() -> None:
    with pytest.raises(InputError, match="fc0: is named twice"):
        parse_writable(["fc0"], ["fc0"])


def test_a_core_that_recodes_weights_is_refused() -> None:
    first = next(layer for layer in small_dataflow().layers if isinstance(layer, Mvtu))
    with pytest.raises(InputError, match="fc0: core dsp needs weights that stay"):
        replace(first, core="dsp", storage="ram")


def test_without_writable_layers_the_top_has_no_bus() -> None:
    assert "load" not in render_rtl(small_dataflow(), "test")["top.sv"].replace(".load(", "")


def test_images_of_memories_have_whole_parts_of_32_bits() -> None:
    made = named_mvtu("fc", mw=8, mh=4, simd=8, weight="int5", input="uint2", output="acc")
    layer = replace(made, storage=RAM, output=Interval(-384, 360))
    (memory,) = layer.memories()
    (image,) = memory_images(chain(layer)).values()
    words = [int(word, 16) for word in memory.mem_text().split()]
    assert memory.word_bits == 40 and len(words) == 4
    assert [int.from_bytes(image[8 * k : 8 * k + 8], "little") for k in range(4)] == words and len(image) == 32
