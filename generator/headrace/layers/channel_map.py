"""Channels of every pixel in another order, some left out, some twice, some constant.

Three forms, cheapest first. `filter`: whole words stay, go, or are put again, in their order; a constant word is put
without one. `wires`: a word is a pixel, and its lanes only change places. `buffer`: two pixels are stored, and words
leave in any order. A fold whose lanes would mix within words of a part of a pixel has none of these forms.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Final, Literal

import numpy as np

from headrace import memory
from headrace.area.amounts import Amounts
from headrace.area.structures import counters, ram, slices, table_luts
from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval, uint_type
from headrace.errors import FoldingError, InputError, require_positive
from headrace.fold_rule import divisors
from headrace.layers.base import Layer, Parameters
from headrace.layers.flow import Buffer, Pipeline, Ring
from headrace.layers.hls import HlsForm, HlsLoop, HlsProcess, single_process
from headrace.layers.phases import Loop, Schedule, Step, demand_phases
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream
from headrace.packing import Memory

#: Stands for the constant among channels and words.
CONSTANT: Final = -1
#: Words of the memory of a filter: what a step does.
_READS, _WRITES, _IS_CONSTANT, _AGAIN = 1, 2, 4, 8
#: The C++ reads a stored word so many iterations after it came, or later.
_HLS_DISTANCE: Final = 4
_MODES: Final = ("filter", "buffer", "wires")


@dataclass(frozen=True)
class ChannelMap(Layer):
    """Channel i out is channel sources[i] of the pixel in, or the integer `constant` where that is -1."""

    kind = "channel_map"
    #: Channels left out in front, one word in the place of another, and a constant word behind.
    example = {"channels": 8, "sources": [2, 3, 6, 7, -1, -1], "simd": 2, "pe": 2, "element": "int3", "pixels": 4,
               "constant": -2}
    hls_memories = ("MAP",)
    name: str
    channels: int
    sources: tuple[int, ...]
    element: DataType
    pixels: int
    constant: int = 0
    simd: int = 1
    pe: int = 1

    def __post_init__(self) -> None:
        require_positive(self.name, channels=self.channels, pixels=self.pixels, simd=self.simd, pe=self.pe)
        if not self.sources or min(self.sources) < CONSTANT or max(self.sources) >= self.channels:
            raise InputError(f"{self.name}: sources={list(self.sources)} should be channels from 0 to "
                             f"{self.channels - 1}, or -1 for a constant; name one at least")
        if CONSTANT in self.sources and not self.element.contains(np.asarray([self.constant])):
            raise InputError(f"{self.name}: constant={self.constant} is not a value of {self.element}; use one that it "
                             "holds")
        if not self._wires and (self.simd != self.pe or self.simd not in self.word_lanes):
            raise FoldingError(f"{self.name}: SIMD={self.simd} and PE={self.pe} would mix the lanes of words; choose "
                               f"the same of {self.word_lanes} for both, or SIMD={self.channels} and "
                               f"PE={len(self.sources)}")

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        return cls(f.name, f.integer("channels"), f.counts("sources"), f.dtype("element"), f.integer("pixels"),
                   f.integer("constant", 0), f.integer("simd", 1), f.integer("pe", 1))

    @property
    def _wires(self) -> bool:
        return self.simd == self.channels and self.pe == len(self.sources)

    @cached_property
    def word_lanes(self) -> list[int]:
        """Lanes with which every word out is a word in or constant."""
        return [lanes for lanes in divisors(gcd(self.channels, len(self.sources))) if self._whole(lanes)]

    def _whole(self, lanes: int) -> bool:
        words = np.reshape(self.sources, (-1, lanes))
        constant = np.all(words == CONSTANT, axis=1)
        starts = words[:, :1]
        moved = np.all(words == starts + np.arange(lanes), axis=1) & (starts[:, 0] % lanes == 0)
        return bool(np.all(constant | (moved & (starts[:, 0] >= 0))))

    @cached_property
    def words(self) -> IntArray:
        """(words of a pixel out,): the word of the pixel in that it is, or CONSTANT."""
        return np.asarray(np.reshape(self.sources, (-1, self.simd))[:, 0] // self.simd)

    @cached_property
    def mode(self) -> Literal["filter", "buffer", "wires"]:
        """How the words get their places."""
        if self._wires:
            return "wires"
        moved = self.words[self.words >= 0]
        return "filter" if np.all(np.diff(moved) >= 0) else "buffer"

    @property
    def pixel_words(self) -> int:
        """Words per pixel in, channels/SIMD."""
        return self.channels // self.simd

    @property
    def out_pixel_words(self) -> int:
        """Words per pixel out."""
        return len(self.sources) // self.pe

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.simd, self.pixels * self.pixel_words),)

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.element, self.pe, self.pixels * self.out_pixel_words),)

    def golden(self, *x: IntArray) -> IntArray:
        pixels = x[0].reshape(-1, self.channels)
        columns = [pixels[:, source] if source >= 0 else np.full(len(pixels), self.constant) for source in self.sources]
        return np.stack(columns, axis=1).reshape(len(x[0]), -1)

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """What a filter does for a pixel, step by step: it reads, writes, or writes the constant or the last one again.

        A pixel that starts with the constant reads its first word at once: nothing of a frame leaves before it came.
        """
        words = self.words.tolist()
        steps = [_READS | _WRITES | _IS_CONSTANT] if words[0] < 0 else []
        taken = len(steps)
        for word in words[taken:]:
            steps += [_READS] * (word - taken)
            steps.append(_WRITES | (_IS_CONSTANT if word < 0 else _READS if word >= taken else _AGAIN))
            taken = max(taken, word + 1)
        return (*steps, *[_READS] * (self.pixel_words - taken))

    def schedule(self) -> Schedule:
        if self.mode == "buffer":
            needed = self._needed.reshape(-1) + 1
            return Schedule(demand_phases(needed, self.inputs[0].words), latency_cycles=2, slack_words=1,
                            run_ahead_words=self._depth - self.pixel_words, flow=Ring(self._buffer))
        steps = self.steps if self.mode == "filter" else (_READS | _WRITES,)
        pixel = tuple(Step(1, step & _READS, (step & _WRITES) // _WRITES) for step in steps)
        return Schedule((Loop(self.pixels, pixel),), latency_cycles=2, flow=Pipeline(0, single=True))

    @property
    def _needed(self) -> IntArray:
        """(pixels, words out): the word of the frame that each waits for; the last waits for all of the pixel."""
        waits = np.maximum(self.words, 0)
        waits[-1] = self.pixel_words - 1
        return np.asarray(np.arange(self.pixels)[:, None] * self.pixel_words + waits)

    @property
    def _depth(self) -> int:
        """Words of two pixels, up to a power of two."""
        return 1 << (2 * self.pixel_words - 1).bit_length()

    @property
    def _buffer(self) -> Buffer:
        kept = np.arange(self.pixels) * self.pixel_words
        return Buffer(self.inputs[0].words, self._depth, True, self._needed, kept, release_cycles=1)

    @property
    def hls(self) -> HlsForm:
        if self.mode != "buffer":
            return single_process(self.kind, 1, 1, self.schedule(), self.hls_memories)
        period, put = max(self.pixel_words, self.out_pixel_words), self.out_pixel_words
        ends = (self.pixels - 1) * period + max(self.pixel_words, self._delay + put)
        taken, given = np.arange(ends), np.arange(ends) - self._delay
        reads = (taken < self.pixels * period) & (taken % period < self.pixel_words)
        writes = (given >= 0) & (given % period < put)
        loop = HlsLoop(reads.astype(np.int64), writes.astype(np.int64))
        return HlsForm((HlsProcess(self.kind, ("in0",), ("out0",), loop, self.hls_memories),))

    @property
    def _delay(self) -> int:
        """Iterations of the C++ from a pixel's first word in to its first out: none leaves too soon after its store."""
        earlier = int((self.words - np.arange(self.out_pixel_words))[self.words >= 0].max())
        return max(1, _HLS_DISTANCE + earlier)

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"simd": self.channels, "pe": len(self.sources)}

    def parameters(self) -> Parameters:
        code = (self.constant + 1) // 2 if self.element == BIPOLAR else self.constant
        buffered = self.mode == "buffer"
        return (
            ("FORM", _MODES.index(self.mode)), ("CHANNELS", self.channels), ("OUT_CHANNELS", len(self.sources)),
            ("PIXELS", self.pixels), ("SIMD", self.simd), ("PE", self.pe), ("E_BITS", self.element.bits),
            ("CONSTANT", code if CONSTANT in self.sources else 0),
            ("STEPS", self._delay if buffered else len(self.steps) if self.mode == "filter" else 1),
            ("DEPTH", self._depth if buffered else 2),
        )

    def memories(self) -> tuple[Memory, ...]:
        if self.mode == "filter":
            return (Memory("MAP", np.reshape(self.steps, (-1, 1, 1)), uint_type(4)),)
        if self.mode == "buffer":
            count, places = self.pixel_words, self.words
        else:
            count, places = self.channels, np.array(self.sources)
        indices = np.where(places < 0, count, places)
        shape = (-1, 1, 1) if self.mode == "buffer" else (1, 1, -1)
        return (Memory("MAP", indices.reshape(shape), Interval(0, count)),)

    def amounts(self, a: Amounts) -> None:
        """The structures of the form (headrace_channel_map)."""
        taken, put = self.inputs[0].bits, self.outputs[0].bits
        constants = CONSTANT in self.sources
        if self.mode == "buffer":
            index = (self._depth - 1).bit_length()
            ram(a, memory.ram(self._depth, taken, self.prices), self._depth, taken)
            counters(a, self.out_pixel_words)
            a.add("map table", lut=table_luts(self.out_pixel_words) * self.pixel_words.bit_length())
            a.add("map addresses", lut=4 * index, ff=3 * index + 4)
            return
        if self.mode == "wires":  # nothing stores a channel that nobody reads, or twice one that several read
            taken = put = len({source for source in self.sources if source >= 0}) * self.element.bits
        slices(a, taken)
        a.add("single slice", lut=2, ff=put + 1)
        if self.mode == "filter":
            repeats = any(step & _AGAIN for step in self.steps)
            counters(a, len(self.steps))
            a.add("map table", lut=3 * table_luts(len(self.steps)) if len(self.steps) > 1 else 0)
            a.add("map constants", lut=4 * constants)  # words that are put without one that is taken
            a.add("map words", lut=0.8 * put * (constants + repeats), ff=taken * repeats)
