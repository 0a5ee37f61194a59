"""The accelerator of a board without a processor, behind a serial port."""

from __future__ import annotations

import os
import struct
import time
from typing import Protocol

import numpy as np

from .errors import AcceleratorError
from .packets import (
    ANSWERS,
    ECHO,
    ERROR,
    HEADER,
    IDENTIFY,
    PROTOCOL,
    READ,
    RESET,
    RESULT,
    RUN,
    WRITE,
    Packet,
    Parser,
    code_text,
)

BAUD = 3_000_000
#: Seconds without a byte after which the board has forgotten the beginning of a packet, with what adapters add.
_IDLE_S = 0.1
#: Seconds for which an answer to RESET is waited for, again and again.
_RESETS_S = (0.5, 1.0, 3.0)
_READ_BYTES = 4096
#: The register by which the accelerator is held and reset.
_CONTROL = 0x0C
#: Packets without an answer at most, so that their tags differ.
_MOST_OPEN = 128


class Port(Protocol):
    """What is needed of pyserial's Serial: a read returns after its time-out with what came."""

    def read(self, size: int) -> bytes:
        """At most so many bytes."""

    def write(self, data: bytes) -> int | None:
        """Send bytes."""


def open_port(name: str, baud: int) -> Port:
    """A serial port by its name. Raises AcceleratorError where it cannot be opened."""
    try:
        import serial
    except ModuleNotFoundError:
        raise AcceleratorError("a serial port needs the package pyserial; pip install pyserial") from None
    try:
        port: Port = serial.Serial(name, baud, timeout=0.002, write_timeout=10, exclusive=True)
    except (serial.SerialException, ValueError, OSError) as error:
        raise AcceleratorError(f"{name} cannot be opened at {baud} baud ({error}); check name, permissions and that no "
                               "other program has it open") from None
    return port


