"""Matrix-vector-threshold unit: y_i = base + #{k : acc_i >= T_ik}, or acc_i itself, with acc = W x.

PE rows and SIMD columns per cycle; FINN's MVAU (Umuroglu et al., FPGA 2017). The input vector is taken during the
first of the NF = MH/PE row groups and replayed from a local buffer for the others, so vectors follow without a bubble.

With scales, acc_i = sum over g of scale_ig * (sum over the columns j of group g of W_ij x_j): the rows or pixels of a
kernel window weigh differently (SYQ; P. Leong, PAPAA 2018, equations (6) to (8)). One multiplier per PE, same cycles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from headrace.area.amounts import Amounts
from headrace.area.multipliers import DSP_PRODUCT_BITS, dsp_blocks
from headrace.area.structures import counters, rom, shift
from headrace.datatypes import IntArray, Interval, dot_product_interval, signed_bits, uint_type, unsigned_bits
from headrace.errors import FoldingError, InputError, require_positive
from headrace.fold_rule import require_divides
from headrace.layers.base import Layer, Parameters
from headrace.layers.cores import Mixed, Unit
from headrace.layers.cores.choice import AUTO
from headrace.layers.cores.tables import largest_weight
from headrace.layers.parallel_swu import ParallelSwu
from headrace.layers.phases import Loop, Phases
from headrace.layers.random_values import drawn_scales, drawn_weights
from headrace.layers.spec_fields import Fields
from headrace.layers.stream import Stream
from headrace.layers.weight_store import EXTERNAL, RAM, ROM, URAM
from headrace.layers.weighted import WeightedLayer, row_group
from headrace.packing import Bytes, Memory, depthwise_columns, pack_stream, scale_words, weight_words

#: Enabled cycles that scaled accumulators take longer: a group's sum, two registers of its product, the total.
SCALED_LATENCY_CYCLES = 4


@dataclass(frozen=True, eq=False)
class Mvtu(WeightedLayer):
    """Matrix-vector product with multi-threshold activation; vectors: input vectors of MW elements per frame.

    scales: None, or unsigned integers (MH, G), or (1, G) for all rows alike: the columns stand in G groups of MW/G
    consecutive ones, and SIMD divides MW/G. With the storage EXTERNAL the words of the weight memory come as
    `weight_stream`, all of them for every vector.
    """

    kind = "mvtu"
    #: Several row groups and vectors, words of 9 and 4 bits.
    example = {"mw": 12, "mh": 6, "pe": 2, "simd": 3, "vectors": 3, "weight": "ternary", "input": "int3",
               "output": "uint2"}
    hls_memories = ("WEIGHTS", "SCALES", "THRESHOLDS")
    has_weight_port = True
    scales: IntArray | None = None

    def __post_init__(self) -> None:
        if self.scales is not None:
            self._require_legal_scales(self.scales)
        super().__post_init__()

    @classmethod
    def from_spec(cls, f: Fields, rng: np.random.Generator) -> Layer:
        mh, mw, pe, simd = f.integer("mh"), f.integer("mw"), f.integer("pe", 1), f.integer("simd", 1)
        require_positive(f.name, mh=mh, mw=mw)
        require_divides(f.name, "PE", pe, "MH", mh)
        vectors = f.integer("vectors", 1)
        require_positive(f.name, vectors=vectors)
        require_divides(f.name, "SIMD", simd, "MW", mw)
        scales = drawn_scales(f, rng, mh, mw)
        storage = EXTERNAL if f.flag("external") else ROM
        drawn = drawn_weights(f, rng, mh, mw, scales)
        layer = cls(f.name, *drawn, vectors, pe, simd, f.text("core", AUTO), storage, scales)
        written = f.text("storage", ROM)
        if written not in (ROM, RAM, URAM):
            raise InputError(f"{f.name}: storage {written!r} is unknown; choose {ROM}, {RAM} or {URAM}")
        return layer if written == ROM else layer.written_to(written)

    def _require_legal_scales(self, scales: IntArray) -> None:
        """Raise InputError unless the scales are unsigned and of a legal shape."""
        if scales.ndim != 2 or scales.shape[0] not in (1, self.mh) or scales.shape[1] < 2:
            raise InputError(f"{self.name}: scales of shape {scales.shape} should be (1, groups) or "
                             f"({self.mh}, groups) with 2 groups or more; one scale per row belongs to the thresholds")
        require_divides(self.name, "groups", scales.shape[1], "MW", self.mw)
        if scales.min() < 0:
            raise InputError(f"{self.name}: the scale {scales.min()} is negative; negate the weights of its group")

    @property
    def external(self) -> bool:
        """True if the weights come as a stream."""
        return self.storage == EXTERNAL

    @property
    def weight_stream(self) -> Stream | None:
        if not self.external:
            return None
        return Stream(self.weight, self.pe * self.simd, self.vectors * self.nf * self.sf)

    def weight_image(self) -> Bytes:
        """(NF*SF, bytes) the words of the weight memory, each in whole bytes, as they come for every vector."""
        return pack_stream(weight_words(self.weights, self.pe, self.simd), self.pe * self.simd, self.weight)

    @property
    def burst_words(self) -> int:
        return self.sf if self.nf > 1 else 0

    @property
    def groups(self) -> int:
        """Groups of columns that have a scale each; 0 without scales."""
        return 0 if self.scales is None else int(self.scales.shape[1])

    @property
    def fold_sizes(self) -> dict[str, int]:
        return {"pe": self.mh, "simd": self.mw // max(1, self.groups)}

    @property
    def column_size_name(self) -> str:
        return "MW/groups" if self.groups else "MW"

    @property
    def effective_weights(self) -> IntArray:
        if self.scales is None:
            return super().effective_weights
        return self.weights * np.repeat(self.scales, self.mw // self.groups, axis=1)

    @property
    def has_scales(self) -> bool:
        return self.scales is not None

    @property
    def counts_matches(self) -> bool:
        return self.multiplies_bits and self.scales is None

    @property
    def latency_cycles(self) -> int:
        return super().latency_cycles + (SCALED_LATENCY_CYCLES if self.groups else 0)

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.input, self.simd, self.vectors * self.sf),)

    @property
    def passes(self) -> int:
        return self.nf

    def behind(self, source: Layer) -> Self:
        if not isinstance(source, ParallelSwu) or source.window_columns != self.mw:
            return super().behind(source)
        if self.groups and source.simd != source.channels:
            raise FoldingError(f"{source.name}: parallel_window with SIMD={source.simd} would take apart the "
                               f"{self.groups} groups of columns with scales in {self.name}; use "
                               f"SIMD={source.channels} or parallel_window 0")
        return replace(self, weights=depthwise_columns(self.weights, source.channels, source.simd))

    def window_forms(self, columns: int, channels: int, folds: Mapping[str, int]) -> tuple[str, ...]:
        if self.groups or self.mw != columns:
            return ("serial",)
        return ("parallel",) if folds.get("simd", 1) > channels else ("serial", "parallel")

    def golden(self, *x: IntArray) -> IntArray:
        vectors = x[0].reshape(len(x[0]), self.vectors, self.mw)
        if self.scales is None:
            return self.activate(vectors @ self.weights.T)
        columns = np.split(vectors, self.groups, axis=2)
        rows = np.split(self.weights, self.groups, axis=1)
        acc = sum((part @ W.T) * self.scales[:, g] for g, (part, W) in enumerate(zip(columns, rows, strict=True)))
        return self.activate(np.asarray(acc, np.int64))

    @property
    def phases(self) -> Phases:
        first = row_group(self.sf, reads=1)
        rest: Phases = (Loop(self.nf - 1, row_group(self.sf, reads=0)),) if self.nf > 1 else ()
        return (Loop(self.vectors, (*first, *rest)),)

    @property
    def sum_bits(self) -> int:
        return 0 if self.scales is None else signed_bits(self.group_sum.lo, self.group_sum.hi)

    @cached_property
    def group_sum(self) -> Interval:
        """Exact range of a group's sum before its scale; matches, which are fewer, fit into its width as well."""
        lo, hi = dot_product_interval(self.weights.reshape(-1, self.fold_sizes["simd"]), self.input)
        return Interval(int(lo.min()), int(hi.max()))

    @property
    def scale_parameters(self) -> Parameters:
        """The parameters of the scales; without any the sums are as wide as the accumulators."""
        if self.scales is None:
            return (("GROUPS", 0), ("SCALE_ROWS", 1), ("SCALE_BITS", 1), ("SUM_BITS", self.acc_bits))
        return (("GROUPS", self.groups), ("SCALE_ROWS", len(self.scales)),
                ("SCALE_BITS", unsigned_bits(int(self.scales.max()))),
                ("SUM_BITS", self.sum_bits))

    def parameters(self) -> Parameters:
        return (("MW", self.mw), ("MH", self.mh), ("PE", self.pe), ("SIMD", self.simd), ("VECTORS", self.vectors),
                *self.arithmetic_parameters, *self.scale_parameters)

    def rtl_parameters(self) -> Parameters:
        if not self.arithmetic.stores_weights:
            return (("W_LARGEST", largest_weight(self.weight)),)
        if isinstance(self.arithmetic, Mixed):
            return (("DSP_ROWS", self.arithmetic.rows_in_blocks(self.operands)),)
        return (("EXTERNAL", 1),) if self.external else ()

    def memories(self) -> tuple[Memory, ...]:
        if self.external:
            return super().memories()[1:]
        if self.scales is None:
            return super().memories()
        dtype = uint_type(unsigned_bits(int(self.scales.max())))
        return (Memory("SCALES", scale_words(self.scales, self.pe), dtype, rom=self.prices), *super().memories())

    def _accumulate(self, a: Amounts, unit: Unit) -> None:
        if self.scales is None:
            super()._accumulate(a, unit)
        else:
            self._accumulate_scaled(a, self.scales, unit.sum_bits)

    def _accumulate_scaled(self, a: Amounts, scales: IntArray, sum_bits: int) -> None:
        """Scales of groups: their memory, and per PE the sum of a group, a multiplier and the total."""
        scale, lanes = unsigned_bits(int(scales.max())), self.pe if len(scales) > 1 else 1
        words = scales.size // lanes
        rom(a, words, lanes * scale, registers=1)
        counters(a, self.sf // self.groups, self.groups, words)
        shift(a, "scaled", 4, 2)
        summed = sum_bits if self.sf > self.groups else 0
        a.add("scaled", lut=1.4 * self.pe * (summed + self.acc_bits), ff=self.pe * (sum_bits + self.acc_bits))
        if scale + 1 + sum_bits >= DSP_PRODUCT_BITS:
            dsp_blocks(a, self.pe)
        else:
            a.add("product bits", lut=self.pe * scale * sum_bits, ff=self.pe * (sum_bits + scale + 2 * self.acc_bits))
