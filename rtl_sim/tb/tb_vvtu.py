"""Bench of vvtu: several groups of channels and folds of taps, words of 18 and 4 bits."""

from __future__ import annotations

from typing import Any

import cocotb
from axi_stream import STALLS
from layer_bench import forgets_on_reset, keeps_protocol

from headrace.layers.spec import layer_from_spec

LAYER = layer_from_spec(
    {"kind": "vvtu", "channels": 6, "kernel": [3, 2], "height": 2, "width": 3, "pe": 2, "simd": 3,
     "weight": "ternary", "input": "int3", "output": "uint2"}
).layer


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def vvtu_keeps_protocol(dut: Any, stalls: str) -> None:
    """Right words under every stall pattern, and the cycles of the model."""
    await keeps_protocol(dut, LAYER, stalls)


@cocotb.test()
async def vvtu_forgets_on_reset(dut: Any) -> None:
    """A reset in the middle of a frame leaves no trace."""
    await forgets_on_reset(dut, LAYER)