class SerialDevice:
    """Registers and transfers in packets; docs/serial.md describes them.

    patience_s: seconds without a packet from the board after which an AcceleratorError says so. After an error only
    `reset` helps. Registers are written without waiting: what went wrong is said at the next access.
    """

    patience_s = 10.0

    def __init__(self, port: Port, name: str = "the port") -> None:
        """Raises AcceleratorError where no board answers, or one with another protocol."""
        self._port, self.name = port, name
        self._parser = Parser()
        self._tag = os.urandom(1)[0]  # not that of a program that died
        #: By the tag of every packet without an answer, the oldest first: its command, its bytes in the board's buffer.
        self._open: dict[int, tuple[int, int]] = {}
        self._failed = False
        self._room = 64
        self._results = bytearray()
        self._number = 0
        self._ended = True
        self._buffers: dict[int, np.ndarray] = {}
        self._transfer: tuple[int, int, int] | None = None
        self.reset()
        self._identify()

    def _identify(self) -> None:
        identity = self._ask(IDENTIFY).payload
        protocol = identity[0] if identity else 0
        if protocol != PROTOCOL:
            raise AcceleratorError(f"{self.name}: the board speaks version {protocol} of the protocol but this driver "
                                   f"version {PROTOCOL}; take the driver of the same build")
        self._room = 1 << identity[1]

    # Registers.

    def read(self, offset: int) -> int:
        """A register's value."""
        answer = self._ask(READ, struct.pack("<HB", offset, 1)).payload
        if len(answer) != 4:
            raise self._failure(f"a register has {len(answer)} bytes instead of 4")
        return int.from_bytes(answer, "little")

    def write(self, offset: int, value: int) -> None:
        """Set a register."""
        if self._failed and offset == _CONTROL:  # a reset of the accelerator begins with it
            self.reset()
        self._post(WRITE, struct.pack("<HI", offset, value))

    # Transfers.

    def buffer(self, slot: int, size: int) -> np.ndarray:
        """Memory for what is sent."""
        if len(self._buffers.get(slot, ())) < size:
            self._buffers[slot] = np.zeros(size, np.uint8)
        return self._buffers[slot]

    def replay(self, port: int, image: np.ndarray, times: int) -> None:
        """No weights from outside pass a serial port."""
        raise AcceleratorError(f"weights from outside cannot come through {self.name}; build without external weights")

    def start(self, slot: int, in_bytes: int, out_bytes: int) -> None:
        """Remember what `finish` does: the line is much slower than all that could go on meanwhile."""
        self._transfer = slot, in_bytes, out_bytes

    def finish(self, slot: int) -> np.ndarray:
        """Send the buffer and collect what comes until the end of the transfer."""
        if self._transfer is None or self._transfer[0] != slot:
            raise AcceleratorError(f"no transfer of buffer {slot} runs")
        (_, in_bytes, out_bytes), self._transfer = self._transfer, None
        data = self.buffer(slot, in_bytes)[:in_bytes].tobytes()
        self._results.clear()
        self._ended = False
        step = self._most_payload
        for begin in range(0, in_bytes, step):
            self._post(RUN, data[begin : begin + step], int(begin + step >= in_bytes))
        while self._open or not self._ended:
            self._receive(f"{len(self._results)} of {out_bytes} bytes of results came")
            if len(self._results) > out_bytes:
                raise self._failure(f"more than {out_bytes} bytes of results came")
        return np.frombuffer(bytes(self._results), np.uint8)

    @property
    def _most_payload(self) -> int:
        return self._room // 2 - 8

    def self_test(self) -> None:
        """Send patterns that the board returns. Raises AcceleratorError where they come back as something else."""
        size = self._most_payload
        for pattern in (bytes(range(256)) * (size // 256 + 1), b"\x00\xff" * size, b"\xa5" * size):
            if self._ask(ECHO, pattern[:size]).payload != pattern[:size]:
                raise self._failure("the board returns other bytes than it was sent")

    # Resets.

    def reset(self) -> None:
        """Get into step, whatever state line and board are in; what is under way is lost, the accelerator is held."""
        self._transfer = None
        for attempt, seconds in enumerate(_RESETS_S):
            if attempt or self._failed:
                self._drain()
            self._parser.clear()
            self._open.clear()
            tag = self._send(Packet(RESET, self._next_tag(), 0))
            if self._await_reset(tag, time.monotonic() + seconds):
                self._results.clear()
                self._number, self._failed, self._ended = 0, False, True
                self._parser.skipped = 0
                return
        self._failed = True
        raise AcceleratorError(f"{self.name}: no headrace board answers; check the port, the cable, the rate and that "
                               "the bitstream is loaded")

    def collect(self) -> bool:
        """Nothing is left behind an accelerator after `reset`."""
        return False

    def _drain(self) -> None:
        """Let the line rest until the board waits for the beginning of a packet."""
        end = time.monotonic() + _IDLE_S
        while time.monotonic() < end:
            self._read()

    def _await_reset(self, tag: int, end: float) -> bool:
        while time.monotonic() < end:
            self._parser.push(self._read())
            while packet := self._parser.packet():
                if (packet.command, packet.tag, packet.info) == (RESET | ANSWERS, tag, 0):
                    return True
        return False

    # Packets.

    def _ask(self, command: int, payload: bytes = b"") -> Packet:
        """The answer to a command."""
        tag = self._post(command, payload)
        while True:
            packet = self._receive("an answer is missing")
            if (packet.command, packet.tag) == (command | ANSWERS, tag):
                return packet

    def _post(self, command: int, payload: bytes, info: int = 0) -> int:
        """Send a command as soon as the board has room for it; returns its tag."""
        if self._failed:
            raise AcceleratorError(f"{self.name}: an error came before; call reset()")
        size = len(payload) + HEADER
        while len(self._open) == _MOST_OPEN or sum(taken for _, taken in self._open.values()) + size > self._room:
            self._receive("an answer is missing")
        packet = Packet(command, self._next_tag(), info, payload)
        self._open[packet.tag] = command, size
        return self._send(packet)

    def _next_tag(self) -> int:
        self._tag = (self._tag + 1) % 256
        return self._tag

    def _send(self, packet: Packet) -> int:
        try:
            self._port.write(packet.bytes())
        except OSError as error:  # pyserial's errors are of this kind
            raise self._failure(f"the port fails ({error})") from None
        return packet.tag

    def _read(self) -> bytes:
        try:
            return self._port.read(_READ_BYTES)
        except OSError as error:
            raise self._failure(f"the port fails ({error})") from None

    def _receive(self, missing: str) -> Packet:
        """The next packet, which is what may come now. Raises AcceleratorError for all else; missing: what did not."""
        end = time.monotonic() + self.patience_s
        while (packet := self._parser.packet()) is None:
            if self._parser.skipped:
                raise self._failure("bytes came that belong to no packet")
            if time.monotonic() > end:
                raise self._failure(f"{missing} within {self.patience_s:g} seconds")
            self._parser.push(self._read())
        if self._parser.skipped:
            raise self._failure("bytes came that belong to no packet")
        self._check(packet)
        return packet

    def _check(self, packet: Packet) -> None:
        if packet.command == ERROR:
            raise self._failure(f"the board lost a packet: {code_text(packet.info)}")
        if packet.command == RESULT:
            if packet.tag != self._number or self._ended or not packet.payload:
                raise self._failure(f"results number {packet.tag} came where number {self._number} was to come")
            self._number = (self._number + 1) % 256
            self._ended = bool(packet.info & 1)
            self._results += packet.payload
            return
        tag, (command, _) = next(iter(self._open.items()), (None, (0, 0)))
        if (packet.tag, packet.command) != (tag, command | ANSWERS):
            raise self._failure("an answer came that no command waits for")
        if packet.info:
            raise self._failure(f"the board refused a packet: {code_text(packet.info)}")
        del self._open[packet.tag]

    def _failure(self, what: str) -> AcceleratorError:
        """The error to raise; nothing but `reset` helps afterwards."""
        self._failed = True
        return AcceleratorError(f"{self.name}: {what}; call reset()")
