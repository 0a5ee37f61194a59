"""A simulated board: the shell around a build's accelerator, Verilated, behind registers and DMA transfers."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from headrace.atomic_files import write_files
from headrace.build_folder import Build
from headrace.dataflow.external import external_layers
from headrace.errors import InputError, ToolError
from headrace.render.library import compile_order
from headrace.render.rtl import TOP
from headrace.render.shell import SHELL, render_shell, shell_modules
from headrace.simulation.rtl import require_tools
from headrace.simulation.stream_checks import stream_checks
from headrace.simulation.verilate import verilate
from headrace.version import headrace_version

_STATUS = ("done", "no byte moved for a long time", "TLAST did not come with the last byte", "TKEEP has holes",
           "weights were left over")


@dataclass
class SimulatedBoard:
    """A running simulation; registers by their offset, transfers of the DMA as bytes. A device for the drivers.

    Time passes with every access of a register, while a transfer is waited for, and by `wait`. The DMA pauses at random
    on both sides where `stalls` is set. Clock crossings stand between the DMAs and the shell; no reset empties them.
    cycles: of the last transfer.
    """

    process: subprocess.Popen[bytes]
    stalls: bool = False
    cycles: int = 0
    _seed: int = 0
    _buffers: dict[int, NDArray[np.uint8]] = field(default_factory=dict)
    #: The buffer that the running transfer sends, and the bytes that it is to receive.
    _running: tuple[int, int] | None = None

    def read(self, offset: int) -> int:
        """The value of a register."""
        return self._ask(b"R", offset)[0]

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        self._ask(b"W", offset, value)

    def transfer(self, data: bytes, out_bytes: int) -> bytes:
        """Send bytes in one transfer and receive `out_bytes` in another. Raises ToolError where fewer or more come."""
        self._start(data, out_bytes)
        received = self._finish(out_bytes)
        if len(received) < out_bytes:
            raise ToolError(f"simulated DMA: TLAST came before the last byte, after {len(received)} of {out_bytes} "
                            "bytes")
        return received

    def wait(self, cycles: int) -> None:
        """Let time pass."""
        self._ask(b"P", cycles)

    def _start(self, data: bytes, out_bytes: int) -> None:
        self._seed += 1
        self._send(b"S", len(data), out_bytes, int(self.stalls), self._seed, data=data)
        if self._receive(1)[0]:
            raise ToolError("simulated DMA: a transfer was started while another one runs, or after one that failed; "
                            "reset the DMA")

    def _finish(self, out_bytes: int) -> bytes:
        self._send(b"F")
        status, self.cycles, got = self._receive(3)
        received = self._read(got)
        if status:
            raise ToolError(f"simulated DMA: {_STATUS[status]}, after {got} of {out_bytes} bytes")
        return received

    # What a driver wants of a device.

    def replay(self, port: int, image: NDArray[np.uint8], times: int) -> None:
        """Send the weights of port w`port`_axis `times` times."""
        self._send(b"X", port, times, image.size, data=image.tobytes())
        self._receive(1)

    def buffer(self, slot: int, size: int) -> NDArray[np.uint8]:
        """Memory that the DMA reads."""
        if len(self._buffers.get(slot, ())) < size:
            self._buffers[slot] = np.zeros(size, np.uint8)
        return self._buffers[slot]

    def start(self, slot: int, in_bytes: int, out_bytes: int) -> None:
        """Begin a transfer in each direction."""
        self._start(self.buffer(slot, in_bytes)[:in_bytes].tobytes(), out_bytes)
        self._running = slot, out_bytes

    def finish(self, slot: int) -> NDArray[np.uint8]:
        """The bytes that came until TLAST. Raises ToolError where the transfers do not end, or more bytes come."""
        if self._running is None or self._running[0] != slot:
            raise ToolError(f"simulated DMA: no transfer of buffer {slot} runs")
        (_, out_bytes), self._running = self._running, None
        return np.frombuffer(self._finish(out_bytes), np.uint8)

    def reset(self) -> None:
        """Reset the DMAs: all transfers end where they are."""
        self._running = None
        self._ask(b"D")

    def collect(self) -> bool:
        """Receive for some time what is left behind the accelerator; True if a transfer ended."""
        return bool(self._ask(b"C")[0])

    def _ask(self, command: bytes, *words: int) -> tuple[int, ...]:
        self._send(command, *words)
        return self._receive(1)

    def _send(self, command: bytes, *words: int, data: bytes = b"") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(struct.pack(f"<{1 + len(words)}I", command[0], *words) + data)
        self.process.stdin.flush()

    def _receive(self, words: int) -> tuple[int, ...]:
        return struct.unpack(f"<{words}I", self._read(4 * words))

    def _read(self, size: int) -> bytes:
        assert self.process.stdout is not None
        data = self.process.stdout.read(size)
        if len(data) != size:
            raise ToolError(f"the simulated board ended with exit status {self.process.wait()}")
        return data


def compile_board(build: Build, work: Path, dma_bytes: int = 16) -> Path:
    """Verilate the shell around the SystemVerilog of a build; returns the program, which `simulated_board` runs.

    work: an empty folder. Raises InputError where the build has no SystemVerilog, ToolError where tools are missing.
    """
    require_tools()
    work = work.resolve()
    sources = write_shell(build, work, dma_bytes)
    idle_limit = 4 * sum(layer.cycles for layer in build.dataflow.layers) + 10_000
    (work / "shell_config.hpp").write_text(
        f"constexpr int DMA_BYTES = {dma_bytes};\nconstexpr unsigned IDLE_LIMIT = {idle_limit};\n"
        f"{_send_ports(['s_axis', *external_layers(build.dataflow)])}")
    return verilate(SHELL, sources, "shell.cpp", work, options=("-DEMPTY_URAM",))


def _send_ports(names: Sequence[str]) -> str:
    """The C++ that lists the shell's inputs of these names."""
    ports = [", ".join(f"&top.{name}_{signal}" for signal in ("TDATA", "TKEEP", "TLAST", "TVALID", "TREADY"))
             for name in names]
    lines = "".join(f"      {{{port}}},\n" for port in ports)
    return f"inline std::vector<SendPort> send_ports(V{SHELL}& top) {{\n  return {{\n{lines}  }};\n}}\n"


def write_shell(build: Build, folder: Path, dma_bytes: int) -> list[Path]:
    """Write the shell of a build's SystemVerilog into a folder; returns all sources, with the checks of its streams.

    Raises InputError where the build has no SystemVerilog.
    """
    if not build.has_rtl:
        raise InputError(f"{build.folder}: was built without the rtl back end; build with --backend rtl or both")
    shell = render_shell(build.dataflow, TOP, dma_bytes, headrace_version(), build.record["source_sha256"],
                         "simulated board", observe=True, words=build.host_words)
    network = {path.name: path for path in (build.folder / "rtl").resolve().glob("*.sv")}
    around = {name: text for name, text in shell_modules(shell).items() if name not in network}
    write_files(folder, around | {f"{SHELL}.v": shell})
    return [*compile_order((*network.values(), *(folder / name for name in around))), folder / f"{SHELL}.v",
            *stream_checks(build.dataflow, folder)]


@contextmanager
def simulated_board(program: Path, rtl: Path) -> Iterator[SimulatedBoard]:
    """Power up what `compile_board` made; rtl: the folder of the memories, which are read then."""
    with subprocess.Popen([program], cwd=rtl, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        try:
            yield SimulatedBoard(process)
        finally:
            process.kill()
