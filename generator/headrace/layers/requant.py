"""Requantizer: y = clip(round((x * multiplier_c + offset_c) / 2^shift)) per channel, integers only.

round is half_up or half_even. Floor is half_up with 2^(shift-1) taken off the offset. For outputs above about 4 bits,
where thresholds grow large; whether it equals given thresholds is for the pass that chooses the numbers to prove.

Arithmetic that rounds twice, or ties away from zero, is a line with a kink: sums below 0 have `kink_c` taken off, and
the code `zero`, which stands for 0, is added behind the shift.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import Literal, cast, get_args

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.multipliers import dsp_blocks
from headrace.area.multipliers import slices as multiplier_slices
from headrace.area.structures import counters, rom, slices
from headrace.datatypes import Bipolar, DataType, IntArray, Interval, int_type, signed_bits
from headrace.errors import InputError
from headrace.layers.base import Layer, Parameters
from headrace.layers.channelwise import Channelwise
from headrace.layers.flow import Pipeline
from headrace.layers.phases import Schedule, Step
from headrace.layers.random_values import drawn_rows
from headrace.layers.spec_fields import Fields
from headrace.packing import Memory, channel_words, is_uniform

Rounding = Literal["half_up", "half_even"]
#: Sums are native integers in the C++ kernel.
MAX_SUM_BITS = 63
MAX_OUTPUT_BITS = 31


def rounded_shift(values: IntArray, shift: int, rounding: Rounding) -> IntArray:
    """values / 2^shift to the nearest integer; a tie goes up or to the even neighbour.

    >>> rounded_shift(np.array([-3, -2, -1, 1, 2, 3]), 1, "half_up").tolist()
    [-1, -1, 0, 1, 1, 2]
    >>> rounded_shift(np.array([-3, -2, -1, 1, 2, 3]), 1, "half_even").tolist()
    [-2, -1, 0, 0, 1, 2]
    """
    half = 1 << shift >> 1
    rounded = (values + half) >> shift
    tie = half > 0 and rounding == "half_even" and (values + half) & ((1 << shift) - 1) == 0
    return np.asarray(np.where(tie, rounded & ~1, rounded), np.int64)


def kinked(sums: IntArray, kink: IntArray | None) -> IntArray:
    """Sums (..., C) with the kink (C,) of their channel taken off below 0.

    >>> kinked(np.array([[-2], [-1], [0], [1]]), np.array([5])).ravel().tolist()
    [-7, -6, 0, 1]
    """
    return sums if kink is None else np.asarray(sums - np.where(sums < 0, kink, 0), np.int64)


def require_kink(kink: IntArray | None, zero: int, shape: tuple[int, ...], rounding: str) -> None:
    """Raise InputError unless a kink is one that a requantizer can have."""
    if kink is None:
        if zero:
            raise InputError(f"zero={zero} belongs to a kink; put it into the offsets")
        return
    if kink.shape != shape or kink.min() < 0:
        raise InputError(f"a kink of shape {kink.shape} from {kink.min()} on should have shape {shape} and no value "
                         "below 0; give one value per channel")
    if rounding != "half_up":
        raise InputError(f"a kink with rounding {rounding} does not exist; use half_up")


def sum_ends(multiplier: IntArray, offset: IntArray, shift: int, kink: IntArray | None, dtype: DataType) -> list[int]:
    """Sums at both ends of the input, with the half of the rounding and with the kink; in Python's integers."""
    # numpy's would wrap before they are checked
    kinks = [0] * len(multiplier) if kink is None else kink.tolist()
    half = 1 << shift >> 1
    return [m * end + o + part for end in (dtype.lo, dtype.hi)
            for m, o, k in zip(multiplier.tolist(), offset.tolist(), kinks, strict=True) for part in {half, half - k}]


