"""What a simulation recorded: reading it, comparing it with the golden words, measuring it. Needs no packages."""

from __future__ import annotations

import ast
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

UNSIGNED, SIGNED, BIPOLAR = 0, 1, 2


@dataclass(frozen=True)
class Stream:
    """A stream as streams.json describes it: per frame `words` words of `lanes` elements."""

    name: str
    lanes: int
    bits: int
    kind: int
    words: int
    bytes: int
    channels: int

    def element(self, word: int, lane: int) -> int:
        """The value of one lane of a word."""
        code = word >> (lane * self.bits) & ((1 << self.bits) - 1)
        if self.kind == BIPOLAR:
            return 2 * code - 1
        return code - (1 << self.bits) if self.kind == SIGNED and code >> (self.bits - 1) else code


@dataclass(frozen=True)
class Record:
    """The accepted words of a stream and the cycle of each, counted from the reset."""

    words: list[int]
    cycles: list[int]


def read_vectors(path: Path) -> dict[str, list[list[int]]]:
    """Words of every stream by frame, from an .npz file of uint8 arrays (frames, words, bytes)."""
    with zipfile.ZipFile(path) as archive:
        return {name.removesuffix(".npy"): _read_array(archive.read(name)) for name in archive.namelist()}


def _read_array(data: bytes) -> list[list[int]]:
    """The .npy format, version 1: magic, version, length of the header, the header as a Python literal, the bytes."""
    (length,) = struct.unpack_from("<H", data, 8)
    header = ast.literal_eval(data[10 : 10 + length].decode("latin1"))
    if data[:8] != b"\x93NUMPY\x01\x00" or header["descr"] != "|u1" or header["fortran_order"]:
        raise SystemExit("vectors: the arrays must be uint8 in C order; write them with headrace or numpy.savez")
    frames, words, size = header["shape"]
    body = data[10 + length :]
    values = [int.from_bytes(body[i : i + size], "little") for i in range(0, len(body), size)]
    return [values[frame * words : (frame + 1) * words] for frame in range(frames)]


def read_record(path: Path, size: int) -> Record:
    """The words of `size` bytes since the last reset."""
    lines = path.read_text().rpartition("-")[2].split()
    pairs = [divmod(int(line, 16), 1 << (8 * size)) for line in lines]
    return Record([word for _, word in pairs], [cycle for cycle, _ in pairs])


def expected_words(vectors: list[list[int]], frames: int, *, last_bit: int | None = None) -> list[int]:
    """Words of `frames` frames, the vectors over and over; with `last_bit` that bit marks the last word of each."""
    words: list[int] = []
    for frame in range(frames):
        words += vectors[frame % len(vectors)]
        if last_bit is not None:
            words[-1] |= 1 << last_bit
    return words


def compare(stream: Stream, got: list[int], wanted: list[int]) -> tuple[int, str] | None:
    """The first word that differs: (frame, sentence)."""
    index = next((i for i, (a, b) in enumerate(zip(got, wanted, strict=False)) if a != b), min(len(got), len(wanted)))
    frame, word = divmod(index, stream.words)
    if index == len(got) == len(wanted):
        return None
    if index == len(wanted):
        return frame, f"{stream.name}: {len(got)} words came where {len(wanted)} were expected"
    if index == len(got):
        return frame, f"{stream.name}, frame {frame}, word {word}: the simulation ends before this word"
    return frame, f"{stream.name}, frame {frame}, {_difference(stream, word, got[index], wanted[index])}"


def _difference(stream: Stream, word: int, got: int, wanted: int) -> str:
    for lane in range(stream.lanes):
        values = stream.element(got, lane), stream.element(wanted, lane)
        if values[0] != values[1]:
            pixel, channel = divmod(word * stream.lanes + lane, stream.channels)
            return (f"pixel {pixel}, channel {channel} (word {word}, lane {lane}): "
                    f"the simulation gives {values[0]}, the golden model {values[1]}")
    last = 8 * stream.bytes
    if got >> last != wanted >> last:
        return f"word {word}: TLAST is {got >> last} where it must be {wanted >> last}"
    return f"word {word}: the bits above the {stream.lanes * stream.bits} of the lanes are not zero"


def measure(first: Record, last: Record, words_per_frame: int) -> dict[str, int | None]:
    """Latency, from the first word in to the end of the first frame out, and cycles between the last two ends."""
    ends = last.cycles[words_per_frame - 1 :: words_per_frame]
    return {
        "cycles_per_frame": ends[-1] - ends[-2] if len(ends) > 1 else None,
        "latency_cycles": ends[0] - first.cycles[0] if ends else None,
    }


def max_occupancy(taken: Record, given: Record) -> int:
    """Most words that a FIFO's module held at once: accepted at its input, not yet at its output.

    The words in its output registers count too, so that it may exceed the DEPTH of the memory by up to 3.
    """
    events = sorted([(cycle, 1) for cycle in taken.cycles] + [(cycle, -1) for cycle in given.cycles])
    inside = most = 0
    for _, change in events:  # in one cycle the word that leaves comes first
        inside += change
        most = max(most, inside)
    return most
