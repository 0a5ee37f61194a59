"""The serial driver against a board of a few lines, with a clock of its own: what it sends, when, and what it says."""

from __future__ import annotations

import struct
import zlib
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

if TYPE_CHECKING:
    from headrace_driver.serial_device import SerialDevice

ROOM_BITS = 12
IDENTIFY, READ, WRITE, RUN, RESET, ECHO, RESULT, ERROR, ANSWERS = 1, 2, 3, 4, 5, 6, 0xC0, 0xC1, 0x80


def packet(command: int, tag: int, info: int, payload: bytes = b"") -> bytes:
    body = struct.pack("<BBBH", command, tag, info, len(payload)) + payload
    return b"\xa5" + body + struct.pack("<I", zlib.crc32(body))


class Board:
    """Answers one packet whenever it is read from, and a transfer with the complement of its bytes.

    pending: commands without an answer. results_first: whether results come before the answers to their packets.
    """

    def __init__(self, **settings: Any) -> None:
        self.now, self.written_at = 0.0, [0.0]
        self.identity = bytes((1, ROOM_BITS))
        self.results_first, self.answers, self.silent = False, True, 0
        self.registers: dict[int, int] = {}
        self.pending: list[tuple[int, int, int, bytes]] = []
        self.line, self.frame, self.number = bytearray(), bytearray(), 0
        self.most_open = self.most_bytes = 0
        self.tags: list[int] = []
        for name, value in settings.items():
            setattr(self, name, value)

    def clock(self) -> float:
        return self.now

    def write(self, data: bytes) -> int:
        assert data[:1] == b"\xa5"
        command, tag, info, length = struct.unpack_from("<BBBH", data, 1)
        assert len(data) == 10 + length and zlib.crc32(data[1:-4]) == struct.unpack("<I", data[-4:])[0]
        assert command == RUN or not info
        self.written_at.append(self.now)
        self.tags.append(tag)
        self.pending.append((command, tag, info, data[6:-4]))
        if command == RESET:
            self.pending = self.pending[-1:]
            self.line.clear()
            self.silent -= 1
        self.most_open = max(self.most_open, len(self.pending))
        self.most_bytes = max(self.most_bytes, sum(5 + len(payload) for *_, payload in self.pending))
        assert len({tag for _, tag, *_ in self.pending}) == len(self.pending)
        return len(data)

    def read(self, size: int) -> bytes:
        self.now += 0.002
        if self.pending and self.answers and self.silent < 0:
            self.line += self._answer(*self.pending.pop(0))
        data = bytes(self.line[:size])
        del self.line[:size]
        return data

    def _answer(self, command: int, tag: int, info: int, payload: bytes) -> bytes:
        given, more = b"", b""
        if command == RESET:
            self.number, self.frame = 0, bytearray()
        elif command == IDENTIFY:
            given = self.identity
        elif command == WRITE:
            offset, value = struct.unpack("<HI", payload)
            self.registers[offset] = value
        elif command == READ:
            offset, count = struct.unpack("<HB", payload)
            given = struct.pack("<I", self.registers.get(offset, 0))
            assert count == 1
        elif command == ECHO:
            given = payload
        else:
            self.frame += payload
            if info:
                more, self.frame = self._results(bytes(255 - byte for byte in self.frame)), bytearray()
        answer = packet(command | ANSWERS, tag, 0, given)
        return more + answer if self.results_first else answer + more

    def _results(self, data: bytes) -> bytes:
        """In packets of seven bytes, so that their numbers begin again."""
        found = b""
        for start in range(0, len(data), 7):
            found += packet(RESULT, self.number, int(start + 7 >= len(data)), data[start : start + 7])
            self.number = (self.number + 1) % 256
        return found


@pytest.fixture
def module(driver: ModuleType) -> ModuleType:
    from headrace_driver import serial_device

    return serial_device


