"""Stands for pynq: records what the driver does in calls.txt; the accelerator gives the golden words of the vectors."""

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent


def note(text):
    with (HERE / "calls.txt").open("a") as file:
        print(text, file=file)


class Buffer(np.ndarray):
    def flush(self):
        note("flush")

    def invalidate(self):
        note("invalidate")

    def freebuffer(self):
        note("free")


def allocate(shape, dtype):
    return np.zeros(shape, dtype).view(Buffer)


class Channel:
    def __init__(self, name, waits="wait"):
        self.name, self.waits = name, waits

    def transfer(self, buffer, nbytes):
        note(f"{self.name} {nbytes}")
        if self.name == "receive":
            with np.load(HERE / "headrace_driver" / "vectors.npz") as vectors:
                buffer[:nbytes] = vectors["output"].reshape(-1)

    def wait(self):
        note(self.waits)


class Registers:
    def read(self, offset):
        sha256 = json.loads((HERE / "expected.json").read_text())["sha256"]
        if offset == 0:
            return 0x48445243
        return int(sha256[2 * (offset - 0x20) :][:8], 16)

    def write(self, offset, value):
        note(f"write {offset:#x} {value}")


class Dma:
    sendchannel, recvchannel = Channel("send"), Channel("receive")


class WeightDma:
    def __init__(self, name):
        self.sendchannel = Channel(name, f"wait {name}")


class Overlay:
    accelerator, dma = Registers(), Dma()
    weights0, weights1 = WeightDma("weights0"), WeightDma("weights1")

    def __init__(self, bitfile):
        note(f"Overlay {Path(bitfile).name}")
