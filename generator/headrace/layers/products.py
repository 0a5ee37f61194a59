"""Rows of weights times columns: the operands, their compute core, exact accumulators, where the weights lie."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from headrace.area.estimate import estimate_alike
from headrace.area.usage import Resources
from headrace.array_cache import of_array
from headrace.datatypes import BIPOLAR, DataType, IntArray, Interval, as_int, dot_product_interval, narrow, signed_bits
from headrace.errors import InputError
from headrace.fold_rule import require_divides
from headrace.layers.base import Grid, Layer, Parameters
from headrace.layers.cores import CORES, PLAIN, Core, Mixed, Operands, Unit, core_named
from headrace.layers.cores.choice import AUTO, cheapest, in_other_resource, require_serves
from headrace.layers.weight_store import OPTIONS, RAM, ROM, URAM
from headrace.packing import Memory, weight_words

#: The kernels' sums, with one step above them for a threshold that is never reached, are native integers.
MAX_SUM_BITS = 62


@dataclass(frozen=True, eq=False)
class Products(Layer):
    """Rows of weights, PE at a time, times columns, SIMD at a time.

    weights: (MH, MW) values of `weight`. thresholds: (MH, N) ascending along N with N = output.steps, compared as
    T <= acc; None puts out the accumulator, and `output` must hold its reachable range. vectors: results of MH rows per
    frame. core: the arithmetic, as layers.cores.core_named knows it, or "auto" for the cheapest. storage: ROM, RAM or
    URAM; with the latter two the processor can write all weights of the type, and any thresholds, so that the
    accumulators are wide enough for them.
    """

    #: How errors call the rows and the columns.
    size_names: ClassVar[tuple[str, str]] = ("MH", "MW")
    #: True if all rows multiply the same activations.
    shares_activations: ClassVar[bool] = True
    has_load_port = True
    name: str
    weights: IntArray
    thresholds: IntArray | None
    weight: DataType
    input: DataType
    output: DataType
    vectors: int
    pe: int = 1
    simd: int = 1
    core: str = AUTO
    storage: str = ROM

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", narrow(self.weights, self.weight))
        require_sum_fits(self.name, self.largest_sum, self.input)
        require_divides(self.name, "PE", self.pe, self.size_names[0], self.mh)
        require_divides(self.name, "SIMD", self.simd, self.column_size_name, self.fold_sizes["simd"])
        if self.storage != ROM:
            self._require_plain()
        require_serves(self.name, self.core, self.operands)
        if not holds(self.weights, self.weight):
            raise InputError(f"{self.name}: the weights reach from {self.weights.min()} to {self.weights.max()} "
                             f"but their type is {self.weight}; widen the type")

    def _require_plain(self) -> None:
        """Raise InputError for what only fixed weights can be combined with."""
        kind = "writable" if self.writable else "external"
        if self.has_scales:
            raise InputError(f"{self.name}: its weights have scales and cannot be {kind}; leave it out of "
                             f"{OPTIONS[self.storage]}")
        named = core_named(self.core)
        if self.core != AUTO and not (named and named.takes_any_weights):
            able = [name for name, core in CORES.items() if core.takes_any_weights and core.serves(self.operands)]
            raise InputError(f"{self.name}: core {self.core} needs weights that stay; choose core "
                             f"{' or '.join(able)} for a layer whose weights are {kind}")

    @property
    def mh(self) -> int:
        """Rows of the weight matrix."""
        return int(self.weights.shape[0])

    @property
    def mw(self) -> int:
        """Columns of the weight matrix."""
        return int(self.weights.shape[1])

    @property
    def nf(self) -> int:
        """Row groups, MH/PE."""
        return self.mh // self.pe

    @property
    def sf(self) -> int:
        """Words of one row group, MW/SIMD."""
        return self.mw // self.simd

    @property
    def column_size_name(self) -> str:
        """How errors call what SIMD divides."""
        return self.size_names[1]

    @property
    def effective_weights(self) -> IntArray:
        """(MH, MW) what the columns are multiplied by in all."""
        return self.weights

    @property
    def largest_sum(self) -> int:
        """The largest sum over a row of what the columns are multiplied by, without signs."""
        if self.writable:
            return self.mw * max(abs(self.weight.lo), abs(self.weight.hi))
        return largest_row_sum(self.effective_weights)

    @cached_property
    def accumulator(self) -> Interval:
        """Exact reachable range of all accumulators, from the actual weights unless these can be written."""
        if self.writable:
            ends = [w * x for w in (self.weight.lo, self.weight.hi) for x in (self.input.lo, self.input.hi)]
            return Interval(self.mw * min(ends), self.mw * max(ends))
        return reachable(self.effective_weights, self.input)

    @property
    def multiplies_bits(self) -> bool:
        """True if both operands are bipolar: a product is XNOR, a sum of products 2 * matches - columns."""
        return self.weight == BIPOLAR and self.input == BIPOLAR

    @cached_property
    def operands(self) -> Operands:
        """What decides on the core."""
        return Operands(self.weight, self.input, self.pe, self.simd, self.shares_activations, self.has_scales,
                        self.thresholds is not None, self.nf * self.sf)

    @property
    def has_scales(self) -> bool:
        """True if the columns stand in groups with scales of their own."""
        return False

    @cached_property
    def arithmetic(self) -> Core:
        """The core that computes the layer."""
        if named := core_named(self.core):
            return named
        return PLAIN if self.storage != ROM else cheapest(self.operands, self._estimate_with, self.prices)

    def with_other_core(self) -> Self | None:
        if self.core != AUTO or self.storage != ROM:
            return None
        other = in_other_resource(self.operands, self.arithmetic, self._estimate_with)
        return replace(self, core=other.full_name) if other else None

    def with_dsp_blocks(self, blocks: int) -> Self | None:
        multipliers = blocks
        while core := Mixed().within(self.operands, multipliers):
            taken = self._estimate_with(core).dsp
            if taken <= blocks:
                return replace(self, core=core.full_name)
            multipliers = min(multipliers - 1, multipliers * blocks // taken)
        return None

    def _estimate_with(self, core: Core) -> Resources:
        if core not in self._estimates:
            self._estimates[core] = estimate_alike(self.area_facts_with(core),
                                                   lambda: replace(self, core=core.full_name))
        return self._estimates[core]

    @cached_property
    def _estimates(self) -> dict[Core, Resources]:
        """Those that were made, by core."""
        return {}

    @property
    def area_facts(self) -> Hashable | None:
        return self.area_facts_with(self.arithmetic)

    def area_facts_with(self, core: Core) -> Hashable | None:
        """The layer's `area_facts` with a core."""
        return None

    @property
    def chosen_core(self) -> str:
        """Its full name: never "auto"."""
        return self.arithmetic.full_name

    def unit(self, core: Core) -> Unit:
        """The layer as it surrounds a core."""
        acc_bits = self._acc_bits(core)
        return Unit(self.operands, self.sf, self.nf, self.sum_bits or acc_bits, acc_bits, self._presets(core))

    def _presets(self, core: Core) -> bool:
        one = self.thresholds is not None and self.output.steps == 1
        return core.presets_threshold and self.counts_matches and one

    @property
    def sum_bits(self) -> int:
        """Width of a word's sums; 0: that of the accumulators."""
        return 0

    @property
    def presets_threshold(self) -> bool:
        """True if the accumulators start at minus the threshold and their signs are the results."""
        return self._presets(self.arithmetic)

    def written_to(self, storage: str) -> Self:
        """The layer with weights and thresholds that the processor can write; raw sums get the type that holds any.

        Raises InputError for a layer with scales, or with a core that needs weights that stay.
        """
        if self.thresholds is not None:
            return replace(self, storage=storage)
        # First the wide type, then the weights that need it.
        ends = [self.mw * w * x for w in (self.weight.lo, self.weight.hi) for x in (self.input.lo, self.input.hi)]
        return replace(self, output=Interval(min(ends), max(ends)), storage=storage)

    @property
    def writable(self) -> bool:
        """True if the processor can write the weights and thresholds."""
        return self.storage in (RAM, URAM)

    def load_parameters(self, first_memory: int) -> Parameters:
        return (("WRITABLE", 1), ("URAM", int(self.storage == URAM)), ("FIRST_MEMORY", first_memory))

    @property
    def macs(self) -> int:
        return self.mh * self.mw * self.vectors

    def out_grid(self, grid: Grid | None) -> Grid | None:
        """That of the windows, one vector each; a dense layer makes one pixel."""
        if self.vectors == 1:
            return 1, 1
        return grid if grid is not None and grid[0] * grid[1] == self.vectors else None

    @property
    def facts(self) -> dict[str, Any]:
        return {"mw": self.mw, "mh": self.mh, "vectors": self.vectors, "weight_bits": self.weight.bits,
                "weight_type": str(self.weight), "weights_in": self.storage, "core": self.chosen_core}

    @property
    def counts_matches(self) -> bool:
        """True if the kernel's accumulator counts XNOR matches, acc = 2 * matches - MW."""
        return self.multiplies_bits

    @cached_property
    def kernel_accumulator(self) -> Interval:
        """Range of what the kernel accumulates and compares: matches or sums, one step above for "never reached"."""
        if self.counts_matches:
            return Interval(0, self.mw + 1)
        return Interval(self.accumulator.lo, self.accumulator.hi + 1)

    @cached_property
    def acc_bits(self) -> int:
        """Width of the kernel's two's complement accumulator and thresholds."""
        return self._acc_bits(self.arithmetic)

    def _acc_bits(self, core: Core) -> int:
        """That with a core: its own sums, and the thresholds as the HLS kernel compares them."""
        lo, hi = self.kernel_accumulator.lo, self.kernel_accumulator.hi
        factor, least, largest = core.accumulated_bounds(self.weights, self.operands)
        return signed_bits(min(lo, factor * lo - largest), max(hi, factor * hi - least))

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.mh, "simd": self.mw}

    def weight_memory(self) -> Memory:
        """The memory WEIGHTS."""
        words = weight_words(as_int(self.weights), self.pe, self.simd)
        return Memory("WEIGHTS", words, self.weight, self.arithmetic.recoded(words, self.operands),
                      self.prices if self.arithmetic.stores_weights and not self.writable else None)


@of_array
def largest_row_sum(weights: IntArray) -> int:
    """The largest sum of a row of weights (MH, MW) without their signs."""
    return int(np.abs(as_int(weights)).sum(1).max())


@of_array
def reachable(weights: IntArray, inputs: DataType) -> Interval:
    """The range of all rows of weights (MH, MW) times values of `inputs`."""
    lo, hi = dot_product_interval(weights, inputs)
    return Interval(int(lo.min()), int(hi.max()))


@of_array
def holds(values: IntArray, dtype: DataType) -> bool:
    """Are all values of the type?"""
    return dtype.contains(values)


def require_sum_fits(layer: str, largest: int, inputs: DataType) -> None:
    """Raise InputError if a sum of weights, `largest` without signs, times `inputs` can leave the kernels' integers."""
    reach = largest * max(abs(inputs.lo), abs(inputs.hi))
    if (bits := signed_bits(-reach, reach)) > MAX_SUM_BITS:
        raise InputError(f"{layer}: a sum of weights times {inputs} needs {bits} bits and at most {MAX_SUM_BITS} are "
                         "possible; use narrower weights or inputs")
