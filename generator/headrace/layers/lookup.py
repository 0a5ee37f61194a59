"""Table: y = table_c[x] per channel, for functions of a code that neither rise nor fall throughout.

Behind a threshold, whose code is the number of an interval, it gives what a function that turns is in that interval.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, different, rom, slices
from headrace.datatypes import DataType, IntArray, Interval
from headrace.errors import InputError, require_positive
from headrace.layers.base import Layer, Parameters
from headrace.layers.channelwise import Channelwise
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Schedule, Step
from headrace.layers.random_values import random_values, require_drawable
from headrace.layers.spec_fields import Fields
from headrace.packing import Memory, is_uniform, table_words

#: Widest input, whose every code has an entry.
MAX_INPUT_BITS = 10


def require_table(what: str, table: IntArray, channels: int, element: DataType, output: DataType) -> None:
    """Raise InputError unless a table has a value of `output` for every value of `element` in every channel."""
    if not isinstance(element, Interval) or element.bits > MAX_INPUT_BITS:
        raise InputError(f"{what}: a table of an input of {element} is not possible; use whole numbers of at most "
                         f"{MAX_INPUT_BITS} bits")
    if table.shape != (channels, element.steps + 1):
        raise InputError(f"{what}: a table of shape {table.shape} should have shape ({channels}, {element.steps + 1}); "
                         f"give one entry per channel and value of {element}")
    if not output.contains(table):
        raise InputError(f"{what}: entries from {table.min()} to {table.max()} exceed their type {output}; widen it")


@dataclass(frozen=True, eq=False)
class Lookup(Channelwise):
    """Table over `pixels` pixels of C channels, PE channels per cycle.

    table: (C, N) the outputs for the N values of `input`, lowest first. Where all groups of PE channels are alike, one
    of them is stored.
    """

    kind = "lookup"
    #: Two groups of three channels, words of 9 and 15 bits, codes without a meaning.
    example = {"channels": 6, "pe": 3, "pixels": 7, "input": "[-2,3]", "output": "int5"}
    hls_memories = ("TABLE",)
    name: str
    table: IntArray
    input: DataType
    output: DataType
    pixels: int
    pe: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_table(self.name, self.table, self.channels, self.input, self.output)

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        channels, element, dtype = f.integer("channels"), f.dtype("input"), f.dtype("output")
        pixels, pe, rows = f.integer("pixels"), f.integer("pe", 1), 1 if f.flag("shared") else channels
        require_positive(f.name, channels=channels)
        entries = min(element.steps + 1, 2 << MAX_INPUT_BITS)
        require_drawable(f.name, "entries", channels * entries)
        table = np.broadcast_to(random_values(rng, dtype, (rows, entries)), (channels, entries))
        return cls(f.name, table, element, dtype, pixels, pe)

    @property
    def channels(self) -> int:
        return len(self.table)

    def golden(self, *x: IntArray) -> IntArray:
        frames = x[0].reshape(len(x[0]), self.pixels, self.channels)
        return self.table[np.arange(self.channels), frames - self.input.lo].reshape(len(frames), -1)

    def schedule(self) -> Schedule:
        # The address, the entry, the output slice.
        return Schedule((Step(self.pixels * self.pixel_words, 1, 1),), latency_cycles=3, slack_words=1,
                        flow=Pipeline(2, direct=True))

    @cached_property
    def _words(self) -> IntArray:
        """Words [PE] of the table by group and code; of one group if all are alike."""
        entries = 1 << self.input.bits
        words = table_words(self.table, self.input, self.pe)
        return words[:entries] if is_uniform(words.reshape(-1, entries * self.pe, 1)) else words

    @property
    def lanes(self) -> int:
        """Rows whose entries stand in a word of the RTL: 1 where all channels have one table, else PE."""
        return 1 if is_uniform(self.table) else self.pe

    def parameters(self) -> Parameters:
        return (
            ("CHANNELS", self.channels), ("PE", self.pe), ("PIXELS", self.pixels),
            ("GROUPS", len(self._words) >> self.input.bits), ("LANES", self.lanes), ("A_BITS", self.input.bits),
            ("O_BITS", self.output.bits),
        )

    def memories(self) -> tuple[Memory, ...]:
        stored = self._words[:, : self.lanes], self.output
        return (Memory("TABLE", self._words, self.output, stored, self.prices),)

    def amounts(self, a: Amounts) -> None:
        """A table per PE, a slice behind it (headrace_lookup)."""
        depth = len(self._words)
        slices(a, self.outputs[0].bits)
        counters(a, depth >> self.input.bits)
        a.add("lookup", lut=3, ff=2)
        bits = self.output.bits
        for _ in range(self.pe):  # every row reads all lanes, and synthesis keeps its own
            rom(a, depth, self.lanes * bits, registers=1, stored=lambda rows: -(-depth // rows) * bits,
                kept=different(bits, depth))
            a.add("entry", ff=bits)
