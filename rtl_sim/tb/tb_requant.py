"""Bench of requant: ties to even, two groups of three channels, words of 27 and 15 bits."""

from __future__ import annotations

from typing import Any

import cocotb
from axi_stream import STALLS
from layer_bench import forgets_on_reset, keeps_protocol

from headrace.layers.spec import layer_from_spec

LAYER = layer_from_spec(
    {"kind": "requant", "channels": 6, "pe": 3, "pixels": 7, "input": "int9", "output": "int5", "rounding": "half_even"}
).layer


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def requant_keeps_protocol(dut: Any, stalls: str) -> None:
    """Right words under every stall pattern, and the cycles of the model."""
    await keeps_protocol(dut, LAYER, stalls)


@cocotb.test()
async def requant_forgets_on_reset(dut: Any) -> None:
    """A reset in the middle of a frame leaves no trace."""
    await forgets_on_reset(dut, LAYER)
