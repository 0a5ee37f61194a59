"""Bench of threshold: a search of three steps, some channels inverted, words of 12 and 6 bits."""

from __future__ import annotations

from typing import Any

import cocotb
from axi_stream import STALLS
from layer_bench import forgets_on_reset, keeps_protocol

from headrace.layers.spec import layer_from_spec

LAYER = layer_from_spec(
    {"kind": "threshold", "channels": 6, "pe": 2, "pixels": 7, "input": "int6", "output": "uint3", "inverted": True}
).layer


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def threshold_keeps_protocol(dut: Any, stalls: str) -> None:
    """Right words under every stall pattern, and the cycles of the model."""
    await keeps_protocol(dut, LAYER, stalls)


@cocotb.test()
async def threshold_forgets_on_reset(dut: Any) -> None:
    """A reset in the middle of a frame leaves no trace."""
    await forgets_on_reset(dut, LAYER)
