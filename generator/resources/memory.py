"""What memories take: LUT ROMs, LUT RAMs and block RAMs by depth and width."""

from __future__ import annotations

from generator.resources.usage import Resources

#: Widths of a block RAM of 18 Kb by its depth, as a simple dual port (UG573).
_BRAM18_SHAPES = ((512, 36), (1024, 18), (2048, 9), (4096, 4), (8192, 2), (16384, 1))

#: What Yosys takes a block of 18 Kb to cost, in LUTs; a LUT of a RAM costs two.
_LUTS_PER_BLOCK = 129


def bram18(depth: int, bits: int) -> int:
    """Blocks of 18 Kb for `depth` words of `bits` bits in the best single shape.

    >>> [bram18(512, 36), bram18(256, 128), bram18(32768, 4)]
    [1, 4, 8]
    """
    return min(-(-depth // rows) * -(-bits // columns) for rows, columns in _BRAM18_SHAPES)


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
    """A read-only memory: block RAM where its blocks cost less than the LUTs that hold 64 words per bit."""
    if depth <= 1:
        return Resources()
    blocks = bram18(depth, bits)
    if depth * bits > 64 * _LUTS_PER_BLOCK * blocks:
        return Resources(bram18=blocks)
    return Resources(lut=rom_luts(depth, bits))


def ram(depth: int, bits: int, luts_per_block: int = _LUTS_PER_BLOCK // 2) -> Resources:
    """A memory with one write port and one read port: block RAM where a block saves more than `luts_per_block`."""
    luts = ram_luts(depth, bits)
    blocks = bram18(depth, bits)
    return Resources(bram18=blocks) if luts > luts_per_block * blocks else Resources(lutram=luts)
