"""How long the Python driver takes from samples to the bytes of DMA transfers: `python -m benchmarks.packing`.

A million frames of 784 samples of 8 bits, for networks that read them with 1 and with 8 bits.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from headrace.board.board import load_board
from headrace.dataflow.vectors import Vectors
from headrace.datatypes import BIPOLAR, DataType, uint_type
from headrace.design import Recipe, elaborate
from headrace.drivers.render import PACKAGE, render_driver, write_driver
from headrace.network.integer import Conv, HostInput, HostOutput, IntegerNetwork, Node, TensorType
from headrace.paths import data_folder

FRAMES = 1_000_000
ELEMENTS = 784
BATCH = 8192
#: What the packing of FRAMES may take on two processors. Where others use them too, the processor time is what counts.
MAX_SECONDS = 10.0
#: Element type of the network's input, and how many of them a stream word holds.
CASES: dict[str, tuple[DataType, int]] = {
    "1 bit, 49 lanes": (BIPOLAR, 49), "1 bit, 16 lanes": (BIPOLAR, 16), "8 bit, 1 lane": (uint_type(8), 1),
    "8 bit, 7 lanes": (uint_type(8), 7),
}


class Memory:
    """A device that holds the model and the buffers, and no more; what a reset waits for is there."""

    def __init__(self, registers: dict[int, int]) -> None:
        self._registers, self._buffer = registers, np.zeros(0, np.uint8)

    def read(self, offset: int) -> int:
        return self._registers[offset]

    def write(self, offset: int, value: int) -> None:
        self._registers[offset] = value

    def collect(self) -> bool:
        return False

    def reset(self) -> None:
        """There is no DMA that could stand still."""

    def replay(self, port: int, image: np.ndarray[Any, Any], times: int) -> None:
        raise NotImplementedError

    def start(self, slot: int, in_bytes: int, out_bytes: int) -> None:
        raise NotImplementedError

    def finish(self, slot: int) -> np.ndarray[Any, Any]:
        raise NotImplementedError

    def buffer(self, slot: int, size: int) -> np.ndarray[Any, Any]:
        if len(self._buffer) < size:
            self._buffer = np.zeros(size, np.uint8)
        return self._buffer


def network(dtype: DataType) -> IntegerNetwork:
    """28x28 samples of which the upper half of the range is +1, or whole numbers; one dense layer."""
    offset = -128.0 if dtype == BIPOLAR else 0.0
    host = HostInput((1, 28, 28), TensorType((28, 28, 1), dtype), np.ones(1), np.full(1, offset))
    dense = Conv(np.ones((10, 28, 28, 1), np.int64), BIPOLAR)
    return IntegerNetwork(host, (Node("fc0", dense, ("input",)),), HostOutput((10,), np.ones(10), np.zeros(10)))


def packer(dtype: DataType, lanes: int, work: Path) -> Callable[[np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    """A function that packs a batch of samples as the driver does, and returns the bytes."""
    from headrace_driver import Accelerator

    net = network(dtype)
    dataflow = elaborate(net, Recipe({"fc0": {"pe": 1, "simd": lanes}})).dataflow
    x = np.ones((1, ELEMENTS), np.int64)
    write_driver(work, render_driver(net, Vectors(dataflow, x), load_board("zcu104"), ""))
    model = json.loads((work / PACKAGE / "model.json").read_text())
    registers = dict.fromkeys(model["registers"].values(), 0) | {
        model["registers"]["magic"]: model["magic"], model["registers"]["status"]: model["bits"]["status"]["quiet"]}
    driver = Accelerator(Memory(registers), work / PACKAGE)
    size = driver.source["frame_bytes"]

    def pack(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        wanted = len(samples) * size
        into: np.ndarray[Any, Any] = driver.device.buffer(0, wanted)[:wanted]
        driver._fill(samples, into)
        return into

    return pack


def measure(dtype: DataType, lanes: int, frames: int = FRAMES) -> tuple[float, float]:
    """Seconds, and seconds of all processors together, for so many frames batch by batch."""
    samples = np.random.default_rng(0).integers(0, 256, (BATCH, 1, 28, 28), np.uint8)
    with tempfile.TemporaryDirectory() as work:
        pack = packer(dtype, lanes, Path(work))
        pack(samples)
        start, cpu_start = time.perf_counter(), time.process_time()
        for first in range(0, frames, BATCH):
            pack(samples[: min(BATCH, frames - first)])
        return time.perf_counter() - start, time.process_time() - cpu_start


def main() -> int:
    """Print a line for every case; 1 if one takes longer than MAX_SECONDS."""
    sys.path.insert(0, str(data_folder("boards") / "driver"))
    slow = 0
    for title, (dtype, lanes) in CASES.items():
        took, cpu = measure(dtype, lanes)
        print(f"{title:>16}: {took:5.2f} s, {cpu:5.2f} s of processor time, for {FRAMES} frames of {ELEMENTS}")
        slow += min(took, cpu) > MAX_SECONDS
    return int(slow > 0)


if __name__ == "__main__":
    sys.exit(main())
