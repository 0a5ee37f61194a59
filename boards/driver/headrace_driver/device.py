"""What an accelerator is reached through: registers, and a DMA with two pairs of buffers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Protocol

import numpy as np

from .errors import AcceleratorError, wait_until

SLOTS = 2
#: Streams of weights, all of which the accelerator may wait for at once.
_MOST_STREAMS = 8
_DMA_RESET_S = 5.0
#: What can be left behind an accelerator is in memory after much less than this.
_REST_S = 0.001
_REST_BYTES = 4096


class Device(Protocol):
    """Registers by offset, and transfers: fill `buffer`, `start`, `finish`. One transfer runs at a time."""

    def read(self, offset: int) -> int:
        """A register's value."""

    def write(self, offset: int, value: int) -> None:
        """Set a register."""

    def buffer(self, slot: int, size: int) -> np.ndarray:
        """At least `size` bytes of memory that the DMA reads, uint8."""

    def replay(self, port: int, image: np.ndarray, times: int) -> None:
        """Send the weights of stream number `port` in `times` transfers while the next transfer of frames runs."""

    def start(self, slot: int, in_bytes: int, out_bytes: int) -> None:
        """Begin to send the buffer's first bytes, and to receive."""

    def finish(self, slot: int) -> np.ndarray:
        """Wait until all transfers have ended; returns what came, uint8, valid until the slot is used again."""

    def reset(self) -> None:
        """End all transfers where they are, those of weights too."""

    def collect(self) -> bool:
        """Receive what is left behind an accelerator that is held, for no use, after `reset`.

        True if a transfer ended, so that there may be more.
        """


def _is_at_rest(channel: Any) -> bool:
    return bool(channel.idle or not channel.running)


def _send(channel: Any, image: Any, times: int, stopped: Event) -> None:
    for _ in range(times):
        channel.transfer(image, nbytes=image.nbytes)
        while channel.running and not channel.idle and not stopped.is_set():
            pass  # wait() would not return from a transfer that never ends
        if stopped.is_set() or not channel.running:  # the one who waits for all sees that the DMA has stopped
            return


def _reset(dma: Any, registers: Mapping[str, int], *channels: Any) -> None:
    """Reset both directions of a DMA, in the middle of a transfer too (PG021: bit Reset of MM2S_DMACR)."""
    control, bit = registers["control"], registers["reset"]
    dma.write(control, bit)
    wait_until(lambda: not dma.read(control) & bit, _DMA_RESET_S, "a DMA does not end its reset")
    for channel in channels:
        channel.start()


