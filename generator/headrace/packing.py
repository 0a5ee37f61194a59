"""Arrays to stream words and memory words: the only place that knows lane, bit and fold order.

* A stream word holds `lanes` elements, lane 0 in the least significant bits, padded to whole bytes at the boundary.
* A weight memory word at address nf*SF + sf holds rows nf*PE + p and columns sf*SIMD + s as lanes [PE][SIMD].
* A threshold memory word at address nf holds the thresholds of rows nf*PE + p as lanes [PE][N]. The RTL's hold one
  threshold per row as lanes [PE], at addresses in the order in which a binary search adds bits; those of
  its last bits may be in memories of their own, one for each row. Where one comparator serves all rows, they stand row
  by row, as for PE = 1. Those of many row groups are as those of HLS.
* A scale memory word at address nf*G + g holds the scales of group g in rows nf*PE + p as lanes [PE]; where all rows
  share their scales it is at address g and has one lane.
* A word of one value per channel at address nf holds channels nf*PE + p as lanes [PE].
* A table word at address nf * 2^bits + code holds what that code of the input becomes in channels nf*PE + p as lanes
  [PE].
* A window in depthwise order is, for each group of SIMD channels, its taps row by row: words of SIMD lanes, or of
  [taps][SIMD] lanes where several taps share a word.
* The columns of a lowered convolution are ordered (kh*K_w + kw)*C_in + c, as the sliding window emits them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from headrace.datatypes import DataType, IntArray
from headrace.memory import Prices, rom_layout

Bytes = NDArray[np.uint8]


def word_bytes(lanes: int, bits: int) -> int:
    """Bytes of a stream word at a boundary."""
    return (lanes * bits + 7) // 8


def _lanes_to_bytes(codes: NDArray[np.uint64], bits: int) -> Bytes:
    """(words, lanes) codes of `bits` bits -> (words, bytes), lane 0 lowest."""
    planes = (codes[:, :, None] >> np.arange(bits, dtype=np.uint64)) & np.uint64(1)
    return np.packbits(planes.reshape(len(codes), -1).astype(np.uint8), axis=1, bitorder="little")


def pack_stream(elements: IntArray, lanes: int, dtype: DataType) -> Bytes:
    """Elements in stream order, any shape, -> (words, bytes). Their number must be a multiple of `lanes`.

    >>> pack_stream(np.array([1, 2, 3, 0]), 2, __import__("headrace.datatypes").datatypes.uint_type(2)).tolist()
    [[9], [3]]
    """
    return _lanes_to_bytes(dtype.encode(elements.reshape(-1, lanes)), dtype.bits)


def unpack_stream(words: Bytes, lanes: int, dtype: DataType) -> IntArray:
    """(words, bytes) -> (words, lanes) elements."""
    bits = np.unpackbits(np.ascontiguousarray(words), axis=1, bitorder="little")[:, : lanes * dtype.bits]
    planes = bits.reshape(len(words), lanes, dtype.bits).astype(np.uint64)
    codes = (planes << np.arange(dtype.bits, dtype=np.uint64)).sum(axis=2, dtype=np.uint64)
    return dtype.decode(codes)


def weight_words(W: IntArray, pe: int, simd: int) -> IntArray:
    """Weight matrix (MH, MW) -> (NF*SF, PE, SIMD), one memory word per address."""
    mh, mw = W.shape
    folded = W.reshape(mh // pe, pe, mw // simd, simd)
    return folded.transpose(0, 2, 1, 3).reshape(-1, pe, simd)


def threshold_words(T: IntArray, pe: int) -> IntArray:
    """Thresholds (MH, N) -> (NF, PE, N), one memory word per address."""
    return T.reshape(-1, pe, T.shape[1])


def scale_words(scales: IntArray, pe: int) -> IntArray:
    """Scales (MH, G) -> (NF*G, PE, 1), or shared ones (1, G) -> (G, 1, 1), one memory word per address."""
    lanes = 1 if len(scales) == 1 else pe
    return scales.reshape(-1, lanes, scales.shape[1]).transpose(0, 2, 1).reshape(-1, lanes, 1)


def parity_levels(simd: int) -> list[tuple[int, int]]:
    """Levels of the full adders that add `simd` bits, lowest first: (first input bit, adders); the root is left out.

    A level's third inputs follow 2 * adders bits behind its first ones. Where `simd` is odd, a bit 0 comes before all.
    """
    adders = (simd + 1) // 2
    levels = adders.bit_length() - 1
    lowest = [(0, adders + 1 - 2**levels)] if levels else []
    return lowest + [(2 * adders + 2 - 4 * count, count) for count in (2 ** (levels - k) for k in range(1, levels))]


def parity_code(bits: IntArray) -> IntArray:
    """Bits (..., SIMD) -> the same recoded for counting by free parity: in every full adder one input becomes the sum.

    The code of an XOR is the XOR of the codes, and the module parity_encode is the same map.
    """
    simd = bits.shape[-1]
    code = np.concatenate([np.zeros((*bits.shape[:-1], simd % 2), np.int64), bits], axis=-1)
    for first, count in parity_levels(simd):
        inputs = code[..., first : first + 2 * count].reshape(*bits.shape[:-1], 2, count)
        code[..., first + 2 * count : first + 3 * count] ^= inputs[..., 0, :] ^ inputs[..., 1, :]
    return code[..., simd % 2 :]


def search_words(T: IntArray, pe: int, never: IntArray) -> IntArray:
    """Thresholds (MH, N) -> (NF * 2^S, 1, PE), the words of a binary search of S = bits of N steps.

    Word nf * 2^S + k + 1 holds threshold k of the rows nf*PE + p; `never`, (MH,) bounds that are not reached, stand in
    its place beyond N and in the word 0 of a group, which no step reads.
    """
    rows, steps = T.shape
    tree = np.repeat(never[:, None], 1 << steps.bit_length(), axis=1)
    tree[:, 1 : steps + 1] = T
    return tree.reshape(rows // pe, pe, -1).transpose(0, 2, 1).reshape(-1, 1, pe)


def row_lines(words: IntArray, apart: int) -> tuple[IntArray, ...]:
    """Words of a search (depth, 1, PE) -> for every row p (depth / apart, 1, apart - 1), those between every apart-th.

    Without words between there are no lines.
    """
    lines = words.reshape(-1, apart, words.shape[2])[:, 1:]
    return tuple(lines[:, None, :, p] for p in range(words.shape[2])) if apart > 1 else ()


def search_steps(T: IntArray, pe: int) -> tuple[IntArray, ...]:
    """Thresholds (MH, N) -> for every step of a binary search (NF * 2^k, PE, 1), the words of its memory.

    Step k adds bit S - 1 - k of the count, S = bits of N: word nf * 2^k + c holds the thresholds with which the rows
    nf*PE + p reach it from a count of c * 2^(S - k), 0 beyond N.
    """
    rows, number = T.shape
    bits = number.bit_length()
    tree = np.zeros((rows, 1 << bits), np.int64)
    tree[:, 1 : number + 1] = T
    tree = tree.reshape(rows // pe, pe, -1).transpose(0, 2, 1)
    return tuple(tree[:, 1 << bits - 1 - k :: 1 << bits - k].reshape(-1, pe, 1) for k in range(bits))


def channel_words(values: IntArray, pe: int) -> IntArray:
    """One value per channel (C,) -> (C/PE, 1, PE), one memory word per group of PE channels."""
    return values.reshape(-1, 1, pe)


def table_words(table: IntArray, element: DataType, pe: int) -> IntArray:
    """Table (C, N) of the N values of `element` -> (C/PE * 2^bits, PE, 1), one memory word per group and code.

    Codes without a value have the entry of the lowest value.
    """
    codes = element.encode(np.arange(element.lo, element.hi + 1)).astype(np.int64)
    words = np.repeat(table[:, :1], 1 << element.bits, axis=1)
    words[:, codes] = table
    return words.reshape(-1, pe, words.shape[1]).transpose(0, 2, 1).reshape(-1, pe, 1)


def is_uniform(words: IntArray) -> bool:
    """True if all memory words are alike, so that one of them will do."""
    return bool(np.all(words == words[:1]))


def conv_matrix(weights: IntArray) -> IntArray:
    """Convolution weights (C_out, K_h, K_w, C_in) -> (MH, MW) in the column order of the sliding window."""
    return weights.reshape(len(weights), -1)


def depthwise_windows(elements: IntArray, channels: int, simd: int) -> IntArray:
    """Windows in depthwise order (windows, C/SIMD * taps * SIMD) -> (windows, taps, C).

    A window in depthwise order is, for each group of SIMD channels, its taps row by row.
    """
    grouped = elements.reshape(len(elements), channels // simd, -1, simd)
    return grouped.transpose(0, 2, 1, 3).reshape(len(elements), -1, channels)


def depthwise_columns(W: IntArray, channels: int, simd: int) -> IntArray:
    """Columns (kh*K_w + kw)*C_in + c of a matrix (MH, MW) -> the order of windows in depthwise order.

    For a matrix that reads a parallel or depthwise window of SIMD channels per word.
    """
    grouped = W.reshape(len(W), -1, channels // simd, simd)
    return grouped.transpose(0, 2, 1, 3).reshape(W.shape)


def _numbers(words: IntArray, dtype: DataType) -> list[int]:
    """Words (depth, rows, lanes) as integers, the first lane lowest."""
    raw = _lanes_to_bytes(dtype.encode(words.reshape(len(words), -1)), dtype.bits)
    return [int.from_bytes(word.tobytes(), "little") for word in raw]


def _lines(numbers: list[int], bits: int) -> str:
    """The lines of a file for $readmemh with words of so many bits."""
    return "".join(f"{number:0{(bits + 3) // 4}x}\n" for number in numbers)


@dataclass(frozen=True)
class Memory:
    """A read-only memory of a layer: `words` is (depth, rows, lanes), each element a value of `dtype`.

    The RTL reads one flat word [rows][lanes] per address from NAME.mem; the HLS header holds the same word row by row,
    each row in one chunk of its bits, or cut into chunks of 64. `recoded`: the words and their type as the RTL reads
    them, where its arithmetic wants them in another form. rom: where the RTL reads them with headrace_rom.sv, the
    prices by which that lays them out in rows, of which one may hold several words. steps: the words of the memories
    that take the place of the one in HLS, for every step of a search. rows: words of memories that the RTL has beside
    it, one for each row of those that work at a time.
    """

    name: str
    words: IntArray
    dtype: DataType
    recoded: tuple[IntArray, DataType] | None = None
    rom: Prices | None = None
    steps: tuple[IntArray, ...] = ()
    rows: tuple[IntArray, ...] = ()

    @property
    def rtl(self) -> tuple[IntArray, DataType]:
        """The words and their type as the RTL reads them."""
        return self.recoded or (self.words, self.dtype)

    @property
    def word_bits(self) -> int:
        """Width of one address of the RTL in bits."""
        words, dtype = self.rtl
        return int(words.shape[1] * words.shape[2] * dtype.bits)

    @property
    def depth(self) -> int:
        """Addresses of the RTL."""
        return len(self.rtl[0])

    def files(self, name: str) -> dict[str, str]:
        """The files of the RTL by name, where it knows the memory by `name`: of a row by letters in front of that."""
        dtype = self.rtl[1]
        rows = [_lines(_numbers(words, dtype), words[0].size * dtype.bits) for words in self.rows]
        return dict(zip(self.file_names(name), [self.mem_text(), *rows], strict=True))

    def file_names(self, name: str) -> list[str]:
        """Their names."""
        return [name, *(f"{(p // 16 + 1) * 'a'}{(p % 16 + 1) * 'b'}_{name}" for p in range(len(self.rows)))]

    def mem_text(self) -> str:
        """The words as the lines of a file for $readmemh; for ROMs the rows that headrace_rom.sv stores them in."""
        numbers = _numbers(*self.rtl)
        bits = self.word_bits
        if self.rom:
            layout = rom_layout(self.depth, bits, self.rom)
            slots = [numbers[row :: layout.rows] for row in range(layout.rows)]
            numbers = [sum(word << bits * slot for slot, word in enumerate(words)) for words in slots]
            bits *= layout.slots
        return _lines(numbers, bits)

    def arrays(self) -> dict[str, IntArray]:
        """The words of the arrays that the C++ has, (depth, rows, lanes), by their names in lower case."""
        name = self.name.lower()
        return {f"{name}_{k}": words for k, words in enumerate(self.steps)} or {name: self.words}

    def chunk_bits(self, words: IntArray) -> int:
        """Bits of a chunk of an array of the C++: all of a word of a row, or 64 where it has more."""
        return min(max(int(words.shape[2]) * self.dtype.bits, 1), 64)

    def chunks(self, words: IntArray) -> NDArray[np.uint64]:
        """An array of the C++ as (rows, depth, chunks) integers, chunk 0 lowest."""
        depth, rows, lanes = words.shape
        raw = _lanes_to_bytes(self.dtype.encode(words.reshape(-1, lanes)), self.dtype.bits)
        padded = np.zeros((len(raw), -(-raw.shape[1] // 8) * 8), np.uint8)
        padded[:, : raw.shape[1]] = raw
        return padded.view("<u8").reshape(depth, rows, -1).transpose(1, 0, 2)
