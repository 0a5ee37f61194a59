"""Stands for pynq: records what the driver does in calls.txt; the accelerator gives the golden words of the vectors.

Transfers end at once; where a file `stuck` is there they never do, until a DMA is reset, which removes the file.
"""

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
        self.running, self.idle = True, False

    def start(self):
        note(f"start {self.name}")
        self.running, self.idle = True, False

    def transfer(self, buffer, nbytes):
        assert self.running
        self.idle = not (HERE / "stuck").exists()
        note(f"{self.name} {nbytes}")
        if self.name == "receive":
            with np.load(HERE / "headrace_driver" / "vectors.npz") as vectors:
                buffer[:nbytes] = vectors["output"].reshape(-1)

    def wait(self):
        note(self.waits)


class Registers:
    def read(self, offset):
        if offset == 8:
            return 0
        sha256 = json.loads((HERE / "expected.json").read_text())["sha256"]
        if offset == 0:
            return 0x48445243
        return int(sha256[2 * (offset - 0x20) :][:8], 16)

    def write(self, offset, value):
        note(f"write {offset:#x} {value}")


class Dma:
    def __init__(self, name, sendchannel, recvchannel=None):
        self.name, self.sendchannel = name, sendchannel
        if recvchannel:
            self.recvchannel = recvchannel
        self.resets = 0  # reads of the control register until a reset is over

    def write(self, offset, value):
        note(f"write {self.name} {offset:#x} {value}")
        for channel in filter(None, (self.sendchannel, getattr(self, "recvchannel", None))):
            channel.running = channel.idle = False
        self.resets = 2
        (HERE / "stuck").unlink(missing_ok=True)

    def read(self, offset):
        self.resets -= 1
        return 4 * bool(self.resets)


class Overlay:
    accelerator, dma = Registers(), Dma("dma", Channel("send"), Channel("receive"))
    weights0, weights1 = (Dma(name, Channel(name, f"wait {name}")) for name in ("weights0", "weights1"))

    def __init__(self, bitfile):
        note(f"Overlay {Path(bitfile).name}")
