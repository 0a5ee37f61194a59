"""What a compute core is: a form of the integer arithmetic of a matrix-vector unit, with a cost of its own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from headrace.area.amounts import Amounts
from headrace.datatypes import BIPOLAR, DataType, IntArray


@dataclass(frozen=True)
class Operands:
    """What decides on a core: the types, rows and columns per cycle, and how they come and go.

    shared: all rows multiply the same activations. scaled: the columns stand in groups with scales of their own.
    thresholded: the sums only meet thresholds. words: of weights, one per cycle of a vector.
    """

    weight: DataType
    input: DataType
    pe: int
    simd: int
    shared: bool
    scaled: bool
    thresholded: bool
    words: int

    def refusal(self, *, scaled: bool = False, thresholded: bool = False) -> str:
        """Why rows of the same activations are no rows of these, as a clause; "" where they are.

        scaled: with scales too. thresholded: in front of thresholds.
        """
        if not self.shared:
            return "its rows share activations, and those of a depthwise layer do not"
        if self.scaled and not scaled:
            return "it takes no weights with scales"
        if thresholded and not self.thresholded:
            return "it takes sums that only meet thresholds, and this layer puts out its sums"
        return ""

    @property
    def binary(self) -> bool:
        """True if both are bipolar: products are XNOR matches."""
        return self.weight == BIPOLAR and self.input == BIPOLAR

    @property
    def has_bipolar(self) -> bool:
        """True if one is bipolar: products are signs."""
        return BIPOLAR in (self.weight, self.input)


@dataclass(frozen=True)
class Unit:
    """What surrounds a core, for its area.

    words: of a row. groups: of rows. sum_bits: width of a word's sums. acc_bits: width of an accumulator. preset: the
    accumulators start at minus the threshold.
    """

    operands: Operands
    words: int
    groups: int
    sum_bits: int
    acc_bits: int
    preset: bool = False


class Core(ABC):
    """One form of the arithmetic: the module headrace_dot_NAME, which headrace_dot_product chooses by `number`."""

    name: ClassVar[str]
    #: What the parameter CORE of the SystemVerilog has for it.
    number: ClassVar[int]
    #: True if weights may change or come from outside: the memory holds them as they are.
    takes_any_weights: ClassVar[bool] = False
    #: Most words of weights that it has as constants of its logic; None if a memory holds the weights.
    most_words: ClassVar[int | None] = None
    #: True if results that only meet thresholds are a condition: these take up what the core leaves out.
    needs_thresholds: ClassVar[bool] = False
    #: True if it is built where it is asked for, or where a board is filled, but not by its cost alone.
    on_request: ClassVar[bool] = False
    #: True if some rows of a word are computed in another way than the others.
    splits_rows: ClassVar[bool] = False
    #: True if accumulators are preset to minus a single threshold.
    presets_threshold: ClassVar[bool] = False

    @property
    def stores_weights(self) -> bool:
        """True if a memory holds the weights."""
        return self.most_words is None

    @property
    def full_name(self) -> str:
        """Its name as a request has it, with what there is to say beside it."""
        return self.name

    def serves(self, operands: Operands) -> bool:
        """True if the core computes products of these operands."""
        return not self.refusal(operands)

    @abstractmethod
    def refusal(self, operands: Operands) -> str:
        """Why the core does not compute products of these operands, as a clause about `it`; "" where it does."""

    def forms_that_serve(self, operands: Operands) -> str:
        """As which of its forms the core would serve instead, as a request writes them; "" where it has none."""
        return ""

    @abstractmethod
    def stages(self, operands: Operands, preset: bool) -> int:
        """Registered stages from the operands to the sums of one word. preset: with the threshold in them."""

    def recoded(self, words: IntArray, operands: Operands) -> tuple[IntArray, DataType] | None:
        """Memory words (depth, PE, SIMD) and their type as the core reads them; None: as they are."""
        return None

    def accumulated(self, weights: IntArray, operands: Operands) -> tuple[int, IntArray]:
        """Factor and offsets: for every row of weights (MH, MW) the accumulator holds factor * sum - offset."""
        return 1, np.zeros(len(weights), np.int64)

    def accumulated_bounds(self, weights: IntArray, operands: Operands) -> tuple[int, int, int]:
        """The factor, the least and the largest offset of `accumulated`."""
        if not self.needs_thresholds:
            return 1, 0, 0
        factor, offset = self.accumulated(weights, operands)
        return factor, int(offset.min()), int(offset.max())

    @abstractmethod
    def amounts(self, a: Amounts, unit: Unit) -> None:
        """LUTs, flip-flops and DSP blocks of the core up to the sums of one word, and of what recodes activations."""

    def adds_two(self, unit: Unit) -> bool:
        """True if the accumulator adds two numbers of every word."""
        return False