def device(module: ModuleType, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> tuple[SerialDevice, Board]:
    board = Board(**{"silent": 0, **settings})
    monkeypatch.setattr(module.time, "monotonic", board.clock)
    return module.SerialDevice(board, "port"), board


def test_registers(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = device(module, monkeypatch)
    for offset in range(600):
        made.write(4 * offset, 7 * offset + 1)
    assert [made.read(4 * offset) for offset in range(600)] == [7 * offset + 1 for offset in range(600)]


def test_packets_without_an_answer_fill_the_board_and_no_more(module: ModuleType,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    """128 of them at most, and no more bytes than its buffer has."""
    made, board = device(module, monkeypatch)
    for offset in range(400):
        made.write(offset, 0)
    assert board.most_open == 128
    made, board = device(module, monkeypatch)
    transfer(made, 20_000)
    room = 1 << ROOM_BITS
    assert room // 2 < board.most_bytes <= room


def transfer(made: SerialDevice, size: int, slot: int = 0) -> None:
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8)
    made.buffer(slot, size)[:size] = data
    made.start(slot, size, size)
    assert np.array_equal(made.finish(slot), 255 - data)


@pytest.mark.parametrize("results_first", [False, True])
def test_transfers(module: ModuleType, monkeypatch: pytest.MonkeyPatch, results_first: bool) -> None:
    made, board = device(module, monkeypatch, results_first=results_first)
    for size in (1, 2040, 2041, 9000, 5):
        transfer(made, size, size % 2)
        assert not board.pending and not board.line  # all of its answers were awaited
    for slot in (0, 2):
        with pytest.raises(Exception, match=f"^no transfer of buffer {slot} runs$"):
            made.finish(slot)
    made.start(0, 1, 1)
    with pytest.raises(Exception, match="no transfer of buffer 1 runs"):
        made.finish(1)


def test_more_results_than_belong_to_a_transfer(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = device(module, monkeypatch)
    made.buffer(0, 20)
    made.start(0, 20, 19)
    with pytest.raises(Exception, match=r"^port: more than 19 bytes of results came; call reset\(\)$"):
        made.finish(0)


def test_after_an_error_the_line_rests_before_the_reset(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The board forgets half a packet when no byte comes for a while. Only the register of the reset is written."""
    made, board = device(module, monkeypatch)
    board.line += b"noise"
    with pytest.raises(Exception, match=r"^port: bytes came that belong to no packet; call reset\(\)$"):
        made.read(0)
    with pytest.raises(Exception, match=r"^port: an error came before; call reset\(\)$"):
        made.write(8, 1)
    made.write(0x0C, 2)
    assert board.written_at[-2] - board.written_at[-3] >= 0.1 and board.tags[-1] == (board.tags[-2] + 1) % 256
    assert made.read(0x0C) == 2
    made.reset()
    assert board.written_at[-1] - board.written_at[-2] < 0.1


def test_a_reset_is_sent_again(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """After half a second, one and three, the line resting in between."""
    _, board = device(module, monkeypatch, silent=2)
    assert [round(time, 1) for time in board.written_at[1:4]] == [0.0, 0.6, 1.7]
    with pytest.raises(Exception, match="port: no headrace board answers; "):
        device(module, monkeypatch, silent=3)


@pytest.mark.parametrize(("identity", "version"), [(b"", 0), (b"\x02\x0c", 2)])
def test_another_protocol(module: ModuleType, monkeypatch: pytest.MonkeyPatch, identity: bytes, version: int) -> None:
    with pytest.raises(Exception, match=f"^port: the board speaks version {version} of the protocol but this driver "
                                        "version 1; take the driver of the same build$"):
        device(module, monkeypatch, identity=identity)


def test_a_board_that_falls_silent(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    made, board = device(module, monkeypatch)
    board.answers, start = False, board.now
    with pytest.raises(Exception, match=r"^port: an answer is missing within 10 seconds; call reset\(\)$"):
        made.read(0)
    assert 10 < board.now - start < 10.1


def test_echoes_of_patterns(module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    made, board = device(module, monkeypatch)
    made.self_test()
    assert board.most_bytes == 5 + (1 << ROOM_BITS) // 2 - 8  # the longest payload that is ever sent
    monkeypatch.setattr(board, "_answer", lambda command, tag, *_: packet(command | ANSWERS, tag, 0, b"\0" * 2040))
    with pytest.raises(Exception, match="the board returns other bytes than it was sent"):
        made.self_test()


@pytest.mark.parametrize("noise", [b"", b"\x01", b"\xa5", b"\xa5\x01\x02\x03", b"\xa5" * 9, b"\x00" * 40 + b"\xa5\xff"])
@pytest.mark.parametrize("size", [0, 1, 1 << 15])
def test_packets_are_found_behind_noise(driver: ModuleType, noise: bytes, size: int) -> None:
    from headrace_driver.packets import Parser

    parser = Parser()
    payload = bytes(range(1, 129)) * (size // 128) + b"\x07" * (size % 128)
    parser.push(noise + packet(1, 2, 3, payload) + packet(4, 5, 6) + b"\xa5")
    while not (first := parser.packet()):
        parser.push(b"\0" * 70_000)  # what noise takes for the length of a packet
    assert (first.command, first.tag, first.info, first.payload) == (1, 2, 3, payload)
    assert parser.skipped == len(noise)
    assert (second := parser.packet()) is not None and second.command == 4 and parser.skipped == len(noise)


def test_a_payload_that_no_board_sends_is_noise(driver: ModuleType) -> None:
    from headrace_driver.packets import Parser

    parser = Parser()
    parser.push(packet(1, 2, 3, b"\0" * ((1 << 15) + 1)))
    assert parser.packet() is None and parser.skipped == 10 + (1 << 15) + 1
