"""What memories take: ROMs and RAMs of LUTs, block RAMs, UltraRAMs by depth and width, as rom.sv and ram.sv choose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from headrace.area.usage import Resources
from headrace.datatypes import IntArray

#: Rows and columns of a block RAM of 18 Kb with one port that reads (UG573).
BRAM18_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
#: Words and bits of an UltraRAM (UG573).
_URAM_SHAPE = (4096, 72)

#: What a block of 18 Kb is worth in LUTs, in rom.sv and to Yosys; a LUT of a RAM costs two.
LUTS_PER_BLOCK = 129


@dataclass(frozen=True)
class RomLayout:
    """How rom.sv stores words: `slots` of them side by side in each of `rows`, row a holding words a, a + rows ...

    The rows are in `blocks` of 18 Kb, or in LUTs where there are none; `lut` are all LUTs.
    """

    rows: int
    slots: int
    blocks: int
    lut: int

    @property
    def cost(self) -> int:
        """In LUTs, with LUTS_PER_BLOCK for every block."""
        return LUTS_PER_BLOCK * self.blocks + self.lut


def rom_layout(depth: int, bits: int) -> RomLayout:
    """The cheapest layout: in LUTs, or in blocks of one shape.

    >>> rom_layout(18432, 32)
    RomLayout(rows=2048, slots=9, blocks=32, lut=96)
    """
    in_blocks = min((_in_blocks(depth, bits, *shape) for shape in BRAM18_SHAPES), key=lambda layout: layout.cost)
    in_luts = RomLayout(depth, 1, 0, rom_luts(depth, bits))
    return in_blocks if in_luts.cost > in_blocks.cost else in_luts


def _in_blocks(depth: int, bits: int, most_rows: int, columns: int) -> RomLayout:
    slots = _ceil(depth, most_rows)
    return RomLayout(min(depth, most_rows), slots, _ceil(slots * bits, columns), bits * ((slots + 1) // 3))


def bram18(depth: int, bits: int) -> int:
    """Blocks of 18 Kb for `depth` read-only words; those beyond the rows of a block stand beside the others.

    >>> [bram18(512, 36), bram18(256, 128), bram18(32768, 4), bram18(1100, 40)]
    [1, 4, 8, 4]
    """
    return min(_ceil(_ceil(depth, rows) * bits, columns) for rows, columns in BRAM18_SHAPES)


def stored_bits(words: IntArray, bits: int, rows: int) -> int:
    """Columns that synthesis keeps of a ROM with words (depth, lanes) of `bits` bits per lane in `rows` rows.

    A column that is the same in all rows is a constant. Unused slots of the last rows are zeros.

    >>> stored_bits(np.array([[1], [3], [5]]), 3, 3), stored_bits(np.array([[1], [3], [5]]), 3, 2)
    (2, 3)
    """
    kept = 0
    for start in range(0, len(words), rows):
        slot = words[start : start + rows] & (1 << bits) - 1
        ones, all_ones = np.bitwise_or.reduce(slot), np.bitwise_and.reduce(slot)
        kept += sum(int(lane).bit_count() for lane in (ones if len(slot) < rows else ones ^ all_ones))
    return kept


def ram_bram18(depth: int, bits: int) -> int:
    """Blocks of 18 Kb for `depth` words that can be written: words side by side are in bytes of 9 bits.

    >>> [ram_bram18(512, 36), ram_bram18(2304, 20), ram_bram18(5000, 5)]
    [1, 4, 3]
    """
    return min(_ram_blocks(_ceil(depth, rows), bits, columns) for rows, columns in BRAM18_SHAPES)


def _ram_blocks(slots: int, bits: int, columns: int) -> int:
    if slots == 1 or columns < 9:
        return slots * _ceil(bits, columns)
    return _ceil(slots * 9 * _ceil(bits, 9), columns)


def _ceil(number: int, size: int) -> int:
    return -(-number // size)


def uram(depth: int, bits: int) -> int:
    """UltraRAMs for `depth` words of `bits` bits, for weights that are loaded at run time (weight_ram.sv).

    Words side by side are in bytes of 8 or 9 bits, which are written by themselves.

    >>> [uram(4096, 72), uram(1000, 73), uram(5000, 80)]
    [1, 2, 3]
    """
    rows, columns = _URAM_SHAPE
    slots = _ceil(depth, rows)
    if slots == 1:
        return _ceil(bits, columns)
    return min(_ceil(slots * _ceil(bits, byte), columns // byte) for byte in (8, 9))


def rom_luts(depth: int, bits: int) -> int:
    """LUTs of a ROM of logic: one LUT6 per bit holds 64 words, more words are multiplexed."""
    blocks = -(-depth // 64)
    return bits * (blocks + (blocks - 1) // 3)


def ram_luts(depth: int, bits: int) -> int:
    """LUTs of a simple dual port memory of LUT RAM: 14 bits of 32 words, or 7 bits of 64 words, in 8 LUTs."""
    if depth <= 32:
        return 8 * -(-bits // 14)
    return -(-depth // 64) * 8 * -(-bits // 7)


def rom(depth: int, bits: int) -> Resources:
    """A read-only memory as rom.sv builds it; a single word is no memory."""
    if depth <= 1:
        return Resources()
    layout = rom_layout(depth, bits)
    return Resources(lut=layout.lut, bram18=layout.blocks)


def ram(depth: int, bits: int, luts_per_block: int = LUTS_PER_BLOCK // 2) -> Resources:
    """A memory with one write port and one read port: block RAM where a block saves more than `luts_per_block`."""
    luts = ram_luts(depth, bits)
    blocks = ram_bram18(depth, bits)
    return Resources(bram18=blocks) if luts > luts_per_block * blocks else Resources(lutram=luts)
