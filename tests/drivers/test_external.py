"""Weights from memory on the simulated board: the drivers replay them, and what goes wrong with them is noticed."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
import pytest

from headrace.benches.simulated_board import SimulatedBoard
from headrace.build_folder import Build
from headrace.building import random_frames
from headrace.dataflow.external import external_layers
from headrace.dataflow.graph import Dataflow, Placed
from headrace.datatypes import IntArray
from headrace.errors import ToolError
from headrace.layers.mvtu import Mvtu
from headrace.layers.random_values import random_values
from tests.drivers.interrupted import begin_and_reset
from tests.drivers.on_pynq import pynq_calls
from tests.drivers.test_cpp import HERE, compiled
from tests.small_networks import small_network
from tests.unverified_build import write_unverified

if TYPE_CHECKING:
    from headrace_driver import Accelerator

FRAMES = 5


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Bipolar weights of a convolution and of the last layer from memory, ternary ones writable."""
    return write_unverified(tmp_path_factory.mktemp("external") / "b", small_network(), "rtl",
                            writable={"fc3": "ram"}, external=["conv1", "fc4"])


def samples(built: Build, seed: int) -> tuple[IntArray, np.ndarray]:
    """Random codes of one channel and the samples that they stand for."""
    x = random_frames(built.dataflow, FRAMES, seed)
    return x, x.reshape(FRAMES, 1, 8, 8).astype(np.float32)


def golden(dataflow: Dataflow, x: IntArray) -> IntArray:
    return dataflow.golden(x)[dataflow.output_port]


@pytest.mark.parametrize("stalls", [False, True])
def test_inference(accelerator: Accelerator, board: SimulatedBoard, built: Build, stalls: bool) -> None:
    board.stalls = stalls
    assert accelerator.self_test() == "exact"
    for seed in (1, 2):
        x, values = samples(built, seed)
        assert np.array_equal(accelerator.predict(values, raw=True), golden(built.dataflow, x))
    assert accelerator.read("status") == 0


@pytest.mark.parametrize("accesses", [2, 20, 100])
def test_a_reset_ends_transfers_of_weights(accelerator: Accelerator, built: Build, accesses: int) -> None:
    x, values = samples(built, 3)
    begin_and_reset(accelerator, values, accesses)
    assert np.array_equal(accelerator.predict(values, raw=True), golden(built.dataflow, x))
    assert accelerator.read("status") == 0


def test_weights_in_the_wrong_order_show(accelerator: Accelerator) -> None:
    words = accelerator._images[0].reshape(-1, 1)
    assert len(np.unique(words)) > 1
    accelerator._images[0] = np.roll(words, 1).reshape(-1)
    assert accelerator.self_test() != "exact"
    assert accelerator.read("status") == 0  # as many as there should be


@pytest.mark.parametrize("port", [0, 1])
def test_short_transfers_show(driver: ModuleType, accelerator: Accelerator, port: int) -> None:
    accelerator._images[port] = accelerator._images[port][:-1]
    verdict = ""  # words in wrong places, or too few of them
    with suppress(ToolError, driver.AcceleratorError):
        verdict = accelerator.self_test()
    assert verdict != "exact"
    assert accelerator.read("status") & 8


def test_surplus_weights_show(accelerator: Accelerator) -> None:
    accelerator.model["weights"][1]["times"] += 20
    with pytest.raises(ToolError, match="weights were left over"):
        accelerator.self_test()


def test_missing_weights_show(accelerator: Accelerator, built: Build) -> None:
    accelerator.model["weights"][0]["times"] = 0
    with pytest.raises(ToolError, match="no byte moved for a long time"):
        accelerator.self_test()
    assert accelerator.read("weight_waits") > built.cycles


