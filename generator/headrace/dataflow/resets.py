"""Which layers of a dataflow have a copy of the reset, and whose the others have."""

from __future__ import annotations

from headrace.area.usage import Resources
from headrace.dataflow.graph import Dataflow


def reset_owners(dataflow: Dataflow) -> dict[str, str]:
    """By layer the one whose copy resets it: itself, or for a FIFO the layer in front of it, where there is one."""
    owners: dict[str, str] = {}
    for item in dataflow.placed:
        name = item.layer.name
        owners[name] = name if item.layer.stream_depth is None else owners.get(item.sources[0][0], name)
    return owners


def reset_registers(dataflow: Dataflow) -> Resources:
    """The flip-flops of all copies (headrace_own_register.sv); where they are no cells, on an ECP5, they become one."""
    copies = len(set(reset_owners(dataflow).values()))
    return Resources(ff=min(copies, 1) if dataflow.prices.of_lut4 else copies)
