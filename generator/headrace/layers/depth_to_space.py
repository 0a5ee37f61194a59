"""Depth to space: the channels of a pixel become those of a block of pixels (ONNX DepthToSpace, order DCR).

A row of pixels comes pixel by pixel, each with the parts of all rows of its block; it leaves row by row. Inside such a
row the words follow one another as they came, so a circular buffer that is read in another order is all there is. Other
orders of the channels are another order of the rows of the convolution before, or of the columns of the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, ram
from headrace.datatypes import DataType, IntArray
from headrace.errors import InputError, require_positive
from headrace.fold_rule import require_divides
from headrace.layers.base import Grid, Layer, Parameters
from headrace.layers.buffered import Buffered
from headrace.layers.flow import Buffer, Ring
from headrace.layers.hls import HlsForm, HlsLoop, HlsProcess
from headrace.layers.phases import Loop, Schedule, demand_phases
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream
from headrace.layers.window_geometry import Pair

#: Most rows of a block: the C++ has a stream for each, and a mask of 32 bits says which one an iteration moves.
MAX_ROWS = 32


@dataclass(frozen=True)
class DepthToSpace(Buffered):
    """y[r*B_h + i, c*B_w + j, k] = x[r, c, (i*B_w + j)*channels + k] over x (height, width, B_h*B_w*channels).

    block is (vertical, horizontal); channels are those of a pixel out. simd elements of a row of a block per cycle.
    """

    kind = "depth_to_space"
    #: A block whose sides differ, two words per pixel out.
    example = {"height": 3, "width": 4, "channels": 4, "block": [3, 2], "simd": 2, "element": "int3"}
    name: str
    height: int
    width: int
    channels: int
    block: Pair
    element: DataType
    simd: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, height=self.height, width=self.width, channels=self.channels, block=self.block)
        require_divides(self.name, "SIMD", self.simd, "channels of a block's row", self.row_channels)
        if self.block[0] > MAX_ROWS:
            raise InputError(f"{self.name}: a block of {self.block[0]} rows has more than {MAX_ROWS}; use two layers "
                             "whose blocks multiply to it")

    @property
    def row_channels(self) -> int:
        """Elements of one row of a block."""
        return self.block[1] * self.channels

    @property
    def in_grid(self) -> Grid:
        return self.height, self.width

    def out_grid(self, grid: Grid | None) -> Grid:
        return self.height * self.block[0], self.width * self.block[1]

    @property
    def run(self) -> int:
        """Words of one row of a block."""
        return self.row_channels // self.simd

    @property
    def row_words(self) -> int:
        """Words of a row of pixels in, which are those of B_h rows out."""
        return self.width * self.block[0] * self.run

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("height"), f.integer("width"), f.integer("channels"), f.pair("block"),
                   f.dtype("element"), f.integer("simd", 1), uram=f.flag("uram"))

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.simd, self.height * self.row_words),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return self.inputs

    def golden(self, *x: IntArray) -> IntArray:
        blocks = x[0].reshape(-1, self.height, self.width, *self.block, self.channels)
        return blocks.transpose(0, 1, 3, 2, 4, 5).reshape(len(blocks), -1)

    @property
    def lead_words(self) -> int:
        """Words that are taken before the first one leaves in steady pace: the last word of a row's first line."""
        return ((self.width - 1) * (self.block[0] - 1) + 1) * self.run

    @property
    def depth(self) -> int:
        """Words of the circular buffer, a power of two so that addresses wrap for free.

        At one word per cycle those in front of the word out are as many as those behind it; a run more is there until
        its last word has left.
        """
        return 1 << (2 * self.lead_words + 3).bit_length()

    @property
    def buffers(self) -> tuple[int, int, int]:
        return 1, self.depth, self.inputs[0].bits

    @cached_property
    def circular_buffer(self) -> Buffer:
        """The buffer as the kernels run it; a window is a run."""
        rows, x = np.mgrid[: self.block[0], : self.width].reshape(2, -1)
        starts = (x * self.block[0] + rows) * self.run
        # The first run of a row is freed with it, as no row before shows it; the others with the last row.
        kept = np.where(x == 0, rows, np.where(rows < self.block[0] - 1, rows + 1, x * self.block[0])) * self.run
        base = np.arange(self.height)[:, None] * self.row_words
        needed = (base + starts).reshape(-1, 1) + np.arange(self.run)
        return Buffer(self.inputs[0].words, self.depth, True, needed, (base + kept).reshape(-1), release_cycles=1)

    def schedule(self) -> Schedule:
        needed = self.circular_buffer.needed.reshape(self.height, -1)[0] + 1
        phases = (Loop(self.height, demand_phases(needed, self.row_words)),)
        return Schedule(phases, latency_cycles=2, slack_words=1, run_ahead_words=self.depth - self.lead_words,
                        flow=Ring(self.circular_buffer))

    @property
    def hls(self) -> HlsForm:
        masks = 1 << np.arange(self.block[0])
        split, join = np.repeat(masks, self.run), np.repeat(masks, self.width * self.run)
        names = tuple(f"row{i}" for i in range(self.block[0]))
        row = Stream(self.element, self.simd, self.inputs[0].words // self.block[0])
        return HlsForm(
            (HlsProcess("depth_to_space_rows", ("in0",), names,
                        HlsLoop(np.ones_like(split), split, self.height * self.width), suffix="_rows"),
             HlsProcess("depth_to_space", names, ("out0",), HlsLoop(join, np.ones_like(join), self.height),
                        outputs_first=True)),
            dict.fromkeys(names, row))

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"simd": self.row_channels}

    def parameters(self) -> Parameters:
        return (
            ("HEIGHT", self.height), ("WIDTH", self.width), ("CHANNELS", self.channels),
            ("BLOCK_H", self.block[0]), ("BLOCK_W", self.block[1]), ("SIMD", self.simd), ("E_BITS", self.element.bits),
            ("DEPTH", self.depth),
        )

    def amounts(self, a: Amounts) -> None:
        """Counters of the loops with their ends, two counters of differences, two addresses, the buffer."""
        counters(a, self.run, self.width, self.block[0])
        address = (self.depth - 1).bit_length()
        a.add("depth to space", lut=9 + 2.6 * address, ff=8 + 4 * address)
        bits = self.inputs[0].bits
        ram(a, self.store, self.depth, bits)
