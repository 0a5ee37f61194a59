"""The accelerator: inference, self-test and measurements."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .device import SLOTS, Device, PynqDevice
from .errors import AcceleratorError, wait_until
from .files import read_arrays, read_files
from .habits import Habits
from .packing import pack, unpack
from .serial_device import BAUD, SerialDevice, open_port

_HERE = Path(__file__).resolve().parent
#: Bits of the register status that say that a transfer left a part of something inside.
_CUT = {"cut_word": "a transfer ended inside a word", "cut_frame": "a transfer ended inside a frame",
        "cut_weights": "a transfer of weights ended inside a matrix"}
#: A reset takes some cycles.
_RESET_S = 5.0
#: More transfers than can have their ends in a clock crossing.
_MOST_RESTS = 256
#: Bytes of a transfer at most, unless a frame is longer: enough to keep the accelerator busy, few enough to allocate.
_BATCH_BYTES = 1 << 22
_BLOCK_ELEMENTS = 1 << 18


def _format(side: dict[str, Any]) -> tuple[int, int, int]:
    """Lanes of a word, bits of a lane, bytes of a word."""
    return side["lanes"], side["bits"], side["word_bytes"]


class Accelerator(Habits):
    """An accelerator behind a device; `Accelerator.on_pynq()` is the one of this board, `on_serial()` one at a port."""

    def __init__(self, device: Device, folder: Path = _HERE, threads: int = 2) -> None:
        """folder: where model.json and its arrays lie; threads: how many pack and unpack.

        Whatever the device was doing ends. Raises AcceleratorError.
        """
        self.device, self.folder = device, folder
        files = read_files(folder)
        self.model, self.host, self.memories, self._images = files.model, files.host, files.memories, files.images
        self.source, self.sink = self.model["input"], self.model["output"]
        self._pool = ThreadPoolExecutor(threads)
        #: True from the start of a transfer until all of its results are there.
        self._at_work: bool
        #: Frames since the counters were cleared.
        self._frames: int
        self._require_identity()
        self.reset()
        for layer, entry in self.memories.layers.items():
            if entry["uram"]:  # it has no contents after power-up
                self.restore_weights(layer)

    @classmethod
    def on_pynq(cls, bitfile: str | Path = "accelerator.bit", folder: Path = _HERE) -> Accelerator:
        """Load the bitstream, beside which the .hwh must lie."""
        return cls(PynqDevice(Path(bitfile), read_files(folder).model["dma_registers"]), folder)

    @classmethod
    def on_serial(cls, port: str, folder: Path = _HERE, baud: int = BAUD) -> Accelerator:
        """The accelerator of a board without a processor behind a serial port, as `/dev/ttyUSB0` or `COM3`."""
        return cls(SerialDevice(open_port(port, baud), port), folder)

    def _require_identity(self) -> None:
        magic, wanted = self.read("magic"), self.model["magic"]
        if magic != wanted:
            raise AcceleratorError(f"there is no headrace accelerator: its magic is {magic:#010x} and not "
                                   f"{wanted:#010x}; load its bitstream")
        on_board = "".join(f"{self.read(f'hash{k}'):08x}" for k in range(8))
        if on_board != self.model["sha256"]:
            raise AcceleratorError(f"the board holds model {on_board[:16]} but this driver is for "
                                   f"{self.model['sha256'][:16]}; load the bitstream of the same build")

    # Registers.

    def read(self, register: str) -> int:
        """The value of a register by its name; registers.md lists them."""
        return self.device.read(self._offset(register))

    def write(self, register: str, value: int) -> None:
        """Set a register by its name."""
        self.device.write(self._offset(register), value)

    def _offset(self, register: str) -> int:
        registers: dict[str, int] = self.model["registers"]
        if register not in registers:
            raise ValueError(f"there is no register {register}; choose from {sorted(registers)}")
        return registers[register]

    def reset(self) -> None:
        """Reset the accelerator and its DMAs: what is inside and what is under way is lost, counters begin at 0."""
        self._control("hold")  # it drops what comes
        self.device.reset()
        wait_until(lambda: self._status("quiet"), _RESET_S, "the words that wait for the accelerator do not end")
        for _ in range(_MOST_RESTS):
            if not self.device.collect():
                break
        else:
            raise AcceleratorError("words come from an accelerator that is held; check the bitstream of the board")
        self.device.reset()  # with what was collected
        self._control("reset")
        wait_until(lambda: not self._status("in_reset"), _RESET_S, "the accelerator does not leave its reset")
        self._at_work, self._frames = False, 0

    def _control(self, bit: str) -> None:
        self.write("control", self.model["bits"]["control"][bit])

    def _status(self, bit: str) -> bool:
        return bool(self.read("status") & self.model["bits"]["status"][bit])

    def _require_whole_transfers(self) -> None:
        """Raise AcceleratorError if not all frames since the reset were whole, sent by this driver, and left again."""
        status, bits = self.read("status"), self.model["bits"]["status"]
        if cuts := [text for bit, text in _CUT.items() if status & bits[bit]]:
            raise AcceleratorError(f"{' and '.join(cuts)}, so that what comes out belongs to no frame; call reset()")
        given, taken = self.read("frames_in"), self.read("frames_out")
        if not given == taken == self._frames & 0xFFFFFFFF:
            raise AcceleratorError(f"{given} frames entered and {taken} left, but this driver sent {self._frames}, so "
                                   "that what comes out belongs to other frames; call reset()")

    def counters(self) -> dict[str, int]:
        """Cycles and frames since they were cleared.

        A bitstream made with --observe tells stalls too, and the most words that each FIFO held since the reset.
        """
        stalls = ("in_stalls", "in_waits", "out_stalls") if self.read("observed") else ()
        values = {name: self.read(name) for name in ("cycles", "frames_out", *stalls)}
        marks = {f"fifo_{name}": self.device.read(self.model["fifo_marks"] + 4 * k)
                 for k, name in enumerate(self.model["fifos"][: self.read("fifos")])}
        return values | marks

    def clear_counters(self) -> None:
        """Let the counters begin at 0; the accelerator goes on."""
        if self._at_work:
            raise AcceleratorError("a transfer is under way; clear the counters when its results are there")
        self._require_whole_transfers()  # it clears the signs of what is wrong too
        self._control("clear")
        self._frames = 0

    # Weights.

    def write_weights(self, layer: str, weights: np.ndarray, thresholds: np.ndarray | None = None) -> None:
        """Give a layer that was built as writable other weights (MH, MW), and thresholds (MH, N) where it has some.

        To be done while no frame is inside. Raises ValueError for what does not fit the layer, before anything changes.
        """
        parts = {"weights": self.memories.weight_parts(layer, weights)}
        if thresholds is not None:
            parts["thresholds"] = self.memories.threshold_parts(layer, thresholds)
        for name, values in parts.items():
            self.write("memory", self.memories.layers[layer][name]["memory"])
            self.write("word", 0)
            for value in values.tolist():
                self.device.write(self.model["writable"]["data"], value)

    def restore_weights(self, layer: str) -> None:
        """Give a layer the weights and thresholds that the accelerator was built with."""
        self.write_weights(layer, *self.memories.built(layer))

    # Inference.

    def predict(self, x: object, raw: bool = False) -> Any:
        """Outputs (N, ...) for samples (N, ...), as the model takes and gives them; raw: the integers (N, elements).

        Several inputs or outputs are dicts of arrays by the model's names.

        Samples are float32, or uint8 where the model takes whole numbers from 0 to 255. Raises ValueError for samples
        that the model does not take, AcceleratorError where transfers outside of it left parts of frames inside.
        """
        return next(self.predict_queued([x], raw))

    def predict_queued(self, batches: Iterable[Any], raw: bool = False) -> Iterator[Any]:
        """Outputs of one batch of samples after the other; the next one is packed while the accelerator computes."""
        pieces = self._pieces(batches)
        results: list[Any] = []
        for integers, ends_batch in self._run(pieces):
            results.append(self.host.raw(integers) if raw else self.host.decode(integers))
            if ends_batch:
                yield self.host.joined(results)
                results = []

    def _pieces(self, batches: Iterable[Any]) -> Iterator[tuple[Any, bool]]:
        """Batches cut to what a transfer holds, and whether a piece is the last of its batch."""
        most = self.frames_per_transfer
        for batch in batches:
            x = self.host.samples(batch)
            for start in range(0, len(x), most):
                yield x[start : start + most], start + most >= len(x)

    @property
    def frames_per_transfer(self) -> int:
        """Frames of one transfer at most."""
        longest: int = max(self.source["frame_bytes"], self.sink["frame_bytes"])
        most: int = min(_BATCH_BYTES, self.model["max_transfer_bytes"])
        return max(1, most // longest)

    def _run(self, pieces: Iterator[tuple[Any, bool]]) -> Iterator[tuple[np.ndarray, bool]]:
        """Integers of every piece; two pairs of buffers take turns."""
        waiting: tuple[int, int, bool] | None = None  # slot, frames, end of a batch
        slot = 0
        try:
            for x, ends_batch in pieces:
                size = len(x) * self.source["frame_bytes"]
                self._fill(x, self.device.buffer(slot, size)[:size])
                running, waiting = waiting, None
                finished = self._finish(running)
                self._start(slot, len(x))
                waiting, slot = (slot, len(x), ends_batch), (slot + 1) % SLOTS
                if finished is not None:
                    yield finished
        finally:  # also where a batch is refused: the next one finds the accelerator at rest
            finished = self._finish(waiting)
        if finished is not None:
            yield finished

    def _fill(self, x: Any, buffer: np.ndarray) -> None:
        """Pre-process and pack samples into a buffer, block by block."""
        packed = buffer.reshape(len(x), -1)
        step = max(1, _BLOCK_ELEMENTS // self.source["elements"])

        def fill(start: int) -> None:
            block = slice(start, start + step)
            pack(self.host.encode(x[block]), *_format(self.source), packed[block])

        list(self._pool.map(fill, range(0, len(x), step)))

    def _start(self, slot: int, frames: int) -> None:
        if self._at_work:  # the transfer before this one failed
            self.reset()
        self._require_whole_transfers()
        self._at_work = True
        self.write("frames", frames)
        for port, (entry, image) in enumerate(zip(self.model["weights"], self._images, strict=True)):
            self.device.replay(port, image, frames * entry["times"])
        self.device.start(slot, frames * self.source["frame_bytes"], frames * self.sink["frame_bytes"])

    def _finish(self, waiting: tuple[int, int, bool] | None) -> tuple[np.ndarray, bool] | None:
        """Integers of the piece that the accelerator works on, and whether it is the last of its batch."""
        if waiting is None:
            return None
        slot, frames, ends_batch = waiting
        return self._received(slot, frames), ends_batch

    def _received(self, slot: int, frames: int) -> np.ndarray:
        """Integers of the frames of the transfer that runs."""
        data, wanted = self.device.finish(slot), frames * self.sink["frame_bytes"]
        if data.size != wanted:
            raise AcceleratorError(f"a transfer from the accelerator ended after {data.size} of {wanted} bytes")
        self._frames += frames
        self._require_whole_transfers()
        self._at_work = False
        return self.host.integers(unpack(data.reshape(frames, -1), *_format(self.sink)))

    # Checks.

    def self_test(self) -> str:
        """Replay the vectors that the build was verified with: "exact", or what differs first."""
        vectors = read_arrays(self.folder / "vectors.npz")
        given, wanted = vectors["input"], vectors["output"]
        buffer = self.device.buffer(0, given.size)
        buffer[: given.size] = given.reshape(-1)
        self._start(0, len(given))
        got = self._received(0, len(given))
        golden = self.host.integers(unpack(wanted.reshape(len(wanted), -1), *_format(self.sink)))
        return "exact" if np.array_equal(got, golden) else self._difference(got, golden)

    def _difference(self, got: np.ndarray, golden: np.ndarray) -> str:
        frame, element = np.argwhere(got != golden)[0].tolist()
        return (f"frame {frame}, {self.host.place(element)}: the board gives {got[frame, element]}, "
                f"the golden model {golden[frame, element]}; {np.count_nonzero(got != golden)} of {got.size} "
                "values differ")

    def measure(self, x: object, repeats: int = 5) -> dict[str, float]:
        """Throughput of all samples and latency of a single one, with the host's work; medians of `repeats`."""
        x = self.host.samples(x)
        whole, single = [], []
        for _ in range(repeats):
            start = time.perf_counter()
            self.predict(x)
            whole.append(time.perf_counter() - start)
            start = time.perf_counter()
            self.predict(x[:1])
            single.append(time.perf_counter() - start)
        return {"frames_per_second": len(x) / float(np.median(whole)), "latency_ms": 1e3 * float(np.median(single))}