def test_the_map_has_the_memories_and_streams(built: Build) -> None:
    lines = (built.folder / "driver" / "registers.md").read_text().splitlines()
    layer = next(layer for layer in built.dataflow.layers if layer.name == "fc3")
    for number, memory in enumerate(layer.memories()):
        row = f"| {number} | fc3, {memory.name.lower()} | {memory.depth} | {memory.word_bits} | "
        assert sum(line.startswith(row) for line in lines) == 1, row
    for k, (port, external) in enumerate(external_layers(built.dataflow).items()):
        size = external.weight_image().size
        assert f"| {port} | {external.name} | {size} | {external.vectors} | 0x{0xA0020000 + 0x10000 * k:08x} |" in lines


def test_the_package_on_a_board(built: Build, tmp_path: Path) -> None:
    """One transfer of weights after the other, each of them waited for, on every DMA; the images are copied once."""
    calls = pynq_calls(built, tmp_path)
    for port, layer in enumerate(external_layers(built.dataflow).values()):
        transfer = f"weights{port} {layer.vectors * layer.weight_image().size}"
        own = [call for call in calls if f"weights{port}" in call]
        assert own == [transfer] * 4  # frames
    assert calls.count("flush") == 3 and calls[-1] == "invalidate"


INTERRUPTED = """
from pathlib import Path
from headrace_driver import Accelerator

accelerator = Accelerator.on_pynq("accelerator.bit")
Path("stuck").touch()
accelerator._start(0, 4)
accelerator.reset()
print(f"self-test: {accelerator.self_test()}")
"""


def test_a_reset_stops_every_dma(built: Build, tmp_path: Path) -> None:
    """With both streams of weights in a transfer that never ends."""
    calls = pynq_calls(built, tmp_path, INTERRUPTED)
    calls = calls[calls.index("write 0x10 4") :]
    hold, release = "write 0xc 4", "write 0xc 1"
    # The threads that send weights note their transfers when they come to it.
    between = [call for call in calls[calls.index(hold) : calls.index(release) + 1] if not call.startswith("weights")]
    resets = ["write dma 0x0 4", "start send", "start receive", "write weights0 0x0 4", "start weights0",
              "write weights1 0x0 4", "start weights1"]
    assert between == [hold, *resets, "receive 4096", *resets, release]
    for port, layer in enumerate(external_layers(built.dataflow).values()):
        transfer = f"weights{port} {layer.vectors * layer.weight_image().size}"
        assert [call for call in calls if call == transfer] == [transfer] * 5  # one that never ends, then four frames


def test_the_program_for_the_board_compiles(built: Build, tmp_path: Path) -> None:
    compiled(built.folder / "driver" / "cpp" / "self_test.cpp", tmp_path, built)


def test_cpp_driver(built: Build, program: Path, tmp_path: Path) -> None:
    layer = next(layer for layer in built.dataflow.layers if layer.name == "fc3")
    assert isinstance(layer, Mvtu) and layer.thresholds is not None
    rng = np.random.default_rng(0)
    weights = random_values(rng, layer.weight, layer.weights.shape)
    thresholds = np.sort(rng.integers(-40, 41, layer.thresholds.shape), axis=1)
    (tmp_path / "new").write_bytes(weights.tobytes() + thresholds.tobytes())
    x, values = samples(built, 3)
    (tmp_path / "samples").write_bytes(values.tobytes())
    command: list[str | Path] = [compiled(HERE / "weights_driver.cpp", tmp_path, built), program, built.folder / "rtl",
               built.folder / "driver" / "cpp", "fc3", tmp_path / "new", tmp_path / "samples", str(FRAMES)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    before, integers, after, refusal = done.stdout.splitlines()
    assert (before, after) == ("exact", "exact")
    changed = replace(layer, weights=weights, thresholds=thresholds)
    dataflow = Dataflow(built.dataflow.input, tuple(
        Placed(changed if item.layer is layer else item.layer, item.sources) for item in built.dataflow.placed))
    assert np.array_equal(np.array(integers.split(), np.int64), golden(dataflow, x).reshape(-1))
    assert refusal == "fc3: the weight 2 must be from -1 to 1"
