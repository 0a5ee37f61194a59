"""What matrix-vector units have in common: folded weights, exact accumulators, thresholds or none, the pipeline.

acc_i = sum over j of W_ij * x_j, then y_i = base + #{k : acc_i >= T_ik}, or acc_i itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from headrace.datatypes import DataType, IntArray, Interval, dot_product_interval, int_type, signed_bits, uint_type
from headrace.errors import InputError, require_divides
from headrace.layers.activation import base_code, multi_threshold, require_thresholds
from headrace.layers.base import Layer, Parameters
from headrace.layers.cores import AUTO, CORES, Operands, choose_core, sum_stages
from headrace.layers.flow import Pipeline
from headrace.layers.planes import plane_offset, plane_scale, plane_words
from headrace.layers.schedule import Step
from headrace.layers.search import bounds_memory, is_serial
from headrace.layers.stream import Stream
from headrace.packing import Memory, parity_code, search_words, threshold_words, weight_words

#: Where weights lie: fixed, in memory that the processor can write, in such UltraRAM, which it must load first, or
#: outside of the accelerator, from where they come as a stream.
ROM, RAM, URAM, EXTERNAL = "rom", "ram", "uram", "external"
#: The command's options that ask for them.
_OPTIONS = {RAM: "--writable", URAM: "--uram", EXTERNAL: "--external"}
#: The kernels' sums, with one step above them for a threshold that is never reached, are native integers.
MAX_SUM_BITS = 62


@dataclass(frozen=True, eq=False)
class WeightedLayer(Layer):
    """Rows of weights, PE at a time, times columns, SIMD at a time.

    weights: (MH, MW) values of `weight`. thresholds: (MH, N) ascending along N with N = output.steps, compared as
    T <= acc; None puts out the accumulator, and `output` must hold its reachable range. vectors: results of MH rows per
    frame. core: the arithmetic, one of cores.CORES, or "auto" for the cheapest. storage: ROM, RAM or URAM; with the
    latter two the processor can write all weights of the type, and any thresholds, so that the accumulators are wide
    enough for them.
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
        if self.storage != ROM:
            self._require_plain()
        require_sums_fit(self.name, self.effective_weights, self.input)
        require_divides(self.name, "PE", self.pe, self.size_names[0], self.mh)
        require_divides(self.name, "SIMD", self.simd, self.column_size_name, self.fold_sizes["simd"])
        choose_core(self.name, self.core, self.operands)
        if not self.weight.contains(self.weights):
            raise InputError(f"{self.name}: the weights reach from {self.weights.min()} to {self.weights.max()} "
                             f"but their type is {self.weight}; widen the type")
        if self.thresholds is not None:
            require_thresholds(self.name, self.thresholds, self.mh, self.output)
        elif self.output.lo > self.accumulator.lo or self.output.hi < self.accumulator.hi:
            raise InputError(f"{self.name}: the accumulator reaches from {self.accumulator.lo} to "
                             f"{self.accumulator.hi} but the output type is {self.output}; "
                             f"write {self.accumulator} or acc")

    def _require_plain(self) -> None:
        """Raise InputError for what only fixed weights can be combined with."""
        kind = "external" if self.storage == EXTERNAL else "writable"
        if self.has_scales:
            raise InputError(f"{self.name}: its weights have scales and cannot be {kind}; leave it out of "
                             f"{_OPTIONS[self.storage]}")
        if self.core not in (AUTO, "plain"):
            raise InputError(f"{self.name}: core {self.core} needs weights that stay; choose core plain for a layer "
                             f"whose weights are {kind}")

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
        """(MH, MW) what the columns are multiplied by in all; where the weights can be written, at most."""
        if self.writable:
            return np.full_like(self.weights, max(abs(self.weight.lo), abs(self.weight.hi)))
        return self.weights

    @cached_property
    def accumulator(self) -> Interval:
        """Exact reachable range of all accumulators, from the actual weights unless these can be written."""
        if self.writable:
            ends = [w * x for w in (self.weight.lo, self.weight.hi) for x in (self.input.lo, self.input.hi)]
            return Interval(self.mw * min(ends), self.mw * max(ends))
        lo, hi = dot_product_interval(self.effective_weights, self.input)
        return Interval(int(lo.min()), int(hi.max()))

    @property
    def multiplies_bits(self) -> bool:
        """True if both operands are bipolar: a product is XNOR, a sum of products 2 * matches - columns."""
        return self.operands.binary

    @property
    def operands(self) -> Operands:
        """What decides on the core."""
        return Operands(self.weight, self.input, self.pe, self.simd, self.shares_activations, self.has_scales,
                        self.thresholds is not None)

    @property
    def has_scales(self) -> bool:
        """True if the columns stand in groups with scales of their own."""
        return False

    @property
    def chosen_core(self) -> str:
        """The core that computes the layer: never "auto"."""
        return "plain" if self.storage != ROM else choose_core(self.name, self.core, self.operands)

    @property
    def folds_threshold(self) -> bool:
        """True if the accumulators start at minus the threshold and their signs are the results."""
        one = self.thresholds is not None and self.output.steps == 1
        return self.chosen_core == "parity" and self.counts_matches and one

    @cached_property
    def searches_in_turn(self) -> bool:
        """True if one comparator searches the thresholds of all rows, one after the other."""
        if self.thresholds is None or self.writable:
            return False
        return is_serial(self.pe, self.nf, self.sf, self.output.steps, self.acc_bits)

    def written_to(self, storage: str) -> WeightedLayer:
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

    @property
    def facts(self) -> dict[str, Any]:
        return {"mw": self.mw, "mh": self.mh, "vectors": self.vectors, "weight_bits": self.weight.bits,
                "weight_type": str(self.weight), "weights_in": self.storage, "core": self.chosen_core}

    @property
    def counts_matches(self) -> bool:
        """True if the kernel's accumulator counts XNOR matches, acc = 2 * matches - MW."""
        return self.multiplies_bits

    @property
    def outputs(self) -> tuple[Stream, ...]:
        return (Stream(self.output, self.pe, self.vectors * self.nf),)

    def activate(self, acc: IntArray) -> IntArray:
        """Accumulators (frames, vectors, MH) -> outputs (frames, elements)."""
        y = acc if self.thresholds is None else multi_threshold(acc, self.thresholds, self.output)
        return y.reshape(len(acc), -1)

    @property
    def latency_cycles(self) -> int:
        """Depth of the pipeline: two slices, two reads, the core, the accumulator, the binary search."""
        stages = sum_stages(self.chosen_core, self.operands, self.folds_threshold)
        search = 0 if self.thresholds is None else self.output.steps.bit_length()
        return 5 + stages + (search * self.pe if self.searches_in_turn else max(0, search - 1))

    @property
    def flow(self) -> Pipeline:
        """How words are held: two slices are part of the latency; results of several words are spaced."""
        return Pipeline(self.latency_cycles - 2, spaced=self.sf > 1)

    @property
    def kernel_accumulator(self) -> Interval:
        """Range of what the kernel accumulates and compares: matches or sums, one step above for "never reached"."""
        if self.counts_matches:
            return Interval(0, self.mw + 1)
        return Interval(self.accumulator.lo, self.accumulator.hi + 1)

    @property
    def acc_bits(self) -> int:
        """Width of the kernel's two's complement accumulator and thresholds."""
        lo, hi = self.kernel_accumulator.lo, self.kernel_accumulator.hi
        if self.chosen_core == "planes":  # holds its own sums and the thresholds as the HLS kernel compares them
            factor, offset = plane_scale(self.weight, self.input), plane_offset(self.weights, self.weight, self.input)
            lo, hi = min(lo, factor * lo - int(offset.max())), max(hi, factor * hi - int(offset.min()))
        return signed_bits(lo, hi)

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.mh, "simd": self.mw}

    @property
    def arithmetic_parameters(self) -> Parameters:
        """The parameters that follow those of the shape."""
        return (
            ("W_BITS", self.weight.bits), ("W_KIND", self.weight.kind),
            ("A_BITS", self.input.bits), ("A_KIND", self.input.kind),
            ("ACC_BITS", self.acc_bits), ("N", 0 if self.thresholds is None else self.thresholds.shape[1]),
            ("O_BITS", self.output.bits), ("BASE", 0 if self.thresholds is None else base_code(self.output)),
            ("SERIAL", int(self.searches_in_turn)), ("CORE", CORES.index(self.chosen_core)),
        )

    def memories(self) -> tuple[Memory, ...]:
        weights = self._weight_memory()
        return (weights,) if self.thresholds is None else (weights, self.threshold_memory())

    @property
    def kernel_thresholds(self) -> IntArray:
        """(MH, N) what the kernel's accumulators are compared with; the layer must have thresholds.

        Thresholds beyond the reachable range act like those at its ends; clipping keeps them in ACC_BITS.
        acc = 2*matches - MW, so acc >= T becomes matches >= ceil((T + MW)/2).
        """
        assert self.thresholds is not None
        T = -(-(self.thresholds + self.mw) // 2) if self.counts_matches else self.thresholds
        return np.clip(T, self.kernel_accumulator.lo, self.kernel_accumulator.hi)

    def threshold_memory(self) -> Memory:
        """The memory of the thresholds, which must be there."""
        T, never = self.kernel_thresholds, np.full(self.mh, self.kernel_accumulator.hi)
        words, dtype = threshold_words(T, self.pe), int_type(self.acc_bits)
        if self.chosen_core == "planes":
            factor, offset = plane_scale(self.weight, self.input), plane_offset(self.weights, self.weight, self.input)
            T, never = factor * T - offset[:, None], factor * never - offset
        if self.folds_threshold:
            return Memory("THRESHOLDS", words, dtype, (-words, dtype))
        if self.searches_in_turn or self.writable:
            searched = search_words(T, 1 if self.searches_in_turn else self.pe, never)
            return Memory("THRESHOLDS", words, dtype, (searched, dtype))
        return bounds_memory(words, dtype, T, self.pe, never)

    def _weight_memory(self) -> Memory:
        words = weight_words(self.weights, self.pe, self.simd)
        recoded = None
        if self.chosen_core == "parity":  # matches are XORs with the complements of the weights
            recoded = parity_code((words < 0).astype(np.int64)), uint_type(1)
        elif self.chosen_core == "dsp" and self.weight.signed:  # unsigned lanes leave no borrows to each other
            recoded = words + 2 ** (self.weight.bits - 1), uint_type(self.weight.bits)
        elif self.chosen_core == "planes":
            recoded = plane_words(words, self.weight), uint_type(1)
        return Memory("WEIGHTS", words, self.weight, recoded, in_rom=not self.writable)


def require_sums_fit(layer: str, weights: IntArray, inputs: DataType) -> None:
    """Raise InputError if a row of weights (MH, MW) times values of `inputs` can leave the kernels' integers."""
    # In Python's integers: numpy's would wrap before the check.
    reach = int(np.abs(weights).sum(1).max()) * max(abs(inputs.lo), abs(inputs.hi))
    if (bits := signed_bits(-reach, reach)) > MAX_SUM_BITS:
        raise InputError(f"{layer}: a sum of weights times {inputs} needs {bits} bits and at most {MAX_SUM_BITS} are "
                         "possible; use narrower weights or inputs")


def row_group(sf: int, reads: int) -> tuple[Step, ...]:
    """The SF cycles of one row group; the last one puts the result out."""
    head = (Step(sf - 1, reads, 0),) if sf > 1 else ()
    return (*head, Step(1, reads, 1))