@dataclass(frozen=True, eq=False)
class Requant(Channelwise):
    """Requantizer over `pixels` pixels of C channels, PE channels per cycle.

    multiplier, offset: (C,) integers of any sign. The result is clipped to `output`, which is not bipolar. Where all
    groups of PE channels are alike, one of them is stored. kink: None, or (C,) of 0 or more with rounding half_up;
    then `zero` is added in front of the clip.
    """

    kind = "requant"
    #: Ties to even, two groups of three channels, words of 27 and 15 bits.
    example = {"channels": 6, "pe": 3, "pixels": 7, "input": "int9", "output": "int5", "rounding": "half_even"}
    hls_memories = ("MULTIPLIERS", "OFFSETS", "BELOW")
    name: str
    multiplier: IntArray
    offset: IntArray
    shift: int
    rounding: Rounding
    input: DataType
    output: DataType
    pixels: int
    pe: int = 1
    kink: IntArray | None = None
    zero: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.multiplier.ndim != 1 or self.multiplier.shape != self.offset.shape:
            raise InputError(f"{self.name}: multiplier of shape {self.multiplier.shape} and offset of shape "
                             f"{self.offset.shape} must both have one value per channel")
        if self.rounding not in get_args(Rounding):
            raise InputError(f"{self.name}: rounding {self.rounding!r} is unknown; choose half_up or half_even")
        try:
            require_kink(self.kink, self.zero, self.multiplier.shape, self.rounding)
        except InputError as error:
            raise InputError(f"{self.name}: {error}") from None
        if self.shift < 0:
            raise InputError(f"{self.name}: shift={self.shift} must not be negative; scale multiplier and offset")
        if isinstance(self.output, Bipolar) or self.output.bits > MAX_OUTPUT_BITS:
            raise InputError(f"{self.name}: an output of {self.output} cannot be clipped to; use a threshold for "
                             f"bipolar, and {MAX_OUTPUT_BITS} bits or fewer")
        if self.sum_bits > MAX_SUM_BITS:
            raise InputError(f"{self.name}: x * multiplier + offset needs {self.sum_bits} bits and at most "
                             f"{MAX_SUM_BITS} are possible; use a smaller multiplier and shift")

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        channels, element, dtype = f.integer("channels"), f.varying("input"), f.varying("output")
        pixels, pe = f.integer("pixels"), f.integer("pe", 1)
        rows = drawn_rows(f, channels)
        # Scales around the one that maps the input's range onto the output's, in halves so that ties occur.
        shift = int(rng.integers(1, 5)) + max(0, (element.hi - element.lo).bit_length() - dtype.bits)
        scale = max(1, ((dtype.hi - dtype.lo) << shift) // (element.hi - element.lo))
        multiplier = rows * rng.integers(1, 2 * scale + 1, len(rows)) * rng.choice([-1, 1], len(rows))
        noise = rng.integers(-(1 << shift), (1 << shift) + 1, len(rows))
        offset = (((dtype.hi + dtype.lo) << shift) - multiplier * (element.hi + element.lo)) // 2 + noise
        multiplier, offset = (np.broadcast_to(values, (channels,)) for values in (multiplier, offset))
        rounding = cast(Rounding, f.text("rounding", "half_up"))  # checked by the layer
        if not f.flag("kinked"):
            return cls(f.name, multiplier, offset, shift, rounding, element, dtype, pixels, pe)
        kink = np.broadcast_to(rows * rng.integers(0, 1 << shift, len(rows)), (channels,))
        zero = int(rng.integers(dtype.lo, dtype.hi + 1))
        moved = offset - (zero << shift)
        return cls(f.name, multiplier, moved, shift, rounding, element, dtype, pixels, pe, kink, zero)

    def taking(self, element: DataType) -> Requant:
        return replace(self, input=element)

    @property
    def channels(self) -> int:
        return int(self.multiplier.shape[0])

    def golden(self, *x: IntArray) -> IntArray:
        frames = x[0].reshape(len(x[0]), self.pixels, self.channels)
        sums = kinked(frames * self.multiplier + self.offset, self.kink)
        y = rounded_shift(sums, self.shift, self.rounding) + self.zero
        return np.asarray(np.clip(y, self.output.lo, self.output.hi), np.int64).reshape(len(frames), -1)

    def schedule(self) -> Schedule:
        # Two reads, product, sum, that of slices and the kink if there are any, clipping, the output slice.
        stages = 5 + (self.kink is not None) + (multiplier_slices(self.input.bits) > 1)
        return Schedule((Step(self.pixels * self.pixel_words, 1, 1),), latency_cycles=stages + 1, slack_words=1,
                        flow=Pipeline(stages, direct=True))

    @cached_property
    def sum_bits(self) -> int:
        """Width of the kernel's sum in two's complement, the half of the rounding included."""
        ends = sum_ends(self.multiplier, self.offset, self.shift, self.kink, self.input)
        if self.kink is not None:  # the sum in front of the half
            half = 1 << self.shift >> 1
            ends += [end - half for end in sum_ends(self.multiplier, self.offset, self.shift, None, self.input)]
        return max(signed_bits(min(ends), max(ends)), self.shift + 1)

    @cached_property
    def _words(self) -> tuple[IntArray, ...]:
        """Words of the multipliers and of the offsets with the half in them, one of each if all groups are alike.

        With a kink the half stays out of the offsets: what is added below 0, the half less the kink, is a third word.
        """
        half = 1 << self.shift >> 1
        values = (self.multiplier, self.offset + half) if self.kink is None else (
            self.multiplier, self.offset, half - self.kink)
        words = tuple(channel_words(part, self.pe) for part in values)
        return tuple(part[:1] for part in words) if all(map(is_uniform, words)) else words

    def parameters(self) -> Parameters:
        multipliers, offsets, *below = self.memories()
        return (
            ("CHANNELS", self.channels), ("PE", self.pe), ("PIXELS", self.pixels), ("GROUPS", len(multipliers.words)),
            ("A_BITS", self.input.bits), ("A_KIND", self.input.kind),
            ("M_BITS", multipliers.dtype.bits), ("B_BITS", offsets.dtype.bits), ("SUM_BITS", self.sum_bits),
            ("SHIFT", self.shift), ("HALF_EVEN", int(self.rounding == "half_even")),
            ("KINKED", len(below)), ("K_BITS", below[0].dtype.bits if below else 1), ("ZERO", self.zero),
            ("O_BITS", self.output.bits), ("LO", self.output.lo), ("HI", self.output.hi),
        )

    def memories(self) -> tuple[Memory, ...]:
        names = self.hls_memories[: len(self._words)]
        return tuple(Memory(name, words, _storage(words), rom=self.prices)
                     for name, words in zip(names, self._words, strict=True))

    def amounts(self, a: Amounts) -> None:
        """Multiplier, offset, rounding and clipping per PE (headrace_requant)."""
        slices(a, self.outputs[0].bits)
        multipliers, offsets, *below = self.memories()
        counters(a, len(multipliers.words))
        rom(a, len(multipliers.words), multipliers.word_bits, registers=1)
        rom(a, len(offsets.words), offsets.word_bits)
        a.add("requant", lut=3, ff=5)
        a.add("elements", ff=self.pe * self.input.bits)  # all that follows is in the DSP block
        a.add("clip", lut=1.25 * self.pe * self.output.bits, ff=self.pe * self.output.bits)
        a.add("ties", lut=self.pe * ceil(self.shift / 3) if self.rounding == "half_even" else 0)
        for memory in below:  # a second sum, of the half or a word that waits two cycles longer
            rom(a, len(memory.words), memory.word_bits, registers=4)
            a.add("sum", lut=self.pe * self.sum_bits, ff=self.pe * self.sum_bits)
            a.add("zero", lut=self.pe * self.output.bits)
        dsp_blocks(a, self.pe * multiplier_slices(self.input.bits))


def _storage(words: IntArray) -> Interval:
    """Two's complement that holds all words."""
    return int_type(signed_bits(int(words.min()), int(words.max())))
