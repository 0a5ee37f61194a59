"""Clocks that the C++ cannot keep: how long its loops take from one iteration to the next.

The numbers are those of `headrace lint-hls`, which measures the sources themselves; a test compares them. A build must
not need what the lint does, hence this table.
"""

from __future__ import annotations

from collections.abc import Mapping

from headrace.dataflow.hls_graph import HlsGraph
from headrace.errors import InputError
from headrace.layers.hls import HlsProcess

#: No recurrence of a kernel takes longer; those of kernels that the table lacks may take as long.
SLOWEST_RECURRENCE_NS = 3.0
#: The ends of the network.
ENDS_NS = 2.1
#: Iterations per frame up to which counters are short.
_SHORT = 256
#: ns from one iteration to the next, by kernel: with short counters, and with others.
_RECURRENCE_NS: Mapping[str, tuple[float, float]] = {
    "acc_pool": (2.45, 2.45),
    "add": (0.85, 0.85),
    "channel_map": (2.05, 2.1),
    "concat": (1.85, 2.1),
    "crop": (2.4, 2.4),
    "depth_to_space": (2.0, 2.0),
    "depth_to_space_rows": (2.0, 2.0),
    "dwc": (2.2, 2.25),
    "fork": (0.85, 0.85),
    "label_results": (1.65, 1.65),
    "label_select": (1.95, 2.0),
    "lookup": (1.95, 1.95),
    "max_pool": (2.85, 2.85),
    "mvtu": (2.15, 2.15),
    "parallel_swu": (2.25, 2.4),
    "requant": (1.95, 1.95),
    "swu": (2.1, 2.3),
    "take": (1.95, 2.05),
    "threshold": (1.95, 2.0),
    "upsample": (2.3, 2.4),
    "vvtu": (2.0, 2.1),
    "window_rows": (2.3, 2.35),
}


def recurrence_ns(process: HlsProcess) -> float:
    """The most that the loop of a process takes from one iteration to the next."""
    short, other = _RECURRENCE_NS.get(process.kernel, (SLOWEST_RECURRENCE_NS,) * 2)
    return short if process.loop.iterations <= _SHORT else other


def require_clock(graph: HlsGraph, period_ns: float, uncertainty_ns: float = 0.0) -> None:
    """Raise InputError naming the slowest layer if its C++ takes longer than a clock period less the uncertainty."""
    layers = [(recurrence_ns(item.process), item.layer.name) for item in graph.processes]
    needed, name = max([(ENDS_NS, "axis_out"), *layers], key=lambda found: found[0])
    left = period_ns - uncertainty_ns
    if needed <= left:
        return
    says = (f"{name}: its C++ takes up to {needed:g} ns from one word to the next, and a clock of {1e3 / period_ns:g} "
            "MHz leaves ")
    slower = f"build with --clock-mhz {int(1e3 * (left / period_ns) / needed)} or less, or with --backend rtl"
    if uncertainty_ns:
        raise InputError(f"{says}{left:.2f} ns of its {period_ns:g} ns after the clock uncertainty; give a smaller "
                         f"--clock-uncertainty, {slower}")
    raise InputError(f"{says}{period_ns:g} ns; {slower}")
