"""Bench of parallel_swu: pads on three sides, strides and dilation that differ, two words per pixel."""

from __future__ import annotations

from typing import Any

import cocotb
from axi_stream import STALLS
from layer_bench import forgets_on_reset, keeps_protocol

from headrace.layers.spec import layer_from_spec

LAYER = layer_from_spec(
    {"kind": "parallel_swu", "height": 6, "width": 7, "channels": 4, "simd": 2, "kernel": [3, 2], "stride": [2, 1],
     "dilation": [1, 2], "pad": [1, 0, 1, 2], "element": "uint3"}
).layer


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def parallel_swu_keeps_protocol(dut: Any, stalls: str) -> None:
    """Right words under every stall pattern, and the cycles of the model."""
    await keeps_protocol(dut, LAYER, stalls)


@cocotb.test()
async def parallel_swu_forgets_on_reset(dut: Any) -> None:
    """A reset in the middle of a frame leaves no trace."""
    await forgets_on_reset(dut, LAYER)
