"""Matrix-vector-threshold unit: y_i = base + #{k : acc_i >= T_ik}, or acc_i itself, with acc = W x.

PE rows and SIMD columns per cycle; FINN's MVAU (Umuroglu et al., FPGA 2017). The input vector is taken during the
first of the NF = MH/PE row groups and replayed from a local buffer for the others, so vectors follow without a bubble.
"""

from __future__ import annotations

from dataclasses import dataclass

from generator.datatypes import IntArray
from generator.layers.base import Loop, Parameters, Phases, Schedule, Stream
from generator.layers.weighted import WeightedLayer, row_group


@dataclass(frozen=True, eq=False)
class Mvtu(WeightedLayer):
    """Matrix-vector product with multi-threshold activation; vectors: input vectors of MW elements per frame."""

    kind = "mvtu"

    @property
    def inputs(self) -> tuple[Stream, ...]:
        return (Stream(self.input, self.simd, self.vectors * self.sf),)

    def golden(self, *x: IntArray) -> IntArray:
        return self.activate(x[0].reshape(len(x[0]), self.vectors, self.mw) @ self.weights.T)

    def schedule(self) -> Schedule:
        first = row_group(self.sf, reads=1)
        rest: Phases = (Loop(self.nf - 1, row_group(self.sf, reads=0)),) if self.nf > 1 else ()
        return Schedule((Loop(self.vectors, (*first, *rest)),), self.latency_cycles)

    def parameters(self) -> Parameters:
        return (("MW", self.mw), ("MH", self.mh), ("PE", self.pe), ("SIMD", self.simd), ("VECTORS", self.vectors),
                *self.arithmetic_parameters)  # fmt: skip
