"""Bench of upsample: scales that differ, two words per pixel."""

from __future__ import annotations

from typing import Any

import cocotb
from axi_stream import STALLS
from layer_bench import forgets_on_reset, keeps_protocol

from headrace.layers.spec import layer_from_spec

LAYER = layer_from_spec(
    {"kind": "upsample", "height": 3, "width": 4, "channels": 4, "scale": [3, 2], "simd": 2, "element": "int3"}
).layer


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def upsample_keeps_protocol(dut: Any, stalls: str) -> None:
    """Right words under every stall pattern, and the cycles of the model."""
    await keeps_protocol(dut, LAYER, stalls)


@cocotb.test()
async def upsample_forgets_on_reset(dut: Any) -> None:
    """A reset in the middle of a frame leaves no trace."""
    await forgets_on_reset(dut, LAYER)