class PynqDevice:
    """The board that this program runs on, through the package pynq.

    dma_registers: offsets and bits of a DMA, as model.json has them.
    patience_s: seconds after which a transfer that has not ended is an AcceleratorError; the accelerator then is reset.
    """

    patience_s = 600.0

    def __init__(self, bitfile: Path, dma_registers: Mapping[str, int]) -> None:
        import pynq

        self._allocate = pynq.allocate
        self.overlay = pynq.Overlay(str(bitfile))
        self._registers = self.overlay.accelerator
        self._dma = self.overlay.dma
        self._dma_registers = dma_registers
        self._buffers: list[list[Any]] = [[None, None] for _ in range(SLOTS)]
        self._sizes = [(0, 0)] * SLOTS
        self._images: dict[int, Any] = {}
        self._replays: list[Future[None]] = []
        self._rest: Any = None
        self._stopped = Event()
        self._pool = ThreadPoolExecutor(_MOST_STREAMS)

    def read(self, offset: int) -> int:
        """A register's value."""
        return int(self._registers.read(offset))

    def write(self, offset: int, value: int) -> None:
        """Set a register."""
        self._registers.write(offset, value)

    def buffer(self, slot: int, size: int) -> np.ndarray:
        """Memory that the DMA reads."""
        held: np.ndarray = self._memory(slot, 0, size)
        return held

    def _memory(self, slot: int, side: int, size: int) -> Any:
        held = self._buffers[slot][side]
        if held is None or held.nbytes < size:
            if held is not None:
                held.freebuffer()
            held = self._buffers[slot][side] = self._allocate((size,), np.uint8)
        return held

    def replay(self, port: int, image: np.ndarray, times: int) -> None:
        """Let a thread start one transfer after the other; the image is copied the first time."""
        if port not in self._images:
            self._images[port] = self._allocate((image.size,), np.uint8)
            self._images[port][:] = image
            self._images[port].flush()
        channel = self._weights_dma(port).sendchannel
        self._replays.append(self._pool.submit(_send, channel, self._images[port], times, self._stopped))

    def _weights_dma(self, port: int) -> Any:
        return getattr(self.overlay, f"weights{port}")

    def start(self, slot: int, in_bytes: int, out_bytes: int) -> None:
        """Begin a transfer in each direction, the receiving one first."""
        given, taken = self._memory(slot, 0, in_bytes), self._memory(slot, 1, out_bytes)
        self._sizes[slot] = in_bytes, out_bytes
        given.flush()
        self._dma.recvchannel.transfer(taken, nbytes=out_bytes)
        self._dma.sendchannel.transfer(given, nbytes=in_bytes)

    def finish(self, slot: int) -> np.ndarray:
        """Wait for both transfers. Raises AcceleratorError where one does not end, or a DMA has stopped."""
        receive, offsets = self._dma_registers["receive"], self._dma_registers
        for what, channel, base in (("to", self._dma.sendchannel, 0), ("from", self._dma.recvchannel, receive)):
            self._await(partial(_is_at_rest, channel), what)
            self._require_sound(self._dma, base, what)
        for replay in self._replays:
            self._await(replay.done, "of weights to")
            replay.result()
        self._replays = []
        for port in self._images:
            self._require_sound(self._weights_dma(port), 0, "of weights to")
        taken = self._buffers[slot][1]
        taken.invalidate()
        return np.asarray(taken[: min(self._sizes[slot][1], self._dma.read(receive + offsets["length"]))])

    async def ended(self) -> None:
        """Sleep until results are there, by the interrupt of the DMA, or looking now and then where it has none.

        Raises AcceleratorError where they do not come.
        """
        try:
            await asyncio.wait_for(self._results(), self.patience_s)
        except TimeoutError:
            raise AcceleratorError("a transfer from the accelerator does not end") from None

    async def _results(self) -> None:
        channel = self._dma.recvchannel
        if getattr(channel, "_interrupt", None) is not None:
            await channel.wait_async()
        while not _is_at_rest(channel):
            await asyncio.sleep(_REST_S)

    def _await(self, done: Callable[[], bool], what: str) -> None:
        wait_until(done, self.patience_s, f"a transfer {what} the accelerator does not end")

    def _require_sound(self, dma: Any, base: int, what: str) -> None:
        """Raise AcceleratorError if a DMA has stopped; `base`: where the registers of its direction begin."""
        status = dma.read(base + self._dma_registers["status"])
        if status & (self._dma_registers["errors"] | self._dma_registers["halted"]):
            raise AcceleratorError(f"the DMA {what} the accelerator stopped with status {status:#010x}")

    def reset(self) -> None:
        """Stop the threads that send weights, then reset every DMA that was used."""
        self._stopped.set()
        wait_until(lambda: all(replay.done() for replay in self._replays), _DMA_RESET_S,
                   "the weights under way do not stop")
        self._replays = []
        self._stopped.clear()
        _reset(self._dma, self._dma_registers, self._dma.sendchannel, self._dma.recvchannel)
        for dma in map(self._weights_dma, self._images):
            _reset(dma, self._dma_registers, dma.sendchannel)

    def collect(self) -> bool:
        """Receive what is left behind the accelerator."""
        if self._rest is None:
            self._rest = self._allocate((_REST_BYTES,), np.uint8)
        self._dma.recvchannel.transfer(self._rest, nbytes=_REST_BYTES)
        time.sleep(_REST_S)
        return bool(self._dma.recvchannel.idle)
