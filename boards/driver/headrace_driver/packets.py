"""Packets of a board behind a serial port: marker, command, tag, info, length, payload, CRC-32."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

PROTOCOL = 1
IDENTIFY, READ, WRITE, RUN, RESET, ECHO = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06
RESULT, ERROR, ANSWERS = 0xC0, 0xC1, 0x80
#: What the board says of a packet.
CODES = ("OK", "its CRC was wrong", "its length was wrong", "the board does not know the command",
         "it did not fit into the board's buffer", "a time-out", "a byte had no stop bit")
#: Bytes of the header in the board's buffer.
HEADER = 5
_MARKER = b"\xa5"
_CRC = 4
#: Longer payloads than this come from no board.
_MOST = 1 << 15


@dataclass(frozen=True)
class Packet:
    """A packet without marker and CRC; info: the code of an answer, bit 0 of RUN and RESULT the end of a transfer."""

    command: int
    tag: int
    info: int
    payload: bytes = b""

    def bytes(self) -> bytes:
        """As they pass the line."""
        body = struct.pack("<BBBH", self.command, self.tag, self.info, len(self.payload)) + self.payload
        return _MARKER + body + struct.pack("<I", zlib.crc32(body))


def code_text(code: int) -> str:
    """What a code of the board means."""
    return CODES[code] if code < len(CODES) else f"code {code}"


class Parser:
    """Bytes of a line to packets; what is not a packet is counted and skipped."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        #: Bytes that belong to no packet, since this was set to 0.
        self.skipped = 0

    def clear(self) -> None:
        """Forget what came."""
        self._bytes.clear()
        self.skipped = 0

    def push(self, data: bytes) -> None:
        """Bytes that came."""
        self._bytes += data

    def packet(self) -> Packet | None:
        """The next packet of which all bytes are there."""
        while True:
            self._skip(len(self._bytes.split(_MARKER, 1)[0]))
            if len(self._bytes) <= HEADER:
                return None
            command, tag, info, length = struct.unpack_from("<BBBH", self._bytes, 1)
            end = 1 + HEADER + length
            if length <= _MOST and len(self._bytes) < end + _CRC:
                return None
            body = bytes(self._bytes[1:end])
            if length <= _MOST and zlib.crc32(body) == struct.unpack_from("<I", self._bytes, end)[0]:
                del self._bytes[: end + _CRC]
                return Packet(command, tag, info, body[HEADER:])
            self._skip(1)  # not a marker

    def _skip(self, count: int) -> None:
        del self._bytes[:count]
        self.skipped += count
