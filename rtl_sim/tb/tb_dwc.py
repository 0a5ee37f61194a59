"""Bench of dwc: a ratio of 2 to 3, neither of which fills whole bytes."""

from __future__ import annotations

from typing import Any

import cocotb
from axi_stream import STALLS
from layer_bench import forgets_on_reset, keeps_protocol

from headrace.layers.spec import layer_from_spec

LAYER = layer_from_spec(
    {"kind": "dwc", "in_lanes": 2, "out_lanes": 3, "element": "int3", "words": 12}
).layer


@cocotb.test()
@cocotb.parametrize(stalls=STALLS)
async def dwc_keeps_protocol(dut: Any, stalls: str) -> None:
    """Right words under every stall pattern, and the cycles of the model."""
    await keeps_protocol(dut, LAYER, stalls)


@cocotb.test()
async def dwc_forgets_on_reset(dut: Any) -> None:
    """A reset in the middle of a frame leaves no trace."""
    await forgets_on_reset(dut, LAYER)
