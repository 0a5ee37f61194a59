"""A serial line that does not pass what it is given: bits flip, bytes are lost, doubled or come from nowhere."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from headrace_driver.serial_device import Port


class NoisyPort:
    """A port with faults in what passes, one of `kinds` at a random place of the next so many bytes after `disturb`."""

    def __init__(self, port: Port, seed: int) -> None:
        self.port, self.random = port, random.Random(seed)
        self.faults = 0
        self._places = {"write": -1, "read": -1}

    def disturb(self, way: str, within: int) -> None:
        """Let one fault happen on the way to the board ("write") or back ("read")."""
        self._places[way] = self.random.randrange(within)

    def write(self, data: bytes) -> int:
        self.port.write(self._passed("write", data))
        return len(data)

    def read(self, size: int) -> bytes:
        return self._passed("read", self.port.read(size))

    def _passed(self, way: str, data: bytes) -> bytes:
        place = self._places[way]
        self._places[way] = place - len(data) if place >= len(data) else -1
        if not 0 <= place < len(data):
            return data
        self.faults += 1
        return self._damaged(data, place)

    def _damaged(self, data: bytes, place: int) -> bytes:
        count = self.random.randint(1, 12)
        junk = self.random.choice([self.random.randbytes(count), b"\xa5" * count])
        flipped = data[place] ^ 1 << self.random.randrange(8)
        return self.random.choice([
            data[:place] + bytes([flipped]) + data[place + 1 :],  # a bit
            data[:place] + data[place + count :],  # bytes are lost
            data[:place],  # the rest is
            data[:place] + junk + data[place:],  # bytes from nowhere
            data[:place] + data[place : place + count] + data[place:],  # bytes twice
            junk + data[place:],
        ])
