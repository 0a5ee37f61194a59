"""The one rule by which words become memories: LUTs, block RAMs, UltraRAMs, by depth and width.

The SystemVerilog has it in headrace_rom, headrace_ram and headrace_weight_ram; a test compares what they elaborate to.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from headrace.datatypes import IntArray
from headrace.errors import InputError, require_positive

#: Rows and columns of a block RAM of 18 Kb with one port that reads (UG573).
BRAM18_SHAPES: Final = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))
#: Words and bits of an UltraRAM (UG573).
_URAM_SHAPE = (4096, 72)
#: Words of one LUT of a memory: with half of them it has two bits.
LUT_WORDS: Final = 64
#: The smallest FIFO with a memory: below it, a register slice of 2 words.
SMALLEST_MEMORY: Final = 3
#: LUTs that Yosys spends on words rather than a block where the choice is its own.
_YOSYS_BLOCK_LUTS: Final = 129


@dataclass(frozen=True)
class Prices:
    """How many LUTs are as scarce on a device as a block RAM of 18 Kb or a DSP block.

    Where there is a choice of structures, the one that is cheaper at these prices is built. block: LUTs of logic, where
    words are read only. ram_block: LUTs that serve as memory, where words are written. A build hands both to the
    SystemVerilog, in headrace_pkg, which counts words in LUT6. lut_inputs: inputs of a LUT of the device, 6 or 4, which
    decides what estimates count; primitives: whether the cells are those of UltraScale+, with memories in eight LUTs
    and products in DSP48E2.
    """

    block: int = 129
    ram_block: int = 100
    dsp: int = 100
    lut_inputs: int = 6
    primitives: bool = True

    def __post_init__(self) -> None:
        require_positive("prices", block=self.block, ram_block=self.ram_block, dsp=self.dsp)
        if self.lut_inputs not in (4, 6):
            raise InputError(f"prices: lut_inputs={self.lut_inputs}: estimates count LUTs of 4 or of 6 inputs")

    @property
    def each(self) -> dict[str, float]:
        """What one of each resource of a board costs in LUTs: UltraRAM by its bits, flip-flops as many as go with one.

        >>> PRICES.each
        {'lut': 1.0, 'ff': 0.5, 'bram36': 258.0, 'uram': 2064.0, 'dsp': 100.0}
        """
        return {"lut": 1.0, "ff": 1.0 if self.of_lut4 else 0.5, "bram36": 2.0 * self.block, "uram": 16.0 * self.block,
                "dsp": float(self.dsp)}

    @property
    def cells(self) -> Literal["xcup", "xc7", "ecp5"]:
        """Whose cells estimates count, as Yosys names the family."""
        return "ecp5" if self.of_lut4 else "xcup" if self.primitives else "xc7"

    @property
    def of_lut4(self) -> bool:
        """True for devices whose LUTs have four inputs: 16 words in each, and no shift registers."""
        return self.lut_inputs == 4

    @property
    def factor_bits(self) -> int:
        """Bits of the widest unsigned factor of a multiplier; with a wider one a product takes two multipliers."""
        return {"ecp5": 18, "xc7": 24, "xcup": 26}[self.cells]

    @property
    def late_blocks(self) -> bool:
        """True if a register follows a block RAM before a multiplexer, since blocks answer late in a cycle."""
        return self.of_lut4

    @property
    def ram_words(self) -> int:
        """Words of a memory of LUTs that need no multiplexer."""
        return 16 if self.of_lut4 else LUT_WORDS


#: Those of UltraScale+, of which a device has about a hundred LUTs for each DSP block.
PRICES: Final = Prices()


@dataclass(frozen=True)
class RomLayout:
    """How a ROM stores words: `slots` of them side by side in each of `rows`, row a holding words a, a + rows ...

    The rows are in `blocks` of 18 Kb, or in LUTs where there are none; `lut` are all LUTs.
    """

    rows: int
    slots: int
    blocks: int
    lut: int

    def cost(self, prices: Prices) -> int:
        """In LUTs."""
        return prices.block * self.blocks + self.lut


@dataclass(frozen=True)
class Ram:
    """What words that can be written take: LUTs that serve as memory, blocks of 18 Kb, or UltraRAMs."""

    lutram: int = 0
    bram18: int = 0
    uram: int = 0


def rom_layout(depth: int, bits: int, prices: Prices) -> RomLayout:
    """The cheapest layout: in LUTs, or in blocks of one shape.

    >>> rom_layout(18432, 32, PRICES)
    RomLayout(rows=2048, slots=9, blocks=32, lut=96)
    """
    in_blocks = min((_in_blocks(depth, bits, *shape) for shape in BRAM18_SHAPES),
                    key=lambda layout: layout.cost(prices))
    in_luts = RomLayout(depth, 1, 0, rom_luts(depth, bits))
    return in_blocks if in_luts.lut > in_blocks.cost(prices) else in_luts


def _in_blocks(depth: int, bits: int, most_rows: int, columns: int) -> RomLayout:
    slots = _ceil(depth, most_rows)
    return RomLayout(min(depth, most_rows), slots, _ceil(slots * bits, columns), bits * ((slots + 1) // 3))


def rom_luts(depth: int, bits: int) -> int:
    """LUTs of a ROM of logic: one LUT6 per bit holds 64 words, more words are multiplexed."""
    blocks = _ceil(depth, LUT_WORDS)
    return bits * (blocks + (blocks - 1) // 3)


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


def ram(depth: int, bits: int, prices: Prices) -> Ram:
    """A memory with one write port and one read port: blocks where LUTs, with their multiplexer, would cost more.

    >>> ram(64, 8, PRICES), ram(64, 8, Prices(lut_inputs=4))
    (Ram(lutram=16, bram18=0, uram=0), Ram(lutram=48, bram18=0, uram=0))
    """
    luts, blocks = ram_luts(depth, bits), ram_bram18(depth, bits)
    if luts + ram_multiplexer(depth, bits) > prices.ram_block * blocks:
        return Ram(bram18=blocks)
    return Ram(lutram=ram_cells(depth, bits, prices))


def ram_cells(depth: int, bits: int, prices: Prices) -> int:
    """LUTs of such a memory as the device has them; Zynq-7000: six bits of 32 words, or three of 64 words, in four."""
    if prices.of_lut4:
        return ram_lut4s(depth, bits)
    if prices.primitives:
        return ram_luts(depth, bits)
    return 4 * _ceil(bits, 6) if depth <= LUT_WORDS // 2 else 4 * _ceil(depth, LUT_WORDS) * _ceil(bits, 3)


def ram_lut4s(depth: int, bits: int) -> int:
    """LUT4s of such a memory: four bits of 16 words in four LUTs, and two more that bring address and data."""
    return 6 * _ceil(depth, 16) * _ceil(bits, 4)


def ram_luts(depth: int, bits: int) -> int:
    """LUTs of such a memory: 14 bits of 32 words, or 7 bits of 64 words, in 8 LUTs."""
    if depth <= LUT_WORDS // 2:
        return 8 * _ceil(bits, 14)
    return 8 * _ceil(depth, LUT_WORDS) * _ceil(bits, 7)


def ram_multiplexer(depth: int, bits: int) -> int:
    """LUTs that choose between the LUTs of such a memory: for each bit one of them between up to four.

    >>> [ram_multiplexer(depth, 8) for depth in (64, 65, 256, 257)]
    [0, 8, 8, 16]
    """
    return bits * _ceil(_ceil(depth, LUT_WORDS) - 1, 3)


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


def free_depth(depth: int, bits: int, prices: Prices) -> int:
    """The most words of a FIFO that take no more memory than `depth` words of `bits` bits.

    >>> [free_depth(depth, 8, PRICES) for depth in (0, 2, 3, 33, 100, 600)]
    [0, 2, 32, 64, 128, 2048]
    """
    if depth < SMALLEST_MEMORY:
        return depth
    blocks = ram(depth, bits, prices).bram18
    if not blocks:
        return LUT_WORDS // 2 if depth <= LUT_WORDS // 2 else _ceil(depth, LUT_WORDS) * LUT_WORDS
    return max(rows * slots for rows, columns in BRAM18_SHAPES
               for slots in range(1, _ceil(blocks * columns, bits) + 1) if _ram_blocks(slots, bits, columns) <= blocks)


def _synthesized_of_lut4s(depth: int, bits: int) -> Ram:
    """Yosys' choice on an ECP5: four LUTs' cost for every four bits of 16 words, 128 for a block."""
    luts, blocks = 4 * _ceil(depth, 16) * _ceil(bits, 4), ram_bram18(depth, bits)
    return Ram(bram18=blocks) if luts > 128 * blocks else Ram(lutram=ram_lut4s(depth, bits))


def one_port_ram(depth: int, bits: int, prices: Prices = PRICES) -> Ram:
    """A memory that is read where it is written, kind as Yosys chooses: a LUT holds two bits of 32 words, or one of 64.

    One word is not a memory.
    """
    if depth == 1:
        return Ram()
    if prices.of_lut4:
        return _synthesized_of_lut4s(depth, bits)
    luts = _ceil(bits, 2) if depth <= LUT_WORDS // 2 else bits * _ceil(depth, LUT_WORDS)
    blocks = bram18(depth, bits)
    return Ram(bram18=blocks) if 2 * luts > _YOSYS_BLOCK_LUTS * blocks else Ram(lutram=luts)


def uram(depth: int, bits: int) -> int:
    """UltraRAMs for `depth` words of `bits` bits: they have no contents from the start, and both ports one clock.

    Words side by side are in bytes of 8 or 9 bits, which are written by themselves.

    >>> [uram(4096, 72), uram(1000, 73), uram(5000, 80)]
    [1, 2, 3]
    """
    rows, columns = _URAM_SHAPE
    slots = _ceil(depth, rows)
    if slots == 1:
        return _ceil(bits, columns)
    return min(_ceil(slots * _ceil(bits, byte), columns // byte) for byte in (8, 9))


def _ceil(number: int, size: int) -> int:
    return -(-number // size)
