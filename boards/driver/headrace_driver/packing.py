"""Codes to the bytes of stream words and back, at the speed of memory.

A word holds `lanes` codes of `bits` bits, lane 0 in the least significant bits, and is padded to `size` bytes.
"""

from __future__ import annotations

import numpy as np


def code_type(bits: int) -> type[np.uint8 | np.uint16 | np.uint32 | np.uint64]:
    """The unsigned integers that hold codes of this width."""
    return np.uint8 if bits <= 8 else np.uint16 if bits <= 16 else np.uint32 if bits <= 32 else np.uint64


def word_bytes(lanes: int, bits: int) -> int:
    """Bytes of a word."""
    return (lanes * bits + 7) // 8


def pack(codes: np.ndarray, lanes: int, bits: int, size: int, out: np.ndarray | None = None) -> np.ndarray:
    """Codes (N, elements) of `code_type(bits)`, in stream order, -> bytes (N, elements / lanes * size), uint8.

    out: where to write them, of that shape; what pads a word there stays.
    """
    rows = codes.reshape(-1, lanes)
    used = word_bytes(lanes, bits)
    packed = np.zeros((len(codes), len(rows) // max(1, len(codes)) * size), np.uint8) if out is None else out
    packed.reshape(-1, size)[:, :used] = _pack_rows(np.ascontiguousarray(rows), lanes, bits, used)
    return packed


def _pack_rows(rows: np.ndarray, lanes: int, bits: int, size: int) -> np.ndarray:
    """(words, lanes) -> (words, size)."""
    if lanes == 1 or bits in (8, 16, 32):
        return rows.view(np.uint8).reshape(len(rows), -1)[:, :size]
    if bits == 1 and lanes % 8 == 0:  # no padding: in one go
        return np.packbits(rows.reshape(-1), bitorder="little").reshape(-1, size)
    if bits == 1:
        return np.packbits(rows, axis=1, bitorder="little")
    if bits in (2, 4):
        return _pack_small(rows, lanes, bits, size)
    if lanes * bits <= 64:
        word = np.zeros(len(rows), np.uint64)
        for lane in range(lanes):
            word |= rows[:, lane].astype(np.uint64) << np.uint64(bits * lane)
        return word.view(np.uint8).reshape(-1, 8)[:, :size]
    return _pack_bits(rows, lanes, bits)


def _pack_small(rows: np.ndarray, lanes: int, bits: int, size: int) -> np.ndarray:
    """Several codes of 2 or 4 bits in a byte: the codes of a byte, one integer, are folded together."""
    per_byte = 8 // bits
    if lanes != size * per_byte:
        padded = np.zeros((len(rows), size * per_byte), np.uint8)
        padded[:, :lanes] = rows
        rows = padded
    if bits == 4:
        pairs = rows.reshape(-1).view(np.uint16)
        return (pairs | pairs >> 4).astype(np.uint8).reshape(-1, size)
    quads = rows.reshape(-1).view(np.uint32)
    return (quads | quads >> 6 | quads >> 12 | quads >> 18).astype(np.uint8).reshape(-1, size)


def _pack_bits(rows: np.ndarray, lanes: int, bits: int) -> np.ndarray:
    """Any width, bit by bit."""
    planes = (rows[:, :, None] >> np.arange(bits, dtype=rows.dtype)) & rows.dtype.type(1)
    return np.packbits(planes.reshape(len(rows), lanes * bits).astype(np.uint8), axis=1, bitorder="little")


def unpack(data: np.ndarray, lanes: int, bits: int, word: int) -> np.ndarray:
    """Bytes (N, words * word) -> codes (N, words * lanes) of `code_type(bits)`; word: bytes of one with its padding."""
    size, kind = word_bytes(lanes, bits), code_type(bits)
    rows = np.ascontiguousarray(data.reshape(-1, word)[:, :size])
    codes: np.ndarray
    if bits in (8, 16, 32):
        codes = rows.view(kind)
    elif lanes * bits <= 64:
        padded = np.zeros((len(rows), 8), np.uint8)
        padded[:, :size] = rows
        shifts = np.arange(lanes, dtype=np.uint64) * np.uint64(bits)
        codes = ((padded.view(np.uint64) >> shifts) & np.uint64((1 << bits) - 1)).astype(kind)
    else:
        planes = np.unpackbits(rows, axis=1, count=lanes * bits, bitorder="little").reshape(len(rows), lanes, bits)
        codes = np.left_shift(planes.astype(kind), np.arange(bits, dtype=kind)).sum(axis=2, dtype=kind)
    return codes.reshape(len(data), -1)
