"""Stand-alone multi-threshold: y = base + #{k : x >= T_ck}, in inverted channels y = base + N - #{k : x >= T_ck}.

Inversion is for a negative scale that no weight can take in, behind a join. As x < T is ~x >= -T in two's complement,
the kernels of an inverted channel complement x and search thresholds -T: it costs one XOR per bit and no subtraction.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.structures import counters, slices
from headrace.area.thresholds import MAX_TABLE_GROUPS
from headrace.datatypes import SIGNED, DataType, IntArray, signed_bits, uint_type
from headrace.errors import InputError
from headrace.layers.activation import Activation, Search, base_code, multi_threshold, require_thresholds
from headrace.layers.base import Layer, Parameters
from headrace.layers.channelwise import Channelwise
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Schedule, Step
from headrace.layers.random_values import drawn_rows, random_thresholds
from headrace.layers.spec_fields import Fields
from headrace.packing import Memory, channel_words, is_uniform, threshold_words


@dataclass(frozen=True, eq=False)
class Threshold(Channelwise):
    """Multi-threshold over `pixels` pixels of C channels, PE channels per cycle.

    thresholds: (C, N) ascending along N with N = output.steps, compared as T <= x. `inverted` lists the channels whose
    count is taken from N. Where all groups of PE channels are alike, one of them is stored.
    """

    kind = "threshold"
    #: A search of three steps, some channels inverted, words of 12 and 6 bits.
    example = {"channels": 6, "pe": 2, "pixels": 7, "input": "int6", "output": "uint3", "inverted": True}
    hls_memories = ("INVERTED", "THRESHOLDS")
    name: str
    thresholds: IntArray
    input: DataType
    output: DataType
    pixels: int
    inverted: frozenset[int] = frozenset()
    pe: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        require_thresholds(self.name, self.thresholds, self.channels, self.output)
        if unknown := sorted(c for c in self.inverted if not 0 <= c < self.channels):
            raise InputError(f"{self.name}: inverted channel {unknown[0]} does not exist; "
                             f"use 0 to {self.channels - 1}")

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        channels, element, dtype = f.integer("channels"), f.varying("input"), f.varying("output")
        pixels, pe = f.integer("pixels"), f.integer("pe", 1)
        rows = drawn_rows(f, channels)
        # Three quarters of the range on both sides of its middle, since the input is uniform.
        span = 3 * (element.hi - element.lo)
        middle = (element.hi + element.lo) // 2
        drawn = random_thresholds(f.name, rng, rows * (middle - span), rows * (middle + span), dtype)
        inverted = frozenset(np.flatnonzero(rng.integers(0, 2, channels)).tolist() if f.flag("inverted") else ())
        thresholds = np.broadcast_to(drawn, (channels, dtype.steps))
        return cls(f.name, thresholds, element, dtype, pixels, inverted, pe)

    @property
    def channels(self) -> int:
        return int(self.thresholds.shape[0])

    @property
    def is_inverted(self) -> IntArray:
        """For every channel 1 if it is inverted, else 0."""
        return np.isin(np.arange(self.channels), list(self.inverted)).astype(np.int64)

    def golden(self, *x: IntArray) -> IntArray:
        frames = x[0].reshape(len(x[0]), self.pixels, self.channels)
        y = multi_threshold(frames, self.thresholds, self.output)
        return np.where(self.is_inverted, self.output.lo + self.output.hi - y, y).reshape(len(frames), -1)

    def schedule(self) -> Schedule:
        # The value and its first threshold, the further steps of the search, the output slice.
        latency = 2 + self.activation.search.latency_cycles
        return Schedule((Step(self.pixels * self.pixel_words, 1, 1),), latency, slack_words=1,
                        flow=Pipeline(latency - 1, direct=True))

    @property
    def acc_bits(self) -> int:
        """Width of the kernel's values and thresholds in two's complement, one step above the input's range."""
        lo, hi = self.input.lo, self.input.hi + 1
        return max(signed_bits(lo, hi), signed_bits(-hi, -lo) if self.inverted else 0)

    @property
    def value_bits(self) -> int:
        """Width of the kernel's values in two's complement: an unsigned one has a zero in front."""
        return self.input.bits if self.input.kind == SIGNED else self.input.bits + 1

    @cached_property
    def kernel_thresholds(self) -> IntArray:
        """(C, N) what the kernels compare with. Thresholds beyond the range of the input act like those at its ends."""
        T = np.clip(self.thresholds, self.input.lo, self.input.hi + 1)
        return np.where(self.is_inverted[:, None] != 0, -T[:, ::-1], T)

    @cached_property
    def _words(self) -> tuple[IntArray, IntArray]:
        """Words of the thresholds and of the inversion, one of each if all groups are alike."""
        words = threshold_words(self.kernel_thresholds, self.pe), channel_words(self.is_inverted, self.pe)
        return (words[0][:1], words[1][:1]) if all(map(is_uniform, words)) else words

    def parameters(self) -> Parameters:
        return (
            ("CHANNELS", self.channels), ("PE", self.pe), ("PIXELS", self.pixels), ("GROUPS", len(self._words[0])),
            ("A_BITS", self.input.bits), ("A_KIND", self.input.kind), ("ACC_BITS", self.acc_bits),
            ("N", self.output.steps), ("O_BITS", self.output.bits), ("BASE", base_code(self.output)),
            ("INVERTS", int(bool(self.inverted))),
        )

    def memories(self) -> tuple[Memory, ...]:
        inverted = Memory("INVERTED", self._words[1], uint_type(1))
        return (self.activation.memory(), *([inverted] if self.inverted else []))

    @cached_property
    def activation(self) -> Activation:
        """The bounds of the search; of one group of channels where all are alike."""
        rows = len(self._words[0]) * self.pe
        T = self.kernel_thresholds[:rows]
        never = np.where(self.is_inverted != 0, -self.input.lo, self.input.hi + 1)[:rows]
        search = Search(self.output, self.acc_bits, self.value_bits, self.pe, rows // self.pe, prices=self.prices)
        return Activation(search, T, T, never)

    def amounts(self, a: Amounts) -> None:
        """LUTs and flip-flops: values, a slice and the counter of groups here, the search in area/thresholds.py."""
        groups = self.activation.search.groups
        slices(a, self.outputs[0].bits)
        counters(a, groups)
        a.add("threshold", lut=4, ff=1)
        a.add("value", lut=self.pe * self.input.bits if self.inverted else 0, ff=self.pe * self.input.bits)
        if self.inverted:
            # A mask of two LUTs or more is joined with every bit that it inverts.
            a.add("inverted", lut=self.pe * (1 if groups <= MAX_TABLE_GROUPS else 2 * self.value_bits))
        self.activation.amounts(a)
