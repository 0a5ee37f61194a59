"""Bench of mvtu: several row groups and vectors, words of 9 and 4 bits."""

from __future__ import annotations

from typing import Any

import cocotb
from axi_stream import STALLS
from layer_bench import forgets_on_reset, keeps_protocol

from headrace.layers.spec import layer_from_spec

LAYER = layer_from_spec(
    {"kind": "mvtu", "mw": 12, "mh": 6, "pe": 2, "simd": 3, "vectors": 3,
     "weight": "ternary", "input": "int3", "output": "uint2"}
).layer


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def mvtu_keeps_protocol(dut: Any, stalls: str) -> None:
    """Right words under every stall pattern, and the cycles of the model."""
    await keeps_protocol(dut, LAYER, stalls)


@cocotb.test()
async def mvtu_forgets_on_reset(dut: Any) -> None:
    """A reset in the middle of a frame leaves no trace."""
    await forgets_on_reset(dut, LAYER)
