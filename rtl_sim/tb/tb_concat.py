"""Bench of concat: three inputs with different numbers of words per pixel."""

from __future__ import annotations

from typing import Any

import cocotb
from axi_stream import STALLS
from layer_bench import forgets_on_reset, keeps_protocol

from headrace.layers.spec import layer_from_spec

LAYER = layer_from_spec(
    {"kind": "concat", "channels": [2, 6, 4], "pe": 2, "element": "uint3", "pixels": 4}
).layer


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def concat_keeps_protocol(dut: Any, stalls: str) -> None:
    """Right words under every stall pattern, and the cycles of the model."""
    await keeps_protocol(dut, LAYER, stalls)


@cocotb.test()
async def concat_forgets_on_reset(dut: Any) -> None:
    """A reset in the middle of a frame leaves no trace."""
    await forgets_on_reset(dut, LAYER)
